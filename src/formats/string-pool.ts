// SPDX-License-Identifier: Apache-2.0
/**
 * A string pool of binary XML or a resource table, as data and back: what is read gives, written again, the same bytes,
 * so that no byte of it can hold anything that this model has no place for (gaps, padding, overlapping strings).
 * https://android.googlesource.com/platform/frameworks/base/+/refs/heads/main/libs/androidfw/include/androidfw/ResourceTypes.h
 * (ResStringPool_header, ResStringPool_span).
 *
 *   u16 type · u16 header size · u32 size · u32 strings · u32 styles · u32 flags · u32 start of strings · u32 of styles,
 *   offsets of strings, of styles, the strings padded to 4, the spans
 */
import { FormatError } from '../errors.js';

export interface StyleSpan {
  /** Index of the string that holds the tag. */
  readonly name: number;
  readonly first: number;
  readonly last: number;
}

export interface StringPool {
  readonly flags: number;
  /** As they are stored, UTF-16LE or UTF-8, without length and terminator. */
  readonly strings: readonly Buffer[];
  /** Of the first strings, in their order. */
  readonly styles: readonly (readonly StyleSpan[])[];
}

const TYPE = 0x0001;
const HEADER = 28;
export const SORTED_FLAG = 1;
export const UTF8_FLAG = 1 << 8;
const END_OF_SPANS = 0xffffffff;
/** Each takes a hundred bytes of memory, and seven of the file. */
const MAX_STRINGS = 1 << 21;

function fail(format: string, code: string, offset: number, message: string): never {
  throw new FormatError(format, code, offset, message);
}

/**
 * The chunk at `offset`; its stated size lies inside of `bytes`.
 * @throws FormatError `…/pool-…`
 */
export function readStringPool(bytes: Buffer, offset: number, size: number, format: string): StringPool {
  const chunk = bytes.subarray(offset, offset + size);
  if (chunk.length < HEADER || chunk.readUInt16LE(0) !== TYPE || chunk.readUInt16LE(2) !== HEADER)
    fail(format, 'pool-header', offset, `no string pool with a header of ${HEADER} bytes`);
  const count = chunk.readUInt32LE(8);
  const styleCount = chunk.readUInt32LE(12);
  const flags = chunk.readUInt32LE(16);
  const start = chunk.readUInt32LE(20);
  const stylesStart = chunk.readUInt32LE(24);
  if (HEADER + 4 * (count + styleCount) > size || styleCount > count || start > size || stylesStart > size)
    fail(format, 'pool-header', offset + 8, `${count} strings and ${styleCount} styles in ${size} bytes`);
  if (count > MAX_STRINGS)
    fail(format, 'pool-too-many', offset + 8, `${count} strings, at most ${MAX_STRINGS} are read`);
  const isUtf8 = (flags & UTF8_FLAG) !== 0;
  const read = isUtf8 ? utf8At : utf16At;
  const strings: Buffer[] = [];
  let left = size - HEADER - 4 * (count + styleCount);
  for (let index = 0; index < count; index++) {
    const at = start + chunk.readUInt32LE(HEADER + 4 * index);
    const text = read(chunk, at);
    if (text === undefined)
      fail(format, 'pool-string', offset + Math.min(at, size), `string ${index} leaves the pool`);
    // strings that share their bytes are not measured to the end: that would take the square of the pool's size
    left -= sizeOf(text, isUtf8);
    if (left < 0)
      fail(format, 'pool-layout', offset, `strings to number ${index} take more than ${size} bytes`);
    strings.push(text);
  }
  const styles: StyleSpan[][] = [];
  for (let index = 0; index < styleCount; index++) {
    let at = stylesStart + chunk.readUInt32LE(HEADER + 4 * (count + index));
    const spans: StyleSpan[] = [];
    left -= 4;
    for (; at + 4 <= size && chunk.readUInt32LE(at) !== END_OF_SPANS; at += 12) {
      if (at + 12 > size) fail(format, 'pool-style', offset + at, `a span of style ${index} leaves the pool`);
      // overlapping styles would take more memory than the pool has bytes
      if ((left -= 12) < 0) fail(format, 'pool-style', offset + at, 'styles overlap');
      spans.push({
        name: chunk.readUInt32LE(at),
        first: chunk.readUInt32LE(at + 4),
        last: chunk.readUInt32LE(at + 8),
      });
    }
    styles.push(spans);
  }
  const pool: StringPool = { flags, strings, styles };
  const written = writtenSize(pool);
  if (written !== size)
    fail(format, 'pool-layout', offset, `${size} bytes, its strings and styles take ${written}`);
  const again = writeStringPool(pool);
  const differs = firstDifference(again, chunk);
  if (differs !== undefined)
    fail(format, 'pool-layout', offset + differs, 'a byte that its strings and styles do not give');
  return pool;
}

/** Of two buffers of one length. */
export function firstDifference(a: Buffer, b: Buffer): number | undefined {
  if (a.equals(b)) return undefined;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return at;
}

/** A length is one unit, or two with the highest bit of the first set. */
function utf16At(chunk: Buffer, start: number): Buffer | undefined {
  if (start + 2 > chunk.length) return undefined;
  let at = start + 2;
  let length = chunk.readUInt16LE(start);
  if ((length & 0x8000) !== 0) {
    if (at + 2 > chunk.length) return undefined;
    length = (length & 0x7fff) * 0x10000 + chunk.readUInt16LE(at);
    at += 2;
  }
  const end = at + 2 * length;
  return end + 2 > chunk.length ? undefined : chunk.subarray(at, end);
}

/** Two lengths: in UTF-16 units, which follows from the text, then in bytes. */
function utf8At(chunk: Buffer, start: number): Buffer | undefined {
  const first = chunk[start];
  if (first === undefined) return undefined;
  const at = start + ((first & 0x80) === 0 ? 1 : 2);
  const second = chunk[at];
  if (second === undefined) return undefined;
  const isLong = (second & 0x80) !== 0;
  const length = isLong ? ((second & 0x7f) << 8) | (chunk[at + 1] ?? 0) : second;
  const text = at + (isLong ? 2 : 1);
  return text + length + 1 > chunk.length ? undefined : chunk.subarray(text, text + length);
}

/** Units of UTF-16 that this UTF-8 stands for: two for a sequence of four bytes. */
function unitsOf(text: Buffer): number {
  let units = 0;
  for (const byte of text) if ((byte & 0xc0) !== 0x80) units += byte >= 0xf0 ? 2 : 1;
  return units;
}

function sizeOf(text: Buffer, isUtf8: boolean): number {
  if (isUtf8) return (unitsOf(text) < 0x80 ? 1 : 2) + (text.length < 0x80 ? 1 : 2) + text.length + 1;
  return (text.length / 2 < 0x8000 ? 2 : 4) + text.length + 2;
}

const padded = (size: number): number => (size + 3) & ~3;

function spansSize(pool: StringPool): number {
  if (pool.styles.length === 0) return 0;
  // each list ends with one end mark, all of them with two more
  return 8 + pool.styles.reduce((sum, spans) => sum + 12 * spans.length + 4, 0);
}

function writtenSize(pool: StringPool): number {
  const isUtf8 = (pool.flags & UTF8_FLAG) !== 0;
  const text = pool.strings.reduce((sum, one) => sum + sizeOf(one, isUtf8), 0);
  return HEADER + 4 * (pool.strings.length + pool.styles.length) + padded(text) + spansSize(pool);
}

/** As aapt2 lays a pool out. */
export function writeStringPool(pool: StringPool): Buffer {
  const { flags, strings, styles } = pool;
  const isUtf8 = (flags & UTF8_FLAG) !== 0;
  const out = Buffer.alloc(writtenSize(pool));
  const start = HEADER + 4 * (strings.length + styles.length);
  let at = start;
  for (const [index, text] of strings.entries()) {
    out.writeUInt32LE(at - start, HEADER + 4 * index);
    for (const length of isUtf8 ? [unitsOf(text), text.length] : [text.length / 2])
      at = isUtf8 ? writeLength8(out, at, length) : writeLength16(out, at, length);
    text.copy(out, at);
    at += text.length + (isUtf8 ? 1 : 2);
  }
  const stylesStart = start + padded(at - start);
  at = stylesStart;
  for (const [index, spans] of styles.entries()) {
    out.writeUInt32LE(at - stylesStart, HEADER + 4 * (strings.length + index));
    for (const { name, first, last } of spans)
      for (const value of [name, first, last]) at = out.writeUInt32LE(value, at);
    at = out.writeUInt32LE(END_OF_SPANS, at);
  }
  if (styles.length > 0) out.fill(0xff, at, at + 8);
  out.writeUInt16LE(TYPE, 0);
  out.writeUInt16LE(HEADER, 2);
  out.writeUInt32LE(out.length, 4);
  out.writeUInt32LE(strings.length, 8);
  out.writeUInt32LE(styles.length, 12);
  out.writeUInt32LE(flags, 16);
  out.writeUInt32LE(start, 20);
  out.writeUInt32LE(styles.length === 0 ? 0 : stylesStart, 24);
  return out;
}

function writeLength8(out: Buffer, at: number, length: number): number {
  if (length < 0x80) return out.writeUInt8(length, at);
  return out.writeUInt16BE(0x8000 | (length & 0x7fff), at);
}

function writeLength16(out: Buffer, at: number, length: number): number {
  if (length < 0x8000) return out.writeUInt16LE(length, at);
  return out.writeUInt16LE(length & 0xffff, out.writeUInt16LE(0x8000 | (length >>> 16), at));
}

/** The text of a stored string, for names; what is no valid text is no name that anyone looks for. */
export function poolText(pool: StringPool, index: number): string | undefined {
  return pool.strings[index]?.toString((pool.flags & UTF8_FLAG) === 0 ? 'utf16le' : 'utf8');
}
