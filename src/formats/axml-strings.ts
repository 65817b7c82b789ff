// SPDX-License-Identifier: Apache-2.0
/**
 * The string pool of Android binary XML, as the platform reads it: a string that Android would not return, or that two
 * readers could understand differently, is refused. Every number here is attacker-controlled.
 * https://android.googlesource.com/platform/frameworks/base/+/refs/heads/main/libs/androidfw/include/androidfw/ResourceTypes.h
 * (ResStringPool_header); ResStringPool::setTo and ResStringPool::stringAt in ResourceTypes.cpp.
 *
 *   u16 type · u16 header size · u32 size · u32 strings · u32 styles · u32 flags · u32 start of strings · u32 of styles
 */
import { FormatError } from '../errors.js';

const HEADER = 28;
const UTF8_FLAG = 1 << 8;
/** Decoded bytes of all strings asked for: many entries may point at one long string. */
const MAX_DECODED = 16 << 20;

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('axml', code, offset, message);
}

export class AxmlStrings {
  readonly #bytes: Buffer;
  readonly #entries: number;
  readonly #count: number;
  readonly #start: number;
  readonly #end: number;
  readonly #utf8: boolean;
  readonly #decoded = new Map<number, string>();
  #left = MAX_DECODED;

  /** `bytes` is the whole document; the chunk at `offset` with `size` bytes lies inside of it. */
  constructor(bytes: Buffer, offset: number, size: number) {
    const headerSize = bytes.readUInt16LE(offset + 2);
    if (headerSize < HEADER || size < HEADER)
      fail(
        'pool-header',
        offset + 2,
        `string pool header of ${Math.min(headerSize, size)} bytes, at least ${HEADER}`,
      );
    const count = bytes.readUInt32LE(offset + 8);
    const styles = bytes.readUInt32LE(offset + 12);
    const stringsStart = bytes.readUInt32LE(offset + 20);
    const stylesStart = bytes.readUInt32LE(offset + 24);
    const end = styles === 0 ? size : stylesStart;
    if (headerSize + 4 * (count + styles) > size)
      fail('pool-header', offset + 8, `${count} strings and ${styles} styles in a pool of ${size} bytes`);
    if (
      end > size ||
      (count > 0 && (stringsStart < headerSize + 4 * (count + styles) || stringsStart + 2 > end))
    )
      fail('pool-header', offset + 20, `strings from ${stringsStart} to ${end} in a pool of ${size} bytes`);
    this.#bytes = bytes;
    this.#utf8 = (bytes.readUInt32LE(offset + 16) & UTF8_FLAG) !== 0;
    this.#entries = offset + headerSize;
    this.#count = count;
    this.#start = offset + stringsStart;
    this.#end = offset + (this.#utf8 ? end : end - ((end - stringsStart) % 2));
  }

  /** @throws FormatError `axml/string-…` */
  at(index: number, from: number): string {
    const known = this.#decoded.get(index);
    if (known !== undefined) return known;
    if (index >= this.#count) fail('string-index', from, `string ${index} of ${this.#count}`);
    const stated = this.#bytes.readUInt32LE(this.#entries + 4 * index);
    const at = this.#start + stated;
    if (stated % (this.#utf8 ? 1 : 2) !== 0 || at >= this.#end)
      fail(
        'string-range',
        this.#entries + 4 * index,
        `string at ${stated} of ${this.#end - this.#start} bytes`,
      );
    const text = this.#utf8 ? this.#utf8At(at) : this.#utf16At(at);
    this.#decoded.set(index, text);
    return text;
  }

  /** Room for `length` bytes and the terminator behind them. */
  #room(at: number, length: number, terminator: 1 | 2, start: number): void {
    if (at + length + terminator > this.#end)
      fail('string-range', start, `string of ${length} bytes with ${Math.max(0, this.#end - at)} left`);
    this.#left -= length;
    if (this.#left < 0) fail('strings-too-long', start, `more than ${MAX_DECODED} bytes of strings`);
    const last = terminator === 1 ? this.#bytes[at + length] : this.#bytes.readUInt16LE(at + length);
    if (last !== 0) fail('string-unterminated', at + length, 'no zero behind a string');
  }

  /** A length is one unit, or two with the highest bit of the first set. */
  #utf16At(start: number): string {
    let at = start;
    let length = this.#bytes.readUInt16LE(at);
    at += 2;
    if ((length & 0x8000) !== 0) {
      if (at + 2 > this.#end) fail('string-range', start, 'the length of a string is cut off');
      length = (length & 0x7fff) * 0x10000 + this.#bytes.readUInt16LE(at);
      at += 2;
    }
    this.#room(at, 2 * length, 2, start);
    return this.#bytes.toString('utf16le', at, at + 2 * length);
  }

  /** Two lengths: in UTF-16 units, then in bytes. */
  #utf8At(start: number): string {
    let at = start;
    const length = (): number => {
      if (at + 2 > this.#end) fail('string-range', start, 'the length of a string is cut off');
      const first = this.#bytes[at] ?? 0;
      at += 1;
      if ((first & 0x80) === 0) return first;
      at += 1;
      return ((first & 0x7f) << 8) | (this.#bytes[at - 1] ?? 0);
    };
    const units = length();
    const size = length();
    this.#room(at, size, 1, start);
    const text = decodeUtf8(this.#bytes.subarray(at, at + size), at);
    if (text.length !== units)
      fail('string-length', start, `string of ${units} UTF-16 units, its ${size} bytes are ${text.length}`);
    return text;
  }
}

/** As the platform: aapt2 writes a character beyond the BMP as two surrogates of three bytes each (`Utf8ToModifiedUtf8`). */
function decodeUtf8(bytes: Buffer, offset: number): string {
  const units: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at] ?? 0;
    const size = first < 0x80 ? 1 : first >= 0xc0 && first < 0xe0 ? 2 : (first & 0xf0) === 0xe0 ? 3 : 4;
    let code = size === 1 ? first : first & (0x7f >> size);
    if (at + size > bytes.length || (size === 4 && (first < 0xf0 || first > 0xf4)))
      fail('string-encoding', offset + at, 'not UTF-8');
    for (let next = at + 1; next < at + size; next++) {
      const byte = bytes[next] ?? 0;
      if ((byte & 0xc0) !== 0x80) fail('string-encoding', offset + next, 'not UTF-8');
      code = (code << 6) | (byte & 0x3f);
    }
    if (code > 0x10ffff) fail('string-encoding', offset + at, `character ${code} does not exist`);
    if (code < 0x10000) units.push(code);
    else units.push(0xd800 + ((code - 0x10000) >> 10), 0xdc00 + (code & 0x3ff));
    at += size;
  }
  let text = '';
  for (let at = 0; at < units.length; at += 4096) text += String.fromCharCode(...units.slice(at, at + 4096));
  return text;
}
