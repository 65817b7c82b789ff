// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import zlib from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import JSZip from 'jszip';
import { BufferSource } from '../../src/bytes.js';
import { detectFormat, FORMAT_IDS, type FormatId } from '../../src/formats/detect.js';
import { buildAr } from '../helpers/build-ar.js';
import { buildTar } from '../helpers/build-tar.js';
import { buildXz } from '../helpers/build-xz.js';

const detect = (bytes: Buffer | string): FormatId => detectFormat(new BufferSource(Buffer.from(bytes)));
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const u32le = (...values: number[]): Buffer =>
  Buffer.concat(
    values.map((value) => Buffer.from([value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24])),
  );
const u32be = (...values: number[]): Buffer => Buffer.from(u32le(...values)).swap32();
const zip = (): Promise<Buffer> => new JSZip().file('a', 'b').generateAsync({ type: 'nodebuffer' });

const pe = Buffer.concat([latin1('MZ'), Buffer.alloc(58), u32le(0x80), Buffer.alloc(64), latin1('PE\0\0')]);
const samples = {
  empty: [Buffer.alloc(0)],
  zip: [latin1('PK\x05\x06').subarray(), Buffer.concat([latin1('PK\x05\x06'), Buffer.alloc(18)])],
  ar: [buildAr([]), buildAr([{ name: 'a', data: 'b' }])],
  tar: [
    buildTar([{ name: 'a' }]),
    buildTar([{ name: 'a', magic: 'ustar  \0' }]),
    buildTar([{ name: 'a', magic: '' }]),
  ],
  gzip: [zlib.gzipSync('a')],
  xz: [buildXz({ blocks: [] })],
  zstd: [latin1('\x28\xb5\x2f\xfd\x20\x00\x01\x00\x00')],
  bzip2: [latin1('BZh9\x17rE8P\x90\0\0\0\0'), latin1('BZh91AY&SY')],
  elf: [latin1('\x7fELF\x02\x01\x01'), latin1('\x7fELF\x01\x02\x01')],
  'mach-o': [
    u32le(0xfeedfacf, 0x100000c, 0, 2),
    u32be(0xfeedface, 18, 0, 6),
    Buffer.concat([u32be(0xcafebabe, 2, 7, 3, 48, 4, 12), Buffer.alloc(100)]),
    Buffer.concat([u32be(0xcafebabf, 1, 7, 3, 0, 48, 0, 4, 12, 0), Buffer.alloc(100)]),
  ],
  pe: [pe],
  dex: [latin1('dex\n035\0')],
  'java-class': [u32be(0xcafebabe, 52), u32be(0xcafebabe, 45)],
  wasm: [latin1('\0asm\x01\0\0\0')],
  'android-xml': [u32le(0x00080003, 12, 0)],
  'android-resources': [u32le(0x000c0002, 12, 0)],
  png: [latin1('\x89PNG\r\n\x1a\n\0\0\0\rIHDR')],
  jpeg: [latin1('\xff\xd8\xff\xe0')],
  gif: [latin1('GIF89a'), latin1('GIF87a')],
  webp: [latin1('RIFF\x04\0\0\0WEBP')],
  sqlite: [latin1('SQLite format 3\0')],
  gettext: [
    Buffer.concat([u32le(0x950412de, 0), Buffer.alloc(20)]),
    Buffer.concat([u32be(0x950412de, 0), Buffer.alloc(20)]),
  ],
  text: [
    latin1('#!/bin/sh\n'),
    Buffer.from('Grüße\t€\r\n'),
    latin1('PK'),
    latin1('MZ'),
    latin1('BZh9'),
    Buffer.alloc(1 << 17, 'ä'),
  ],
  unknown: [
    Buffer.of(0),
    Buffer.alloc(10_240),
    latin1('text with a NUL\0'),
    latin1('caf\xe9'),
    // signatures alone, without what must follow
    latin1('\x7fELF\x03\x01\x01'),
    u32be(0xcafebabe, 41),
    u32be(0xcafebabe, 2, 7, 3, 48, 4000),
    u32le(0x00080003, 13, 0),
    latin1('\x1f\x8b\x07'),
  ],
} satisfies Record<FormatId, readonly Buffer[]>;

for (const format of FORMAT_IDS)
  test(`recognizes ${format}`, (t) => {
    for (const sample of samples[format])
      t.is(detect(sample), format, sample.toString('latin1').slice(0, 20));
  });

test('an archive with a script in front is recognized by its end', async (t) => {
  t.is(detect(await zip()), 'zip');
  t.is(detect(Buffer.concat([latin1('#!/bin/sh\nexit\n'), await zip()])), 'zip');
});

test('a character cut by the end of the sample does not make text unknown, one cut by the end of the file does', (t) => {
  const euros = Buffer.from('€'.repeat(30_000));
  t.is(detect(euros), 'text');
  t.is(detect(euros.subarray(0, -1)), 'text');
  t.is(detect(euros.subarray(0, 100)), 'unknown');
});

test('real files', (t) => {
  const require = createRequire(import.meta.url);
  const apk = path.join(path.dirname(require.resolve('appium-uiautomator2-server/package.json')), 'apks');
  t.is(detect(readFileSync(path.join(apk, 'appium-uiautomator2-server-debug-androidTest.apk'))), 'zip');
  t.is(
    detect(readFileSync(process.execPath).subarray(0, 4096)),
    process.platform === 'darwin' ? 'mach-o' : 'elf',
  );
  t.is(detect(readFileSync(import.meta.filename)), 'text');
});

test('any bytes have some format, and random ones of any length no exception', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      t.true(FORMAT_IDS.includes(detect(Buffer.from(bytes))));
    }),
    { numRuns: 500, seed: 1 },
  );
});
