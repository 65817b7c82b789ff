// SPDX-License-Identifier: Apache-2.0
/** Which paired entries have equal bytes: every byte of both files is read once for it, in the order of the published data. */
import { commonPrefix, equalForward, ForwardReader } from '../../bytes.js';
import type { ZipEntry, ZipStructure } from '../../formats/zip.js';
import type { Pair } from '../align.js';
import type { Opened } from '../container.js';

const WHOLE = 2;
const DATA = 1;

export class EntryEquality {
  readonly #found: Uint8Array;

  constructor(
    published: Opened<ZipStructure>,
    rebuilt: Opened<ZipStructure>,
    pairs: readonly Pair[],
    checkAborted: () => void,
  ) {
    this.#found = new Uint8Array(pairs.length);
    const entries = published.structure.entries;
    const startOf = (pair: number): number => entries[pairs[pair]?.published ?? 0]?.localOffset ?? 0;
    const order = pairs.map((_, index) => index).sort((a, b) => startOf(a) - startOf(b));
    // two builds of one source mostly agree up to somewhere: found in large steps, entry by entry only from there on
    const agreed = commonPrefix(published.source, rebuilt.source);
    const sides = [new ForwardReader(published.source), new ForwardReader(rebuilt.source)] as const;
    for (const [position, index] of order.entries()) {
      if ((position & 0xff) === 0) checkAborted();
      const pair = pairs[index];
      const p = pair && entries[pair.published];
      const r = pair && rebuilt.structure.entries[pair.rebuilt];
      if (p === undefined || r === undefined) continue;
      const known = p.localOffset === r.localOffset && p.end === r.end && p.end <= agreed;
      if (known || equalWhole(...sides, p, r)) this.#found[index] = WHOLE;
      else if (equalData(...sides, p, r)) this.#found[index] = DATA;
    }
  }

  /** Local header, data and descriptor. */
  whole(pairIndex: number): boolean {
    return this.#found[pairIndex] === WHOLE;
  }

  /** The data as stored, at least. */
  data(pairIndex: number): boolean {
    return (this.#found[pairIndex] ?? 0) >= DATA;
  }
}

function equalWhole(a: ForwardReader, b: ForwardReader, p: ZipEntry, r: ZipEntry): boolean {
  return (
    p.end - p.localOffset === r.end - r.localOffset &&
    p.dataOffset - p.localOffset === r.dataOffset - r.localOffset &&
    equalForward(a, p.localOffset, b, r.localOffset, p.end - p.localOffset)
  );
}

function equalData(a: ForwardReader, b: ForwardReader, p: ZipEntry, r: ZipEntry): boolean {
  return (
    p.compressedSize === r.compressedSize && equalForward(a, p.dataOffset, b, r.dataOffset, p.compressedSize)
  );
}
