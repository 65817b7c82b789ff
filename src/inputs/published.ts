// SPDX-License-Identifier: Apache-2.0
/** The files that users get, from the channel that the plan names or from the user's hand: copied, named, hashed. */
import { promises as fs, type Stats } from 'node:fs';
import path from 'node:path';
import { readText } from '../bytes.js';
import { FailedHere, UsageError } from '../errors.js';
import type { ComparePlan, DebianBinary, FileIdentity, OnProgress } from '../model.js';
import { cachedDownload, copyOut, sha256OfFile } from './cache.js';
import { isPlainPath } from './debian-release.js';
import { indexedDownload } from './mirror-file.js';
import { packSplits } from './pack-splits.js';

export interface PublishedFile extends FileIdentity {
  /** Where it lies on this machine: a copy of ours that nobody else changes. Never enters a report. */
  readonly path: string;
  readonly from: 'handed-over' | 'url' | 'debian-archive' | 'bundled';
  /** Text of the device.json beside splits that were pulled from a device. */
  readonly device?: string;
}

export interface ObtainOptions {
  /** FILE or DIR of the user; takes precedence over the channel. */
  readonly published?: string | undefined;
  /** Where the copies are put. */
  readonly directory: string;
  readonly cache: string;
  /** Address of the Debian archive (`…/debian`), for a plan that needs it. */
  readonly debianMirror?: string | undefined;
  /** Root of this package, for files that it brings along. */
  readonly packageRoot?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

export type PublishedOutcome =
  | {
      readonly kind: 'obtained';
      readonly files: readonly PublishedFile[];
      /** Published names of the plan that were not there. */
      readonly notObtained: readonly string[];
      /** Names in the user's directory that the plan does not ask for. */
      readonly ignored: readonly string[];
      readonly details: readonly string[];
    }
  /** For the verdict `unverifiable: no-published-artifact`; `hint` says what to do. */
  | { readonly kind: 'no-published-artifact'; readonly detail: string; readonly hint: string };

interface Found {
  readonly files: readonly PublishedFile[];
  readonly ignored?: readonly string[];
  readonly details?: readonly string[];
  /** Why there is nothing, where the channel has a reason of its own. */
  readonly hint?: string;
}

/**
 * @throws UsageError for a handed-over file that the plan has no use for
 * @throws FailedHere `unreadable-input`, `mirror-incomplete`, and what `download` throws
 */
export async function obtainPublished(plan: ComparePlan, options: ObtainOptions): Promise<PublishedOutcome> {
  await fs.mkdir(options.directory, { recursive: true });
  const names = plan.pairs.map((pair) => pair.published);
  const found = await find(plan, names, options);
  if (found.files.length === 0)
    return {
      kind: 'no-published-artifact',
      detail: found.details?.join('; ') ?? 'no published file was handed over',
      hint: found.hint ?? 'hand the published file over with --published FILE',
    };
  const obtained = new Set(found.files.map((file) => file.name));
  return {
    kind: 'obtained',
    files: found.files,
    notObtained: names.filter((name) => !obtained.has(name)),
    ignored: found.ignored ?? [],
    details: found.details ?? [],
  };
}

async function find(plan: ComparePlan, names: readonly string[], options: ObtainOptions): Promise<Found> {
  if (options.published !== undefined) return handedOver(options.published, names, options);
  const { acquisition } = plan;
  switch (acquisition.kind) {
    case 'handed-over':
      return {
        files: [],
        details: [`channel ${plan.target.channel} has no address to fetch from`],
        hint: `${acquisition.how}; then hand it over with --published FILE`,
      };
    case 'url':
      return fromUrl(acquisition, names, options);
    case 'debian-archive':
      return fromArchive(acquisition.files, options);
    case 'bundled':
      return bundled(acquisition.files, options);
  }
}

// ---------------------------------------------------------------- handed over

const CHECK_PATH = 'check the path and its permissions';

async function regular(file: string): Promise<Stats> {
  let stat: Stats;
  try {
    stat = await fs.stat(file);
  } catch (cause) {
    throw new FailedHere('unreadable-input', `cannot open ${file}: ${(cause as Error).message}`, {
      cause,
      hint: CHECK_PATH,
    });
  }
  if (!stat.isFile() && !stat.isDirectory())
    throw new FailedHere('unreadable-input', `${file} is neither a regular file nor a directory`, {
      hint: CHECK_PATH,
    });
  return stat;
}

/** A copy: what is compared later is what is hashed now. */
async function take(
  file: string,
  name: string,
  from: PublishedFile['from'],
  options: ObtainOptions,
): Promise<PublishedFile> {
  if (!isPlainPath(name) || name.includes('/'))
    throw new UsageError('bad-published-name', `${JSON.stringify(name)} is not a plain file name`);
  const target = path.join(options.directory, name);
  try {
    await fs.access(file, fs.constants.R_OK);
  } catch (cause) {
    throw new FailedHere('unreadable-input', `cannot read ${file}`, { cause, hint: CHECK_PATH });
  }
  await copyOut(file, target);
  return { name, ...(await sha256OfFile(target)), path: target, from };
}

async function handedOver(given: string, names: readonly string[], options: ObtainOptions): Promise<Found> {
  const stat = await regular(given);
  if (stat.isDirectory()) return fromDirectory(given, names, options);
  const base = path.basename(given);
  const only = names.length === 1 ? names[0] : undefined;
  const name = names.includes(base) ? base : only;
  if (name === undefined)
    throw new UsageError('unknown-published-file', `${base} is none of the published files of this plan`, {
      hint: `expected a file named ${names.join(', ')}, or a directory that holds them`,
    });
  return { files: [await take(given, name, 'handed-over', options)] };
}

async function fromDirectory(
  given: string,
  names: readonly string[],
  options: ObtainOptions,
): Promise<Found> {
  const root = await fs.realpath(given);
  const files: PublishedFile[] = [];
  const ignored: string[] = [];
  const details: string[] = [];
  const present: string[] = [];
  for (const base of (await fs.readdir(root)).toSorted()) {
    const real = await fs.realpath(path.join(root, base)).catch(() => undefined);
    // a link that leads out of the directory would bring in a file that the user did not name
    if (real === undefined || !real.startsWith(root + path.sep))
      details.push(`${base} is a link out of the directory`);
    else if ((await regularFile(real)) && isPlainPath(base)) present.push(base);
    else ignored.push(base);
  }
  const [single] = names;
  // a pull from a device: the plan speaks of it as one archive
  if (names.length === 1 && single !== undefined && /\.apks$/i.test(single) && !present.some(isArchive))
    return { files: [await takePull(root, single, options)], details };
  const lone = names.length === 1 && present.length === 1 && single !== undefined ? present[0] : undefined;
  for (const base of present) {
    const name = base === lone && single !== undefined ? single : base;
    if (names.includes(name)) files.push(await take(path.join(root, base), name, 'handed-over', options));
    else ignored.push(base);
  }
  if (files.length > 0) return { files, ignored: ignored.toSorted(), details };
  // what else lies there is the user's own affair, and enters no report
  const links =
    details.length === 0 ? '' : ` (${details.length} links that lead out of it were not followed)`;
  return { files, details: [`the directory that was handed over holds none of ${names.join(', ')}${links}`] };
}

const isArchive = (name: string): boolean => /\.(?:apks|xapk|apkm)$/i.test(name);
const DEVICE = 'device.json';
const MAX_DEVICE = 1 << 20;

async function takePull(root: string, name: string, { directory }: ObtainOptions): Promise<PublishedFile> {
  const target = path.join(directory, name);
  await packSplits(root, target);
  const device = path.join(root, DEVICE);
  return {
    name,
    ...(await sha256OfFile(target)),
    path: target,
    from: 'handed-over',
    ...((await regularFile(device)) ? { device: readText(device, MAX_DEVICE) } : {}),
  };
}

async function regularFile(file: string): Promise<boolean> {
  return (await fs.stat(file).catch(() => undefined))?.isFile() ?? false;
}

// ---------------------------------------------------------------- fetched

async function fromUrl(
  {
    url,
    sha256,
    onlyLatest,
  }: { readonly url: string; readonly sha256?: string; readonly onlyLatest: boolean },
  names: readonly string[],
  options: ObtainOptions,
): Promise<Found> {
  const [name] = names;
  if (name === undefined || names.length > 1)
    throw new UsageError('bad-plan', `one address for ${names.length} published files`);
  const { signal, onProgress } = options;
  const expected = sha256 === undefined ? {} : { expected: { sha256 } };
  const what = `the published file ${name}`;
  const outcome = await cachedDownload(options.cache, {
    url,
    what,
    ...expected,
    signal,
    onProgress,
    phase: 'published',
  });
  const hint = onlyLatest
    ? 'this address only serves the latest version: hand the file of the wanted version over with --published FILE'
    : 'if you have the file, hand it over with --published FILE';
  switch (outcome.kind) {
    case 'done':
      return { files: [await take(outcome.path, name, 'url', options)] };
    case 'gone':
      return { files: [], details: [`${url} answers with status ${outcome.status}`], hint };
    case 'wrong-content':
      return {
        files: [],
        details: [
          `${url} serves another file: SHA-256 ${outcome.sha256 ?? 'unknown'}, expected ${sha256 ?? 'any'}`,
        ],
        hint,
      };
  }
}

async function fromArchive(binaries: readonly DebianBinary[], options: ObtainOptions): Promise<Found> {
  const { debianMirror, signal, onProgress, cache } = options;
  if (debianMirror === undefined) throw new TypeError('a plan with a Debian archive needs its address');
  const files: PublishedFile[] = [];
  for (const { path: below, size, sha256 } of binaries) {
    const what = `the published file ${path.posix.basename(below)}`;
    const expected = { size, sha256 };
    const file = await indexedDownload(cache, {
      mirror: debianMirror,
      path: below,
      what,
      expected,
      signal,
      onProgress,
      phase: 'published',
    });
    files.push(await take(file, path.posix.basename(below), 'debian-archive', options));
  }
  return { files };
}

async function bundled(names: readonly string[], options: ObtainOptions): Promise<Found> {
  const { packageRoot } = options;
  if (packageRoot === undefined)
    throw new TypeError('a plan with bundled files needs the root of the package');
  const files: PublishedFile[] = [];
  for (const below of names) {
    if (!isPlainPath(below)) throw new UsageError('bad-plan', `${JSON.stringify(below)} is not a plain path`);
    files.push(await take(path.join(packageRoot, below), path.posix.basename(below), 'bundled', options));
  }
  return { files };
}
