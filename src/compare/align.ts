// SPDX-License-Identifier: Apache-2.0
/** Pairing of members by raw name bytes and occurrence, and their longest common order. Pure; nothing here reads content. */

/** Indices into both sides' member lists. */
export interface Pair {
  readonly published: number;
  readonly rebuilt: number;
}

export interface Pairing {
  readonly pairs: readonly Pair[];
  readonly onlyPublished: readonly number[];
  readonly onlyRebuilt: readonly number[];
}

/** A member as pairing sees it: the raw name as a byte-per-character string, in the order that counts occurrences. */
export interface Named {
  readonly key: string;
  readonly occurrence: number;
}

/** Numbers equal names in the order given. Keys are `latin1` strings of raw bytes: no two byte sequences share one. */
export function withOccurrences(rawNames: Iterable<Buffer>): Named[] {
  const seen = new Map<string, number>();
  const named: Named[] = [];
  for (const raw of rawNames) {
    const key = raw.toString('latin1');
    const occurrence = seen.get(key) ?? 0;
    seen.set(key, occurrence + 1);
    named.push({ key, occurrence });
  }
  return named;
}

/** One-to-one: the n-th member of a name with the n-th of the same name. */
export function pairMembers(published: readonly Named[], rebuilt: readonly Named[]): Pairing {
  const waiting = new Map<string, number[]>();
  for (const [index, { key }] of rebuilt.entries()) {
    const list = waiting.get(key);
    if (list === undefined) waiting.set(key, [index]);
    else list.push(index);
  }
  const pairs: Pair[] = [];
  const onlyPublished: number[] = [];
  const taken = new Uint8Array(rebuilt.length);
  for (const [index, { key, occurrence }] of published.entries()) {
    const partner = waiting.get(key)?.[occurrence];
    if (partner === undefined) onlyPublished.push(index);
    else {
      pairs.push({ published: index, rebuilt: partner });
      taken[partner] = 1;
    }
  }
  const onlyRebuilt = rebuilt.map((_, index) => index).filter((index) => taken[index] === 0);
  return { pairs, onlyPublished, onlyRebuilt };
}

/**
 * Of a sequence of distinct ranks, which positions lie outside one longest increasing subsequence (ties: the one whose
 * elements come first). Patience sorting, O(n log n).
 */
export function outsideCommonOrder(ranks: readonly number[]): Set<number> {
  if (ranks.every((rank, at) => at === 0 || rank > (ranks[at - 1] ?? 0))) return new Set();
  const tails: number[] = []; // tails[k]: position that ends the best subsequence of length k + 1
  const previous = new Int32Array(ranks.length).fill(-1);
  for (const [position, rank] of ranks.entries()) {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ranks[tails[middle] ?? 0] ?? 0) < rank) low = middle + 1;
      else high = middle;
    }
    previous[position] = low === 0 ? -1 : (tails[low - 1] ?? -1);
    tails[low] = position;
  }
  const inside = new Uint8Array(ranks.length);
  for (let at = tails.at(-1) ?? -1; at !== -1; at = previous[at] ?? -1) inside[at] = 1;
  const outside = new Set<number>();
  for (let position = 0; position < ranks.length; position++)
    if (inside[position] === 0) outside.add(position);
  return outside;
}
