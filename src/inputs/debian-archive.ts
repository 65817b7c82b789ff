// SPDX-License-Identifier: Apache-2.0
/**
 * What a Debian archive publishes of one source package, led there by the archive's own signature: InRelease, then the
 * indexes that it lists, then their entries. The mirror that delivers them is not trusted and enters no fact.
 * https://wiki.debian.org/DebianRepository/Format.
 */
import { createHash } from 'node:crypto';
import { createReadStream, promises as fs } from 'node:fs';
import { FailedHere, FormatError, UsageError } from '../errors.js';
import type { DebianSource, Fact, Lookup, OnProgress, Sha256 } from '../model.js';
import { filter } from '../process.js';
import { cachedDownload, recall, remember } from './cache.js';
import type { ParagraphStream } from '../formats/deb822.js';
import { DebianIndexReader } from './debian-index.js';
import { parseRelease, type DebianRelease, type IndexedFile } from './debian-release.js';
import { indexedDownload, mirrorUrl } from './mirror-file.js';
import { verifyClearSigned } from './openpgp.js';

export type DebianLookup = Extract<Lookup, { kind: 'debian-source' }>;
export type DebianFact = Extract<Fact, { kind: 'debian-source' }>;

export interface DebianContext {
  /** Address of the archive, e.g. what the machine's package manager uses. */
  readonly mirror: string;
  readonly cache: string;
  /** Public keys that may sign; default the system's Debian archive keyring. */
  readonly keyring?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** Where distributions put the keyring; Debian 13 renamed it. */
const KEYRINGS = [
  '/usr/share/keyrings/debian-archive-keyring.gpg',
  '/usr/share/keyrings/debian-archive-keyring.pgp',
  '/usr/share/keyring/debian-archive-keyring.gpg',
];
const RELEASE_LIMIT = 16 * 2 ** 20;
const INDEX_LIMIT = 2 ** 30;
/** Part of the cache key: to be raised when the reading of indexes changes. */
const READER = 1;

export async function debianKeyring(): Promise<string> {
  for (const file of KEYRINGS)
    if ((await fs.stat(file).catch(() => undefined))?.isFile() === true) return file;
  throw new FailedHere(
    'missing-tool',
    'the keys of the Debian archive are not installed; they are needed to check its index',
    {
      hint: 'install them: apt-get install debian-archive-keyring',
    },
  );
}

/** A second look-up of the same state of the archive costs one small fetch. */
export async function lookUpDebianSource(lookup: DebianLookup, context: DebianContext): Promise<DebianFact> {
  const { suite, component, package: name, architecture } = lookup;
  if (
    !/^[a-z][a-z0-9.-]*$/.test(suite) ||
    !/^[a-z][a-z0-9-]*$/.test(component) ||
    !/^[a-z0-9-]+$/.test(architecture)
  )
    throw new UsageError(
      'bad-lookup',
      `not a suite, component and architecture: ${suite}, ${component}, ${architecture}`,
    );
  const { release, sha256, signedBy } = await signedRelease(suite, context);
  if (!release.components.includes(component) || !release.architectures.includes(architecture))
    throw new FailedHere(
      'mirror-incomplete',
      `suite ${suite} has no ${component} for ${architecture}: it has ${release.components.join(', ')} for ${release.architectures.join(', ')}`,
    );
  const sources = await readSources(lookup, release, sha256, context);
  return {
    kind: 'debian-source',
    suite,
    component,
    package: name,
    architecture,
    release: { sha256, date: release.date, signedBy },
    sources,
  };
}

export interface SignedRelease {
  readonly release: DebianRelease;
  readonly sha256: Sha256;
  readonly signedBy: readonly string[];
}

/** The `InRelease` of a suite, checked against the keyring, its name and its date. */
export async function signedRelease(suite: string, context: DebianContext): Promise<SignedRelease> {
  const what = `the signed index of Debian ${suite}`;
  const keyring = context.keyring ?? (await debianKeyring());
  const { mirror, cache, signal, onProgress } = context;
  const url = mirrorUrl(mirror, `dists/${suite}/InRelease`);
  const outcome = await cachedDownload(cache, {
    url,
    what,
    maxBytes: RELEASE_LIMIT,
    signal,
    onProgress,
    phase: 'facts',
  });
  if (outcome.kind !== 'done')
    throw new FailedHere('mirror-incomplete', `${what} is not on the mirror (${outcome.kind} at ${url})`, {
      hint: 'check the suite and the address of the archive (SAMESOURCE_DEBIAN_MIRROR)',
    });
  const { check, text } = await verifyClearSigned(outcome.path, keyring, signal);
  if (check.kind !== 'good')
    throw new FailedHere(
      'mirror-incomplete',
      `${what} is not signed by a Debian archive key: ${check.kind} (${check.detail})`,
      {
        hint:
          check.kind === 'unknown-key'
            ? 'the installed keys may be too old: apt-get install debian-archive-keyring'
            : 'the mirror delivers something else than Debian: name another one in SAMESOURCE_DEBIAN_MIRROR',
      },
    );
  const release = inOurWords(what, () => parseRelease(text));
  // a mirror could deliver another suite's index, which is signed as well
  if (release.suite !== suite && release.codename !== suite)
    throw new FailedHere(
      'mirror-incomplete',
      `asked for suite ${suite}, the mirror delivers ${release.codename} (${release.suite})`,
    );
  if (release.validUntil !== undefined && Date.parse(release.validUntil) < Date.now())
    throw new FailedHere(
      'mirror-incomplete',
      `${what} of ${release.date} was valid until ${release.validUntil}`,
      {
        hint: 'the mirror is out of date: name another one in SAMESOURCE_DEBIAN_MIRROR',
      },
    );
  return { release, sha256: outcome.sha256, signedBy: check.signedBy };
}

/** A signed index that we cannot read says nothing about a publisher. */
function inOurWords<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new FailedHere('mirror-incomplete', `${what} cannot be read: ${cause.message}`, { cause });
  }
}

async function readSources(
  lookup: DebianLookup,
  release: DebianRelease,
  releaseSha256: Sha256,
  context: DebianContext,
): Promise<readonly DebianSource[]> {
  const { component, package: name, architecture } = lookup;
  const key = ['debian-source', READER, releaseSha256, component, name, architecture].join('/');
  const known = await recall(context.cache, key);
  if (known !== undefined) return JSON.parse(known) as readonly DebianSource[];

  const reader = inOurWords('the package name', () => new DebianIndexReader(name, architecture));
  await readIndex(`${component}/source/Sources`, reader.readSources(), release, context);
  await readIndex(`${component}/binary-${architecture}/Packages`, reader.readPackages(), release, context);
  if (!release.allWithEach && release.files.has(`${component}/binary-all/Packages.xz`))
    await readIndex(`${component}/binary-all/Packages`, reader.readPackages(), release, context);
  const sources = reader.sources();
  await remember(context.cache, key, JSON.stringify(sources));
  return sources;
}

function listed(release: DebianRelease, path: string): IndexedFile {
  const file = release.files.get(path);
  if (file === undefined)
    throw new FailedHere('mirror-incomplete', `suite ${release.codename} lists no ${path} with a SHA-256`);
  if (file.size > INDEX_LIMIT)
    throw new FailedHere(
      'mirror-incomplete',
      `${path} has ${file.size} bytes, more than the limit of ${INDEX_LIMIT}`,
    );
  return file;
}

/** Both the packed and the unpacked index are checked against the signed list. */
export async function readIndex(
  path: string,
  into: ParagraphStream,
  release: DebianRelease,
  context: DebianContext,
): Promise<void> {
  const { mirror, cache, signal, onProgress } = context;
  const what = `the index ${path}`;
  const unpacked = listed(release, path);
  const packed = await indexedDownload(cache, {
    mirror,
    path: `dists/${release.codename}/${path}.xz`,
    what,
    expected: listed(release, `${path}.xz`),
    signal,
    onProgress,
    phase: 'facts',
  });
  const hash = createHash('sha256');
  let size = 0;
  const end = await filter(
    'xz',
    ['--decompress', '--stdout', '--format=xz'],
    createReadStream(packed),
    (chunk) => {
      size += chunk.length;
      hash.update(chunk);
      inOurWords(what, () => into.write(chunk));
    },
    { maxBytes: unpacked.size, ...(signal === undefined ? {} : { signal }) },
  );
  const sha256 = hash.digest('hex');
  if (end.kind !== 'done' || size !== unpacked.size || sha256 !== unpacked.sha256)
    throw new FailedHere(
      'mirror-incomplete',
      `${what} unpacks to ${size} bytes with SHA-256 ${sha256}, the signed list says ${unpacked.size} and ${unpacked.sha256}` +
        (end.kind === 'done'
          ? ''
          : ` (xz: ${end.kind === 'failed' ? end.detail.slice(0, 200) : 'more than that'})`),
    );
  inOurWords(what, () => into.end());
}
