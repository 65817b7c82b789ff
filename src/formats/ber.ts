// SPDX-License-Identifier: Apache-2.0
/**
 * Basic Encoding Rules turned into distinguished ones as far as lengths go: what Apple's tools write as CMS has lengths
 * that are not stated, and octet strings in pieces. ITU-T X.690 (02/2021), sections 8.1.3 and 8.7.
 */
import { FormatError } from '../errors.js';

const MAX_DEPTH = 32;
const CONSTRUCTED = 0x20;
const OCTETS = 0x04;

export interface DerFromBer {
  readonly der: Buffer;
  /** Bytes of the input that the value takes. */
  readonly consumed: number;
  /** It already was one encoding of several. */
  readonly wasDer: boolean;
}

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('ber', code, offset, message);
}

/** The first value of `bytes`. @throws FormatError `ber/…` */
export function derFromBer(bytes: Buffer): DerFromBer {
  const { encoded, end } = convert(bytes, 0, 0);
  return { der: encoded, consumed: end, wasDer: encoded.equals(bytes.subarray(0, end)) };
}

function convert(
  bytes: Buffer,
  at: number,
  depth: number,
): { readonly encoded: Buffer; readonly end: number } {
  if (depth > MAX_DEPTH) fail('depth', at, `more than ${MAX_DEPTH} values inside of one another`);
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) fail('truncated', at, `${bytes.length - at} bytes left`);
  if ((tag & 0x1f) === 0x1f) fail('high-tag-number', at, 'tag number above 30');
  let start = at + 2;
  let length: number | undefined = first;
  if (first === 0x80) length = undefined;
  else if (first > 0x80) {
    const count = first - 0x80;
    if (count > 4 || start + count > bytes.length) fail('length', at + 1, `a length of ${count} bytes`);
    length = bytes.readUIntBE(start, count);
    start += count;
  }
  if (length !== undefined && start + length > bytes.length)
    fail('truncated', start, `a value of ${length} bytes, ${bytes.length - start} left`);
  if ((tag & CONSTRUCTED) === 0) {
    if (length === undefined) fail('length', at + 1, 'a plain value without length');
    return { encoded: wrap(tag, bytes.subarray(start, start + length)), end: start + length };
  }
  const parts: Buffer[] = [];
  let next = start;
  const end = length === undefined ? undefined : start + length;
  while (end === undefined ? !isEnd(bytes, next) : next < end) {
    const part = convert(end === undefined ? bytes : bytes.subarray(0, end), next, depth + 1);
    parts.push(part.encoded);
    next = part.end;
  }
  const content = Buffer.concat(tag === (OCTETS | CONSTRUCTED) ? parts.map(octetsOf) : parts);
  return {
    encoded: wrap(tag === (OCTETS | CONSTRUCTED) ? OCTETS : tag, content),
    end: end ?? next + 2,
  };
}

function isEnd(bytes: Buffer, at: number): boolean {
  if (at + 2 > bytes.length) fail('truncated', at, 'no end of a value without length');
  return bytes[at] === 0 && bytes[at + 1] === 0;
}

/** The content of one piece, which has its final form by now. */
function octetsOf(piece: Buffer): Buffer {
  if (piece[0] !== OCTETS) fail('octets', 0, 'a piece of an octet string that is none');
  const first = piece[1] ?? 0;
  return piece.subarray(first < 0x80 ? 2 : 2 + first - 0x80);
}

function wrap(tag: number, content: Buffer): Buffer {
  const size: number[] = [];
  for (let rest = content.length; rest > 0; rest = Math.floor(rest / 256)) size.unshift(rest % 256);
  const head = content.length < 0x80 ? [tag, content.length] : [tag, 0x80 + size.length, ...size];
  return Buffer.concat([Buffer.from(head), content]);
}
