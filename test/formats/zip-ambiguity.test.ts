// SPDX-License-Identifier: Apache-2.0
import { deflateRawSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { BufferSource } from '../../src/bytes.js';
import { FormatError } from '../../src/errors.js';
import { entryAmbiguities } from '../../src/formats/zip-ambiguity.js';
import { CONTESTED, NAME_CODES, RECORD_CODES } from '../../src/formats/zip-code.js';
import { scanExtra } from '../../src/formats/zip-extra.js';
import { nameCodes, nameFindings, normalisedName } from '../../src/formats/zip-name.js';
import { readZip } from '../../src/formats/zip.js';
import { buildZip, type ZipMember } from '../helpers/build-zip.js';

const found = (members: readonly ZipMember[]) =>
  entryAmbiguities(readZip(new BufferSource(buildZip(members))));
const codes = (members: readonly ZipMember[]): string[] => found(members).list.map(({ code }) => code);

test('every code of records and of names has a bit of its own', (t) => {
  t.true(RECORD_CODES.length <= 31);
  t.true(NAME_CODES.length <= 30);
});

const names: readonly (readonly [string | Buffer, readonly string[]])[] = [
  ['res/layout/a_b-c.xml', []],
  ['META-INF/', []],
  ['ends with a space ', []],
  ['', ['zip/name-empty']],
  ['a\0b', ['zip/name-nul']],
  ['a\rb', ['zip/name-control']],
  ['a\x7f', ['zip/name-control']],
  ['a\u202etxt.exe', ['zip/name-control', 'zip/name-not-flagged']],
  ['..', ['zip/name-parent']],
  ['a/../b', ['zip/name-parent']],
  ['a..b/..c', []],
  ['a\\..\\b', ['zip/name-parent', 'zip/name-backslash']],
  ['/etc/passwd', ['zip/name-absolute']],
  ['C:x', ['zip/name-absolute']],
  ['ab:x', []],
  ['./a', ['zip/name-dot']],
  ['a//b', ['zip/name-dot']],
  ['a/.', ['zip/name-dot']],
  ['ä', ['zip/name-not-flagged']],
  [Buffer.from([0xc0, 0x80]), ['zip/name-not-utf8']],
  [Buffer.from([0xed, 0xa0, 0x80]), ['zip/name-not-utf8']],
];
for (const [name, expected] of names)
  test(`name ${JSON.stringify(name.toString('latin1'))}`, (t) => {
    t.deepEqual(nameCodes(nameFindings(Buffer.from(name), 0)), [...expected]);
  });

test('a flagged name beyond ASCII is no finding', (t) => {
  t.deepEqual(nameCodes(nameFindings(Buffer.from('ä'), 0x800)), []);
});

test('names lead to one place or to several', (t) => {
  const place = (name: string): string => {
    const raw = Buffer.from(name);
    return normalisedName(raw, nameFindings(raw, 0x800));
  };
  for (const same of ['./a/b', 'a//b', 'a/b/', '/a/b', 'a\\b', 'c/../a/b', '../a/b', 'a/b\0.txt'])
    t.is(place(same), 'a/b', same);
  t.is(place('e\u0301'), place('\u00e9'));
  t.not(place('a/b'), place('a/B'));
});

test('collisions are told apart, whichever comes first', (t) => {
  t.deepEqual(codes([{ name: 'a' }, { name: 'a' }, { name: 'a' }].map((m) => ({ ...m, method: 0 }))), [
    'zip/duplicate-name',
    'zip/duplicate-name',
  ]);
  const collide = (...list: readonly string[]) =>
    codes(list.map((name) => ({ name, method: 0, flags: 0x800 }))).filter((code) => !code.includes('/name-'));
  t.deepEqual(collide('a', 'A'), ['zip/case-collision']);
  t.deepEqual(collide('A', 'a', 'A'), ['zip/case-collision', 'zip/duplicate-name']);
  t.deepEqual(collide('x/./y', 'x/y'), ['zip/normalised-collision']);
  t.deepEqual(collide('e\u0301', '\u00e9'), ['zip/normalised-collision']);
  t.deepEqual(collide('a/b', 'a'), ['zip/file-and-directory']);
  t.deepEqual(collide('a/b', 'A'), ['zip/file-and-directory']);
  t.deepEqual(collide('a/', 'a/b'), []);
  t.deepEqual(collide('a', 'a/'), ['zip/normalised-collision']);
});

test('both entries of a name are contested, and nothing else', (t) => {
  const { contested, list } = found([
    { name: 'a', method: 0 },
    { name: 'b', method: 0 },
    { name: 'a', method: 0 },
  ]);
  t.deepEqual(
    [...contested.keys()].map(({ rawName }) => rawName.toString()),
    ['a', 'a'],
  );
  t.true(list.every(({ code }) => CONTESTED.has(code)));
});

test('extra fields of any bytes are scanned in one pass, and padding is no field', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(20), (bytes, zeros) => {
      const extra = Buffer.concat([bytes, Buffer.alloc(zeros)]);
      const scan = scanExtra(extra, 0, extra.length);
      t.is(typeof scan.malformed, 'boolean');
      if (scan.zip64 !== undefined) t.true(scan.zip64.offset + scan.zip64.size <= extra.length);
    }),
  );
  t.false(scanExtra(Buffer.alloc(3), 0, 3).malformed);
  // an aligned tail with one bit in it, 16,000 empty fields long
  const long = Buffer.alloc(65_535);
  long[65_534] = 1;
  const start = performance.now();
  for (let round = 0; round < 100; round++) scanExtra(long, 0, long.length);
  t.true(performance.now() - start < 10_000);
});

test('a quoted overlap is refused before anything is inflated', (t) => {
  // each record's data begin with the next local header, so that the last kilobytes count thousands of times
  const kernel = deflateRawSync(Buffer.alloc(1 << 20));
  const zip = buildZip(
    Array.from({ length: 2000 }, (_, at) => ({ name: `${at}`, raw: Buffer.alloc(0), size: 1 << 20 })).concat([
      { name: 'kernel', raw: kernel, size: 1 << 20 },
    ]),
  );
  const { entries, centralDirectory } = readZip(new BufferSource(zip));
  for (const { cdOffset, dataOffset } of entries)
    zip.writeUInt32LE(centralDirectory.offset - dataOffset, cdOffset + 20);
  const start = performance.now();
  const error = t.throws(() => readZip(new BufferSource(zip)), { instanceOf: FormatError });
  t.is(error?.code, 'zip/overlap');
  t.true(performance.now() - start < 5000);
});

test('65,536 entries need ZIP64; a count that wrapped around is refused', (t) => {
  const members = Array.from({ length: 65_536 }, (_, at) => ({ name: at.toString(36), method: 0 }));
  t.is(readZip(new BufferSource(buildZip(members, { zip64: true }))).entries.length, 65_536);
  const error = t.throws(() => readZip(new BufferSource(buildZip(members))), { instanceOf: FormatError });
  t.is(error?.code, 'zip/entry-count');
});
