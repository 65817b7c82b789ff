// SPDX-License-Identifier: Apache-2.0
/** The files that users get, from the channel that the plan names or from the user's hand: copied, named, hashed. */
import { promises as fs, type Stats } from 'node:fs';
import path from 'node:path';
import { readText } from '../bytes.js';
import { FailedHere, UsageError } from '../errors.js';
import type {
  AcquisitionPlan,
  ComparePlan,
  DebianBinary,
  Fetched,
  FileIdentity,
  IndexRecord,
  OnProgress,
  PhoneAcquisition,
  PhoneRecord,
  PublishedFrom,
} from '../model.js';
import { cachedDownload, copyOut, sha256OfFile } from './cache.js';
import { isPlainPath } from './debian/debian-release.js';
import { fetchFromDebianRepository } from './debian/debian-repository.js';
import { fetchFromFdroid } from './channels/fdroid.js';
import { locateOnGithub } from './channels/github-release.js';
import { locateByLatestJson } from './channels/latest-json.js';
import { BY_HAND, type Located, type NotPublished, type NotThere } from './channels/located.js';
import { localFiles } from './local-files.js';
import { indexedDownload } from './debian/mirror-file.js';
import { packSplits } from './channels/pack-splits.js';
import { pullFromPhone } from './channels/phone.js';
import { fetchSite } from './channels/site-files.js';
import type { RepositoryOutcome } from './channels/repository-outcome.js';

export interface PublishedFile extends FileIdentity {
  /** Where it lies on this machine: a copy of ours that nobody else changes. Never enters a report. */
  readonly path: string;
  readonly from: PublishedFrom;
  /** How it came here from the publisher's server; of a mirror's nothing is told. */
  readonly fetched?: Fetched;
  /** Who said what its digest must be, in words. */
  readonly digestFrom?: string;
  /** The signed index that named it. */
  readonly index?: IndexRecord;
  /** What the phone said of it. */
  readonly phone?: PhoneRecord;
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
  /** Of the phone that is meant, where several are connected. */
  readonly serial?: string | undefined;
  /** Which names of the plan a file can have by what it says of itself, whatever it is called. */
  readonly namesFor?: ((file: string) => Promise<readonly string[]>) | undefined;
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
  | {
      readonly kind: 'no-published-artifact';
      readonly code: NotPublished;
      readonly detail: string;
      readonly hint: string;
    };

interface Found {
  readonly files: readonly PublishedFile[];
  readonly ignored?: readonly string[];
  readonly details?: readonly string[];
  /** What is published beside these files and was not taken; else the names of the plan that are not among them. */
  readonly notObtained?: readonly string[];
  /** Why there is nothing, where the channel has a reason of its own. */
  readonly code?: NotPublished;
  readonly hint?: string;
}

/**
 * @throws UsageError for a handed-over file that the plan has no use for
 * @throws FailedHere `unreadable-input`, `mirror-incomplete`, and what `download` throws
 */
export async function obtainPublished(plan: ComparePlan, options: ObtainOptions): Promise<PublishedOutcome> {
  await fs.mkdir(options.directory, { recursive: true });
  const names = [...new Set(plan.pairs.map((pair) => pair.published))];
  const found = await siteOfVersion(plan, await find(plan, names, options));
  if (found.files.length === 0)
    return {
      kind: 'no-published-artifact',
      code: found.code ?? 'not-handed-over',
      detail: found.details?.join('; ') ?? 'no published file was handed over',
      hint: found.hint ?? 'hand the published file over with --published FILE',
    };
  const obtained = new Set(found.files.map((file) => file.name));
  return {
    kind: 'obtained',
    files: found.files,
    // each is a delivery by itself: those at hand are what is asked about
    notObtained:
      found.notObtained ?? (plan.eachAlone === true ? [] : names.filter((name) => !obtained.has(name))),
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
        code: 'not-fetched',
        details: [`channel ${plan.target.channel} has no address to fetch from`],
        hint: `${acquisition.how}; hand it over with --published FILE`,
      };
    case 'url': {
      const { url, sha256, onlyLatest } = acquisition;
      const expected = sha256 === undefined ? {} : { expected: { sha256 }, digestFrom: 'the recipe' };
      const hint = onlyLatest
        ? 'this address only serves the latest version: hand the file of the wanted version over with --published FILE'
        : BY_HAND;
      return fromServer({ kind: 'located', url, ...expected, notes: [] }, 'url', names, options, hint);
    }
    case 'latest-json': {
      const found = await locateByLatestJson(acquisition, plan.target.version, options);
      return fromServer(found, 'latest-json', names, options);
    }
    case 'github-release':
      return fromServer(await locateOnGithub(acquisition, options), 'github-release', names, options);
    case 'debian-archive':
      return fromArchive(acquisition.files, options);
    case 'fdroid': {
      const { versionName = plan.target.version, versionCodes } = plan;
      const found = await fetchFromFdroid(acquisition, { versionName, versionCodes }, options);
      return fromRepository(found, 'fdroid', names, options);
    }
    case 'phone':
      return fromPhone(acquisition, names, options);
    case 'site-files':
      return fromSite(acquisition, options);
    case 'debian-repository': {
      const found = await fetchFromDebianRepository(acquisition, {
        ...options,
        packageRoot: rootOf(options),
      });
      return fromRepository(found, 'debian-repository', names, options);
    }
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
  from: PublishedFrom,
  options: ObtainOptions,
  origin: Pick<PublishedFile, 'fetched' | 'digestFrom' | 'index'> = {},
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
  return { name, ...(await sha256OfFile(target)), path: target, from, ...origin };
}

async function handedOver(given: string, names: readonly string[], options: ObtainOptions): Promise<Found> {
  const stat = await regular(given);
  if (names.some((name) => name.endsWith('/'))) return fromFolder(given, stat.isDirectory(), names, options);
  if (stat.isDirectory()) return fromDirectory(given, names, options);
  const base = path.basename(given);
  const only = names.length === 1 ? names[0] : undefined;
  const name = names.includes(base) ? base : (only ?? (await ownName(given, names, options)));
  if (name === undefined)
    throw new UsageError('unknown-published-file', `${base} is none of the published files of this plan`, {
      hint: `expected a file named ${names.join(', ')}, or a directory that holds them`,
    });
  return { files: [await take(given, name, 'handed-over', options)] };
}

/** The one name that fits what the file says of itself. */
async function ownName(
  file: string,
  names: readonly string[],
  { namesFor }: ObtainOptions,
): Promise<string | undefined> {
  const found = (await namesFor?.(file))?.filter((name) => names.includes(name)) ?? [];
  return found.length === 1 ? found[0] : undefined;
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
    return { files: [await takePull(root, single, 'handed-over', options)], details };
  // a v4 signature is no file that anything is the twin of
  const twins = present.filter((base) => !present.some((other) => base === `${other}.idsig`));
  const lone = names.length === 1 && twins.length === 1 && single !== undefined ? twins[0] : undefined;
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

/** Files by their paths below what was handed over, as `verify fetch` puts them. */
async function fromFolder(
  given: string,
  isDirectory: boolean,
  names: readonly string[],
  options: ObtainOptions,
): Promise<Found> {
  const wanted = names.join(', ');
  if (!isDirectory)
    throw new UsageError(
      'unknown-published-file',
      `${path.basename(given)} is a file, expected a directory`,
      {
        hint: `hand over the directory that holds ${wanted}`,
      },
    );
  const files: PublishedFile[] = [];
  const ignored: string[] = [];
  for (const { name, path: file } of await localFiles(given)) {
    const isWanted = names.some((one) =>
      one.endsWith('/') ? one === './' || name.startsWith(one) : one === name,
    );
    if (!isWanted) {
      ignored.push(name);
      continue;
    }
    if (/\p{Cc}/u.test(name))
      throw new UsageError('bad-published-name', `${JSON.stringify(name)} is not a plain path`);
    const target = path.join(options.directory, name);
    await copyOut(file, target);
    files.push({ name, ...(await sha256OfFile(target)), path: target, from: 'handed-over' });
  }
  if (files.length > 0) return { files, ignored, notObtained: [] };
  return { files, details: [`the directory that was handed over holds nothing of ${wanted}`] };
}

const isArchive = (name: string): boolean => /\.(?:apks|xapk|apkm)$/i.test(name);
const DEVICE = 'device.json';
const MAX_DEVICE = 1 << 20;

async function takePull(
  root: string,
  name: string,
  from: PublishedFrom,
  { directory }: ObtainOptions,
): Promise<PublishedFile> {
  const target = path.join(directory, name);
  await packSplits(root, target);
  const device = path.join(root, DEVICE);
  return {
    name,
    ...(await sha256OfFile(target)),
    path: target,
    from,
    ...((await regularFile(device)) ? { device: readText(device, MAX_DEVICE) } : {}),
  };
}

async function regularFile(file: string): Promise<boolean> {
  return (await fs.stat(file).catch(() => undefined))?.isFile() ?? false;
}

// ---------------------------------------------------------------- fetched

/** Far above the largest file that a channel gives. */
const MAX_BYTES = 8 * 2 ** 30;

async function fromServer(
  found: Located | NotThere,
  from: PublishedFrom,
  names: readonly string[],
  options: ObtainOptions,
  hint = BY_HAND,
): Promise<Found> {
  if (found.kind === 'not-there')
    return { files: [], code: found.code, details: [found.detail], hint: found.hint };
  const name = oneOf(names);
  const { url, expected, digestFrom, notes } = found;
  const { signal, onProgress } = options;
  const outcome = await cachedDownload(options.cache, {
    url,
    what: `the published file ${name}`,
    ...(expected === undefined ? {} : { expected }),
    maxBytes: MAX_BYTES,
    signal,
    onProgress,
    phase: 'published',
  });
  switch (outcome.kind) {
    case 'done': {
      const { path: file, fetched } = outcome;
      const origin = {
        ...(fetched === undefined ? {} : { fetched }),
        ...(digestFrom === undefined ? {} : { digestFrom }),
      };
      return { files: [await take(file, name, from, options, origin)], details: notes };
    }
    case 'gone':
      return {
        files: [],
        code: 'gone',
        details: [...notes, `${url} answers with status ${outcome.status}`],
        hint,
      };
    case 'wrong-content': {
      const { size, sha256 } = outcome;
      const served = sha256 === undefined ? `${size} bytes or more` : `${size} bytes with SHA-256 ${sha256}`;
      const wanted = [
        ...(expected?.size === undefined ? [] : [`${expected.size} bytes`]),
        ...(expected?.sha256 === undefined ? [] : [`SHA-256 ${expected.sha256}`]),
      ];
      const by = digestFrom === undefined ? '' : ` by ${digestFrom}`;
      return {
        files: [],
        code: 'other-content',
        details: [...notes, `${url} serves another file: ${served}, expected ${wanted.join(' with ')}${by}`],
        hint,
      };
    }
  }
}

/** Of a channel that gives one file, which may have several outputs that could be its twin. */
function oneOf(names: readonly string[]): string {
  const [name, second] = new Set(names);
  if (name === undefined || second !== undefined)
    throw new UsageError('bad-plan', `one address for ${names.length} published files`);
  return name;
}

async function fromRepository(
  found: RepositoryOutcome,
  from: PublishedFrom,
  names: readonly string[],
  options: ObtainOptions,
): Promise<Found> {
  if (found.kind === 'not-there')
    return { files: [], code: found.code, details: [found.detail], hint: found.hint };
  const { path: file, fetched, index, notes } = found;
  const digestFrom = `the signed index ${index.url} of ${index.date}`;
  const origin = { ...(fetched === undefined ? {} : { fetched }), digestFrom, index };
  return { files: [await take(file, oneOf(names), from, options, origin)], details: notes };
}

type SitePlan = Extract<AcquisitionPlan, { kind: 'site-files' }>;
const MAX_VERSION = 1000;

/**
 * A site serves the version that it serves: another one than asked says nothing about this one.
 * @throws UsageError `other-version` for a folder that was handed over
 */
async function siteOfVersion({ acquisition, target }: ComparePlan, found: Found): Promise<Found> {
  if (acquisition.kind !== 'site-files' || acquisition.versionFile === undefined) return found;
  if (found.files.length === 0) return found;
  const name = new URL(acquisition.versionFile, acquisition.entry).pathname.slice(1);
  const file = found.files.find((one) => one.name === name);
  const says =
    file === undefined || file.size > MAX_VERSION ? undefined : (await fs.readFile(file.path, 'utf8')).trim();
  if (says === target.version) return found;
  const detail =
    says === undefined
      ? `${name}, which says the version, is not there or no short text`
      : `${name} says ${JSON.stringify(says)}, expected ${target.version}`;
  if (found.files.some(({ from }) => from === 'handed-over'))
    throw new UsageError('other-version', detail, {
      hint: 'name the version of the files, or hand over those of this version',
    });
  return {
    files: [],
    code: 'other-version',
    details: [detail],
    hint: 'name the version that the site serves now, or hand over a folder that was fetched when it served this one',
  };
}

/** Named by their paths, whatever pairs the plan has: which files a site serves is known when it has served them. */
async function fromSite({ entry, versionFile }: SitePlan, options: ObtainOptions): Promise<Found> {
  const also = versionFile === undefined ? [] : [versionFile];
  const site = await fetchSite(entry, { ...options, also });
  if (site.kind === 'gone')
    return { files: [], code: 'gone', details: [`${entry} is not there`], hint: BY_HAND };
  if (site.kind === 'answers-everything')
    return {
      files: [],
      code: 'site-answers-everything',
      details: [
        'the site answers a random name, which no file has, like a file: which files it serves cannot be told',
      ],
      hint: BY_HAND,
    };
  const files = site.files.map((file): PublishedFile => ({ ...file, from: 'site-files' }));
  const details = site.cut ? [...site.notes, 'a limit ended the search'] : site.notes;
  return { files, details, notObtained: site.omitted };
}

async function fromPhone(
  acquisition: PhoneAcquisition,
  names: readonly string[],
  options: ObtainOptions,
): Promise<Found> {
  const name = oneOf(names);
  const directory = `${options.directory}-pull`;
  const found = await pullFromPhone(acquisition, { ...options, directory });
  if (found.kind === 'not-there')
    return { files: [], code: found.code, details: [found.detail], hint: found.hint };
  const { files, phone, notes } = found;
  const [only, second] = files;
  if (/\.apks$/i.test(name))
    return { files: [{ ...(await takePull(directory, name, 'phone', options)), phone }], details: notes };
  if (only === undefined || second !== undefined)
    return {
      files: [],
      code: 'other-content',
      details: [`the phone has ${files.length} splits of ${phone.package}, and this channel gives one file`],
      hint: 'name the channel of the store that delivered the splits',
    };
  const file = await take(path.join(directory, only), name, 'phone', options);
  return { files: [{ ...file, phone }], details: notes };
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

function rootOf({ packageRoot }: ObtainOptions): string {
  if (packageRoot === undefined) throw new TypeError('a plan with files of the package needs its root');
  return packageRoot;
}

async function bundled(names: readonly string[], options: ObtainOptions): Promise<Found> {
  const packageRoot = rootOf(options);
  const files: PublishedFile[] = [];
  for (const below of names) {
    if (!isPlainPath(below)) throw new UsageError('bad-plan', `${JSON.stringify(below)} is not a plain path`);
    files.push(await take(path.join(packageRoot, below), path.posix.basename(below), 'bundled', options));
  }
  return { files };
}
