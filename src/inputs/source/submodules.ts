// SPDX-License-Identifier: Apache-2.0
/** Submodules of a tree, each under the same rules as the tree itself (gitmodules(5)). */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { bareClone, type GitCacheOptions } from './git-cache.js';
import { git, gitChecked, isCommitId, succeeded } from './git.js';
import { submoduleAddress } from './submodule-address.js';

export interface Submodule {
  readonly path: string;
  readonly url: string;
  readonly commit: string;
}

export interface SubmoduleRequest extends GitCacheOptions {
  readonly repository: string;
  readonly commit: string;
  readonly bare: string;
  /** The tree's directory. */
  readonly into: string;
  readonly depth: number;
}

export type SubmoduleOutcome =
  | { readonly kind: 'ready'; readonly added: readonly Submodule[] }
  | { readonly kind: 'untrusted'; readonly detail: string };

const MAX_DEPTH = 8;
const MAX_SUBMODULES = 500;

export async function addSubmodules(request: SubmoduleRequest): Promise<SubmoduleOutcome> {
  const { bare, commit, into, signal } = request;
  const links = await gitlinks(bare, commit, signal);
  if (links.length === 0) return { kind: 'ready', added: [] };
  if (request.depth === MAX_DEPTH || links.length > MAX_SUBMODULES)
    return {
      kind: 'untrusted',
      detail: `submodules: more than ${MAX_DEPTH} deep or ${MAX_SUBMODULES} in one tree`,
    };
  const urls = await moduleUrls(path.join(into, '.gitmodules'), signal);
  const added: Submodule[] = [];
  for (const link of links) {
    const stated = urls.get(link.path);
    const url = stated === undefined ? undefined : submoduleAddress(request.repository, stated);
    if (url === undefined)
      return { kind: 'untrusted', detail: `submodules: ${link.path} has no address that can be used` };
    const outcome = await addOne(request, link.path, url, link.commit);
    if (outcome.kind === 'untrusted') return outcome;
    added.push({ path: link.path, url, commit: link.commit }, ...outcome.added);
  }
  return { kind: 'ready', added };
}

async function addOne(
  request: SubmoduleRequest,
  at: string,
  url: string,
  commit: string,
): Promise<SubmoduleOutcome> {
  const bare = await bareClone(url, request);
  const options = { cwd: bare, signal: request.signal };
  const leading = await git(
    ['for-each-ref', '--count=1', '--contains', commit, 'refs/heads', 'refs/tags'],
    options,
  );
  if (!succeeded(leading) || leading.stdout.length === 0)
    return {
      kind: 'untrusted',
      detail: `commit-not-upstream: submodule ${at}: no branch or tag of ${url} leads to ${commit}`,
    };
  const directory = path.join(request.into, at);
  // the tree itself may hold a link in the way
  const parent = await fs.realpath(path.dirname(directory)).catch(() => undefined);
  if (parent === undefined || !`${parent}/`.startsWith(`${await fs.realpath(request.into)}/`))
    return { kind: 'untrusted', detail: `submodules: ${at} leads out of the tree` };
  await fs.mkdir(directory, { recursive: true });
  await gitChecked(['--work-tree', directory, 'checkout', '--quiet', '--force', commit, '--', '.'], {
    ...options,
    env: { GIT_INDEX_FILE: `${request.into}.index` },
  });
  await fs.rm(`${request.into}.index`, { force: true });
  const inner = await addSubmodules({
    ...request,
    repository: url,
    commit,
    bare,
    into: directory,
    depth: request.depth + 1,
  });
  if (inner.kind === 'untrusted') return inner;
  return {
    kind: 'ready',
    added: inner.added.map((module) => ({ ...module, path: `${at}/${module.path}` })),
  };
}

async function gitlinks(
  bare: string,
  commit: string,
  signal: AbortSignal | undefined,
): Promise<readonly { readonly path: string; readonly commit: string }[]> {
  const listing = await gitChecked(['ls-tree', '-r', '-z', commit], { cwd: bare, signal });
  return listing.split('\0').flatMap((line) => {
    const match = /^160000 commit ([0-9a-f]+)\t(.+)$/s.exec(line);
    return match?.[1] !== undefined && match[2] !== undefined && isCommitId(match[1])
      ? [{ commit: match[1], path: match[2] }]
      : [];
  });
}

async function moduleUrls(
  file: string,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> {
  const stat = await fs.lstat(file).catch(() => undefined);
  if (stat?.isFile() !== true) return new Map();
  const listing = await git(['config', '--file', file, '--null', '--list'], { signal });
  const modules = new Map<string, { path?: string; url?: string }>();
  for (const line of listing.stdout.toString('utf8').split('\0')) {
    const match = /^submodule\.(.*)\.(path|url)\n(.*)$/s.exec(line);
    if (match?.[1] === undefined) continue;
    const module = modules.get(match[1]) ?? {};
    modules.set(match[1], { ...module, [match[2] as 'path' | 'url']: match[3] ?? '' });
  }
  return new Map(
    [...modules.values()].flatMap(({ path: at, url }) =>
      at === undefined || url === undefined ? [] : [[at, url] as const],
    ),
  );
}
