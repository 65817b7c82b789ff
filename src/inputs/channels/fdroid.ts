// SPDX-License-Identifier: Apache-2.0
/**
 * A file of an F-Droid repository, led there by the repository's own signature: entry.jar, the index that it names, the
 * file that the index names. Who delivers them is not trusted.
 * https://f-droid.org/docs/Security_Model/
 */
import { promises as fs } from 'node:fs';
import { BufferSource } from '../../bytes.js';
import { FailedHere, FormatError, UsageError } from '../../errors.js';
import { readSignedJar } from '../../formats/signed-jar.js';
import type { FdroidAcquisition, IndexRecord, OnProgress } from '../../model.js';
import { cachedDownload } from '../cache.js';
import { readEntry, versionsIn, type FdroidEntry, type FdroidVersion } from './fdroid-index.js';
import { indexedDownload, indexedFile, mirrorUrl } from '../debian/mirror-file.js';
import { listing, notThere, type RepositoryOutcome } from './repository-outcome.js';
import { assertNotOlder } from './seen-index.js';
import { inOurWords } from '../debian/signed-release.js';

export interface FdroidTarget {
  readonly versionName: string;
  /** One of them. */
  readonly versionCodes?: readonly number[] | undefined;
}

export interface FdroidContext {
  readonly cache: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

const ENTRY_LIMIT = 4 << 20;
/** That of f-droid.org has about 60 MB. */
const INDEX_LIMIT = 256 << 20;
const DAY_MS = 86_400_000;
const MAX_ABIS = 10;
const HINT = 'the repository may be in the middle of an update: try again later';

/**
 * @throws UsageError `version-ambiguous`
 * @throws FailedHere `index-signature`, `index-stale`, `index-unreadable`, `mirror-incomplete`, `network` …
 */
export async function fetchFromFdroid(
  wanted: FdroidAcquisition,
  version: FdroidTarget,
  context: FdroidContext,
): Promise<RepositoryOutcome> {
  const looked: string[] = [];
  for (const repository of [wanted.repository, ...(wanted.archive === undefined ? [] : [wanted.archive])]) {
    const index = await signedIndex(repository, wanted.fingerprint, context);
    if (index.kind === 'gone') {
      // an archive is there once there is something to archive
      if (repository === wanted.repository) return notThere('index-gone', index.detail);
      looked.push(index.detail);
      continue;
    }
    const versions = inOurWords(index.record.url, () => versionsIn(index.bytes, wanted.package));
    const found = chosen(versions, wanted, version);
    if (found === undefined) {
      looked.push(
        `${index.record.url} of ${index.record.date} lists ${listing(named(versions), wanted.package)}`,
      );
      continue;
    }
    return await theFile(repository, found, index.record, context);
  }
  const { versionName, versionCodes } = version;
  const code = versionCodes === undefined ? '' : ` with version code ${versionCodes.join(' or ')}`;
  const abi = wanted.abi === undefined ? '' : ` for ${wanted.abi}`;
  return notThere(
    'version-not-in-index',
    `no ${wanted.package} ${versionName}${code}${abi}: ${looked.join('; ')}`,
  );
}

type Index =
  | { readonly kind: 'index'; readonly record: IndexRecord; readonly bytes: Buffer }
  | { readonly kind: 'gone'; readonly detail: string };

async function signedIndex(repository: string, fingerprint: string, context: FdroidContext): Promise<Index> {
  const url = mirrorUrl(repository, 'entry.jar');
  const what = `the signed index ${url}`;
  const { cache, signal, onProgress } = context;
  const outcome = await cachedDownload(cache, {
    url,
    what,
    maxBytes: ENTRY_LIMIT,
    signal,
    onProgress,
    phase: 'published',
  });
  if (outcome.kind === 'wrong-content') throw new Error('no content was expected');
  if (outcome.kind === 'gone')
    return { kind: 'gone', detail: `${url} answers with status ${outcome.status}` };
  const entry = signedEntry(what, await fs.readFile(outcome.path), fingerprint);
  await assertNotOlder(cache, {
    what,
    id: `fdroid/${fingerprint}/${repository}`,
    time: entry.timestamp,
    sha256: outcome.sha256,
  });
  if (entry.index.size > INDEX_LIMIT)
    throw new FailedHere(
      'index-unreadable',
      `${what} names an index of ${entry.index.size} bytes, at most ${INDEX_LIMIT} are read`,
    );
  const index = await indexedDownload(cache, {
    mirror: repository,
    path: entry.index.name,
    what: `the index of ${repository}`,
    expected: entry.index,
    hint: HINT,
    signal,
    onProgress,
    phase: 'published',
  });
  const overdue = overdueSince(entry);
  return {
    kind: 'index',
    bytes: await fs.readFile(index),
    record: {
      url,
      sha256: outcome.sha256,
      date: new Date(entry.timestamp).toISOString(),
      signedBy: [fingerprint],
      ...(overdue === undefined ? {} : { overdue }),
    },
  };
}

function signedEntry(what: string, bytes: Buffer, fingerprint: string): FdroidEntry {
  let jar: ReturnType<typeof readSignedJar>;
  try {
    jar = readSignedJar(new BufferSource(bytes));
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new FailedHere(
      'index-signature',
      `${what} is not signed as it must be: ${cause.code}: ${cause.message}`,
      {
        cause,
        hint: 'the server delivers something else than the publisher signed: try again later, or from another network',
      },
    );
  }
  if (jar.certificateSha256 !== fingerprint)
    throw new FailedHere(
      'index-signature',
      `${what} is signed by certificate ${jar.certificateSha256}, the recipe expects ${fingerprint}`,
      { hint: 'look for a statement of the publisher about a new key before you trust this one' },
    );
  return inOurWords(what, () => {
    const entry = jar.content('entry.json');
    if (entry === undefined) throw new FormatError('fdroid-index', 'no-entry', 0, 'no signed entry.json');
    return readEntry(entry);
  });
}

function overdueSince({ timestamp, maxAge }: FdroidEntry): string | undefined {
  if (maxAge === undefined) return undefined;
  const until = timestamp + maxAge * DAY_MS;
  return until < Date.now()
    ? `a new one was due after ${maxAge} days, by ${new Date(until).toISOString()}`
    : undefined;
}

/** @throws UsageError `version-ambiguous` */
function chosen(
  versions: readonly FdroidVersion[],
  { abi, package: name }: FdroidAcquisition,
  { versionName, versionCodes }: FdroidTarget,
): FdroidVersion | undefined {
  const fitting = versions.filter(
    (version) =>
      version.versionName === versionName &&
      (versionCodes === undefined || versionCodes.includes(version.versionCode)) &&
      (abi === undefined || version.abis.length === 0 || version.abis.includes(abi)),
  );
  const [version, second] = fitting;
  if (second !== undefined)
    throw new UsageError(
      'version-ambiguous',
      `the index lists ${fitting.length} files of ${name} ${versionName}: ${listing(named(fitting), name)}`,
      { hint: 'the recipe’s channel must say which: abi, or a version code' },
    );
  return version;
}

function named(versions: readonly FdroidVersion[]): string[] {
  return versions.map(
    ({ versionName, versionCode, abis }) =>
      `${versionName.slice(0, 60)} (${[versionCode, ...abis.slice(0, MAX_ABIS)].join(', ')})`,
  );
}

async function theFile(
  repository: string,
  { file, signers, versionName, versionCode }: FdroidVersion,
  index: IndexRecord,
  { cache, signal, onProgress }: FdroidContext,
): Promise<RepositoryOutcome> {
  const got = await indexedFile(cache, {
    mirror: repository,
    path: file.name,
    what: `the published file ${file.name}`,
    expected: file,
    hint: HINT,
    signal,
    onProgress,
    phase: 'published',
  });
  return {
    ...got,
    index: { ...index, ...(signers.length === 0 ? {} : { listedSigners: signers }) },
    notes: [
      `${index.url} of ${index.date} lists ${versionName} (${versionCode}) as ${file.name}`,
      ...(index.overdue === undefined ? [] : [`${index.url} is overdue: ${index.overdue}`]),
    ],
  };
}
