// SPDX-License-Identifier: Apache-2.0
/** How the data of one paired ZIP entry relate: equal as stored, or decoded and compared as a node of their own. */
import { crc32 } from 'node:zlib';
import { BufferSource, eachChunk, SliceSource, type ByteSource } from '../../bytes.js';
import { FormatError } from '../../errors.js';
import type { ZipEntry } from '../../formats/zip.js';
import {
  inflateChunks,
  inflatePair,
  type Inflated,
  type InflatedPair,
  type StreamSummary,
} from '../decode/inflate.js';
import { ContentSink } from '../decode/content-sink.js';
import { undecoded, type DecodeOutcome } from '../decode/undecoded.js';
import { PositionScanner } from '../leaf.js';
import { LedgerBuilder, worst, worstOf } from '../ledger.js';
import type { Owner } from '../types.js';
import { HELD_BYTES, node, type Place, type Walk } from '../walk.js';
import { reportBytes, sampleDifference, type BytesSample } from '../explain/explain-leaf.js';

export interface EntryData {
  readonly owner: Owner;
  /** The directory's CRC and sizes are what the data have, on both sides; only asked where the raw bytes differ. */
  readonly statedTruly: boolean;
  /** Node of the content; `splice` when the stored bytes are the content. */
  readonly child?: { readonly index: number; readonly splice: boolean };
  /** What an encoder nobody named must not leave behind. */
  readonly issues: readonly string[];
}

const STORED = 0;
const DEFLATED = 8;
/** The raw bytes are equal: nothing is decoded, and what the directory states is not asked. */
export const EQUAL_DATA: EntryData = { owner: 'identical', statedTruly: true, issues: [] };

/** Both sides are deflated, plain, and small enough to be decoded in memory (by a worker, say). */
export function isHeldDeflate(p: ZipEntry, r: ZipEntry): boolean {
  return (
    p.method === DEFLATED &&
    r.method === DEFLATED &&
    ((p.flags | r.flags) & 1) === 0 &&
    heldSize(p, r) <= HELD_BYTES
  );
}

function heldSize(p: ZipEntry, r: ZipEntry): number {
  return Math.max(p.size, r.size, p.compressedSize, r.compressedSize);
}

/** Of an entry whose raw bytes differ. `prepared`: they were decoded ahead. */
export async function compareEntryData(
  walk: Walk,
  published: ByteSource,
  p: ZipEntry,
  rebuilt: ByteSource,
  r: ZipEntry,
  place: Place,
  prepared?: InflatedPair,
): Promise<EntryData> {
  const encrypted = (p.flags & 1) + (r.flags & 1);
  if (encrypted === 2) {
    walk.cannotVerify('encrypted', `${place.path.join(' > ')}: encrypted on both sides`);
    return opaque('encrypted');
  }
  // a changed method, or encryption on one side, is a difference whatever the content may be
  if (encrypted === 1 || p.method !== r.method) return opaque('different');
  if (p.method === STORED) return compareStored(walk, published, p, rebuilt, r, place);
  if (p.method === DEFLATED) return compareDeflated(walk, published, p, rebuilt, r, place, prepared);
  walk.cannotVerify('unread', `${place.path.join(' > ')}: compression method ${p.method} is not read`);
  return opaque('unread');
}

function opaque(owner: Owner, issues: readonly string[] = []): EntryData {
  return { owner, statedTruly: false, issues };
}

async function compareStored(
  walk: Walk,
  published: ByteSource,
  p: ZipEntry,
  rebuilt: ByteSource,
  r: ZipEntry,
  place: Place,
): Promise<EntryData> {
  const contents = [
    new SliceSource(published, p.dataOffset, p.compressedSize),
    new SliceSource(rebuilt, r.dataOffset, r.compressedSize),
  ] as const;
  const child = await walk.compareNode(contents[0], contents[1], place);
  const statedTruly =
    p.size === p.compressedSize &&
    r.size === r.compressedSize &&
    crcOf(contents[0]) === p.crc32 &&
    crcOf(contents[1]) === r.crc32;
  return { owner: child.worst, statedTruly, child: { index: child.index, splice: true }, issues: [] };
}

function crcOf(source: ByteSource): number {
  let sum = 0;
  eachChunk(source, 0, source.size, (chunk) => (sum = crc32(chunk, sum)));
  return sum;
}

async function compareDeflated(
  walk: Walk,
  published: ByteSource,
  p: ZipEntry,
  rebuilt: ByteSource,
  r: ZipEntry,
  place: Place,
  prepared?: InflatedPair,
): Promise<EntryData> {
  const allowed = walk.mayDecode(p.size, r.size, place.path);
  if (allowed !== 'yes') return opaque(allowed === 'no' ? 'unread' : 'different');
  if (heldSize(p, r) > HELD_BYTES) return compareStreams(walk, published, p, rebuilt, r, place);
  const pair =
    prepared ??
    inflatePair(
      { raw: published.read(p.dataOffset, p.compressedSize), size: p.size },
      { raw: rebuilt.read(r.dataOffset, r.compressedSize), size: r.size },
    );
  const { published: a, rebuilt: b } = pair;
  const failed = failure(walk, place, a, b);
  if (failed !== undefined || a.kind === 'failed' || b.kind === 'failed')
    return failed ?? opaque('different');
  const summary = judge(p, a, r, b);
  if (pair.equal) return summary;
  const child = await walk.compareNode(new BufferSource(a.bytes), new BufferSource(b.bytes), place);
  return withChild(summary, child.index, child.worst);
}

function failure(walk: Walk, place: Place, a: DecodeOutcome, b: DecodeOutcome): EntryData | undefined {
  const owner = undecoded(walk, place.path, a, b);
  return owner === undefined ? undefined : opaque(owner);
}

type Facts = Pick<StreamSummary, 'crc32' | 'issues'>;

/** Equal content in another encoding, so far; an encoding with room for hidden bytes is a difference. */
function judge(p: ZipEntry, a: Facts, r: ZipEntry, b: Facts): EntryData {
  const issues = [
    ...a.issues.map((code) => `published: ${code}`),
    ...b.issues.map((code) => `rebuilt: ${code}`),
  ];
  return {
    owner: issues.length === 0 ? 'reencoded' : 'different',
    statedTruly: a.crc32 === p.crc32 && b.crc32 === r.crc32,
    issues,
  };
}

function withChild(summary: EntryData, index: number, childWorst: Owner): EntryData {
  const owner = worst(summary.owner, childWorst);
  return { ...summary, owner: owner === 'missing' ? 'different' : owner, child: { index, splice: false } };
}

/** Content too large to hold: containers are spilled to disk, anything else is compared in lockstep. */
async function compareStreams(
  walk: Walk,
  published: ByteSource,
  p: ZipEntry,
  rebuilt: ByteSource,
  r: ZipEntry,
  place: Place,
): Promise<EntryData> {
  const open = (source: ByteSource, entry: ZipEntry): AsyncGenerator<Buffer, StreamSummary> =>
    inflateChunks(source, entry.dataOffset, entry.compressedSize, entry.size);
  const heads = [await head(open(published, p)), await head(open(rebuilt, r))] as const;
  const isContainer =
    heads[0] !== undefined &&
    heads[1] !== undefined &&
    walk.looksLikeContainer(new BufferSource(heads[0]), new BufferSource(heads[1]));
  if (p.size === r.size && !isContainer)
    return lockstep(walk, open(published, p), p, open(rebuilt, r), r, place);
  const sinks = [new ContentSink(walk), new ContentSink(walk)] as const;
  try {
    const a = await spill(open(published, p), sinks[0]);
    const b = await spill(open(rebuilt, r), sinks[1]);
    const failed = failure(walk, place, a, b);
    if (failed !== undefined || a.kind === 'failed' || b.kind === 'failed')
      return failed ?? opaque('different');
    const summary = judge(p, a, r, b);
    const child = await walk.compareNode(a.source, b.source, place);
    return child.worst === 'identical' ? summary : withChild(summary, child.index, child.worst);
  } finally {
    sinks[0].close();
    sinks[1].close();
  }
}

async function head(chunks: AsyncGenerator<Buffer, StreamSummary>): Promise<Buffer | undefined> {
  try {
    const first = await chunks.next();
    return first.done === true ? undefined : Buffer.from(first.value.subarray(0, 4096));
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  } finally {
    await chunks.return({ size: 0, crc32: 0, issues: [] });
  }
}

type Spilled = { readonly kind: 'spilled'; readonly source: ByteSource } & Facts;

async function spill(
  chunks: AsyncGenerator<Buffer, StreamSummary>,
  sink: ContentSink,
): Promise<Spilled | Extract<Inflated, { kind: 'failed' }>> {
  try {
    for (let step = await chunks.next(); ; step = await chunks.next()) {
      if (step.done === true) return { kind: 'spilled', source: sink.finish(), ...step.value };
      sink.push(step.value);
    }
  } catch (error) {
    if (error instanceof FormatError) return { kind: 'failed', code: error.code };
    throw error;
  } finally {
    await chunks.return({ size: 0, crc32: 0, issues: [] });
  }
}

/** Hands out bytes of a stream in pieces of any asked length. */
class PieceReader {
  readonly #chunks: AsyncGenerator<Buffer, StreamSummary>;
  #buffer: Buffer = Buffer.alloc(0);
  summary: StreamSummary | undefined;

  constructor(chunks: AsyncGenerator<Buffer, StreamSummary>) {
    this.#chunks = chunks;
  }

  /** What is at hand, at least one byte; empty at the end. */
  async peek(): Promise<Buffer> {
    while (this.#buffer.length === 0 && this.summary === undefined) {
      const step = await this.#chunks.next();
      if (step.done === true) this.summary = step.value;
      else this.#buffer = step.value;
    }
    return this.#buffer;
  }

  take(length: number): Buffer {
    const piece = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length);
    return piece;
  }

  async close(): Promise<void> {
    await this.#chunks.return({ size: 0, crc32: 0, issues: [] });
  }
}

async function lockstep(
  walk: Walk,
  publishedChunks: AsyncGenerator<Buffer, StreamSummary>,
  p: ZipEntry,
  rebuiltChunks: AsyncGenerator<Buffer, StreamSummary>,
  r: ZipEntry,
  place: Place,
): Promise<EntryData> {
  const index = walk.reserve();
  const sides = { published: new LedgerBuilder(p.size), rebuilt: new LedgerBuilder(r.size) };
  const scanner = new PositionScanner((side, offset, length, owner) =>
    sides[side].add(offset, length, owner, 'data'),
  );
  const a = new PieceReader(publishedChunks);
  const b = new PieceReader(rebuiltChunks);
  const failed = { published: undefined as string | undefined, rebuilt: undefined as string | undefined };
  const attempt = async (reader: PieceReader, side: 'published' | 'rebuilt'): Promise<number> => {
    try {
      return (await reader.peek()).length;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      failed[side] = error.code;
      return 0;
    }
  };
  let sample: BytesSample | undefined;
  try {
    for (;;) {
      walk.checkAborted();
      const n = Math.min(await attempt(a, 'published'), await attempt(b, 'rebuilt'));
      if (n === 0) break;
      const x = a.take(n);
      const y = b.take(n);
      sample ??= sampleDifference(x, y);
      scanner.push(x, y);
    }
    // one side may have stopped at a fault while the other still has bytes: find out whether that one decodes
    for (const [reader, side] of [
      [a, 'published'],
      [b, 'rebuilt'],
    ] as const)
      while (failed[side] === undefined) {
        const n = await attempt(reader, side);
        if (n === 0) break;
        reader.take(n);
      }
  } finally {
    await a.close();
    await b.close();
  }
  const outcome = (side: 'published' | 'rebuilt'): DecodeOutcome => {
    const code = failed[side];
    return code === undefined ? { kind: 'decoded' } : { kind: 'failed', code };
  };
  const failedBoth = failure(walk, place, outcome('published'), outcome('rebuilt'));
  if (failedBoth !== undefined || a.summary === undefined || b.summary === undefined) {
    const empty = new LedgerBuilder(0).finish();
    walk.set(index, node(place, 'data', empty, empty, []));
    return failedBoth ?? opaque('different');
  }
  const found = scanner.finish();
  const result = node(place, 'data', sides.published.finish(), sides.rebuilt.finish(), []);
  walk.set(index, result);
  const summary = judge(p, a.summary, r, b.summary);
  if (found.length === 0) return { ...summary, child: { index, splice: false } };
  if (sample !== undefined) reportBytes(walk, place.path, found, sample);
  return withChild(summary, index, worst(worstOf(result.published), worstOf(result.rebuilt)));
}
