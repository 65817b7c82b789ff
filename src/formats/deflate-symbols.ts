// SPDX-License-Identifier: Apache-2.0
/**
 * The inner loop of the deflate walker: literals and matches of one block, counted and not copied (RFC 1951, section
 * 3.2.3). Written for speed: this runs over every compressed byte of a package.
 * https://www.rfc-editor.org/rfc/rfc1951
 */
import { DISTANCE_BITS, END_OF_BLOCK, INVALID, KIND, LINK, LITERALS, MATCH, MATCH_EXTRA } from './huffman.js';

export interface SymbolCursor {
  /** Next bit of the view. */
  bit: number;
  /** Bytes of output so far, as far as matches can reach back. */
  out: number;
}

export type SymbolStop = 'more' | 'end-of-block' | 'invalid-symbol' | 'invalid-distance' | 'distance-too-far';

/**
 * Moves `cursor` on until the block ends or bit `end` is reached. A turn of the loop reaches over at most 16 bytes, which
 * must be there after `end`.
 */
export function walkSymbols(
  view: DataView,
  cursor: SymbolCursor,
  end: number,
  literals: Int32Array,
  literalBits: number,
  distances: Int32Array,
): SymbolStop {
  const literalMask = (1 << literalBits) - 1;
  const distanceMask = (1 << DISTANCE_BITS) - 1;
  let bit = cursor.bit;
  let out = cursor.out;
  let stop: SymbolStop = 'more';
  while (bit < end) {
    let word = view.getInt32(bit >>> 3, true) >>> (bit & 7);
    let entry = literals[word & literalMask]!;
    if ((entry & KIND) === LITERALS) {
      bit += entry & 31;
      out += entry >>> 8;
      word >>>= entry & 31;
      entry = literals[word & literalMask]!;
      if ((entry & KIND) === LITERALS) {
        bit += entry & 31;
        out += entry >>> 8;
        continue;
      }
      word = view.getInt32(bit >>> 3, true) >>> (bit & 7);
    }
    let kind = entry & KIND;
    if (kind === LINK) {
      entry = literals[(entry >>> 8) + ((word >>> literalBits) & ((1 << (entry & 31)) - 1))]!;
      kind = entry & KIND;
    }
    let drop = entry & 31;
    bit += drop;
    out += (entry >>> 8) & 15;
    if (kind !== MATCH) {
      if (kind === LITERALS) continue;
      if (kind !== MATCH_EXTRA) {
        stop = kind === END_OF_BLOCK ? 'end-of-block' : 'invalid-symbol';
        break;
      }
    }
    let length = (entry >>> 12) & 0x1ff;
    let extra = entry >>> 21;
    length += (word >>> drop) & ((1 << extra) - 1);
    bit += extra;

    word = view.getInt32(bit >>> 3, true) >>> (bit & 7);
    entry = distances[word & distanceMask]!;
    if ((entry & KIND) !== 0) {
      if ((entry & KIND) === LINK)
        entry = distances[(entry >>> 8) + ((word >>> DISTANCE_BITS) & ((1 << (entry & 31)) - 1))]!;
      if ((entry & KIND) === INVALID) {
        stop = 'invalid-distance';
        break;
      }
      // a long code and its extra bits can need more bits than are at hand
      bit += entry & 31;
      word = view.getInt32(bit >>> 3, true) >>> (bit & 7);
      drop = 0;
    } else {
      drop = entry & 31;
      bit += drop;
    }
    extra = (entry >>> 8) & 15;
    const distance = (entry >>> 12) + ((word >>> drop) & ((1 << extra) - 1));
    bit += extra;
    if (distance > out) {
      stop = 'distance-too-far';
      break;
    }
    out += length;
  }
  cursor.bit = bit;
  cursor.out = out;
  return stop;
}
