// SPDX-License-Identifier: Apache-2.0
/**
 * Protocol buffers on the wire: one message's fields in their order, without a schema. Lengths are attacker-controlled.
 * https://protobuf.dev/programming-guides/encoding/
 */
import { FormatError } from '../errors.js';

export type ProtobufField =
  | { readonly kind: 'number'; readonly number: number; readonly offset: number; readonly value: bigint }
  | {
      readonly kind: 'bytes';
      readonly number: number;
      readonly offset: number;
      readonly value: ProtobufMessage;
    };

/** Bytes that are a message, a text or anything else: only the schema says. `offset` is that of the outermost message. */
export interface ProtobufMessage {
  readonly bytes: Buffer;
  readonly offset: number;
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;
const MAX_VARINT = 10;

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('protobuf', code, offset, message);
}

/**
 * Unknown fields are handed out like the others. At most `maxFields` of them.
 * @throws FormatError `protobuf/past-end`, `protobuf/varint`, `protobuf/wire-type`, `protobuf/field-number`, `protobuf/too-many-fields`
 */
export function protobufFields({ bytes, offset: base }: ProtobufMessage, maxFields: number): ProtobufField[] {
  const fields: ProtobufField[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let length = 0; ; length++) {
      const byte = bytes[at];
      if (byte === undefined) fail('past-end', base + at, `a number reaches beyond ${bytes.length} bytes`);
      if (length === MAX_VARINT) fail('varint', base + at, `a number of more than ${MAX_VARINT} bytes`);
      at++;
      value |= BigInt(byte & 0x7f) << BigInt(7 * length);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
  };
  const take = (length: bigint): ProtobufMessage => {
    if (length > BigInt(bytes.length - at))
      fail('past-end', base + at, `a field of ${length} bytes, ${bytes.length - at} are left`);
    const start = at;
    at += Number(length);
    return { bytes: bytes.subarray(start, at), offset: base + start };
  };
  while (at < bytes.length) {
    const offset = base + at;
    if (fields.length === maxFields)
      fail('too-many-fields', offset, `more than ${maxFields} fields in one message`);
    const tag = varint();
    const wireType = Number(tag & 7n);
    const number = Number(tag >> 3n);
    if (number < 1 || number > 0x1fffffff) fail('field-number', offset, `field number ${number}`);
    if (wireType === VARINT) fields.push({ kind: 'number', number, offset, value: varint() });
    else if (wireType === LENGTH) fields.push({ kind: 'bytes', number, offset, value: take(varint()) });
    else if (wireType === FIXED64)
      fields.push({ kind: 'number', number, offset, value: take(8n).bytes.readBigUInt64LE(0) });
    else if (wireType === FIXED32)
      fields.push({ kind: 'number', number, offset, value: BigInt(take(4n).bytes.readUInt32LE(0)) });
    // groups ended with proto2
    else fail('wire-type', offset, `wire type ${wireType}`);
  }
  return fields;
}
