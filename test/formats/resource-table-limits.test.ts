// SPDX-License-Identifier: Apache-2.0
/** Resource tables and documents that state much with few bytes: refused or read, in time and memory that follow their size. */
import test, { type ExecutionContext } from 'ava';
import { rules } from '../../src/compare/rules/index.js';
import { FormatError } from '../../src/errors.js';
import { readArsc, readTypesCounts } from '../../src/formats/arsc.js';
import { writeCanonicalArsc } from '../../src/formats/arsc-writer.js';
import { NONE, readAxmlDocument, writeAxmlDocument, type AxmlNode } from '../../src/formats/axml-document.js';
import { UTF8_FLAG, writeStringPool, type StringPool } from '../../src/formats/string-pool.js';
import { smallArsc } from '../attacks/small-arsc.js';
import { addUnknownChunk, chunksOf, mapChunks, withSize } from '../helpers/arsc-edits.js';

const SECONDS_PER_MEGABYTE = 1;
const MAX_BYTES = 512 << 20;
const TYPE = 0x0201;
const SPEC = 0x0202;
const LIBRARY = 0x0203;

/** What `read` gives or the code it throws; by the time of the process, since a busy machine is no hang. */
function bounded<T>(t: ExecutionContext, bytes: Buffer, read: (bytes: Buffer) => T): T | string {
  const held = process.memoryUsage().rss;
  const started = process.cpuUsage();
  let outcome: T | string;
  try {
    outcome = read(bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    outcome = error.code;
  }
  const { user, system } = process.cpuUsage(started);
  t.true((user + system) / 1e6 <= SECONDS_PER_MEGABYTE * Math.max(1, bytes.length / 1e6));
  t.true(process.memoryUsage().rss - held <= MAX_BYTES);
  return outcome;
}

const canonical = (bytes: Buffer): Buffer => writeCanonicalArsc(readArsc(bytes));

function withPool(table: Buffer, pool: Buffer): Buffer {
  const [before] = chunksOf(table, 12, table.length);
  return withSize(Buffer.concat([table.subarray(0, 12), pool, table.subarray(12 + (before?.size ?? 0))]));
}

const text = (length: number): Buffer => Buffer.alloc(length, 'x');
const pool = (change: Partial<StringPool>): Buffer =>
  writeStringPool({ flags: UTF8_FLAG, strings: [], styles: [], ...change });

/** An entry of `count` values that `ids` ids share. */
function sharedEntry(ids: number, count: number): Buffer {
  return mapChunks(smallArsc({ values: ['Chat'], entries: [0, 0], typesCount: 0 }), (chunk, type) => {
    if (type === SPEC) {
      const spec = Buffer.concat([chunk.subarray(0, 16), Buffer.alloc(4 * ids)]);
      spec.writeUInt32LE(ids, 12);
      return withLength(spec);
    }
    if (type !== TYPE) return chunk;
    const header = chunk.subarray(0, 84);
    header.writeUInt32LE(ids, 12);
    header.writeUInt32LE(84 + 4 * ids, 16);
    const entry = Buffer.alloc(16 + 12 * count);
    entry.writeUInt16LE(16, 0);
    entry.writeUInt16LE(1, 2);
    entry.writeUInt32LE(count, 12);
    for (let at = 16; at < entry.length; at += 12) {
      entry.writeUInt16LE(8, at + 4);
      entry.writeUInt8(3, at + 7);
    }
    return withLength(Buffer.concat([header, Buffer.alloc(4 * ids), entry]));
  });
}

function withLength(chunk: Buffer): Buffer {
  chunk.writeUInt32LE(chunk.length, 4);
  return chunk;
}

test('an entry that many ids share is walked once, and written as often as there is room', (t) => {
  // the two keys of the pool: one is used by nothing
  t.is(bounded(t, sharedEntry(1000, 10), canonical), 'arsc/unused-string');
  t.is(bounded(t, sharedEntry(250_000, 80_000), canonical), 'arsc/too-large');
  // many types, each of which could be written by itself
  const one = sharedEntry(1000, 1000);
  const many = mapChunks(one, (chunk, type) =>
    type === TYPE ? Buffer.concat(Array.from({ length: 50 }, () => chunk)) : chunk,
  );
  t.is(bounded(t, many, canonical), 'arsc/too-large');
});

test('sparse types that state more entries than they have', (t) => {
  const ids = 1 << 20;
  const table = mapChunks(smallArsc(), (chunk, type) => {
    if (type === SPEC) {
      const spec = Buffer.concat([chunk.subarray(0, 16), Buffer.alloc(4 * ids)]);
      spec.writeUInt32LE(ids, 12);
      return withLength(spec);
    }
    if (type !== TYPE) return chunk;
    const sparse = Buffer.from(chunk.subarray(0, 84));
    sparse.writeUInt8(1, 9);
    sparse.writeUInt32LE(0, 12);
    sparse.writeUInt32LE(84, 16);
    return Buffer.concat(Array.from({ length: 1000 }, () => withLength(sparse)));
  });
  t.is(bounded(t, table, readArsc), 'arsc/too-many-entries');
});

test('more chunks than a table has', (t) => {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(LIBRARY, 0);
  head.writeUInt16LE(8, 2);
  head.writeUInt32LE(8, 4);
  const chunks = (count: number): Buffer =>
    addUnknownChunk(
      smallArsc(),
      'package',
      Buffer.concat(Array.from({ length: count }, () => head)),
      LIBRARY,
    );
  // those of the list lie inside of one chunk; taken out of it they are chunks of the package
  const flat = (count: number): Buffer =>
    mapChunks(chunks(count), (chunk, type) => (type === LIBRARY ? chunk.subarray(8) : chunk));
  t.true(Buffer.isBuffer(bounded(t, flat(1000), canonical)));
  for (const read of [readArsc, readTypesCounts])
    t.is(bounded(t, flat(1 << 17), read as (bytes: Buffer) => unknown), 'arsc/too-many-chunks');
});

test('a style whose tag has a style, and so on', (t) => {
  const count = 60_000;
  const strings = Array.from({ length: count }, (_, index) => Buffer.from(`${index}`));
  const styles = strings.map((_, index) => [{ name: (index + 1) % count, first: 0, last: 0 }]);
  const table = withPool(smallArsc(), pool({ strings, styles }));
  const written = bounded(t, table, canonical);
  t.true(Buffer.isBuffer(written) && written.length === table.length);
});

test('styles that share their spans', (t) => {
  const count = 20_000;
  const strings = Array.from({ length: count }, () => text(1));
  const spans = Array.from({ length: count }, () => ({ name: 0, first: 0, last: 0 }));
  const styles = strings.map((_, index) => (index === 0 ? spans : []));
  const bytes = pool({ strings, styles });
  for (let index = 1; index < count; index++)
    bytes.writeUInt32LE(bytes.readUInt32LE(28 + 4 * count), 28 + 4 * (count + index));
  t.is(bounded(t, withPool(smallArsc(), bytes), readArsc), 'arsc/pool-style');
});

test('strings that share their bytes', (t) => {
  const count = 300_000;
  const bytes = pool({ strings: [text(0x7fff), ...Array.from({ length: count }, () => text(0))] });
  for (let index = 1; index <= count; index++) bytes.writeUInt32LE(0, 28 + 4 * index);
  t.is(bounded(t, withPool(smallArsc(), bytes), readArsc), 'arsc/pool-layout');
});

test('more strings than are read', (t) => {
  const strings = Array.from({ length: (1 << 21) + 1 }, () => text(0));
  t.is(bounded(t, withPool(smallArsc(), pool({ strings })), readArsc), 'arsc/pool-too-many');
});

test('a document with a long resource map', (t) => {
  const map = Array.from({ length: 500_000 }, (_, index) => index);
  const start = { line: 0, comment: NONE, namespace: NONE, name: 0 } as const;
  const nodes: AxmlNode[] = [
    { kind: 'start', ...start, places: [0, 0, 0], attributes: [] },
    { kind: 'end', ...start },
  ];
  const bytes = writeAxmlDocument({
    pool: { flags: UTF8_FLAG, strings: [Buffer.from('a')], styles: [] },
    map,
    nodes,
  });
  t.is(bounded(t, bytes, readAxmlDocument), 'axml/unused-resource-id');
});

test('a manifest of elements in elements', (t) => {
  const depth = 30_000;
  const node = { line: 0, comment: NONE, namespace: NONE, name: 0 } as const;
  const starts = Array.from({ length: depth }, (): AxmlNode => ({
    kind: 'start',
    ...node,
    places: [0, 0, 0],
    attributes: [],
  }));
  const ends = Array.from({ length: depth }, (): AxmlNode => ({ kind: 'end', ...node }));
  const bytes = writeAxmlDocument({
    pool: { flags: UTF8_FLAG, strings: [text(50)], styles: [] },
    map: [],
    nodes: [...starts, ...ends],
  });
  t.true(
    bounded(t, bytes, (document) => rules['play-manifest-metadata'].content?.covers(document, document)),
  );
});
