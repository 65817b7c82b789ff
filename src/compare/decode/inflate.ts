// SPDX-License-Identifier: Apache-2.0
/** Deflate decoded: by zlib for the bytes, by our own structure walker for what zlib does not say (RFC 1951). */
import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { createInflateRaw, crc32, inflateRaw, inflateRawSync, type ZlibOptions } from 'node:zlib';
import type { ByteSource } from '../../bytes.js';
import { FormatError } from '../../errors.js';
import { deflateIssues, DeflateWalker, walkDeflate } from '../../formats/deflate.js';
import { release } from './release.js';

export type Inflated =
  | { readonly kind: 'decoded'; readonly bytes: Buffer; readonly crc32: number }
  | { readonly kind: 'failed'; readonly code: string };

/** … and the stream itself was looked through for room that its content does not show. */
export type Walked =
  | (Extract<Inflated, { kind: 'decoded' }> & { readonly issues: readonly string[] })
  | Extract<Inflated, { kind: 'failed' }>;

/** No byte of deflate decodes to more than this many. */
const GROWTH = 1032;

/** Decodes a stream that is stated to hold `size` bytes, in memory. Any other size is a failure. */
export function inflateHeld(raw: Buffer, size: number): Walked {
  return walked(inflateLike(raw, size, undefined), raw, size);
}

/** `other` was decoded before: where the bytes are the same, so is their CRC. */
function inflateLike(raw: Buffer, size: number, other: Inflated | undefined): Inflated {
  try {
    return asDecoded(inflateRawSync(raw, bounded(raw, size)), size, other);
  } catch (error) {
    return notDecoded(error);
  }
}

function bounded(raw: Buffer, size: number): ZlibOptions {
  return {
    maxOutputLength: size + 1,
    // in one piece, but never more memory than the stream can fill, whatever its size is stated to be
    chunkSize: Math.max(64, Math.min(size + 1, raw.length * GROWTH)),
  };
}

function asDecoded(bytes: Buffer, size: number, other: Inflated | undefined): Inflated {
  if (bytes.length !== size) return { kind: 'failed', code: 'other-size-than-stated' };
  const same = other?.kind === 'decoded' && other.bytes.equals(bytes);
  return { kind: 'decoded', bytes, crc32: same ? other.crc32 : crc32(bytes) };
}

function notDecoded(error: unknown): Inflated {
  const tooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
  return { kind: 'failed', code: tooLarge ? 'larger-than-stated' : 'invalid-deflate' };
}

/** zlib accepts what our walker refuses: readers disagree, so the stream counts as unreadable. */
export function walked(inflated: Inflated, raw: Buffer, size: number): Walked {
  if (inflated.kind === 'failed') return inflated;
  try {
    return { ...inflated, issues: deflateIssues(walkDeflate(raw), raw.length, size) };
  } catch (error) {
    if (error instanceof FormatError) return { kind: 'failed', code: error.code };
    throw error;
  }
}

/**
 * Both sides of one entry. `equal`: both decode to the same bytes, which are then not kept. Streams of unequal content are
 * not walked here: what they are packed like matters only where that content turns out to be no worse than repacked.
 */
export type InflatedPair = (
  | { readonly equal: true; readonly published: Walked; readonly rebuilt: Walked }
  | { readonly equal: false; readonly published: Inflated; readonly rebuilt: Inflated }
) & {
  /** Of the published content, hex, by the algorithms asked for. */
  readonly digests?: readonly string[];
};

export interface HeldStream {
  readonly raw: Buffer;
  /** Of the decoded content, as stated. */
  readonly size: number;
  /** Of digests of the content that are wanted too; of the published side. */
  readonly algorithms?: readonly string[] | undefined;
}

const NOTHING = Buffer.alloc(0);

export function inflatePair(published: HeldStream, rebuilt: HeldStream): InflatedPair {
  const p = inflateLike(published.raw, published.size, undefined);
  const r = inflateLike(rebuilt.raw, rebuilt.size, p);
  return paired(published, p, rebuilt, r);
}

const inflateRawAside = promisify(inflateRaw) as (raw: Buffer, options: ZlibOptions) => Promise<Buffer>;

/** As `inflatePair`; both sides at once on threads that Node has at hand, while the caller goes on. */
export async function inflatePairAside(published: HeldStream, rebuilt: HeldStream): Promise<InflatedPair> {
  const aside = ({ raw, size }: HeldStream): Promise<Buffer | Inflated> =>
    inflateRawAside(raw, bounded(raw, size)).catch(notDecoded);
  const [a, b] = await Promise.all([aside(published), aside(rebuilt)]);
  const p = Buffer.isBuffer(a) ? asDecoded(a, published.size, undefined) : a;
  const r = Buffer.isBuffer(b) ? asDecoded(b, rebuilt.size, p) : b;
  return paired(published, p, rebuilt, r);
}

function paired(published: HeldStream, p: Inflated, rebuilt: HeldStream, r: Inflated): InflatedPair {
  const { algorithms } = published;
  const digests =
    algorithms === undefined || p.kind === 'failed'
      ? {}
      : { digests: algorithms.map((algorithm) => hash(algorithm, p.bytes, 'hex')) };
  if (p.kind === 'failed' || r.kind === 'failed' || !p.bytes.equals(r.bytes))
    return { published: p, rebuilt: r, equal: false, ...digests };
  release(p.bytes);
  release(r.bytes);
  return {
    published: walked({ ...p, bytes: NOTHING }, published.raw, published.size),
    rebuilt: walked({ ...r, bytes: NOTHING }, rebuilt.raw, rebuilt.size),
    equal: true,
    ...digests,
  };
}

const RAW_CHUNK = 256 << 10;

/** What was learned about a stream once its last chunk has been taken. */
export interface StreamSummary {
  readonly size: number;
  readonly crc32: number;
  readonly issues: readonly string[];
}

/**
 * Decodes `[offset, offset + length)` chunk by chunk; never more than `size + 1` bytes. The return value of the
 * generator is the summary.
 * @throws FormatError `deflate/…` when the stream is invalid or not of the stated size
 */
export async function* inflateChunks(
  source: ByteSource,
  offset: number,
  length: number,
  size: number,
): AsyncGenerator<Buffer, StreamSummary> {
  const walker = new DeflateWalker();
  const inflate = createInflateRaw({ chunkSize: RAW_CHUNK });
  // the loop below throws it; this only keeps one that comes after the loop from ending the process
  inflate.on('error', () => undefined);
  const feed = (async (): Promise<void> => {
    for (let at = offset; at < offset + length && !inflate.destroyed; at += RAW_CHUNK) {
      const chunk = source.read(at, Math.min(RAW_CHUNK, offset + length - at));
      walker.push(chunk);
      if (!inflate.write(chunk))
        await new Promise<void>((resolve) => {
          const done = (): void => {
            inflate.off('drain', done).off('close', done);
            resolve();
          };
          inflate.on('drain', done).on('close', done);
        });
    }
    if (!inflate.destroyed) inflate.end();
  })();
  feed.catch((error: unknown) => inflate.destroy(error as Error));
  let decoded = 0;
  let sum = 0;
  try {
    for await (const piece of inflate) {
      const chunk = piece as Buffer;
      decoded += chunk.length;
      if (decoded > size)
        throw new FormatError('deflate', 'larger-than-stated', offset, `more than the ${size} bytes stated`);
      sum = crc32(chunk, sum);
      yield chunk;
    }
    await feed;
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError('deflate', 'invalid-deflate', offset, (error as Error).message, { cause: error });
  } finally {
    inflate.destroy();
  }
  if (decoded !== size)
    throw new FormatError('deflate', 'other-size-than-stated', offset, `${decoded} bytes, ${size} stated`);
  return { size: decoded, crc32: sum, issues: deflateIssues(walker.finish(), length, size) };
}
