// SPDX-License-Identifier: Apache-2.0
/**
 * One layout for a resource table: strings and keys in the order of their first use, the newest header sizes, offsets that
 * follow from the entries by their ids. Two tables have the same bytes then exactly when they differ in nothing but that.
 * A string or key that no entry uses has no place.
 */
import { FormatError } from '../errors.js';
import {
  CHUNK,
  CONFIG_SIZE,
  entryLength,
  MAX_ARSC,
  PACKAGE_HEADER,
  readTypesCounts,
  saysTypesCounts,
  valuesOf,
  type ArscPackage,
  type ArscTable,
  type ArscType,
} from './arsc.js';
import { SORTED_FLAG, writeStringPool, type StringPool } from './string-pool.js';

const TYPE_STRING = 0x03;
const TYPE_HEADER = 20 + CONFIG_SIZE;
/** The newest headers are longer than others, and entries that share their bytes are written one by one. */
const MAX_WRITTEN = MAX_ARSC + MAX_ARSC / 2;

function fail(code: string, message: string): never {
  throw new FormatError('arsc', code, 0, message);
}

/** Where each string of a pool goes; in the order of first use, those with styles before the others. */
class FirstUse {
  readonly #pool: StringPool;
  readonly #order: number[] = [];
  readonly #seen: Uint8Array;

  constructor(pool: StringPool) {
    this.#pool = pool;
    this.#seen = new Uint8Array(pool.strings.length);
  }

  use(index: number): void {
    if (this.#seen[index] === 1) return;
    // a tag may have styles of its own, and so on: as deep as the pool is long
    const waiting = [index];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (next >= this.#seen.length) fail('string-index', `string ${next} of ${this.#seen.length}`);
      if (this.#seen[next] === 1) continue;
      this.#seen[next] = 1;
      this.#order.push(next);
      for (const { name } of (this.#pool.styles[next] ?? []).toReversed()) waiting.push(name);
    }
  }

  /** @throws FormatError `arsc/unused-string` */
  finish(what: string): { readonly pool: StringPool; readonly placeOf: Uint32Array } {
    const { flags, strings, styles } = this.#pool;
    if (this.#order.length !== strings.length)
      fail('unused-string', `${what} ${this.#seen.indexOf(0)} of ${strings.length} is used by nothing`);
    // a pool that says it is sorted is searched by halves: its order is no layout
    const order =
      (flags & SORTED_FLAG) !== 0
        ? [...strings.keys()]
        : [
            ...this.#order.filter((index) => index < styles.length),
            ...this.#order.filter((index) => index >= styles.length),
          ];
    const placeOf = new Uint32Array(strings.length);
    for (const [place, index] of order.entries()) placeOf[index] = place;
    return {
      pool: {
        flags,
        strings: order.map((index) => strings[index] ?? Buffer.alloc(0)),
        styles: order
          .slice(0, styles.length)
          .map((index) => (styles[index] ?? []).map((span) => ({ ...span, name: placeOf[span.name] ?? 0 }))),
      },
      placeOf,
    };
  }
}

/** @throws FormatError `arsc/…` */
export function writeCanonicalArsc(table: ArscTable): Buffer {
  const { bytes } = table;
  if (!saysTypesCounts(readTypesCounts(bytes)))
    fail('types-count', 'counts of types that are neither all zero nor all true');
  checkSize(table);
  const strings = new FirstUse(table.pool);
  eachValue(table, (value) => {
    if (bytes[value + 3] === TYPE_STRING) strings.use(bytes.readUInt32LE(value + 4));
  });
  const { pool, placeOf } = strings.finish('string');
  const parts = [
    writeStringPool(pool),
    ...table.packages.flatMap((one) => writePackage(bytes, one, placeOf)),
  ];
  const head = chunkHead(CHUNK.table, 12, 12 + sizeOf(parts));
  head.writeUInt32LE(table.packages.length, 8);
  return Buffer.concat([head, ...parts]);
}

const sizeOf = (parts: readonly Buffer[]): number => parts.reduce((sum, one) => sum + one.length, 0);

/** Before anything is written. */
function checkSize({ bytes, packages }: ArscTable): void {
  let size = 0;
  for (const { chunks } of packages)
    for (const chunk of chunks) {
      if (chunk.kind !== 'type') continue;
      size += TYPE_HEADER + 4 * chunk.entries.length;
      for (const at of chunk.entries) if (at !== -1) size += entryLength(bytes, at);
      if (size > MAX_WRITTEN)
        fail('too-large', `types of more than ${size} bytes, at most ${MAX_WRITTEN} are written`);
    }
}

/** Of an entry that many ids share, the values once: they are used no second time. */
function eachValue({ bytes, packages }: ArscTable, visit: (value: number) => void): void {
  // entries begin at multiples of four
  const seen = new Uint8Array(bytes.length >> 2);
  for (const { chunks } of packages)
    for (const chunk of chunks)
      if (chunk.kind === 'type')
        for (const at of chunk.entries) {
          if (at === -1 || seen[at >> 2] === 1) continue;
          seen[at >> 2] = 1;
          for (const value of valuesOf(bytes, at)) visit(value);
        }
}

function writePackage(
  bytes: Buffer,
  { head, types, keys, chunks }: ArscPackage,
  strings: Uint32Array,
): Buffer[] {
  const used = new FirstUse(keys);
  for (const chunk of chunks)
    if (chunk.kind === 'type')
      for (const at of chunk.entries) if (at !== -1) used.use(bytes.readUInt32LE(at + 4));
  const { pool, placeOf } = used.finish('key');
  const typePool = writeStringPool(types);
  const body = [
    typePool,
    writeStringPool(pool),
    ...chunks.map((chunk) => {
      switch (chunk.kind) {
        case 'other':
          return chunk.bytes;
        case 'spec':
          return writeSpec(chunk.id, chunk.flags);
        case 'type':
          return writeType(bytes, chunk, strings, placeOf);
      }
    }),
  ];
  const out = Buffer.from(head);
  chunkHead(CHUNK.package, PACKAGE_HEADER, PACKAGE_HEADER + sizeOf(body)).copy(out, 0, 0, 8);
  out.writeUInt32LE(PACKAGE_HEADER, 268);
  out.writeUInt32LE(PACKAGE_HEADER + typePool.length, 276);
  return [out, ...body];
}

function chunkHead(type: number, header: number, size: number): Buffer {
  const out = Buffer.alloc(header);
  out.writeUInt16LE(type, 0);
  out.writeUInt16LE(header, 2);
  out.writeUInt32LE(size, 4);
  return out;
}

/** How many types follow is what they say themselves. */
function writeSpec(id: number, flags: Buffer): Buffer {
  const head = chunkHead(CHUNK.spec, 16, 16 + flags.length);
  head.writeUInt8(id, 8);
  head.writeUInt32LE(flags.length / 4, 12);
  return Buffer.concat([head, flags]);
}

function writeType(bytes: Buffer, type: ArscType, strings: Uint32Array, keys: Uint32Array): Buffer {
  const header = TYPE_HEADER;
  const start = header + 4 * type.entries.length;
  let end = start;
  for (const at of type.entries) if (at !== -1) end += entryLength(bytes, at);
  const out = Buffer.alloc(end);
  chunkHead(CHUNK.type, 8, end).copy(out);
  out.writeUInt16LE(header, 2);
  out.writeUInt8(type.id, 8);
  out.writeUInt8(type.flags, 9);
  out.writeUInt32LE(type.entries.length, 12);
  out.writeUInt32LE(start, 16);
  out.writeUInt32LE(CONFIG_SIZE, 20);
  type.config.copy(out, 24);
  out.fill(0xff, header, start);
  let to = start;
  for (const [id, at] of type.entries.entries()) {
    if (at === -1) continue;
    const size = entryLength(bytes, at);
    bytes.copy(out, to, at, at + size);
    out.writeUInt32LE(to - start, header + 4 * id);
    out.writeUInt32LE(keys[out.readUInt32LE(to + 4)] ?? 0, to + 4);
    for (const value of valuesOf(out, to))
      if (out[value + 3] === TYPE_STRING)
        out.writeUInt32LE(strings[out.readUInt32LE(value + 4)] ?? 0, value + 4);
    to += size;
  }
  return out;
}
