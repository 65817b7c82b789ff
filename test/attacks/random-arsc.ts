// SPDX-License-Identifier: Apache-2.0
/** Resource tables made from numbers: every layout of types and entries, each string and key used, most of them valid. */
import { SORTED_FLAG, UTF8_FLAG, writeStringPool } from '../../src/formats/string-pool.js';
import { axmlChunk } from '../helpers/build-axml.js';
import type { Numbers } from './real-mutations.js';

const CHUNK = { table: 2, package: 0x200, type: 0x201, spec: 0x202, library: 0x203, alias: 0x206 } as const;
const COMPLEX = 1;
const SPARSE = 1;
const OFFSET16 = 2;
const TYPE_STRING = 3;
const ABSENT = -1;

function u16(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  for (const [at, value] of values.entries()) bytes.writeUInt16LE(value & 0xffff, 2 * at);
  return bytes;
}

function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [at, value] of values.entries()) bytes.writeUInt32LE(value >>> 0, 4 * at);
  return bytes;
}

interface Names {
  readonly strings: number;
  readonly keys: number;
}

export function randomArsc(numbers: Numbers): Buffer {
  const names: Names = { strings: 1 + numbers.below(6), keys: 1 + numbers.below(5) };
  const types = 1 + numbers.below(4);
  const isTrue = numbers.below(2) === 0;
  const chunks = Array.from({ length: types }, (_, type): Buffer => {
    // the first one has an entry for each string and each key
    const ids = type === 0 ? Math.max(names.strings, names.keys) : numbers.below(9);
    const configurations = 1 + numbers.below(3);
    const spec = axmlChunk(
      CHUNK.spec,
      Buffer.concat([Buffer.from([type + 1, 0]), u16(isTrue ? configurations : 0), u32(ids)]),
      u32(...Array<number>(ids).fill(0)),
    );
    const made = Array.from({ length: configurations }, (__, at) =>
      randomType(numbers, names, type + 1, ids, type === 0 && at === 0),
    );
    return Buffer.concat([spec, ...made]);
  });
  if (numbers.below(6) === 0)
    chunks.push(axmlChunk(numbers.of([CHUNK.library, CHUNK.alias]), u32(numbers.below(9))));
  return tableOf(numbers, pool(numbers, names.strings), pool(numbers, names.keys), types, chunks);
}

function tableOf(
  numbers: Numbers,
  strings: Buffer,
  keys: Buffer,
  types: number,
  chunks: readonly Buffer[],
): Buffer {
  const name = Buffer.alloc(256);
  name.write('org.example.chat', 'utf16le');
  const typeNames = pool(numbers, types);
  const header = numbers.of([284, 288, 288]);
  const head = Buffer.concat([
    u32(0x7f),
    name,
    u32(header, types, header + typeNames.length, 0),
    Buffer.alloc(header - 284),
  ]);
  const one = axmlChunk(CHUNK.package, head, Buffer.concat([typeNames, keys, ...chunks]));
  return axmlChunk(CHUNK.table, u32(1), Buffer.concat([strings, one]));
}

function pool(numbers: Numbers, count: number): Buffer {
  const isUtf8 = numbers.below(2) === 0;
  const strings = Array.from({ length: count }, (_, index) =>
    Buffer.from(
      `${index}${'ä😀x'.repeat(numbers.below(4) === 0 ? numbers.below(60) : 1)}`,
      isUtf8 ? 'utf8' : 'utf16le',
    ),
  );
  const styles =
    numbers.below(5) === 0
      ? Array.from({ length: numbers.below(count + 1) }, () =>
          Array.from({ length: numbers.below(3) }, () => ({
            name: numbers.below(count),
            first: 0,
            last: numbers.below(9),
          })),
        )
      : [];
  const flags = (isUtf8 ? UTF8_FLAG : 0) | (numbers.below(8) === 0 ? SORTED_FLAG : 0);
  return writeStringPool({ flags, strings, styles });
}

function randomType(numbers: Numbers, names: Names, id: number, ids: number, useAll: boolean): Buffer {
  const flags = useAll ? 0 : numbers.of([0, 0, SPARSE, OFFSET16]);
  const configuration = Buffer.alloc(numbers.of([28, 36, 48, 52, 64]));
  configuration.writeUInt32LE(configuration.length, 0);
  configuration.writeUInt16LE(numbers.below(4) * 160, 14);
  const entries: Buffer[] = [];
  const places: number[] = [];
  let end = 0;
  for (let entry = 0; entry < ids; entry++) {
    const choice = useAll ? 2 : numbers.below(5);
    const shared = places.filter((at) => at !== ABSENT);
    if (choice === 0) places.push(ABSENT);
    else if (choice === 1 && shared.length > 0) places.push(numbers.of(shared));
    else {
      const bytes = useAll
        ? entryOf(entry % names.keys, [[TYPE_STRING, entry % names.strings]], false)
        : randomEntry(numbers, names);
      places.push(end);
      entries.push(bytes);
      end += bytes.length;
    }
  }
  const index = indexOf(flags, places);
  const count = flags === SPARSE ? index.length / 4 : ids;
  const start = 20 + configuration.length + index.length;
  const head = Buffer.concat([Buffer.from([id, flags]), u16(0), u32(count, start), configuration]);
  return axmlChunk(CHUNK.type, head, Buffer.concat([index, ...entries]));
}

function indexOf(flags: number, places: readonly number[]): Buffer {
  if (flags === SPARSE)
    return Buffer.concat(places.flatMap((at, id) => (at === ABSENT ? [] : [u16(id, at / 4)])));
  if (flags === OFFSET16) {
    const offsets = places.map((at) => (at === ABSENT ? 0xffff : at / 4));
    return u16(...offsets, ...(offsets.length % 2 === 1 ? [0] : []));
  }
  return u32(...places);
}

function randomEntry(numbers: Numbers, names: Names): Buffer {
  const isComplex = numbers.below(3) === 0;
  const values = Array.from({ length: isComplex ? numbers.below(4) : 1 }, (): [number, number] =>
    numbers.below(2) === 0
      ? [TYPE_STRING, numbers.below(names.strings)]
      : [numbers.of([1, 0x10, 0x12]), numbers.below(1 << 20)],
  );
  return entryOf(numbers.below(names.keys), values, isComplex);
}

function entryOf(key: number, values: readonly (readonly [number, number])[], isComplex: boolean): Buffer {
  const value = ([type, data]: readonly [number, number]): Buffer =>
    Buffer.concat([u16(8), Buffer.from([0, type]), u32(data)]);
  if (!isComplex) return Buffer.concat([u16(8, 0), u32(key), ...values.map(value)]);
  const maps = values.map((one, at) => Buffer.concat([u32(0x01000000 + at), value(one)]));
  return Buffer.concat([u16(16, COMPLEX), u32(key, 0, values.length), ...maps]);
}
