// SPDX-License-Identifier: Apache-2.0
/**
 * Binary property lists, `bplist00`: objects, a table of their offsets, a trailer. Every byte belongs to one of them or
 * is a finding. The references are an attacker's: cycles, and objects that are shared until they fill the memory, end
 * in an error.
 * https://github.com/apple-oss-distributions/CF/blob/main/CFBinaryPList.c
 */
import { FormatError } from '../errors.js';
import {
  MAX_PLIST_DEPTH,
  MAX_PLIST_VALUES,
  PlistFindings,
  type PlistDocument,
  type PlistEntry,
  type PlistValue,
} from './plist-value.js';

const HEADER = 8;
const TRAILER = 32;

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('plist', code, offset, message);
}

/** A stored object: its bytes, and for a collection the objects that it refers to. */
interface StoredObject {
  readonly offset: number;
  readonly end: number;
  readonly value: PlistValue | undefined;
  readonly collection: 'array' | 'set' | 'dict' | undefined;
  /** Of a dictionary first all keys, then all values. */
  readonly references: readonly number[];
}

/** @throws FormatError `plist/…` */
export function readBinaryPlist(bytes: Buffer): PlistDocument {
  return new BinaryReader(bytes).read();
}

class BinaryReader {
  readonly #bytes: Buffer;
  readonly #findings = new PlistFindings();
  #offsetSize = 0;
  #referenceSize = 0;
  #count = 0;
  #table = 0;
  #objects: StoredObject[] = [];

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  read(): PlistDocument {
    const bytes = this.#bytes;
    if (bytes.toString('latin1', 0, HEADER) !== 'bplist00')
      fail('version', 0, `"${bytes.toString('latin1', 0, HEADER)}", expected bplist00`);
    if (bytes.length < HEADER + TRAILER + 2) fail('truncated', bytes.length, `${bytes.length} bytes`);
    const top = this.#readTrailer(bytes.length - TRAILER);
    this.#readObjects();
    const uses = new Uint8Array(this.#count);
    const root = new TreeBuilder(this.#objects, this.#findings, uses).build(top);
    for (const [index, { offset, end }] of this.#objects.entries())
      if (uses[index] === 0)
        this.#findings.add('unreferenced', offset, end - offset, `object ${index} is used by nothing`);
    return { form: 'binary', root, findings: this.#findings.kept, findingsCut: this.#findings.cut };
  }

  #readTrailer(at: number): number {
    const bytes = this.#bytes;
    if (bytes.subarray(at, at + 6).some((byte) => byte !== 0))
      this.#findings.add('trailer', at, 6, `unused bytes ${bytes.toString('hex', at, at + 6)}`);
    this.#offsetSize = bytes.readUInt8(at + 6);
    this.#referenceSize = bytes.readUInt8(at + 7);
    for (const [place, size] of [
      [at + 6, this.#offsetSize],
      [at + 7, this.#referenceSize],
    ] as const)
      if (size < 1 || size > 8) fail('integer-size', place, `numbers of ${size} bytes, 1 to 8`);
    const count = bytes.readBigUInt64BE(at + 8);
    const top = bytes.readBigUInt64BE(at + 16);
    const table = bytes.readBigUInt64BE(at + 24);
    if (count < 1n || count > BigInt(at)) fail('object-count', at + 8, `${count} objects in ${at} bytes`);
    if (top >= count) fail('top-object', at + 16, `top object ${top} of ${count}`);
    if (table < HEADER || table + count * BigInt(this.#offsetSize) > BigInt(at))
      fail('offset-table', at + 24, `table of ${count} offsets at ${table}, the trailer is at ${at}`);
    this.#count = Number(count);
    this.#table = Number(table);
    const end = this.#table + this.#count * this.#offsetSize;
    if (end !== at) this.#findings.add('gap', end, at - end, 'bytes between the offsets and the trailer');
    const wide = widest(count);
    if (this.#referenceSize > wide)
      this.#findings.add('not-minimal', at + 7, 1, `references of ${this.#referenceSize} bytes, ${wide} do`);
    if (this.#offsetSize > widest(table))
      this.#findings.add('not-minimal', at + 6, 1, `offsets of ${this.#offsetSize} bytes`);
    return Number(top);
  }

  /** All of the table, wherever the objects lie; together they fill what is between header and table. */
  #readObjects(): void {
    let total = 0;
    for (let index = 0; index < this.#count; index++) {
      const place = this.#table + index * this.#offsetSize;
      const offset = this.#unsigned(place, this.#offsetSize);
      if (offset < BigInt(HEADER) || offset >= BigInt(this.#table))
        fail('object-offset', place, `object ${index} at ${offset}, objects end at ${this.#table}`);
      const object = this.#readObject(Number(offset));
      // objects that overlap could each state as much as the whole file
      total += object.end - object.offset;
      if (total > this.#table - HEADER)
        fail('overlap', object.offset, `objects of ${total} bytes in ${this.#table - HEADER}`);
      this.#objects.push(object);
    }
    let at = HEADER;
    for (const { offset, end } of this.#objects.toSorted((a, b) => a.offset - b.offset)) {
      if (offset < at) fail('overlap', offset, `an object at ${offset} inside of the one before it`);
      if (offset > at) this.#findings.add('gap', at, offset - at, 'bytes of no object');
      at = end;
    }
    if (at !== this.#table) this.#findings.add('gap', at, this.#table - at, 'bytes of no object');
  }

  #readObject(offset: number): StoredObject {
    const marker = this.#bytes.readUInt8(offset);
    const low = marker & 0x0f;
    const leaf = (end: number, value: PlistValue): StoredObject => {
      if (end > this.#table)
        fail('truncated', offset, `an object up to ${end}, objects end at ${this.#table}`);
      return { offset, end, value, collection: undefined, references: [] };
    };
    switch (marker >> 4) {
      case 0x0:
        if (low === 8 || low === 9) return leaf(offset + 1, { kind: 'boolean', value: low === 9 });
        break;
      case 0x1:
        if (low <= 4) return leaf(offset + 1 + 2 ** low, this.#integer(offset, 2 ** low));
        break;
      case 0x2:
        if (low === 2 || low === 3) {
          this.#room(offset, 1 + 2 ** low);
          const value =
            low === 2 ? this.#bytes.readFloatBE(offset + 1) : this.#bytes.readDoubleBE(offset + 1);
          return leaf(offset + 1 + 2 ** low, { kind: 'real', value, bits: low === 2 ? 32 : 64 });
        }
        break;
      case 0x3:
        if (low === 3) {
          this.#room(offset, 9);
          return leaf(offset + 9, { kind: 'date', seconds: this.#bytes.readDoubleBE(offset + 1) });
        }
        break;
      case 0x8:
        this.#room(offset, 2 + low);
        return leaf(offset + 2 + low, { kind: 'uid', value: this.#unsigned(offset + 1, low + 1, true) });
      case 0x4:
      case 0x5:
      case 0x6:
        return this.#readBytes(offset, marker >> 4, leaf);
      case 0xa:
        return this.#readCollection(offset, 'array');
      case 0xc:
        return this.#readCollection(offset, 'set');
      case 0xd:
        return this.#readCollection(offset, 'dict');
    }
    return fail('unknown-object', offset, `object of type 0x${marker.toString(16).padStart(2, '0')}`);
  }

  #readBytes(
    offset: number,
    type: number,
    leaf: (end: number, value: PlistValue) => StoredObject,
  ): StoredObject {
    const { start, length } = this.#length(offset);
    const end = start + length * (type === 0x6 ? 2 : 1);
    if (end > this.#table) fail('truncated', offset, `an object up to ${end}, objects end at ${this.#table}`);
    const content = this.#bytes.subarray(start, end);
    if (type === 0x4) return leaf(end, { kind: 'data', value: content });
    if (type === 0x5) {
      if (content.some((byte) => byte > 0x7f)) fail('ascii', offset, 'a text of ASCII with other bytes');
      return leaf(end, { kind: 'string', value: content.toString('latin1') });
    }
    const value = Buffer.from(content).swap16().toString('utf16le');
    // eslint-disable-next-line no-control-regex
    if (/^[\x00-\x7f]*$/.test(value))
      this.#findings.add('not-minimal', offset, end - offset, 'a text of ASCII in two bytes a character');
    return leaf(end, { kind: 'string', value });
  }

  #readCollection(offset: number, collection: 'array' | 'set' | 'dict'): StoredObject {
    const { start, length } = this.#length(offset);
    const count = collection === 'dict' ? 2 * length : length;
    const end = start + count * this.#referenceSize;
    if (end > this.#table) fail('truncated', offset, `an object up to ${end}, objects end at ${this.#table}`);
    const references: number[] = [];
    for (let at = start; at < end; at += this.#referenceSize) {
      const reference = this.#unsigned(at, this.#referenceSize);
      if (reference >= BigInt(this.#count))
        fail('object-reference', at, `reference to object ${reference} of ${this.#count}`);
      references.push(Number(reference));
    }
    return { offset, end, value: undefined, collection, references };
  }

  /** In the low half of the marker, or 15 there and an integer behind it. */
  #length(offset: number): { readonly start: number; readonly length: number } {
    const low = this.#bytes.readUInt8(offset) & 0x0f;
    if (low !== 0x0f) return { start: offset + 1, length: low };
    this.#room(offset, 3);
    const marker = this.#bytes.readUInt8(offset + 1);
    const size = 2 ** (marker & 0x0f);
    if (marker >> 4 !== 1 || size > 8)
      fail('length', offset + 1, `0x${marker.toString(16)} where an integer tells the length`);
    const length = this.#unsigned(offset + 2, size, true);
    if (length > BigInt(this.#table))
      fail('truncated', offset, `${length} elements, objects end at ${this.#table}`);
    if (length < 15n || size > integerSize(length))
      this.#findings.add('not-minimal', offset, 2 + size, `length ${length} in ${size} bytes`);
    return { start: offset + 2 + size, length: Number(length) };
  }

  /** One, two and four bytes are unsigned, eight and sixteen are not. */
  #integer(offset: number, size: number): PlistValue {
    this.#room(offset, 1 + size);
    const unsigned = this.#unsigned(offset + 1, size);
    const value = size < 8 ? unsigned : BigInt.asIntN(8 * size, unsigned);
    if (size > integerSize(value))
      this.#findings.add('not-minimal', offset, 1 + size, `integer ${value} in ${size} bytes`);
    return { kind: 'integer', value };
  }

  #room(offset: number, length: number): void {
    if (offset + length > this.#table)
      fail('truncated', offset, `an object up to ${offset + length}, objects end at ${this.#table}`);
  }

  #unsigned(at: number, size: number, inObject = false): bigint {
    if (inObject) this.#room(at, size);
    let value = 0n;
    for (let index = 0; index < size; index += 4) {
      const part = Math.min(4, size - index);
      value = (value << BigInt(8 * part)) | BigInt(this.#bytes.readUIntBE(at + index, part));
    }
    return value;
  }
}

/** As Core Foundation sizes its numbers, references by the number of objects. */
function widest(value: bigint): number {
  return [1, 2, 4].find((size) => value >> BigInt(8 * size) === 0n) ?? 8;
}

/** As Core Foundation writes it. */
function integerSize(value: bigint): number {
  if (value < 0n) return value >= -(1n << 63n) ? 8 : 16;
  return [1, 2, 4].find((size) => value >> BigInt(8 * size) === 0n) ?? (value >> 63n === 0n ? 8 : 16);
}

/** Each object once, however often it is shared; the places that show it are counted all the same. */
class TreeBuilder {
  readonly #objects: readonly StoredObject[];
  readonly #findings: PlistFindings;
  readonly #uses: Uint8Array;
  readonly #built = new Map<
    number,
    { readonly value: PlistValue; readonly places: number; readonly height: number }
  >();
  readonly #open = new Set<number>();

  constructor(objects: readonly StoredObject[], findings: PlistFindings, uses: Uint8Array) {
    this.#objects = objects;
    this.#findings = findings;
    this.#uses = uses;
  }

  build(index: number): PlistValue {
    return this.#build(index, 0).value;
  }

  #build(
    index: number,
    depth: number,
  ): { readonly value: PlistValue; readonly places: number; readonly height: number } {
    const object = this.#objects[index];
    if (object === undefined) fail('object-reference', 0, `object ${index} of ${this.#objects.length}`);
    this.#uses[index] = 1;
    if (object.value !== undefined) return { value: object.value, places: 1, height: 0 };
    const before = this.#built.get(index);
    if ((before?.height ?? 0) + depth > MAX_PLIST_DEPTH)
      fail('too-deep', object.offset, `more than ${MAX_PLIST_DEPTH} collections inside of one another`);
    if (before !== undefined) return before;
    if (this.#open.has(index)) fail('cycle', object.offset, `object ${index} holds itself`);
    this.#open.add(index);
    let places = 1;
    let height = 0;
    const values = object.references.map((reference) => {
      const child = this.#build(reference, depth + 1);
      places += child.places;
      height = Math.max(height, child.height + 1);
      if (places > MAX_PLIST_VALUES)
        fail('too-many-values', object.offset, `more than ${MAX_PLIST_VALUES} values`);
      return child.value;
    });
    this.#open.delete(index);
    const value = this.#collect(object, values);
    const built = { value, places, height };
    this.#built.set(index, built);
    return built;
  }

  #collect(object: StoredObject, values: readonly PlistValue[]): PlistValue {
    if (object.collection !== 'dict') return { kind: object.collection ?? 'array', items: values };
    const half = values.length / 2;
    const seen = new Set<string>();
    const entries = values.slice(0, half).map((key, at): PlistEntry => {
      if (key.kind !== 'string') fail('key', object.offset, `a key of type ${key.kind}, expected a text`);
      if (seen.has(key.value))
        this.#findings.add(
          'duplicate-key',
          object.offset,
          object.end - object.offset,
          `key "${key.value.slice(0, 100)}" again`,
        );
      seen.add(key.value);
      return { key: key.value, value: values[half + at] as PlistValue };
    });
    return { kind: 'dict', entries };
  }
}
