// SPDX-License-Identifier: Apache-2.0
/**
 * A compiled resource table (resources.arsc), every byte of it: chunks tile the file, entries tile their chunks, fields
 * that must be zero are. Layouts that aapt2 does not write are refused, such as compact entries.
 * https://android.googlesource.com/platform/frameworks/base/+/refs/heads/main/libs/androidfw/include/androidfw/ResourceTypes.h
 * (ResTable_header, ResTable_package, ResTable_typeSpec, ResTable_type, ResTable_config, ResTable_entry, ResTable_map)
 *
 *   table: u16 2 · u16 12 · u32 size · u32 packages, string pool, packages
 *   package: u16 0x200 · u16 header size · u32 size · u32 id · name[256] · u32 start of types · u32 last public type ·
 *            u32 start of keys · u32 last public key · (u32 type id offset), pool of types, pool of keys, chunks
 */
import { FormatError } from '../errors.js';
import { readStringPool, type StringPool } from './string-pool.js';

export interface ArscTable {
  readonly bytes: Buffer;
  readonly pool: StringPool;
  readonly packages: readonly ArscPackage[];
}

export interface ArscPackage {
  /** Its 284 bytes without the offsets of its pools, then the type id offset. */
  readonly head: Buffer;
  readonly types: StringPool;
  readonly keys: StringPool;
  readonly chunks: readonly ArscChunk[];
}

export type ArscChunk =
  | ArscTypeSpec
  | ArscType
  /** Libraries, overlayables, aliases: no string of a pool, no layout of their own. */
  | { readonly kind: 'other'; readonly bytes: Buffer };

export interface ArscTypeSpec {
  readonly kind: 'spec';
  readonly id: number;
  readonly offset: number;
  readonly typesCount: number;
  /** One word for each entry: which configurations it depends on. */
  readonly flags: Buffer;
}

export interface ArscType {
  readonly kind: 'type';
  readonly id: number;
  readonly flags: number;
  /** As long as the newest, without its size; what an older one lacks is zero. */
  readonly config: Buffer;
  /** By entry id where its bytes begin in the table, or -1. */
  readonly entries: Int32Array;
}

export const CHUNK = {
  pool: 0x0001,
  table: 0x0002,
  package: 0x0200,
  type: 0x0201,
  spec: 0x0202,
  library: 0x0203,
  overlayable: 0x0204,
  alias: 0x0206,
} as const;
export const PACKAGE_HEADER = 288;
export const CONFIG_SIZE = 64;
const OLD_PACKAGE_HEADER = 284;
const OLDEST_CONFIG = 28;
const OTHERS: ReadonlySet<number> = new Set([CHUNK.library, CHUNK.overlayable, CHUNK.alias]);
const SPARSE = 1;
const OFFSET16 = 2;
const COMPLEX = 1;
const COMPACT = 8;
export const MAX_ARSC = 64 << 20;
/** A chunk of eight bytes takes many times that of memory; a real table has a few thousand. */
const MAX_CHUNKS = 1 << 16;
/** By id, there or not: a sparse type states a few of as many as it likes. */
const MAX_ENTRIES = MAX_ARSC / 4;

/** What a table may still take of the two. */
interface Room {
  chunks: number;
  entries: number;
}

const newRoom = (): Room => ({ chunks: MAX_CHUNKS, entries: MAX_ENTRIES });

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('arsc', code, offset, message);
}

interface Chunk {
  readonly type: number;
  readonly header: number;
  readonly offset: number;
  readonly size: number;
}

function chunkAt(bytes: Buffer, offset: number, end: number): Chunk {
  const left = end - offset;
  const size = left < 8 ? 0 : bytes.readUInt32LE(offset + 4);
  const header = left < 8 ? 0 : bytes.readUInt16LE(offset + 2);
  if (header < 8 || header > size || size > left || ((header | size) & 3) !== 0)
    fail('chunk-size', offset, `chunk of ${size} bytes with a header of ${header}, ${left} left`);
  return { type: bytes.readUInt16LE(offset), header, offset, size };
}

function* chunksIn(bytes: Buffer, start: number, end: number, room: Room): Generator<Chunk, void, undefined> {
  for (let at = start; at < end;) {
    const chunk = chunkAt(bytes, at, end);
    if (--room.chunks < 0) fail('too-many-chunks', at, `more than ${MAX_CHUNKS} chunks`);
    yield chunk;
    at += chunk.size;
  }
}

/** @throws FormatError `arsc/…` for every byte that is not part of the table's content */
export function readArsc(bytes: Buffer): ArscTable {
  const room = newRoom();
  const [pool, ...packages] = tableChunks(bytes, room);
  if (pool?.type !== CHUNK.pool) fail('no-string-pool', 12, 'the table does not begin with its strings');
  return {
    bytes,
    pool: readStringPool(bytes, pool.offset, pool.size, 'arsc'),
    packages: packages.map((chunk) => readPackage(bytes, chunk, room)),
  };
}

function tableChunks(bytes: Buffer, room: Room): Chunk[] {
  if (bytes.length > MAX_ARSC) fail('too-large', 0, `${bytes.length} bytes, at most ${MAX_ARSC} are read`);
  const table = chunkAt(bytes, 0, bytes.length);
  if (table.type !== CHUNK.table || table.header !== 12)
    fail('magic', 0, `chunk of type ${table.type}, a resource table is ${CHUNK.table}`);
  if (table.size !== bytes.length)
    fail('trailing-bytes', table.size, `${bytes.length - table.size} bytes behind the table`);
  const chunks = [...chunksIn(bytes, 12, bytes.length, room)];
  const count = bytes.readUInt32LE(8);
  if (count !== chunks.length - 1)
    fail('package-count', 8, `${count} packages, ${chunks.length - 1} chunks behind the strings`);
  return chunks;
}

function readPackage(bytes: Buffer, { type, header, offset, size }: Chunk, room: Room): ArscPackage {
  if (type !== CHUNK.package) fail('unknown-chunk', offset, `chunk of type ${type} in the table`);
  if (header !== PACKAGE_HEADER && header !== OLD_PACKAGE_HEADER)
    fail('package-header', offset, `package header of ${header} bytes`);
  const end = offset + size;
  const types = chunkAt(bytes, offset + header, end);
  const keys = chunkAt(bytes, types.offset + types.size, end);
  const starts = [bytes.readUInt32LE(offset + 268), bytes.readUInt32LE(offset + 276)];
  if (starts[0] !== header || starts[1] !== header + types.size)
    fail(
      'package-header',
      offset + 268,
      `pools at ${starts.join(' and ')}, they follow the header of ${header}`,
    );
  const head = Buffer.alloc(PACKAGE_HEADER);
  bytes.copy(head, 0, offset, offset + header);
  // size and the offsets of the pools follow from what is written
  for (const at of [2, 4, 6, 268, 270, 276, 278]) head.writeUInt16LE(0, at);
  const chunks: ArscChunk[] = [];
  const counts = new Map<number, number>();
  for (const chunk of chunksIn(bytes, keys.offset + keys.size, end, room)) {
    if (chunk.type === CHUNK.spec) {
      const spec = readSpec(bytes, chunk);
      if (counts.has(spec.id)) fail('second-spec', chunk.offset, `a second specification of type ${spec.id}`);
      counts.set(spec.id, spec.flags.length / 4);
      chunks.push(spec);
    } else if (chunk.type === CHUNK.type) {
      const count = counts.get(bytes[chunk.offset + 8] ?? 0);
      if (count === undefined) fail('no-spec', chunk.offset, 'a type without a specification before it');
      if ((room.entries -= count) < 0)
        fail('too-many-entries', chunk.offset, `types have room for more than ${MAX_ENTRIES} entries`);
      chunks.push(readType(bytes, chunk, count));
    } else if (OTHERS.has(chunk.type))
      chunks.push({ kind: 'other', bytes: bytes.subarray(chunk.offset, chunk.offset + chunk.size) });
    else fail('unknown-chunk', chunk.offset, `chunk of type ${chunk.type} in a package`);
  }
  return {
    head,
    types: readStringPool(bytes, types.offset, types.size, 'arsc'),
    keys: readStringPool(bytes, keys.offset, keys.size, 'arsc'),
    chunks,
  };
}

// u8 id · u8 zero · u16 count of types · u32 count of entries, then one word for each
function readSpec(bytes: Buffer, { header, offset, size }: Chunk): ArscTypeSpec {
  const count = size < 16 ? -1 : bytes.readUInt32LE(offset + 12);
  if (header !== 16 || size !== 16 + 4 * count || bytes[offset + 9] !== 0)
    fail('spec-size', offset, `specification of ${count} entries in ${size} bytes`);
  return {
    kind: 'spec',
    id: bytes[offset + 8] ?? 0,
    offset,
    typesCount: bytes.readUInt16LE(offset + 10),
    flags: bytes.subarray(offset + 16, offset + size),
  };
}

// u8 id · u8 flags · u16 zero · u32 count of entries · u32 start of entries · configuration, then the offsets
function readType(bytes: Buffer, { header, offset, size }: Chunk, specified: number): ArscType {
  const configSize = header < 24 ? 0 : bytes.readUInt32LE(offset + 20);
  if (configSize < OLDEST_CONFIG || configSize > CONFIG_SIZE || header !== 20 + configSize)
    fail('type-header', offset, `configuration of ${configSize} bytes in a header of ${header}`);
  const flags = bytes[offset + 9] ?? 0;
  const count = bytes.readUInt32LE(offset + 12);
  const start = bytes.readUInt32LE(offset + 16);
  if ((flags & ~(SPARSE | OFFSET16)) !== 0 || flags === 3 || bytes.readUInt16LE(offset + 10) !== 0)
    fail('type-flags', offset + 9, `flags ${flags}`);
  const isCounted = flags === SPARSE ? count <= specified : count === specified;
  const indexSize = flags === OFFSET16 ? (2 * count + 3) & ~3 : 4 * count;
  if (!isCounted || start !== header + indexSize || start > size)
    fail('type-header', offset + 12, `${count} of ${specified} entries from ${start} in ${size} bytes`);
  const config = Buffer.alloc(CONFIG_SIZE - 4);
  bytes.copy(config, 0, offset + 24, offset + header);
  const entries = new Int32Array(specified).fill(-1);
  readIndex(bytes, offset + header, { flags, count, specified }, (id, at) => {
    if (at % 4 !== 0 || at >= size - start)
      fail('entry-offset', offset + header, `entry ${id} at ${at} of ${size - start} bytes`);
    entries[id] = offset + start + at;
  });
  checkTiling(bytes, entries, offset + start, offset + size);
  return { kind: 'type', id: bytes[offset + 8] ?? 0, flags, config, entries };
}

interface Index {
  readonly flags: number;
  readonly count: number;
  readonly specified: number;
}

function readIndex(
  bytes: Buffer,
  at: number,
  { flags, count, specified }: Index,
  found: (id: number, offset: number) => void,
): void {
  let last = -1;
  for (let index = 0; index < count; index++) {
    if (flags === SPARSE) {
      const id = bytes.readUInt16LE(at + 4 * index);
      if (id <= last || id >= specified) fail('entry-order', at + 4 * index, `entry ${id} behind ${last}`);
      last = id;
      found(id, 4 * bytes.readUInt16LE(at + 4 * index + 2));
    } else if (flags === OFFSET16) {
      const offset = bytes.readUInt16LE(at + 2 * index);
      if (offset !== 0xffff) found(index, 4 * offset);
    } else {
      const offset = bytes.readUInt32LE(at + 4 * index);
      if (offset !== 0xffffffff) found(index, offset);
    }
  }
  if (flags === OFFSET16 && count % 2 === 1 && bytes.readUInt16LE(at + 2 * count) !== 0)
    fail('padding', at + 2 * count, 'padding that is not zero');
}

/** Entries lie one behind the other, each used at least once. */
function checkTiling(bytes: Buffer, entries: Int32Array, start: number, end: number): void {
  let reached = start;
  let before = -1;
  for (const at of entries.toSorted()) {
    if (at === -1 || at === before) continue;
    if (at !== reached) fail('entry-gap', reached, `an entry at ${at}, the one before it ends at ${reached}`);
    before = at;
    reached += entrySize(bytes, at, end);
  }
  if (reached !== end) fail('entry-gap', reached, `${end - reached} bytes behind the entries of a type`);
}

/** Of an entry that was checked. */
export function entryLength(bytes: Buffer, at: number): number {
  return (bytes.readUInt16LE(at + 2) & COMPLEX) === 0 ? 16 : 16 + 12 * bytes.readUInt32LE(at + 12);
}

/** Its bytes, all of them checked. */
function entrySize(bytes: Buffer, at: number, end: number): number {
  if (at + 16 > end) fail('entry-size', at, `${end - at} bytes left, an entry takes at least 16`);
  const size = bytes.readUInt16LE(at);
  const flags = bytes.readUInt16LE(at + 2);
  if ((flags & COMPACT) !== 0) fail('compact-entry', at, 'a compact entry, which is not read');
  const isComplex = (flags & COMPLEX) !== 0;
  if (size !== (isComplex ? 16 : 8)) fail('entry-size', at, `entry of ${size} bytes`);
  const total = entryLength(bytes, at);
  if (at + total > end) fail('entry-size', at, `entry of ${total} bytes with ${end - at} left`);
  for (const value of valuesOf(bytes, at))
    if (bytes.readUInt16LE(value) !== 8 || bytes[value + 2] !== 0)
      fail('value-size', value, 'a value that is not of 8 bytes');
  return total;
}

/** Where the values of an entry lie: u16 8 · u8 zero · u8 type · u32 data. */
export function* valuesOf(bytes: Buffer, at: number): Generator<number, void, undefined> {
  if ((bytes.readUInt16LE(at + 2) & COMPLEX) === 0) yield at + 8;
  else for (let map = at + 16, left = bytes.readUInt32LE(at + 12); left > 0; left--, map += 12) yield map + 4;
}

/**
 * Where the counts of types lie, all of them, with what they say and how many types there are; nothing else of the table.
 * @throws FormatError `arsc/…`
 */
export function readTypesCounts(
  bytes: Buffer,
): { readonly offset: number; readonly stated: number; readonly types: number }[] {
  const found: { offset: number; stated: number; types: number }[] = [];
  const room = newRoom();
  for (const { type, header, offset, size } of tableChunks(bytes, room).slice(1)) {
    if (type !== CHUNK.package) fail('unknown-chunk', offset, `chunk of type ${type} in the table`);
    const types = new Map<number, number>();
    const specs: { readonly id: number; readonly at: number }[] = [];
    for (const chunk of chunksIn(bytes, offset + header, offset + size, room)) {
      const id = bytes[chunk.offset + 8] ?? 0;
      if (chunk.type === CHUNK.type) types.set(id, (types.get(id) ?? 0) + 1);
      if (chunk.type === CHUNK.spec) specs.push({ id, at: readSpec(bytes, chunk).offset + 10 });
    }
    for (const { id, at } of specs)
      found.push({ offset: at, stated: bytes.readUInt16LE(at), types: types.get(id) ?? 0 });
  }
  return found;
}

/** All of them are zero, or all of them are true. */
export function saysTypesCounts(counts: ReturnType<typeof readTypesCounts>): boolean {
  return counts.every(({ stated }) => stated === 0) || counts.every(({ stated, types }) => stated === types);
}
