// SPDX-License-Identifier: Apache-2.0
/** The entries of an archive that differ, decoded before the comparison comes to them. */
import { FileSource } from '../../bytes.js';
import type { ZipEntry } from '../../formats/zip.js';
import type { Pair } from '../align.js';
import type { InflatedPair } from '../decode/inflate.js';
import { InflatePool, isWorthwhile, type EntryJob } from '../decode/inflate-pool.js';
import { isHeldDeflate } from './data.js';
import type { EntryEquality } from './entry-equality.js';
import type { ZipSide } from './zip-side.js';

/** Decodes what differs on threads of their own, when both sides are files and there is enough of it. */
class DecodedAhead {
  readonly #pool: InflatePool;
  readonly #waiting: number[];

  constructor(pool: InflatePool, pairIndices: readonly number[]) {
    this.#pool = pool;
    this.#waiting = [...pairIndices].reverse();
  }

  /** The decoded sides of this pair, if it was among the jobs; pairs are asked for in their order. */
  async get(pairIndex: number): Promise<InflatedPair | undefined> {
    for (
      let next = this.#waiting.at(-1);
      next !== undefined && next <= pairIndex;
      next = this.#waiting.at(-1)
    ) {
      this.#waiting.pop();
      const result = await this.#pool.next();
      if (next === pairIndex) return result;
    }
    return undefined;
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

/** `undefined` where there is too little of it. */
export function decodeAhead(
  p: ZipSide,
  r: ZipSide,
  pairs: readonly Pair[],
  equality: EntryEquality,
): DecodedAhead | undefined {
  if (!(p.source instanceof FileSource) || !(r.source instanceof FileSource)) return undefined;
  const jobs: EntryJob[] = [];
  const indices: number[] = [];
  for (const [index, pair] of pairs.entries()) {
    const a = p.zip.entries[pair.published];
    const b = r.zip.entries[pair.rebuilt];
    if (a === undefined || b === undefined || !isHeldDeflate(a, b) || equality.data(index)) continue;
    jobs.push({ p: jobSide(a), r: jobSide(b) });
    indices.push(index);
  }
  if (!isWorthwhile(jobs)) return undefined;
  return new DecodedAhead(
    new InflatePool({ published: p.source.lend(), rebuilt: r.source.lend() }, jobs),
    indices,
  );
}

function jobSide(entry: ZipEntry): EntryJob['p'] {
  return { offset: entry.dataOffset, length: entry.compressedSize, size: entry.size };
}
