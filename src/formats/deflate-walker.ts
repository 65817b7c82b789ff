// SPDX-License-Identifier: Apache-2.0
/**
 * The structure of a raw deflate stream (RFC 1951), walked without producing its output: where it ends, how much it
 * decodes to, and whether it leaves room for bytes that no decoder shows. Accepts exactly what zlib accepts.
 * https://www.rfc-editor.org/rfc/rfc1951
 */
import { FormatError } from '../errors.js';
import { walkSymbols, type SymbolCursor } from './deflate-symbols.js';
import {
  buildTable,
  CODE_LENGTH_TEMPLATES,
  codeLengthTable,
  DISTANCE_BITS,
  DISTANCE_TEMPLATES,
  distanceTable,
  fixedTables,
  foldTable,
  LITERAL_BITS,
  LITERAL_TEMPLATES,
  literalTable,
} from './huffman.js';

export type DeflateBlockType = 'stored' | 'fixed' | 'dynamic';

export interface DeflateInfo {
  readonly bitsUsed: number;
  /** Offset of the first byte after the stream. */
  readonly endOffset: number;
  readonly decodedSize: number;
  readonly blocks: number;
  /** Blocks that decode to nothing, the last one included. */
  readonly emptyBlocks: number;
  readonly lastBlock: { readonly type: DeflateBlockType; readonly decodedSize: number };
  /** Of all bits skipped to reach a byte boundary: before the length of stored blocks, and after the last block. */
  readonly paddingBitsZero: boolean;
}

/** Bytes that a block header can reach over: 3 + 14 + 19·3 + 320·(7 + 7) bits, rounded up generously. */
const HEADER_REACH = 600;
/** Bytes that one turn of the symbol loop can reach over. */
const SYMBOL_REACH = 16;
/** Bit positions and output counts inside one window stay below 2³¹ (a byte decodes to at most 1,032). */
const WINDOW = 1 << 20;
/** Blocks below this many bytes are decoded with narrower tables. */
const SHORT_BLOCK = 2048;
const SHORT_BLOCK_BITS = 9;
const FARTHEST = 32_768;

// section 3.2.7
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

type State = 'header' | 'stored' | 'symbols' | 'done';

const EMPTY = Buffer.alloc(0);
const EMPTY_VIEW = new DataView(new ArrayBuffer(0));

/** Walks one raw deflate stream that arrives in pieces; memory does not grow with it. */
export class DeflateWalker {
  #state: State = 'header';
  #carry: Buffer = EMPTY;
  /** Offset of the current window in the stream. */
  #base = 0;
  #view: DataView = EMPTY_VIEW;
  /** Next bit of the current window. */
  #bit = 0;
  /** Bits of the current window that are there. */
  #limit = 0;

  #decoded = 0;
  #blockStart = 0;
  #blockBit = 0;
  /** The last block was short: the next one probably is, too. */
  #short = false;
  #storedLeft = 0;
  #lastBlock = false;
  #type: DeflateBlockType = 'stored';
  #blocks = 0;
  #emptyBlocks = 0;
  #paddingBitsZero = true;
  #endBit = 0;

  readonly #lengths = new Uint8Array(320);
  readonly #codeLengths = codeLengthTable();
  readonly #dynamicLiterals = literalTable();
  readonly #dynamicDistances = distanceTable();
  readonly #cursor: SymbolCursor = { bit: 0, out: 0 };
  #literals: Int32Array = this.#dynamicLiterals;
  #literalBits = LITERAL_BITS;
  #distances: Int32Array = this.#dynamicDistances;

  /** True once the last block has ended; whatever is pushed then is not part of the stream. */
  get done(): boolean {
    return this.#state === 'done';
  }

  /** Ready for another stream; the tables are kept. */
  reset(): void {
    this.#state = 'header';
    this.#carry = EMPTY;
    this.#view = EMPTY_VIEW;
    this.#base = 0;
    this.#bit = 0;
    this.#decoded = 0;
    this.#blockStart = 0;
    this.#short = false;
    this.#storedLeft = 0;
    this.#lastBlock = false;
    this.#blocks = 0;
    this.#emptyBlocks = 0;
    this.#paddingBitsZero = true;
  }

  /** @throws FormatError `deflate/…` where zlib refuses too */
  push(chunk: Uint8Array): void {
    let bytes = chunk;
    if (this.#carry.length > 0) {
      // only what is needed to get past the bytes carried over is joined with them
      const joint = Buffer.concat([this.#carry, chunk.subarray(0, 2 * HEADER_REACH)]);
      const carried = this.#carry.length;
      const used = this.#walk(joint, false);
      if (used < carried) {
        // `chunk` is short, since one step reaches over less than what was joined; or the stream has ended
        this.#carry = joint.subarray(used);
        return;
      }
      bytes = chunk.subarray(used - carried);
    }
    let at = 0;
    while (at < bytes.length && !this.done) {
      const used = this.#walk(bytes.subarray(at, at + WINDOW), false);
      if (used === 0) break;
      at += used;
    }
    this.#carry = this.done ? EMPTY : Buffer.from(bytes.subarray(at));
  }

  /** @throws FormatError `deflate/truncated` when the last block has not ended, and as `push` */
  finish(): DeflateInfo {
    if (!this.done) this.#walk(this.#carry, true);
    this.#carry = EMPTY;
    this.#view = EMPTY_VIEW;
    return {
      bitsUsed: this.#endBit,
      endOffset: Math.ceil(this.#endBit / 8),
      decodedSize: this.#decoded,
      blocks: this.#blocks,
      emptyBlocks: this.#emptyBlocks,
      lastBlock: { type: this.#type, decodedSize: this.#decoded - this.#blockStart },
      paddingBitsZero: this.#paddingBitsZero,
    };
  }

  /** Walks as far as the window surely holds all that one step can read (to its end if `final`); bytes used up. */
  #walk(bytes: Uint8Array, final: boolean): number {
    // zero bytes after the end stand in for bits that are missing; running into them is found afterwards
    const window = final ? Buffer.concat([bytes, Buffer.alloc(HEADER_REACH + SYMBOL_REACH)]) : bytes;
    this.#view = new DataView(window.buffer, window.byteOffset, window.byteLength);
    this.#limit = bytes.length * 8;
    const headerEnd = final ? this.#limit : this.#limit - HEADER_REACH * 8;
    const symbolEnd = final ? this.#limit : this.#limit - SYMBOL_REACH * 8;
    let walking = true;
    while (walking) {
      switch (this.#state) {
        case 'header':
          walking = this.#bit < headerEnd;
          if (walking) this.#header();
          break;
        case 'stored':
          walking = this.#bit < this.#limit;
          if (walking || this.#storedLeft === 0) this.#stored();
          break;
        case 'symbols':
          walking = this.#bit < symbolEnd;
          if (walking) this.#symbols(symbolEnd);
          break;
        case 'done':
          walking = false;
      }
      if (this.#bit > this.#limit) throw this.#truncated();
    }
    if (final && !this.done) throw this.#truncated();
    const used = this.#bit >>> 3;
    this.#base += used;
    this.#bit &= 7;
    return used;
  }

  #truncated(): FormatError {
    const end = this.#base + (this.#limit >>> 3);
    return new FormatError('deflate', 'truncated', end, 'the stream ends before its last block does');
  }

  #fault(code: string, message: string): FormatError {
    // beyond the end it was only the zero bits standing in that led here
    if (this.#bit > this.#limit) return this.#truncated();
    return new FormatError('deflate', code, this.#base + (this.#bit >>> 3), message);
  }

  /** At least 25 bits from `#bit` on. */
  #peek(): number {
    return this.#view.getInt32(this.#bit >>> 3, true) >>> (this.#bit & 7);
  }

  #take(count: number): number {
    const value = this.#peek() & ((1 << count) - 1);
    this.#bit += count;
    return value;
  }

  /** section 3.2.3 */
  #header(): void {
    this.#blocks++;
    this.#blockStart = this.#decoded;
    this.#blockBit = this.#base * 8 + this.#bit;
    this.#lastBlock = this.#take(1) === 1;
    const type = this.#take(2);
    if (type === 0) this.#storedHeader();
    else if (type === 1) {
      this.#type = 'fixed';
      this.#state = 'symbols';
      ({ literals: this.#literals, distances: this.#distances } = fixedTables());
      this.#literalBits = LITERAL_BITS;
    } else if (type === 2) this.#dynamicHeader();
    else throw this.#fault('block-type', 'block type 3 is reserved');
  }

  #skipPadding(): void {
    const count = -this.#bit & 7;
    if (count > 0 && this.#take(count) !== 0) this.#paddingBitsZero = false;
  }

  /** section 3.2.4 */
  #storedHeader(): void {
    this.#type = 'stored';
    this.#state = 'stored';
    this.#skipPadding();
    const length = this.#take(16);
    const complement = this.#take(16);
    if ((length ^ complement) !== 0xffff)
      throw this.#fault('stored-length', `stored length ${length} and its complement ${complement} disagree`);
    this.#storedLeft = length;
  }

  #stored(): void {
    const here = Math.min(this.#storedLeft, (this.#limit - this.#bit) >>> 3);
    this.#bit += here * 8;
    this.#decoded += here;
    this.#storedLeft -= here;
    if (this.#storedLeft === 0) this.#endBlock();
  }

  #endBlock(): void {
    if (this.#decoded === this.#blockStart) this.#emptyBlocks++;
    this.#state = 'header';
    const end = this.#base * 8 + this.#bit;
    this.#short = end - this.#blockBit < SHORT_BLOCK * 8;
    if (!this.#lastBlock) return;
    this.#endBit = end;
    this.#skipPadding();
    this.#state = 'done';
  }

  /** section 3.2.7 */
  #dynamicHeader(): void {
    this.#type = 'dynamic';
    const literals = this.#take(5) + 257;
    const distances = this.#take(5) + 1;
    const codeLengths = this.#take(4) + 4;
    if (literals > 286 || distances > 30)
      throw this.#fault(
        'symbol-count',
        `${literals} literal/length and ${distances} distance codes; at most 286 and 30`,
      );
    const lengths = this.#lengths;
    lengths.fill(0, 0, 19);
    for (let i = 0; i < codeLengths; i++) lengths[CODE_LENGTH_ORDER[i]!] = this.#take(3);
    this.#build(this.#codeLengths, 7, 0, 19, CODE_LENGTH_TEMPLATES, false);

    const all = literals + distances;
    for (let i = 0; i < all;) {
      if (this.#bit > this.#limit) throw this.#truncated();
      const entry = this.#codeLengths[this.#peek() & 127]!;
      this.#bit += entry & 31;
      const symbol = entry >>> 8;
      if (symbol < 16) {
        lengths[i++] = symbol;
        continue;
      }
      if (symbol === 16 && i === 0)
        throw this.#fault('repeat', 'a code length is repeated before there is one');
      const value = symbol === 16 ? lengths[i - 1]! : 0;
      const count =
        symbol === 16 ? 3 + this.#take(2) : symbol === 17 ? 3 + this.#take(3) : 11 + this.#take(7);
      if (i + count > all)
        throw this.#fault('repeat', `${i + count} code lengths; the header announces ${all}`);
      lengths.fill(value, i, i + count);
      i += count;
    }
    if (lengths[256] === 0) throw this.#fault('no-end-of-block', 'no code for the end of the block');

    // a wide table takes longer to make than a short block takes to walk
    const short = this.#short || this.#limit - this.#bit < SHORT_BLOCK * 8;
    this.#literalBits = short ? SHORT_BLOCK_BITS : LITERAL_BITS;
    this.#literals = this.#dynamicLiterals;
    this.#distances = this.#dynamicDistances;
    this.#build(this.#literals, this.#literalBits, 0, literals, LITERAL_TEMPLATES, true);
    if (!short) foldTable(this.#literals, LITERAL_BITS);
    this.#build(this.#distances, DISTANCE_BITS, literals, distances, DISTANCE_TEMPLATES, true);
    this.#state = 'symbols';
  }

  #build(
    table: Int32Array,
    bits: number,
    from: number,
    n: number,
    templates: Int32Array,
    lenient: boolean,
  ): void {
    const flaw = buildTable(table, bits, this.#lengths, from, n, templates, lenient);
    if (flaw !== undefined) throw this.#fault(flaw, `the code lengths of a block give an ${flaw} code`);
  }

  #symbols(end: number): void {
    const before = Math.min(this.#decoded, FARTHEST);
    this.#cursor.bit = this.#bit;
    this.#cursor.out = before;
    const stop = walkSymbols(
      this.#view,
      this.#cursor,
      end,
      this.#literals,
      this.#literalBits,
      this.#distances,
    );
    this.#bit = this.#cursor.bit;
    this.#decoded += this.#cursor.out - before;
    switch (stop) {
      case 'more':
        return;
      case 'end-of-block':
        return this.#endBlock();
      case 'invalid-symbol':
        throw this.#fault(stop, 'a literal/length code that no symbol has');
      case 'invalid-distance':
        throw this.#fault(stop, 'a distance code that no symbol has');
      case 'distance-too-far':
        throw this.#fault(stop, `a match from before the start, after ${this.#decoded} bytes of output`);
    }
  }
}
