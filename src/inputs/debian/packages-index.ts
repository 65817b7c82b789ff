// SPDX-License-Identifier: Apache-2.0
/** An index that a signed `Release` lists, unpacked while it is read: xz, gzip or plain, each against its digest. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { FailedHere } from '../../errors.js';
import type { ParagraphStream } from '../../formats/deb822.js';
import { filter, type FilterEnd } from '../../process.js';
import type { DebianRelease, IndexedFile } from './debian-release.js';
import { indexedDownload } from './mirror-file.js';
import { inOurWords, type ReleaseContext, type SignedRelease } from './signed-release.js';

const INDEX_LIMIT = 2 ** 30;
/** In the order of preference. */
const PACKINGS = ['.xz', '.gz', ''] as const;
type Packing = (typeof PACKINGS)[number];

/** Where the binaries of an architecture stand: packages for all of them may have an index of their own. */
export function packagesIndexes(
  release: DebianRelease,
  component: string,
  architecture: string,
): readonly string[] {
  const own = `${component}/binary-${architecture}/Packages`;
  const all = `${component}/binary-all/Packages`;
  return !release.allWithEach && packingOf(release, all) !== undefined ? [own, all] : [own];
}

const packingOf = (release: DebianRelease, path: string): Packing | undefined =>
  PACKINGS.find((packing) => release.files.has(path + packing));

function listed(release: DebianRelease, path: string): IndexedFile | undefined {
  const file = release.files.get(path);
  if (file !== undefined && file.size > INDEX_LIMIT)
    throw new FailedHere(
      'mirror-incomplete',
      `${path} has ${file.size} bytes, more than the limit of ${INDEX_LIMIT}`,
    );
  return file;
}

export interface IndexContext extends ReleaseContext {
  readonly mirror: string;
  /** What to do about an index that is not as the signed list says. */
  readonly hint?: string;
}

/** Both the packed and the unpacked index are checked against the signed list, as far as it has them. */
export async function readIndex(
  path: string,
  into: ParagraphStream,
  { release, directory }: SignedRelease,
  context: IndexContext,
): Promise<void> {
  const { mirror, cache, hint, signal, onProgress } = context;
  const what = `the index ${path}`;
  const packing = packingOf(release, path);
  const packed = packing === undefined ? undefined : listed(release, path + packing);
  if (packing === undefined || packed === undefined)
    throw new FailedHere('mirror-incomplete', `suite ${release.codename} lists no ${path} with a SHA-256`);
  const unpacked = listed(release, path);
  const file = await indexedDownload(cache, {
    mirror,
    path: `dists/${directory}/${path}${packing}`,
    what,
    expected: packed,
    ...(hint === undefined ? {} : { hint }),
    signal,
    onProgress,
    phase: 'facts',
  });
  const hash = createHash('sha256');
  let size = 0;
  const end = await unpack(packing, file, unpacked?.size ?? INDEX_LIMIT, signal, (chunk) => {
    size += chunk.length;
    hash.update(chunk);
    inOurWords(what, () => into.write(chunk));
  });
  const sha256 = hash.digest('hex');
  if (
    end.kind !== 'done' ||
    (unpacked !== undefined && (size !== unpacked.size || sha256 !== unpacked.sha256))
  )
    throw new FailedHere(
      'mirror-incomplete',
      `${what} unpacks to ${size} bytes with SHA-256 ${sha256}, the signed list says ${unpacked?.size ?? `at most ${INDEX_LIMIT}`} and ${unpacked?.sha256 ?? 'nothing of what is unpacked'}` +
        (end.kind === 'done'
          ? ''
          : ` (${packing.slice(1)}: ${end.kind === 'failed' ? end.detail.slice(0, 200) : 'more than that'})`),
    );
  inOurWords(what, () => into.end());
}

async function unpack(
  packing: Packing,
  file: string,
  maxBytes: number,
  signal: AbortSignal | undefined,
  onChunk: (chunk: Buffer) => void,
): Promise<FilterEnd> {
  const stored = createReadStream(file);
  if (packing === '.xz')
    return await filter('xz', ['--decompress', '--stdout', '--format=xz'], stored, onChunk, {
      maxBytes,
      ...(signal === undefined ? {} : { signal }),
    });
  const chunks = packing === '.gz' ? stored.pipe(createGunzip()) : stored;
  stored.on('error', (error) => chunks.destroy(error));
  let total = 0;
  try {
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      signal?.throwIfAborted();
      total += chunk.length;
      if (total > maxBytes) return { kind: 'too-much' };
      onChunk(chunk);
    }
  } catch (error) {
    if (!isZlibError(error)) throw error;
    return { kind: 'failed', detail: error.message };
  } finally {
    stored.destroy();
    chunks.destroy();
  }
  return { kind: 'done' };
}

function isZlibError(error: unknown): error is Error {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' && code.startsWith('Z_');
}
