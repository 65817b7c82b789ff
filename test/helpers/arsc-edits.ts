// SPDX-License-Identifier: Apache-2.0
/** Edits of a resource table on its bytes: what Google Play does to it, and what must never count as that. */
import { readArsc, readTypesCounts, valuesOf, type ArscTable } from '../../src/formats/arsc.js';
import { writeStringPool, type StringPool } from '../../src/formats/string-pool.js';

const PACKAGE = 0x0200;
const TYPE = 0x0201;

function u32(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length);
  for (const [at, value] of numbers.entries()) bytes.writeUInt32LE(value, 4 * at);
  return bytes;
}

interface Place {
  readonly type: number;
  readonly offset: number;
  readonly header: number;
  readonly size: number;
}

/** Chunks that lie directly in `[start, end)`. */
export function chunksOf(bytes: Buffer, start: number, end: number): Place[] {
  const found: Place[] = [];
  for (let offset = start; offset < end; offset += bytes.readUInt32LE(offset + 4))
    found.push({
      type: bytes.readUInt16LE(offset),
      offset,
      header: bytes.readUInt16LE(offset + 2),
      size: bytes.readUInt32LE(offset + 4),
    });
  return found;
}

function packagesOf(table: Buffer): Place[] {
  return chunksOf(table, 12, table.length).filter(({ type }) => type === PACKAGE);
}

/** Each chunk of each package replaced; sizes and offsets follow. */
export function mapChunks(table: Buffer, edit: (chunk: Buffer, type: number) => Buffer): Buffer {
  const [pool] = chunksOf(table, 12, table.length);
  const packages = packagesOf(table).map(({ offset, header, size }) => {
    const head = Buffer.from(table.subarray(offset, offset + header));
    const chunks = chunksOf(table, offset + header, offset + size).map((one) =>
      edit(Buffer.from(table.subarray(one.offset, one.offset + one.size)), one.type),
    );
    const body = Buffer.concat(chunks);
    head.writeUInt32LE(header + body.length, 4);
    head.writeUInt32LE(header + (chunks[0]?.length ?? 0), 276);
    return Buffer.concat([head, body]);
  });
  return withSize(Buffer.concat([table.subarray(0, 12 + (pool?.size ?? 0)), ...packages]));
}

/** The first chunk, which is the table itself, as long as its bytes. */
export function withSize(table: Buffer): Buffer {
  const out = Buffer.from(table);
  out.writeUInt32LE(out.length, 4);
  return out;
}

/** Strings and keys the other way round, but for those with styles, which come first. */
export function reversePools(table: Buffer): Buffer {
  const read = readArsc(table);
  const out = Buffer.from(table);
  const [pool] = chunksOf(table, 12, table.length);
  const strings = reversed(read.pool);
  strings.written.copy(out, pool?.offset);
  for (const value of values(read))
    if (table[value + 3] === 3) out.writeUInt32LE(strings.placeOf(table.readUInt32LE(value + 4)), value + 4);
  for (const [at, { offset }] of packagesOf(table).entries()) {
    const keys = reversed(read.packages[at]?.keys as StringPool);
    keys.written.copy(out, offset + table.readUInt32LE(offset + 276));
    for (const chunk of read.packages[at]?.chunks ?? [])
      if (chunk.kind === 'type')
        for (const entry of new Set(chunk.entries))
          if (entry !== -1) out.writeUInt32LE(keys.placeOf(table.readUInt32LE(entry + 4)), entry + 4);
  }
  return out;
}

function* values({ bytes, packages }: ArscTable): Generator<number> {
  for (const { chunks } of packages)
    for (const chunk of chunks)
      if (chunk.kind === 'type')
        for (const at of new Set(chunk.entries)) if (at !== -1) yield* valuesOf(bytes, at);
}

function reversed(pool: StringPool): { written: Buffer; placeOf: (index: number) => number } {
  const styled = pool.styles.length;
  const { length } = pool.strings;
  const placeOf = (index: number): number => (index < styled ? index : length - 1 - (index - styled));
  const strings = pool.strings.map((_, place) => pool.strings[placeOf(place)] ?? Buffer.alloc(0));
  const styles = pool.styles.map((spans) => spans.map((span) => ({ ...span, name: placeOf(span.name) })));
  return { written: writeStringPool({ flags: pool.flags, strings, styles }), placeOf };
}

/** Headers of types as older tools write them: a configuration of 52 bytes. */
export function shortenHeaders(table: Buffer): Buffer {
  return mapChunks(table, (chunk, type) => {
    if (type !== TYPE || chunk.readUInt32LE(20) !== 64) return chunk;
    const out = Buffer.concat([chunk.subarray(0, 72), chunk.subarray(84)]);
    out.writeUInt16LE(72, 2);
    out.writeUInt32LE(out.length, 4);
    out.writeUInt32LE(chunk.readUInt32LE(16) - 12, 16);
    out.writeUInt32LE(52, 20);
    return out;
  });
}

/** What `ResTable_typeSpec.typesCount` means, or another number for the type at `wrong`. */
export function stateTypesCounts(
  table: Buffer,
  wrong?: { readonly at: number; readonly value: number },
): Buffer {
  const out = Buffer.from(table);
  for (const [at, { offset, types }] of readTypesCounts(table).entries())
    out.writeUInt16LE(at === wrong?.at ? wrong.value : types, offset);
  return out;
}

/** A string that no entry uses. */
export function addUnusedString(table: Buffer, text: string): Buffer {
  const read = readArsc(table);
  const [pool] = chunksOf(table, 12, table.length);
  const isUtf8 = (read.pool.flags & 256) !== 0;
  const written = writeStringPool({
    ...read.pool,
    strings: [...read.pool.strings, Buffer.from(text, isUtf8 ? 'utf8' : 'utf16le')],
  });
  return withSize(Buffer.concat([table.subarray(0, 12), written, table.subarray(12 + (pool?.size ?? 0))]));
}

/** A chunk at the end of the table or of its packages; of a type that nobody knows, unless another one is named. */
export function addUnknownChunk(
  table: Buffer,
  where: 'table' | 'package',
  content: Buffer,
  type = 0x0777,
): Buffer {
  const chunk = Buffer.concat([
    Buffer.from([type & 0xff, type >> 8, 8, 0]),
    u32(8 + content.length),
    content,
  ]);
  if (where === 'table') return withSize(Buffer.concat([table, chunk]));
  let last = 0;
  mapChunks(table, (one) => (last++, one));
  return mapChunks(table, (one) => (--last === 0 ? Buffer.concat([one, chunk]) : one));
}

/** The first type chunk for which `edit` gives something else, edited in place. */
export function editType(table: Buffer, edit: (chunk: Buffer) => boolean): Buffer {
  let done = false;
  return mapChunks(table, (chunk, type) => {
    if (!done && type === TYPE) done = edit(chunk);
    return chunk;
  });
}

/** Two entries of one type change their ids. */
export function swapIds(table: Buffer): Buffer {
  return editType(table, (chunk) => {
    const header = chunk.readUInt16LE(2);
    const count = chunk.readUInt32LE(12);
    const there = Array.from({ length: count }, (_, id) => header + 4 * id).filter(
      (at) => chunk.readUInt32LE(at) !== 0xffffffff,
    );
    const [a, b] = there;
    if (a === undefined || b === undefined) return false;
    const first = chunk.readUInt32LE(a);
    chunk.writeUInt32LE(chunk.readUInt32LE(b), a);
    chunk.writeUInt32LE(first, b);
    return true;
  });
}

/** Density of the first configuration, one more. */
export function changeConfiguration(table: Buffer): Buffer {
  return editType(table, (chunk) => chunk.writeUInt16LE(chunk.readUInt16LE(34) + 1, 34) > 0);
}

/** The data of the first plain value, one more. */
export function changeValue(table: Buffer): Buffer {
  const read = readArsc(table);
  const out = Buffer.from(table);
  for (const value of values(read))
    if (table[value + 3] === 0x10) {
      out.writeUInt32LE((table.readUInt32LE(value + 4) + 1) >>> 0, value + 4);
      return out;
    }
  for (const value of values(read))
    if (table[value + 3] === 3) {
      const other = (table.readUInt32LE(value + 4) + 1) % read.pool.strings.length;
      out.writeUInt32LE(other, value + 4);
      return out;
    }
  throw new Error('no value to change');
}
