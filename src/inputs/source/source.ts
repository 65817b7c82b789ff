// SPDX-License-Identifier: Apache-2.0
/**
 * The published source as a directory. A commit counts as the publisher's only when a branch or tag of the upstream
 * repository leads to it: hosting services serve commits of forks under the upstream address.
 */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { UsageError } from '../../errors.js';
import type { OnProgress, Reason, Sha256, SourcePlan } from '../../model.js';
import { bareClone, RepositoryMissing } from './git-cache.js';
import { git, gitChecked, gitError, gitFailure, isCommitId, isPlainRef, succeeded } from './git.js';
import { verifyDetached } from '../openpgp.js';
import { bundledRepository } from './bundled-source.js';
import { lfsPointers, type LfsPointer } from './lfs.js';
import { addSubmodules, type Submodule } from './submodules.js';
import { treeDigest } from './tree-digest.js';
import { takeDirectory } from './source-directory.js';
import { failedAssertion } from './version-assertion.js';

export type GitPlan = Extract<SourcePlan, { kind: 'git' }>;
type BundledPlan = Extract<SourcePlan, { kind: 'bundled' }>;

export interface SourceOptions {
  readonly cache: string;
  /** Only from the cache. */
  readonly offline?: boolean | undefined;
  /** Made here; must not exist. */
  readonly directory: string;
  /** Of this package, for bundled sources. */
  readonly packageRoot: string;
  /** `--source`: a local directory, or the address of another repository. */
  readonly override?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

export interface SourceTree {
  readonly kind: 'ready';
  readonly directory: string;
  readonly repository: string;
  readonly commit: string;
  /** Seconds since the epoch. */
  readonly commitTime: number;
  readonly treeSha256: Sha256;
  readonly files: number;
  readonly submodules: readonly Submodule[];
  readonly lfs: readonly LfsPointer[];
  readonly from: 'upstream' | 'directory' | 'url' | 'bundled';
  readonly tag?: string;
  /** Fingerprint of the key whose signature of the tag was verified. */
  readonly tagSignedBy?: string;
}

export type SourceOutcome =
  | SourceTree
  | { readonly kind: 'untrusted'; readonly reasons: readonly Reason<'source-untrusted'>[] }
  /** The repository answers and does not have it. */
  | { readonly kind: 'missing'; readonly detail: string };

/** @throws FailedHere `network`, `interrupted`, `disk-full`; UsageError for an override that cannot be used */
export async function checkOutSource(
  plan: GitPlan | BundledPlan,
  options: SourceOptions,
): Promise<SourceOutcome> {
  try {
    if (plan.kind === 'bundled') return await checkOutBundled(plan, options);
    if (options.override === undefined) return await checkOutGit(plan, plan.repository, 'upstream', options);
    if (/^[a-z]+:\/\//i.test(options.override))
      return await checkOutGit(plan, options.override, 'url', options);
    return await takeDirectory(plan, options.override, options);
  } catch (error) {
    if (error instanceof RepositoryMissing)
      return { kind: 'missing', detail: `the repository is not there: ${error.message}` };
    throw error;
  }
}

function untrusted(detail: string): SourceOutcome {
  return { kind: 'untrusted', reasons: [{ code: 'source-untrusted', detail }] };
}

/** The files of this package become a repository, which is then handled as any other. */
async function checkOutBundled(plan: BundledPlan, options: SourceOptions): Promise<SourceOutcome> {
  const repository = `${options.directory}.git`;
  const commit = await bundledRepository(
    path.join(options.packageRoot, plan.directory),
    plan.tag,
    repository,
    options.signal,
  );
  const outcome = await checkOutGit(
    {
      kind: 'git',
      repository,
      commit,
      ref: plan.tag,
      fullHistory: false,
      submodules: false,
      lfs: false,
      assertions: plan.assertions,
    },
    repository,
    'bundled',
    { ...options, cache: path.dirname(options.directory) },
  );
  return outcome.kind === 'ready' ? { ...outcome, repository: plan.directory } : outcome;
}

async function checkOutGit(
  plan: GitPlan,
  repository: string,
  from: SourceTree['from'],
  options: SourceOptions,
): Promise<SourceOutcome> {
  const { commit, ref } = plan;
  if (!isCommitId(commit)) throw new UsageError('bad-commit', `not a commit id: ${commit}`);
  if (ref !== undefined && !isPlainRef(ref)) throw new UsageError('bad-ref', `not a plain tag name: ${ref}`);
  const bare = await bareClone(repository, options);
  const at = { cwd: bare, signal: options.signal };

  const known = await git(['cat-file', '-e', `${commit}^{commit}`], at);
  if (!succeeded(known)) {
    if (known.ended.kind !== 'exited' || gitFailure(known).kind === 'network')
      throw gitError(['cat-file'], known);
    return { kind: 'missing', detail: `${repository} has no commit ${commit}` };
  }
  const leading = await gitChecked(
    ['for-each-ref', '--count=1', '--contains', commit, '--format=%(refname)', 'refs/heads', 'refs/tags'],
    at,
  );
  if (leading.trim() === '')
    return untrusted(`commit-not-upstream: no branch or tag of ${repository} leads to ${commit}`);
  const moved = ref === undefined ? undefined : await movedTag(ref, commit, at);
  if (moved !== undefined) return untrusted(moved);
  const signature =
    plan.tagKey === undefined || ref === undefined ? undefined : await checkTag(ref, plan.tagKey, at);
  if (signature?.kind === 'bad') return untrusted(signature.detail);

  await fs.mkdir(options.directory, { recursive: true });
  const submodules = await checkOutTree(plan, repository, bare, options);
  if (submodules.kind === 'untrusted') return untrusted(submodules.detail);
  const assertion = await failedAssertion(plan.assertions, options.directory);
  if (assertion !== undefined) return untrusted(`version-file-mismatch: ${assertion}`);
  const { sha256, files } = await treeDigest(options.directory, options.signal);
  const commitTime = Number((await gitChecked(['log', '-1', '--format=%ct', commit], at)).trim());
  return {
    kind: 'ready',
    directory: options.directory,
    repository,
    commit,
    commitTime,
    treeSha256: sha256,
    files,
    submodules: submodules.added,
    lfs: await lfsPointers(options.directory, plan.lfs),
    from,
    ...(ref === undefined ? {} : { tag: ref }),
    ...(signature === undefined ? {} : { tagSignedBy: signature.signedBy }),
  };
}

interface At {
  readonly cwd: string;
  readonly signal: AbortSignal | undefined;
}

/** A branch moves by its nature; a tag that names another commit now was moved. */
async function movedTag(ref: string, commit: string, at: At): Promise<string | undefined> {
  const tag = await git(['rev-parse', '--verify', '--quiet', `refs/tags/${ref}^{commit}`], at);
  if (succeeded(tag)) {
    const now = tag.stdout.toString('utf8').trim();
    return now === commit ? undefined : `tag-moved: ${ref} was ${commit} and is ${now}`;
  }
  const branch = await git(['rev-parse', '--verify', '--quiet', `refs/heads/${ref}^{commit}`], at);
  return succeeded(branch) ? undefined : `tag-moved: ${ref} was ${commit} and is gone`;
}

const SIGNATURE = '-----BEGIN PGP SIGNATURE-----';

async function checkTag(
  ref: string,
  key: string,
  at: At,
): Promise<
  { readonly kind: 'good'; readonly signedBy: string } | { readonly kind: 'bad'; readonly detail: string }
> {
  const object = await git(['cat-file', 'tag', `refs/tags/${ref}`], at);
  const bytes = object.stdout;
  const start = bytes.indexOf(SIGNATURE);
  if (!succeeded(object) || start < 0) return { kind: 'bad', detail: `tag-signature: ${ref} is not signed` };
  const check = await verifyDetached(bytes.subarray(0, start), bytes.subarray(start), key, at.signal);
  return check.kind === 'good'
    ? { kind: 'good', signedBy: check.signedBy.join(' ') }
    : { kind: 'bad', detail: `tag-signature: ${ref}: ${check.kind}: ${check.detail}` };
}

type Checkout =
  | { readonly kind: 'ready'; readonly added: readonly Submodule[] }
  | { readonly kind: 'untrusted'; readonly detail: string };

/** The cache holds what it was asked for; a clone of it asks where the cache asks. Builds read that address as well. */
const sameOrigin = (repository: string): readonly (readonly [string, string])[] => [
  ['remote.origin.url', repository],
  ['remote.origin.promisor', 'true'],
  ['remote.origin.partialclonefilter', 'tree:0'],
  ['core.repositoryformatversion', '1'],
  ['extensions.partialClone', 'origin'],
];

/** One tree and nothing else; the whole repository only for builds that read their own history. */
async function checkOutTree(
  plan: GitPlan,
  repository: string,
  bare: string,
  options: SourceOptions,
): Promise<Checkout> {
  const { directory, signal } = options;
  if (plan.fullHistory) {
    await gitChecked(['clone', '--quiet', '--no-checkout', '--no-hardlinks', '--', bare, directory], {
      signal,
    });
    for (const [key, value] of sameOrigin(repository))
      await gitChecked(['config', key, value], { cwd: directory, signal });
    await gitChecked(['checkout', '--quiet', '--force', plan.commit], { cwd: directory, signal });
  } else
    await gitChecked(['--work-tree', directory, 'checkout', '--quiet', '--force', plan.commit, '--', '.'], {
      cwd: bare,
      signal,
      env: { GIT_INDEX_FILE: `${directory}.index` },
    });
  await fs.rm(`${directory}.index`, { force: true });
  return plan.submodules
    ? await addSubmodules({ ...options, repository, commit: plan.commit, bare, into: directory, depth: 0 })
    : { kind: 'ready', added: [] };
}
