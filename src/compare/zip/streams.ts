// SPDX-License-Identifier: Apache-2.0
/** Deflated entries whose content is too large to be held: each stream is decoded once, both side by side. */
import { BufferSource, type ByteSource } from '../../bytes.js';
import { FormatError } from '../../errors.js';
import type { ZipEntry } from '../../formats/zip.js';
import { ContentSink } from '../decode/content-sink.js';
import { inflateChunks, type Inflated } from '../decode/inflate.js';
import { PieceReader } from '../decode/piece-reader.js';
import type { DecodeOutcome } from '../decode/undecoded.js';
import { reportBytes, sampleDifference, type BytesSample } from '../explain/explain-leaf.js';
import { PositionScanner } from '../leaf.js';
import { LedgerBuilder, worst, worstOf } from '../ledger.js';
import { node, type Place, type Walk } from '../walk.js';
import {
  excludingRule,
  failure,
  judge,
  opaque,
  withChild,
  type EntryData,
  type Facts,
} from './entry-data.js';

/** Containers are spilled to disk, anything else is compared in lockstep. */
export async function compareStreams(
  walk: Walk,
  published: ByteSource,
  p: ZipEntry,
  rebuilt: ByteSource,
  r: ZipEntry,
  place: Place,
): Promise<EntryData> {
  const a = new PieceReader(inflateChunks(published, p.dataOffset, p.compressedSize, p.size));
  const b = new PieceReader(inflateChunks(rebuilt, r.dataOffset, r.compressedSize, r.size));
  try {
    const heads = [await a.head(), await b.head()] as const;
    const isContainer =
      heads[0] !== undefined &&
      heads[1] !== undefined &&
      walk.looksLikeContainer(new BufferSource(heads[0]), new BufferSource(heads[1]));
    return p.size === r.size && !isContainer
      ? await lockstep(walk, a, p, b, r, place)
      : await compareSpilled(walk, a, p, b, r, place);
  } finally {
    await a.close();
    await b.close();
  }
}

async function compareSpilled(
  walk: Walk,
  published: PieceReader,
  p: ZipEntry,
  rebuilt: PieceReader,
  r: ZipEntry,
  place: Place,
): Promise<EntryData> {
  const sinks = [new ContentSink(walk), new ContentSink(walk)] as const;
  try {
    const a = await spill(published, sinks[0]);
    const b = await spill(rebuilt, sinks[1]);
    const failed = failure(walk, place, a, b);
    if (failed !== undefined || a.kind === 'failed' || b.kind === 'failed')
      return failed ?? opaque('different');
    const summary = judge(p, a, r, b);
    const child = await walk.compareNode(a.source, b.source, place);
    return child.worst === 'identical'
      ? summary
      : withChild(summary, child.index, child.worst, excludingRule(walk.nodes[child.index]));
  } finally {
    sinks[0].close();
    sinks[1].close();
  }
}

type Spilled = { readonly kind: 'spilled'; readonly source: ByteSource } & Facts;

async function spill(
  reader: PieceReader,
  sink: ContentSink,
): Promise<Spilled | Extract<Inflated, { kind: 'failed' }>> {
  try {
    for (let piece = await reader.peek(); piece.length > 0; piece = await reader.peek())
      sink.push(reader.take(piece.length));
  } catch (error) {
    if (error instanceof FormatError) return { kind: 'failed', code: error.code };
    throw error;
  }
  const { summary } = reader;
  if (summary === undefined) throw new Error('a stream ended without its summary');
  return { kind: 'spilled', source: sink.finish(), ...summary };
}

async function lockstep(
  walk: Walk,
  a: PieceReader,
  p: ZipEntry,
  b: PieceReader,
  r: ZipEntry,
  place: Place,
): Promise<EntryData> {
  const index = walk.reserve();
  const sides = { published: new LedgerBuilder(p.size), rebuilt: new LedgerBuilder(r.size) };
  const scanner = new PositionScanner((side, offset, length, owner) =>
    sides[side].add(offset, length, owner, 'data'),
  );
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
