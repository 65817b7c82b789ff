// SPDX-License-Identifier: Apache-2.0
/**
 * Compiled nibs of iOS, `NIBArchive`: objects of classes, with values under keys. Enough to say which object differs.
 * Older and macOS nibs are property lists. Apple publishes no specification:
 * https://github.com/matsmattsson/nibsqueeze/blob/master/NibArchive.md
 */
import { createHash } from 'node:crypto';
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';

export type NibValue =
  | { readonly kind: 'reference'; readonly object: number }
  /** In one line; data by size and digest. */
  | { readonly kind: 'leaf'; readonly text: string };

export interface NibObject {
  readonly className: string;
  /** In order; the parts of a collection have one key. */
  readonly values: readonly { readonly key: string; readonly value: NibValue }[];
}

export interface NibArchive {
  readonly formatVersion: number;
  readonly coderVersion: number;
  /** The first one holds all others. */
  readonly objects: readonly NibObject[];
  /** Bytes behind the class names, which newer coders write and nobody has described. */
  readonly trailing: { readonly offset: number; readonly length: number };
}

const MAGIC = 'NIBArchive';
const HEADER = 50;
const MAX_NIB = 32 << 20;

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('nib', code, offset, message);
}

export function isNibArchive(source: ByteSource): boolean {
  return source.size >= HEADER && source.read(0, MAGIC.length).toString('latin1') === MAGIC;
}

/** @throws FormatError `nib/…` */
export function readNibArchive(source: ByteSource): NibArchive {
  if (!isNibArchive(source)) fail('magic', 0, 'no NIBArchive');
  if (source.size > MAX_NIB) fail('too-large', 0, `${source.size} bytes, at most ${MAX_NIB} are read`);
  return new NibReader(Buffer.from(source.read(0, source.size))).read();
}

class NibReader {
  readonly #bytes: Buffer;
  #at = HEADER;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  read(): NibArchive {
    const word = (index: number): number => this.#bytes.readUInt32LE(MAGIC.length + 4 * index);
    const objects = this.#part('objects', word(2), word(3), 3, () => [
      this.#variable(),
      this.#variable(),
      this.#variable(),
    ]);
    const keys = this.#part('keys', word(4), word(5), 1, () => this.#text(this.#variable()));
    const values = this.#part('values', word(6), word(7), 2, () => ({
      key: this.#variable(),
      value: this.#value(objects.length),
    }));
    const classes = this.#part('classes', word(8), word(9), 2, () => this.#className(word(8)));
    const named = values.map(({ key, value }) => {
      const name = keys[key];
      if (name === undefined) fail('key-index', word(7), `key ${key} of ${keys.length}`);
      return { key: name, value };
    });
    let taken = 0;
    return {
      formatVersion: word(0),
      coderVersion: word(1),
      objects: objects.map(([type = 0, first = 0, count = 0]) => {
        const className = classes[type];
        if (className === undefined) fail('class-index', word(3), `class ${type} of ${classes.length}`);
        // objects that share values could hold as many as they like
        taken += count;
        if (first + count > named.length || taken > named.length)
          fail('value-index', word(3), `values ${first} to ${first + count} of ${named.length}`);
        return { className, values: named.slice(first, first + count) };
      }),
      trailing: { offset: this.#at, length: this.#bytes.length - this.#at },
    };
  }

  /** Parts follow one another without a gap; `least` bytes for each element. */
  #part<Element>(name: string, count: number, offset: number, least: number, one: () => Element): Element[] {
    if (offset !== this.#at) fail('offset', this.#at, `${name} at ${offset}, expected ${this.#at}`);
    if (count * least > this.#bytes.length - this.#at)
      fail('count', this.#at, `${count} ${name} in ${this.#bytes.length - this.#at} bytes`);
    return Array.from({ length: count }, one);
  }

  #take(length: number): Buffer {
    if (length > this.#bytes.length - this.#at)
      fail('truncated', this.#at, `${length} bytes, ${this.#bytes.length - this.#at} left`);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** Seven bits a byte, the lowest first; the last byte has its highest bit set. */
  #variable(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#take(1)[0] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte >= 0x80) return value;
    }
    return fail('number', this.#at, 'a number of more than 28 bits');
  }

  #text(length: number): string {
    return this.#take(length).toString('utf8');
  }

  #className(classes: number): string {
    const length = this.#variable();
    const fallbacks = this.#variable();
    for (const index of words(this.#take(4 * fallbacks)))
      if (index >= classes) fail('class-index', this.#at, `class ${index} of ${classes}`);
    const name = this.#text(length);
    if (!name.endsWith('\0')) fail('class-name', this.#at, 'a class name without its end');
    return name.slice(0, -1);
  }

  #value(objects: number): NibValue {
    const type = this.#take(1)[0] ?? 0;
    const leaf = (text: string): NibValue => ({ kind: 'leaf', text });
    switch (type) {
      case 0:
        return leaf(String(this.#take(1).readInt8()));
      case 1:
        return leaf(String(this.#take(2).readInt16LE()));
      case 2:
        return leaf(String(this.#take(4).readInt32LE()));
      case 3:
        return leaf(String(this.#take(8).readBigInt64LE()));
      case 4:
      case 5:
        return leaf(String(type === 5));
      case 6:
        return leaf(`float ${this.#take(4).readFloatLE()}`);
      case 7:
        return leaf(`double ${this.#take(8).readDoubleLE()}`);
      case 8:
        return leaf(dataText(this.#take(this.#variable())));
      case 9:
        return leaf('nil');
      case 10: {
        const object = this.#take(4).readUInt32LE();
        if (object >= objects) fail('object-index', this.#at - 4, `object ${object} of ${objects}`);
        return { kind: 'reference', object };
      }
      default:
        return fail('value-type', this.#at - 1, `value of type ${type}`);
    }
  }
}

function words(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32LE(4 * index));
}

const MAX_SHOWN = 200;

/** Text where it is text; else size and digest. */
function dataText(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  // eslint-disable-next-line no-control-regex
  if (bytes.length <= MAX_SHOWN && !/[\x00-\x08\x0e-\x1f\ufffd]/.test(text)) return JSON.stringify(text);
  return `data of ${bytes.length} bytes, SHA-256 ${createHash('sha256').update(bytes).digest('hex')}`;
}
