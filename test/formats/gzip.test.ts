// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import test from 'ava';
import { BufferSource } from '../../src/bytes.js';
import { gzipIssues, readGzip, type GzipMember } from '../../src/formats/gzip.js';
import { need } from '../helpers/need.js';
import { assertHardened, assertRefused, assertTiled, type RegionReader } from '../helpers/structure.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const regions: RegionReader = (source) => readGzip(source).regions;
const read = (bytes: Buffer): GzipMember => readGzip(new BufferSource(bytes));

interface GzipSpec {
  readonly flags?: number;
  readonly method?: number;
  /** Between the fixed header and the payload. */
  readonly fields?: string;
  readonly payload?: Buffer;
  readonly size?: number;
}

const content = 'hello, hello, hello';

function buildGzip(spec: GzipSpec): Buffer {
  const header = Buffer.from([0x1f, 0x8b, spec.method ?? 8, spec.flags ?? 0, 4, 3, 2, 1, 2, 3]);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(zlib.crc32(content));
  trailer.writeUInt32LE(spec.size ?? content.length, 4);
  return Buffer.concat([
    header,
    Buffer.from(spec.fields ?? '', 'latin1'),
    spec.payload ?? zlib.deflateRawSync(content),
    trailer,
  ]);
}

/** All fields: extra, name, comment and the CRC of the header. */
function buildFull(crcChange = 0): Buffer {
  const fields = '\x03\x00abcname\0comment\0';
  const crc = zlib.crc32(buildGzip({ flags: 0x1e, fields }).subarray(0, 10 + fields.length)) + crcChange;
  return buildGzip({ flags: 0x1e, fields: fields + String.fromCharCode(crc & 0xff, (crc >> 8) & 0xff) });
}

test('every byte of a member has one region', (t) => {
  const bytes = buildFull();
  t.is(zlib.gunzipSync(bytes).toString(), content);
  t.deepEqual(
    assertTiled(t, bytes, regions).map(({ kind, size }) => [kind, size]),
    [
      ['gzip/magic', 2],
      ['gzip/method', 1],
      ['gzip/flags', 1],
      ['gzip/mtime', 4],
      ['gzip/extra-flags', 1],
      ['gzip/os', 1],
      ['gzip/extra', 5],
      ['gzip/name', 5],
      ['gzip/comment', 8],
      ['gzip/header-crc16', 2],
      ['gzip/data', zlib.deflateRawSync(content).length],
      ['gzip/crc32', 4],
      ['gzip/size', 4],
    ],
  );
  t.like(read(bytes), {
    mtime: 0x01020304,
    extraFlags: 2,
    os: 3,
    name: Buffer.from('name'),
    comment: Buffer.from('comment'),
    crc32: zlib.crc32(content),
    decodedSize: content.length,
    size: bytes.length,
  });
  t.deepEqual(gzipIssues(read(bytes), bytes.length), []);
});

test('what follows the member is trailing', (t) => {
  const member = buildGzip({});
  for (const trailing of [Buffer.alloc(5), member]) {
    const bytes = Buffer.concat([member, trailing]);
    t.is(assertTiled(t, bytes, regions).at(-1)?.kind, 'gzip/trailing');
    t.deepEqual(gzipIssues(read(bytes), bytes.length), ['trailing']);
  }
});

test('an empty block in the payload is an issue', (t) => {
  const flushed = zlib.deflateRawSync(content, { finishFlush: zlib.constants.Z_SYNC_FLUSH });
  const bytes = buildGzip({ payload: Buffer.concat([flushed, zlib.deflateRawSync('')]) });
  t.is(zlib.gunzipSync(bytes).toString(), content);
  t.deepEqual(gzipIssues(read(bytes), bytes.length), ['empty-block']);
});

test('damaged members are refused or tiled', (t) => {
  assertHardened(t, buildFull(), regions, 'gzip');
});

const refused = test.macro({
  exec(t, bytes: Buffer, code: string) {
    assertRefused(t, bytes, regions, code);
  },
  title: (name) => `refuses ${name ?? ''}`,
});

test('another format', refused, Buffer.from('PK\x03\x04'), 'gzip/magic');
test('nothing', refused, Buffer.alloc(0), 'gzip/magic');
test('a header that is cut off', refused, buildGzip({}).subarray(0, 9), 'gzip/truncated');
test('a trailer that is cut off', refused, buildGzip({}).subarray(0, -1), 'gzip/truncated');
test('an extra field beyond the end', refused, buildGzip({ flags: 4, fields: '\xff\xff' }), 'gzip/truncated');
test(
  'a name without end',
  refused,
  Buffer.concat([buildGzip({ flags: 8 }).subarray(0, 10), Buffer.from('name')]),
  'gzip/truncated',
);
test('a very long name', refused, buildGzip({ flags: 8, fields: 'x'.repeat(1 << 17) }), 'gzip/text-too-long');
test('another method', refused, buildGzip({ method: 7 }), 'gzip/method');
test('reserved flags', refused, buildGzip({ flags: 0x20 }), 'gzip/flags');
test('a wrong CRC of the header', refused, buildFull(1), 'gzip/header-crc16');
test('a payload that is no deflate', refused, buildGzip({ payload: Buffer.of(7) }), 'gzip/payload');
test('a payload that is cut off', refused, buildGzip({}).subarray(0, 15), 'gzip/payload');
test('a wrong size', refused, buildGzip({ size: 4 }), 'gzip/size');

test('gzip decodes what the builder writes, and refuses a wrong size, too', (t) => {
  if (!need(t, 'gzip')) return;
  t.is(execFileSync('gzip', ['-dc'], { input: buildFull() }).toString(), content);
  t.not(spawnSync('gzip', ['-dc'], { input: buildGzip({ size: 4 }) }).status, 0);
});

test('what gzip writes is read and is tight', (t) => {
  if (!need(t, 'gzip')) return;
  const file = path.join(temporaryDirectory(t), 'input');
  const text = Array.from({ length: 30_000 }, (_, i) => `line ${i * i}\n`).join('');
  for (const input of ['', 'a', text])
    for (const level of ['-1', '-6', '-9']) {
      writeFileSync(file, input);
      utimesSync(file, 1_600_000_000, 1_600_000_000);
      const bytes = execFileSync('gzip', ['-c', level, file]);
      assertTiled(t, bytes, regions);
      t.like(read(bytes), { name: Buffer.from('input'), mtime: 1_600_000_000, decodedSize: input.length });
      t.deepEqual(gzipIssues(read(bytes), bytes.length), []);
      const quiet = execFileSync('gzip', ['-nc', level, file]);
      t.like(read(quiet), { name: undefined, mtime: 0 });
    }
});
