// SPDX-License-Identifier: Apache-2.0
/** A resource table of one package with two strings, and such as no tool writes. */
import { axmlChunk, axmlPool } from '../helpers/build-axml.js';

export interface ArscSpec {
  readonly values?: readonly string[];
  /** In the global pool, used by nothing. */
  readonly unused?: readonly string[];
  /** Behind the package. */
  readonly chunks?: readonly Buffer[];
  readonly trailing?: Buffer;
  /** Indices into `values` of the two entries. */
  readonly entries?: readonly [number, number];
  readonly density?: number;
  readonly typesCount?: number;
}

const u16 = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, at) => bytes.writeUInt16LE(value, at * 2));
  return bytes;
};
const u32 = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, at) => bytes.writeUInt32LE(value >>> 0, at * 4));
  return bytes;
};

const TABLE = 0x0002;
const PACKAGE = 0x0200;
const TYPE = 0x0201;
const TYPE_SPEC = 0x0202;

export function smallArsc(spec: ArscSpec = {}): Buffer {
  const values = spec.values ?? ['Chat', 'https://example.org/'];
  const name = Buffer.alloc(256);
  name.write('org.example.chat', 'utf16le');
  const types = axmlPool(['string']);
  const keys = axmlPool(['app_name', 'server']);
  const typeSpec = axmlChunk(
    TYPE_SPEC,
    Buffer.concat([Buffer.from([1, 0]), u16(spec.typesCount ?? 1), u32(2)]),
    u32(0, 0),
  );
  const configuration = Buffer.alloc(64);
  configuration.writeUInt32LE(64, 0);
  configuration.writeUInt16LE(spec.density ?? 0, 14);
  const entries = (spec.entries ?? [0, 1]).map((value, key) =>
    Buffer.concat([u16(8, 0), u32(key), u16(8), Buffer.from([0, 3]), u32(value)]),
  );
  const offsets = u32(0, 16);
  const start = 8 + 12 + configuration.length + offsets.length;
  const type = axmlChunk(
    TYPE,
    Buffer.concat([Buffer.from([1, 0]), u16(0), u32(2, start), configuration]),
    Buffer.concat([offsets, ...entries]),
  );
  const header = 8 + 4 + name.length + 20;
  const packageChunk = axmlChunk(
    PACKAGE,
    Buffer.concat([u32(0x7f), name, u32(header, 1, header + types.length, 2, 0)]),
    Buffer.concat([types, keys, typeSpec, type]),
  );
  const table = axmlChunk(
    TABLE,
    u32(1),
    Buffer.concat([axmlPool([...values, ...(spec.unused ?? [])]), packageChunk, ...(spec.chunks ?? [])]),
  );
  return Buffer.concat([table, spec.trailing ?? Buffer.alloc(0)]);
}
