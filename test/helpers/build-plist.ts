// SPDX-License-Identifier: Apache-2.0
/** Property lists from plain values, in both forms, and binary ones that say anything of themselves. */
import { writeXmlPlist } from '../../src/formats/plist-xml-writer.js';
import type { PlistValue } from '../../src/formats/plist-value.js';

export type Plain =
  | string
  | number
  | bigint
  | boolean
  | Buffer
  | Date
  | readonly Plain[]
  | { readonly [key: string]: Plain }
  | { readonly [RAW]: PlistValue };

const RAW = Symbol('a value of the model');
const EPOCH = 978_307_200;

/** A value that plain ones have no word for: UID, set, 32 bits. */
export const raw = (value: PlistValue): Plain => ({ [RAW]: value });

export function plistValue(plain: Plain): PlistValue {
  if (typeof plain === 'string') return { kind: 'string', value: plain };
  if (typeof plain === 'bigint') return { kind: 'integer', value: plain };
  if (typeof plain === 'boolean') return { kind: 'boolean', value: plain };
  if (typeof plain === 'number')
    return Number.isSafeInteger(plain)
      ? { kind: 'integer', value: BigInt(plain) }
      : { kind: 'real', value: plain, bits: 64 };
  if (Buffer.isBuffer(plain)) return { kind: 'data', value: plain };
  if (plain instanceof Date) return { kind: 'date', seconds: plain.getTime() / 1000 - EPOCH };
  if (Array.isArray(plain)) return { kind: 'array', items: (plain as readonly Plain[]).map(plistValue) };
  if (RAW in plain) return plain[RAW];
  const entries = Object.entries(plain as { readonly [key: string]: Plain });
  return { kind: 'dict', entries: entries.map(([key, value]) => ({ key, value: plistValue(value) })) };
}

export function xmlPlist(plain: Plain): Buffer {
  const bytes = writeXmlPlist(plistValue(plain));
  if (bytes === undefined) throw new Error('XML has no form for this value');
  return bytes;
}

export interface BinaryLayout {
  readonly offsetSize?: number;
  readonly referenceSize?: number;
  readonly count?: bigint;
  readonly top?: bigint;
  readonly table?: bigint;
  readonly offsets?: readonly number[];
  readonly unused?: Buffer;
  readonly beforeTable?: Buffer;
  readonly beforeTrailer?: Buffer;
  readonly header?: string;
}

/** Stored objects as they are, with their table and trailer. */
export function binaryOf(objects: readonly Buffer[], layout: BinaryLayout = {}): Buffer {
  let at = 8;
  const offsets = objects.map((object) => (at += object.length) - object.length);
  const gap = layout.beforeTable ?? Buffer.alloc(0);
  const table = at + gap.length;
  const offsetSize = layout.offsetSize ?? sizeOf(table);
  const trailer = Buffer.alloc(32);
  layout.unused?.copy(trailer, 0);
  trailer.writeUInt8(offsetSize, 6);
  trailer.writeUInt8(layout.referenceSize ?? sizeOf(objects.length), 7);
  trailer.writeBigUInt64BE(layout.count ?? BigInt(objects.length), 8);
  trailer.writeBigUInt64BE(layout.top ?? 0n, 16);
  trailer.writeBigUInt64BE(layout.table ?? BigInt(table), 24);
  return Buffer.concat([
    Buffer.from(layout.header ?? 'bplist00', 'latin1'),
    ...objects,
    gap,
    ...(layout.offsets ?? offsets).map((offset) => bigEndian(BigInt(offset), offsetSize)),
    layout.beforeTrailer ?? Buffer.alloc(0),
    trailer,
  ]);
}

/** As Core Foundation writes it: each text, number, date and piece of data once, collections in order. */
export function binaryPlist(plain: Plain): Buffer {
  const root = plistValue(plain);
  const objects: PlistValue[] = [];
  const once = new Map<string, number>();
  const references: number[][] = [];
  const flatten = (value: PlistValue): number => {
    const key = uniqueKey(value);
    const before = key === undefined ? undefined : once.get(key);
    if (before !== undefined) return before;
    const index = objects.push(value) - 1;
    if (key !== undefined) once.set(key, index);
    references[index] = [];
    references[index] = childrenOf(value).map(flatten);
    return index;
  };
  flatten(root);
  const size = sizeOf(objects.length);
  return binaryOf(objects.map((value, index) => encoded(value, references[index] ?? [], size)));
}

function childrenOf(value: PlistValue): readonly PlistValue[] {
  if (value.kind === 'array' || value.kind === 'set') return value.items;
  if (value.kind !== 'dict') return [];
  const keys = value.entries.map(({ key }): PlistValue => ({ kind: 'string', value: key }));
  return [...keys, ...value.entries.map((entry) => entry.value)];
}

function uniqueKey(value: PlistValue): string | undefined {
  if (!('value' in value) && value.kind !== 'date') return undefined;
  if (value.kind === 'data') return `data ${value.value.toString('hex')}`;
  if (value.kind === 'date') return `date ${value.seconds}`;
  return `${value.kind} ${value.value} ${value.kind === 'real' ? value.bits : ''}`;
}

function encoded(value: PlistValue, references: readonly number[], size: number): Buffer {
  switch (value.kind) {
    case 'boolean':
      return Buffer.from([value.value ? 9 : 8]);
    case 'integer':
      return integerObject(value.value);
    case 'uid': {
      const bytes = bigEndian(value.value, byteCount(value.value));
      return Buffer.concat([Buffer.from([0x80 | (bytes.length - 1)]), bytes]);
    }
    case 'real': {
      const bytes = Buffer.alloc(1 + value.bits / 8, value.bits === 32 ? 0x22 : 0x23);
      if (value.bits === 32) bytes.writeFloatBE(value.value, 1);
      else bytes.writeDoubleBE(value.value, 1);
      return bytes;
    }
    case 'date': {
      const bytes = Buffer.alloc(9, 0x33);
      bytes.writeDoubleBE(value.seconds, 1);
      return bytes;
    }
    case 'data':
      return Buffer.concat([lengthHead(0x40, value.value.length), value.value]);
    case 'string': {
      // eslint-disable-next-line no-control-regex
      if (/^[\x00-\x7f]*$/.test(value.value))
        return Buffer.concat([lengthHead(0x50, value.value.length), Buffer.from(value.value, 'latin1')]);
      return Buffer.concat([
        lengthHead(0x60, value.value.length),
        Buffer.from(value.value, 'utf16le').swap16(),
      ]);
    }
    case 'array':
    case 'set':
    case 'dict': {
      const marker = value.kind === 'array' ? 0xa0 : value.kind === 'set' ? 0xc0 : 0xd0;
      const count = value.kind === 'dict' ? references.length / 2 : references.length;
      return collection(marker, count, references, size);
    }
  }
}

/** The stored object of a collection, whatever it refers to. */
export function collection(marker: number, count: number, references: readonly number[], size = 1): Buffer {
  return Buffer.concat([
    lengthHead(marker, count),
    ...references.map((reference) => bigEndian(BigInt(reference), size)),
  ]);
}

export function integerObject(value: bigint): Buffer {
  const size =
    value < 0n
      ? value >= -(1n << 63n)
        ? 8
        : 16
      : ([1, 2, 4].find((one) => value >> BigInt(8 * one) === 0n) ?? (value >> 63n === 0n ? 8 : 16));
  return Buffer.concat([
    Buffer.from([0x10 | Math.log2(size)]),
    bigEndian(BigInt.asUintN(8 * size, value), size),
  ]);
}

export function lengthHead(marker: number, length: number): Buffer {
  return length < 15
    ? Buffer.from([marker | length])
    : Buffer.concat([Buffer.from([marker | 15]), integerObject(BigInt(length))]);
}

function sizeOf(value: number): number {
  return byteCount(BigInt(Math.max(0, value)));
}

function byteCount(value: bigint): number {
  return [1, 2, 4].find((size) => value >> BigInt(8 * size) === 0n) ?? 8;
}

function bigEndian(value: bigint, size: number): Buffer {
  const out = Buffer.alloc(size);
  for (let at = size - 1, left = value; at >= 0; at--, left >>= 8n) out[at] = Number(left & 0xffn);
  return out;
}
