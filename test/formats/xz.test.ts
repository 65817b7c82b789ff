// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { BufferSource } from '../../src/bytes.js';
import { readXz, xzIssues, type XzStream } from '../../src/formats/xz.js';
import {
  buildXz,
  LZMA2_FILTER,
  storedChunks,
  xzNumber,
  type XzBlockSpec,
  type XzSpec,
} from '../helpers/build-xz.js';
import { need } from '../helpers/need.js';
import { assertHardened, assertRefused, assertTiled, type RegionReader } from '../helpers/structure.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const regions: RegionReader = (source) => readXz(source).regions;
const read = (bytes: Buffer): XzStream => readXz(new BufferSource(bytes));
const issues = (bytes: Buffer): readonly string[] => xzIssues(read(bytes), bytes.length);

const plain: XzSpec = { blocks: [{ content: 'hello' }] };

test('every byte of a stream has one region', (t) => {
  const bytes = buildXz(plain);
  t.deepEqual(
    assertTiled(t, bytes, regions).map(({ kind, size }) => [kind, size]),
    [
      ['xz/magic', 6],
      ['xz/stream-flags', 2],
      ['xz/header-crc32', 4],
      ['xz/block-header-size', 1],
      ['xz/block-flags', 1],
      ['xz/filters', 3],
      ['xz/header-padding', 3],
      ['xz/block-header-crc32', 4],
      ['xz/data', 9],
      ['xz/block-padding', 3],
      ['xz/check', 4],
      ['xz/index-indicator', 1],
      ['xz/index-count', 1],
      ['xz/index-records', 2],
      ['xz/index-crc32', 4],
      ['xz/footer-crc32', 4],
      ['xz/backward-size', 4],
      ['xz/footer-flags', 2],
      ['xz/footer-magic', 2],
    ],
  );
  t.like(read(bytes), { check: 'crc32', decodedSize: 5, size: bytes.length });
  t.like(read(bytes).blocks[0], { offset: 12, decodedSize: 5, filters: ['lzma2=08'] });
  t.deepEqual(issues(bytes), []);
});

test('a stream without blocks is that of empty content', (t) => {
  const bytes = buildXz({ blocks: [] });
  assertTiled(t, bytes, regions);
  t.is(read(bytes).decodedSize, 0);
  t.deepEqual(issues(bytes), []);
});

test('sizes in a block header, filters in a chain and surplus padding of a header are read', (t) => {
  const fields = [...xzNumber(304), ...xzNumber(300), 4, 0, 3, 1, 7, ...LZMA2_FILTER];
  const bytes = buildXz({
    blocks: [{ content: 'x'.repeat(300), flags: 0xc2, fields, headerPadding: Array<number>(9).fill(0) }],
  });
  assertTiled(t, bytes, regions);
  t.deepEqual(read(bytes).blocks[0]?.filters, ['x86', 'delta=07', 'lzma2=08']);
  t.deepEqual(issues(bytes), []);
});

test('what follows the stream is trailing', (t) => {
  const stream = buildXz(plain);
  for (const trailing of [Buffer.alloc(4), Buffer.of(7), stream]) {
    const bytes = Buffer.concat([stream, trailing]);
    t.is(assertTiled(t, bytes, regions).at(-1)?.kind, 'xz/trailing');
    t.is(read(bytes).size, stream.length);
    t.deepEqual(issues(bytes), ['trailing']);
  }
});

test('room for bytes that do not show is an issue', (t) => {
  t.deepEqual(issues(buildXz({ blocks: [{ content: 'a' }, { content: '' }] })), ['empty-block']);
  const fields = [4, 4, 1, 2, 3, 4, ...LZMA2_FILTER];
  t.deepEqual(issues(buildXz({ blocks: [{ content: 'a', flags: 1, fields }] })), ['filter-offset']);
  t.deepEqual(issues(buildXz({ blocks: [{ content: 'a', flags: 1, fields: [8, 0, ...LZMA2_FILTER] }] })), []);
  t.deepEqual(issues(buildXz({ blocks: Array.from({ length: 20 }, () => ({ content: 'a' })) })), [
    'oversize',
  ]);
});

test('damaged streams are refused or tiled', (t) => {
  assertHardened(
    t,
    buildXz({
      blocks: [{ content: 'hello' }, { content: 'world!', flags: 0x80, fields: [6, ...LZMA2_FILTER] }],
    }),
    regions,
    'xz',
  );
});

const refused = test.macro({
  exec(t, spec: XzSpec, code: string) {
    assertRefused(t, buildXz(spec), regions, code);
  },
  title: (name) => `refuses ${name ?? ''}`,
});
const block = (spec: XzBlockSpec): XzSpec => ({ blocks: [{ content: 'hello', ...spec }] });
const chunks = (...bytes: number[]): XzSpec => ({
  blocks: [{ chunks: Buffer.from(bytes), content: 'hello' }],
});

test('refuses another format', (t) => assertRefused(t, Buffer.from('hello, world'), regions, 'xz/magic'));
test('refuses a stream that is cut off', (t) =>
  assertRefused(t, buildXz(plain).subarray(0, 30), regions, 'xz/truncated'));
test('a wrong CRC32 of the stream header', refused, { ...plain, headerCrc32: 1 }, 'xz/header-crc32');
test('a reserved check', refused, { ...plain, flags: [0, 2] }, 'xz/stream-flags');
test('reserved stream flags', refused, { ...plain, flags: [0, 0x11] }, 'xz/stream-flags');
test('a first byte of stream flags', refused, { ...plain, flags: [1, 1] }, 'xz/stream-flags');
test('a wrong CRC32 of a block header', refused, block({ headerCrc32: 1 }), 'xz/block-header-crc32');
test('reserved block flags', refused, block({ flags: 4 }), 'xz/block-flags');
test(
  'a wrong compressed size',
  refused,
  block({ flags: 0x40, fields: [5, ...LZMA2_FILTER] }),
  'xz/block-size',
);
test(
  'a wrong uncompressed size',
  refused,
  block({ flags: 0x80, fields: [9, ...LZMA2_FILTER] }),
  'xz/block-size',
);
test(
  'a size of nine bytes',
  refused,
  block({ flags: 0x80, fields: [...Array<number>(8).fill(0xff), 0x7f, ...LZMA2_FILTER] }),
  'xz/number',
);
test(
  'a size with a needless byte',
  refused,
  block({ flags: 0x80, fields: [0x85, 0, ...LZMA2_FILTER] }),
  'xz/number',
);
test('an unknown filter', refused, block({ fields: [0x22, 1, 8] }), 'xz/filter');
test('LZMA2 in front', refused, block({ flags: 1, fields: [...LZMA2_FILTER, ...LZMA2_FILTER] }), 'xz/filter');
test('a chain without LZMA2', refused, block({ fields: [4, 0] }), 'xz/filter');
test('properties of a strange size', refused, block({ fields: [0x21, 2, 8, 8] }), 'xz/filter');
test('a dictionary beyond 4 GiB', refused, block({ fields: [0x21, 1, 41] }), 'xz/filter');
test('a filter beyond its header', refused, block({ fields: [0x21, 99, 8] }), 'xz/truncated');
test('bytes in the padding of a block header', refused, block({ headerPadding: [0, 0, 1] }), 'xz/padding');
test('bytes in the padding of a block', refused, block({ padding: 1 }), 'xz/padding');
test(
  'bytes in the padding of the index',
  refused,
  { blocks: [{ content: 'x'.repeat(200) }], indexPadding: 1 },
  'xz/padding',
);
test('an unknown kind of chunk', refused, chunks(3, 0, 4), 'xz/lzma2-chunk');
test('a first chunk without dictionary', refused, chunks(2, 0, 4), 'xz/lzma2-chunk');
test('a chunk without properties', refused, chunks(1, 0, 0, 7, 0x80, 0, 0, 0, 0, 7), 'xz/lzma2-chunk');
test('strange properties', refused, chunks(0xe0, 0, 0, 0, 0, 225, 7), 'xz/lzma2-chunk');
test('properties with lc and lp beyond 4', refused, chunks(0xe0, 0, 0, 0, 0, 8 + 9, 7), 'xz/lzma2-chunk');
test('a number of blocks that is wrong', refused, { ...plain, index: [2, 25, 5] }, 'xz/index-count');
test('a record that states another size', refused, { ...plain, index: [1, 26, 5] }, 'xz/index-record');
test(
  'a record that states another decoded size',
  refused,
  { ...plain, index: [1, 25, 6] },
  'xz/index-record',
);
test('a wrong CRC32 of the index', refused, { ...plain, indexCrc32: 1 }, 'xz/index-crc32');
test('a wrong CRC32 of the footer', refused, { ...plain, footerCrc32: 1 }, 'xz/footer-crc32');
test('a wrong backward size', refused, { ...plain, backwardSize: 2 }, 'xz/backward-size');
test('other flags in the footer', refused, { ...plain, footerFlags: [0, 4] }, 'xz/footer-flags');
test('another end', refused, { ...plain, footerMagic: 'YY' }, 'xz/footer-magic');
test(
  'more blocks than anyone needs',
  refused,
  { blocks: Array.from({ length: (1 << 16) + 1 }, () => ({ content: '' })) },
  'xz/too-many-blocks',
);

test('xz decodes what the builder writes', (t) => {
  if (!need(t, 'xz')) return;
  const specs: readonly XzSpec[] = [
    plain,
    { blocks: [] },
    { blocks: [{ content: 'hello' }, { content: ', ' }, { content: 'world' }] },
    block({
      flags: 0xc1,
      fields: [9, 5, 4, 4, 0, 0, 0, 0, ...LZMA2_FILTER],
      headerPadding: Array<number>(20).fill(0),
    }),
  ];
  for (const spec of specs) {
    const content = spec.blocks.map((each) => each.content).join('');
    t.is(execFileSync('xz', ['-dc'], { input: buildXz(spec) }).toString(), content);
  }
});

test('xz refuses most of what is refused here, too', (t) => {
  if (!need(t, 'xz')) return;
  for (const spec of [
    { ...plain, index: [2, 25, 5] },
    { ...plain, indexCrc32: 1 },
    block({ padding: 1 }),
    chunks(3, 0, 4),
  ])
    t.not(spawnSync('xz', ['-dc'], { input: buildXz(spec) }).status, 0);
});

test('what xz writes is read and is tight', (t) => {
  if (!need(t, 'xz')) return;
  const noise = Buffer.concat(
    Array.from({ length: 10_000 }, (_, i) => createHash('sha256').update(String(i)).digest()),
  );
  const text = Buffer.from(Array.from({ length: 30_000 }, (_, i) => `line ${i * i}\n`).join(''));
  const inputs = [
    Buffer.alloc(0),
    Buffer.from('a'),
    text,
    noise,
    Buffer.alloc(5_000_000),
    Buffer.concat([noise, text, noise]),
  ];
  const file = path.join(temporaryDirectory(t), 'file.xz');
  const options = [
    ['-0'],
    ['-6'],
    ['-9e'],
    ['--check=none'],
    ['--check=crc32'],
    ['--check=sha256'],
    ['--block-size=65536'],
    ['-T2', '--block-size=100000'],
    ['--x86', '--lzma2=preset=1'],
    ['--delta=dist=4', '--lzma2=lc=0,lp=4,pb=0'],
  ];
  for (const option of options)
    for (const input of inputs) {
      const bytes = execFileSync('xz', ['-c', ...option], { input, maxBuffer: 1 << 28 });
      assertTiled(t, bytes, regions);
      t.is(read(bytes).decodedSize, input.length);
      t.deepEqual(issues(bytes), [], `${option.join(' ')}, ${input.length} bytes`);
      writeFileSync(file, bytes);
      const list = execFileSync('xz', ['--robot', '--list', file], { encoding: 'utf8' });
      const [, , blocks, size, decodedSize] = list.split('\n')[1]?.split('\t') ?? [];
      t.deepEqual(
        [blocks, size, decodedSize],
        [read(bytes).blocks.length, bytes.length, input.length].map(String),
      );
    }
});

test('stored chunks of any number of bytes have one size', (t) => {
  t.is(read(buildXz({ blocks: [{ content: 'x'.repeat(65_536) }] })).blocks[0]?.data.size, 65_540);
  t.is(storedChunks('').length, 1);
});
