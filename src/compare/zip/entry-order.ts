// SPDX-License-Identifier: Apache-2.0
/** Which entries take part in pairing, and in what order both sides have them. */
import type { ZipStructure } from '../../formats/zip.js';
import { type Named, withOccurrences } from '../align.js';
import type { Side } from '../types.js';
import { isJarSignatureEntry, isJarSigned, type ZipSide } from './zip-side.js';

function* rawNames(zip: ZipStructure): Generator<Buffer> {
  for (const entry of zip.entries) yield entry.rawName;
}

/** Entries that take part in pairing; the others get a name that no entry has. */
export function pairable(side: Side, zip: ZipStructure, nested: boolean): Named[] {
  const named = withOccurrences(rawNames(zip));
  const jarSigned = !nested && isJarSigned(zip);
  if (!jarSigned) return named;
  return named.map((name, index) => {
    const entry = zip.entries[index];
    return entry !== undefined && isJarSignatureEntry({ jarSigned }, entry)
      ? { key: `\u{10000}${side}/${index}`, occurrence: 0 }
      : name;
  });
}

export function unpaired(side: ZipSide, indices: readonly number[]): readonly number[] {
  return [...indices].sort(
    (x, y) => (side.zip.entries[x]?.localOffset ?? 0) - (side.zip.entries[y]?.localOffset ?? 0),
  );
}

export function rankOf(order: readonly number[], count: number): Int32Array {
  const ranks = new Int32Array(count);
  for (const [rank, entry] of order.entries()) ranks[entry] = rank;
  return ranks;
}

/** For each pair its position when pairs are sorted by the published side's data order. */
export function positionsAmongPaired(
  pairs: readonly { readonly published: number }[],
  dataPosition: Int32Array,
): number[] {
  const sorted = pairs
    .map((_, index) => index)
    .sort(
      (x, y) => (dataPosition[pairs[x]?.published ?? 0] ?? 0) - (dataPosition[pairs[y]?.published ?? 0] ?? 0),
    );
  const positions: number[] = [];
  for (const [position, pairIndex] of sorted.entries()) positions[pairIndex] = position;
  return positions;
}

/** The rebuilt data ranks in the published data order. */
export function ranksInOrder(
  pairs: readonly { readonly published: number; readonly rebuilt: number }[],
  publishedOrder: readonly number[],
  rebuiltOrder: readonly number[],
): number[] {
  const partner = new Map(pairs.map((pair) => [pair.published, pair.rebuilt]));
  const rebuiltRank = rankOf(rebuiltOrder, rebuiltOrder.length);
  return publishedOrder.flatMap((entry) => {
    const other = partner.get(entry);
    return other === undefined ? [] : [rebuiltRank[other] ?? 0];
  });
}
