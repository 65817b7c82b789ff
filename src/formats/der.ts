// SPDX-License-Identifier: Apache-2.0
/** Distinguished Encoding Rules, strictly: one encoding for each value. ITU-T X.690 (02/2021), sections 8 and 10. */
import { FormatError } from '../errors.js';

/** A value with its place in the buffer it was read from. */
export interface DerValue {
  /** Identifier octet: class, constructed bit, number. */
  readonly tag: number;
  /** The whole encoding. */
  readonly encoded: Buffer;
  readonly content: Buffer;
  readonly offset: number;
}

export const DER = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('der', code, offset, message);
}

/** The value at `at`. @throws FormatError `der/…` */
function readValue(bytes: Buffer, at: number): DerValue {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined)
    fail('truncated', at, `${bytes.length - at} bytes left, a value takes 2`);
  // multi-byte tag numbers occur nowhere in certificates
  if ((tag & 0x1f) === 0x1f) fail('high-tag-number', at, 'tag number above 30');
  let start = at + 2;
  let length = first;
  if (first === 0x80) fail('indefinite-length', at + 1, 'indefinite length');
  if (first > 0x80) {
    const count = first - 0x80;
    if (count > 4) fail('length-too-large', at + 1, `length of ${count} bytes`);
    if (start + count > bytes.length) fail('truncated', start, 'the length is cut short');
    length = bytes.readUIntBE(start, count);
    start += count;
    if (length < 0x80 || bytes[at + 2] === 0)
      fail('length-not-minimal', at + 1, `length ${length} in ${count} bytes`);
  }
  if (start + length > bytes.length)
    fail('truncated', start, `value of ${length} bytes, ${bytes.length - start} left`);
  return {
    tag,
    encoded: bytes.subarray(at, start + length),
    content: bytes.subarray(start, start + length),
    offset: at,
  };
}

/** The one value that fills `bytes`. @throws FormatError `der/trailing-bytes` and as above */
export function readDer(bytes: Buffer, tag?: number): DerValue {
  const value = readValue(bytes, 0);
  if (value.encoded.length !== bytes.length)
    fail(
      'trailing-bytes',
      value.encoded.length,
      `${bytes.length - value.encoded.length} bytes after the value`,
    );
  return tag === undefined ? value : expectTag(value, tag);
}

/** All values inside of a constructed one. */
export function readChildren(value: DerValue): DerValue[] {
  const children: DerValue[] = [];
  for (let at = 0; at < value.content.length;) {
    const child = readValue(value.content, at);
    children.push(child);
    at += child.encoded.length;
  }
  return children;
}

export function expectTag(value: DerValue | undefined, tag: number): DerValue {
  if (value === undefined) fail('missing-value', 0, `no value where tag 0x${tag.toString(16)} is expected`);
  if (value.tag !== tag)
    fail('unexpected-tag', value.offset, `tag 0x${value.tag.toString(16)}, expected 0x${tag.toString(16)}`);
  return value;
}

/** Dotted form of an object identifier. */
export function readOid(value: DerValue): string {
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const [index, byte] of expectTag(value, DER.oid).content.entries()) {
    if (arc === 0n && byte === 0x80) fail('oid', value.offset + index, 'an arc with a leading zero');
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    if (arc >> 64n !== 0n) fail('oid', value.offset + index, 'an arc of more than 64 bits');
    if ((byte & 0x80) !== 0) continue;
    if (arcs.length === 0) arcs.push(arc < 80n ? arc / 40n : 2n, arc < 80n ? arc % 40n : arc - 80n);
    else arcs.push(arc);
    arc = 0n;
  }
  if (arcs.length === 0 || (value.content.at(-1) ?? 0x80) >= 0x80)
    fail('oid', value.offset, 'an object identifier that is cut short');
  return arcs.join('.');
}

/** The content of an integer that takes no byte more than it needs (8.3.2), big-endian two's complement. */
export function readInteger(value: DerValue | undefined): Buffer {
  const { content, offset } = expectTag(value, DER.integer);
  const [first, second] = content;
  if (first === undefined) fail('integer', offset, 'an integer without content');
  if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80)))
    fail('integer-not-minimal', offset, `an integer of ${content.length} bytes with a needless first one`);
  return content;
}

/** An integer from 0 to 127. */
export function readSmallInteger(value: DerValue | undefined): number {
  const content = readInteger(value);
  if (content.length !== 1 || (content[0] ?? 0x80) > 0x7f)
    fail('integer', value?.offset ?? 0, `0x${content.toString('hex')}, expected 0 to 127`);
  return content[0] ?? 0;
}

/** Whether the parts of a SET OF stand in the one order that DER has for them (11.6). */
export function isInSetOrder(parts: readonly DerValue[]): boolean {
  return parts.every((part, index) => {
    const before = parts[index - 1];
    return before === undefined || Buffer.compare(before.encoded, part.encoded) <= 0;
  });
}
