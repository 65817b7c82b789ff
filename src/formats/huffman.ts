// SPDX-License-Identifier: Apache-2.0
/**
 * Decoding tables for the three Huffman codes of deflate (RFC 1951, section 3.2.2), accepting exactly the codes that
 * zlib accepts. An entry of a table is one 32-bit number, so that a symbol costs one look-up and no allocation.
 * https://www.rfc-editor.org/rfc/rfc1951
 */

// Entry of a literal/length table:
//   bits 0–4   bits to drop
//   bits 5–7   kind, one of the constants below
//   bits 8–11  literals before the match (LITERALS: all there is)
//   bits 12–20 match length, without the extra bits still to be read
//   bits 21–23 extra bits still to be read (MATCH_EXTRA)
//   LINK: bits 0–4 size of the second table in bits, bits 8– its start
export const KIND = 0xe0;
export const LITERALS = 0;
export const MATCH = 1 << 5;
export const MATCH_EXTRA = 2 << 5;
export const END_OF_BLOCK = 3 << 5;
export const LINK = 4 << 5;
export const INVALID = 5 << 5;

// Entry of a distance table:
//   bits 0–4 bits to drop, bits 5–7 LINK, INVALID or 0, bits 8–11 extra bits, bits 12–  base distance

/** Longest code of deflate in bits. */
const MAX_LENGTH = 15;

export const LITERAL_BITS = 12;
export const DISTANCE_BITS = 10;
const CODE_LENGTH_BITS = 7;

// section 3.2.5: symbols 257..285; 286 and 287 take part in the fixed code but never occur
// prettier-ignore
const LENGTH_BASE = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
  227, 258,
];
// prettier-ignore
const LENGTH_EXTRA = [
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
];
// section 3.2.5: symbols 0..29; 30 and 31 never occur
// prettier-ignore
const DISTANCE_BASE = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073,
  4097, 6145, 8193, 12289, 16385, 24577,
];

function literalTemplates(): Int32Array {
  const templates = new Int32Array(288).fill(INVALID);
  for (let symbol = 0; symbol < 256; symbol++) templates[symbol] = LITERALS | (1 << 8);
  templates[256] = END_OF_BLOCK;
  LENGTH_BASE.forEach((base, i) => {
    const extra = LENGTH_EXTRA[i] ?? 0;
    templates[257 + i] = (extra > 0 ? MATCH_EXTRA : MATCH) | (base << 12) | (extra << 21);
  });
  return templates;
}

function distanceTemplates(): Int32Array {
  const templates = new Int32Array(32).fill(INVALID);
  DISTANCE_BASE.forEach((base, i) => {
    templates[i] = (Math.max(0, (i >> 1) - 1) << 8) | (base << 12);
  });
  return templates;
}

export const LITERAL_TEMPLATES: Int32Array = literalTemplates();
export const DISTANCE_TEMPLATES: Int32Array = distanceTemplates();
/** The symbols of the code length code are their own values. */
export const CODE_LENGTH_TEMPLATES: Int32Array = Int32Array.from({ length: 19 }, (_, symbol) => symbol << 8);

export interface HuffmanTable {
  readonly entries: Int32Array;
  /** Bits of the first look-up. */
  readonly bits: number;
}

// A second table of b bits holds at least two codes and has at most 2^(15 - first bits) entries.
export function literalTable(): Int32Array {
  return new Int32Array((1 << LITERAL_BITS) + 144 * (1 << (MAX_LENGTH - LITERAL_BITS)));
}
export function distanceTable(): Int32Array {
  return new Int32Array((1 << DISTANCE_BITS) + 16 * (1 << (MAX_LENGTH - DISTANCE_BITS)));
}
export function codeLengthTable(): Int32Array {
  return new Int32Array(1 << CODE_LENGTH_BITS);
}

export type CodeFault = 'oversubscribed' | 'incomplete';

const counts = new Int32Array(MAX_LENGTH + 1);
const starts = new Int32Array(MAX_LENGTH + 2);
const sorted = new Int32Array(288);

/**
 * Fills `table` from the code lengths `lengths[from .. from + n)`, first look-up `bits` wide. `lenient` is the exception
 * that zlib makes for the literal/length and the distance code: no code at all, or a single code of one bit; what such a
 * code leaves open is INVALID on use.
 */
export function buildTable(
  table: Int32Array,
  bits: number,
  lengths: Uint8Array,
  from: number,
  n: number,
  templates: Int32Array,
  lenient: boolean,
): CodeFault | undefined {
  counts.fill(0);
  for (let i = 0; i < n; i++) counts[lengths[from + i]!]!++;
  let left = 1;
  let max = 0;
  let start = 0;
  for (let length = 1; length <= MAX_LENGTH; length++) {
    const count = counts[length]!;
    left = left * 2 - count;
    if (left < 0) return 'oversubscribed';
    if (count > 0) max = length;
    starts[length] = start;
    start += count;
  }
  if (left > 0) {
    if (!lenient || max > 1) return 'incomplete';
    table.fill(INVALID | 1, 0, 1 << bits);
    for (let i = 0; i < n; i++)
      if (lengths[from + i] === 1) for (let at = 0; at < 1 << bits; at += 2) table[at] = templates[i]! | 1;
    return undefined;
  }
  for (let i = 0; i < n; i++) {
    const length = lengths[from + i]!;
    if (length > 0) sorted[starts[length]!++] = i;
  }

  // Codes are packed from their most significant bit (section 3.1.1): `code` counts with its bits reversed. The table
  // grows with the code length, by doubling.
  let code = 0;
  let length = 1;
  let size = 2;
  let next = 0;
  for (; length <= bits; length++, size *= 2) {
    for (let i = counts[length]!; i > 0; i--) {
      table[code] = templates[sorted[next++]!]! | length;
      if (code === size - 1) {
        for (; length < bits; length++, size *= 2) table.copyWithin(size, 0, size);
        return undefined;
      }
      const bit = 1 << (31 - Math.clz32(code ^ (size - 1)));
      code = (code & (bit - 1)) | bit;
    }
    if (length < bits) table.copyWithin(size, 0, size);
  }

  const mask = (1 << bits) - 1;
  let prefix = -1;
  let subStart = 0;
  let subEnd = 1 << bits;
  for (; length <= MAX_LENGTH; length++) {
    for (let i = counts[length]!; i > 0; i--) {
      if ((code & mask) !== prefix) {
        prefix = code & mask;
        // as many bits as the codes that share this prefix need; `i` codes of this length are still to come
        let subBits = length - bits;
        let used = i;
        while (used < 1 << subBits) {
          subBits++;
          used = used * 2 + counts[bits + subBits]!;
        }
        subStart = subEnd;
        subEnd += 1 << subBits;
        table[prefix] = LINK | (subStart << 8) | subBits;
      }
      const entry = templates[sorted[next++]!]! | length;
      for (let at = subStart + (code >> bits); at < subEnd; at += 1 << (length - bits)) table[at] = entry;
      const all = (1 << length) - 1;
      if (code === all) return undefined;
      const bit = 1 << (31 - Math.clz32(code ^ all));
      code = (code & (bit - 1)) | bit;
    }
  }
  return undefined;
}

/**
 * Makes one look-up do more: extra bits of a length that lie within the `bits` looked at are resolved, and literals are
 * joined with the literals or the match that follow within them.
 */
export function foldTable(table: Int32Array, bits: number): void {
  const size = 1 << bits;
  for (let i = 0; i < size; i++) {
    const entry = table[i]!;
    if ((entry & KIND) !== MATCH_EXTRA) continue;
    const drop = entry & 31;
    const extra = entry >>> 21;
    if (drop + extra > bits) continue;
    const length = ((entry >>> 12) & 0x1ff) + ((i >>> drop) & ((1 << extra) - 1));
    table[i] = MATCH | (length << 12) | (drop + extra);
  }
  // downwards, since the entry for what follows, `i >>> drop`, must still be a single symbol
  for (let i = size - 1; i >= 0; i--) {
    const entry = table[i]!;
    if ((entry & KIND) !== LITERALS) continue;
    let drop = entry & 31;
    let literals = 1;
    let joined = entry;
    while (literals < 7) {
      const follow = table[i >>> drop]!;
      const kind = follow & KIND;
      if (kind > MATCH || drop + (follow & 31) > bits) break;
      drop += follow & 31;
      if (kind === MATCH) {
        joined = (follow & ~31 & ~0xf00) | (literals << 8) | drop;
        break;
      }
      literals++;
      joined = LITERALS | (literals << 8) | drop;
    }
    table[i] = joined;
  }
}

let fixed: { readonly literals: Int32Array; readonly distances: Int32Array } | undefined;

/** The codes of section 3.2.6. */
export function fixedTables(): { readonly literals: Int32Array; readonly distances: Int32Array } {
  if (fixed !== undefined) return fixed;
  const lengths = new Uint8Array(288).fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280, 288);
  const literals = literalTable();
  buildTable(literals, LITERAL_BITS, lengths, 0, 288, LITERAL_TEMPLATES, false);
  foldTable(literals, LITERAL_BITS);
  const distances = distanceTable();
  buildTable(distances, DISTANCE_BITS, new Uint8Array(32).fill(5), 0, 32, DISTANCE_TEMPLATES, false);
  return (fixed = { literals, distances });
}
