// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { BufferSource } from '../../src/bytes.js';
import { readZstd, zstdIssues, type ZstdFrame } from '../../src/formats/zstd.js';
import { need } from '../helpers/need.js';
import { assertHardened, assertRefused, assertTiled, type RegionReader } from '../helpers/structure.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const regions: RegionReader = (source) => readZstd(source).regions;
const read = (bytes: Buffer): ZstdFrame => readZstd(new BufferSource(bytes));

type Block = readonly [type: number, size: number, content?: readonly number[] | string];

/** A frame with a window of 1 KiB unless `fields` say otherwise. */
function buildZstd(
  blocks: readonly Block[],
  descriptor = 0,
  fields: readonly number[] = [0],
  tail = '',
): Buffer {
  const parts = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, descriptor, ...fields])];
  blocks.forEach(([type, size, content], i) => {
    const header = Buffer.alloc(3);
    header.writeUIntLE((i === blocks.length - 1 ? 1 : 0) | (type << 1) | (size << 3), 0, 3);
    parts.push(header, Buffer.from(content ?? ''));
  });
  return Buffer.concat([...parts, Buffer.from(tail, 'latin1')]);
}

const hello: Block = [0, 5, 'hello'];

test('every byte of a frame has one region', (t) => {
  const bytes = buildZstd([hello, [1, 7, 'x'], [0, 0]], 0x40 | 4 | 1, [0, 9, 12, 0], 'abcd');
  t.deepEqual(
    assertTiled(t, bytes, regions).map(({ kind, size }) => [kind, size]),
    [
      ['zstd/magic', 4],
      ['zstd/descriptor', 1],
      ['zstd/window', 1],
      ['zstd/dictionary-id', 1],
      ['zstd/content-size', 2],
      ['zstd/data', 15],
      ['zstd/checksum', 4],
    ],
  );
  t.like(read(bytes), {
    contentSize: 268,
    windowSize: 1024,
    dictionaryId: 9,
    hasChecksum: true,
    blocks: 3,
    emptyBlocks: 0,
    size: bytes.length,
  });
});

test('content sizes of 0, 1, 2, 4 and 8 bytes, and windows', (t) => {
  t.is(read(buildZstd([hello])).contentSize, undefined);
  t.is(read(buildZstd([hello], 0x20, [5])).contentSize, 5);
  t.is(read(buildZstd([hello], 0x20, [5])).windowSize, 5);
  t.is(read(buildZstd([hello], 0x40, [0, 1, 1])).contentSize, 513);
  t.is(read(buildZstd([hello], 0x80, [0, 1, 1, 0, 1])).contentSize, 0x1000101);
  t.is(read(buildZstd([hello], 0xc0, [0, 1, 1, 0, 1, 1, 0, 0, 0])).contentSize, 0x101000101);
  t.is(read(buildZstd([hello], 0, [0x0b])).windowSize, 2048 + 3 * 256);
});

test('what follows the frame is trailing', (t) => {
  const frame = buildZstd([hello]);
  for (const trailing of [Buffer.of(0), frame, Buffer.from([0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 7])]) {
    const bytes = Buffer.concat([frame, trailing]);
    t.is(assertTiled(t, bytes, regions).at(-1)?.kind, 'zstd/trailing');
    t.deepEqual(zstdIssues(read(bytes), bytes.length, 5), ['trailing']);
  }
});

const loose = test.macro<[Buffer, number, readonly string[]]>({
  exec(t, bytes, decodedSize, issues) {
    t.deepEqual(zstdIssues(read(bytes), bytes.length, decodedSize), issues);
    if (issues.includes('decoded-size') || !need(t, 'zstd')) return;
    t.is(execFileSync('zstd', ['-dc'], { input: bytes }).length, decodedSize);
  },
  title: (name, _bytes, _size, issues) => `${name ?? ''}: ${issues.join(', ') || 'no issue'}`,
});

test('an empty raw block in front', loose, buildZstd([[0, 0], hello]), 5, ['empty-block']);
test('an empty raw block at the end', loose, buildZstd([hello, [0, 0]]), 5, []);
test('an empty raw block alone', loose, buildZstd([[0, 0]]), 0, []);
test('an empty repeated block at the end', loose, buildZstd([hello, [1, 0, 'x']]), 5, ['empty-block']);
test('an empty compressed block', loose, buildZstd([[2, 2, [0, 0]], hello]), 5, ['empty-block']);
test('an empty compressed block with a longer size', loose, buildZstd([[2, 3, [4, 0, 0]], hello]), 5, [
  'empty-block',
]);
test('a compressed block with literals', loose, buildZstd([[2, 3, [8, 65, 0]], hello]), 6, []);
test('another size than stated', loose, buildZstd([hello], 0x20, [6]), 5, ['decoded-size']);
test('a block for every byte', loose, buildZstd(Array.from({ length: 40 }, () => [0, 1, 'x'])), 40, [
  'oversize',
]);

test('damaged frames are refused or tiled', (t) => {
  assertHardened(
    t,
    buildZstd([hello, [2, 3, [8, 65, 0]], [1, 7, 'x']], 0x44, [0, 12, 0], 'abcd'),
    regions,
    'zstd',
  );
});

const refused = test.macro({
  exec(t, bytes: Buffer, code: string) {
    assertRefused(t, bytes, regions, code);
  },
  title: (name) => `refuses ${name ?? ''}`,
});

test('another format', refused, Buffer.from('hello'), 'zstd/magic');
test('nothing', refused, Buffer.alloc(0), 'zstd/magic');
test('a skippable frame', refused, Buffer.from([0x5f, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]), 'zstd/skippable');
test('the unused bit', refused, buildZstd([hello], 0x10), 'zstd/reserved-bits');
test('the reserved bit', refused, buildZstd([hello], 0x08), 'zstd/reserved-bits');
test('a header that is cut off', refused, buildZstd([], 0xc0, [0, 1]), 'zstd/truncated');
test('blocks that do not end', refused, buildZstd([]), 'zstd/truncated');
test('a block beyond the end', refused, buildZstd([[0, 99, 'hello']]), 'zstd/truncated');
test('a missing checksum', refused, buildZstd([hello], 4), 'zstd/truncated');
test(
  'a content size beyond 2^53',
  refused,
  buildZstd([hello], 0xc0, [0, ...Array<number>(8).fill(255)]),
  'zstd/content-size',
);
test('a block of the reserved type', refused, buildZstd([[3, 5, 'hello']]), 'zstd/block-type');
test('a block larger than the window', refused, buildZstd([[1, 1025, 'x']]), 'zstd/block-size');
test(
  'a block larger than 128 KiB',
  refused,
  buildZstd([[1, (1 << 17) + 1, 'x']], 0, [0x60]),
  'zstd/block-size',
);
test(
  'more blocks than anyone needs',
  refused,
  Buffer.concat([buildZstd([]), Buffer.alloc(3 * ((1 << 23) + 1))]),
  'zstd/too-many-blocks',
);

test('what zstd writes is read and is tight', (t) => {
  if (!need(t, 'zstd')) return;
  const file = path.join(temporaryDirectory(t), 'input');
  const noise = Buffer.concat(
    Array.from({ length: 10_000 }, (_, i) => createHash('sha256').update(String(i)).digest()),
  );
  const text = Buffer.from(Array.from({ length: 30_000 }, (_, i) => `line ${i * i}\n`).join(''));
  const inputs = [
    Buffer.alloc(0),
    Buffer.from('a'),
    text,
    noise,
    Buffer.alloc(1 << 20),
    Buffer.concat([noise, text]),
  ];
  for (const options of [['-1'], ['-3'], ['-19'], ['--ultra', '-22'], ['--no-check'], ['-T2'], ['--fast=5']])
    for (const input of inputs) {
      writeFileSync(file, input);
      const stated = execFileSync('zstd', ['-qc', ...options, file]);
      const streamed = execFileSync('zstd', ['-qc', ...options], { input });
      for (const bytes of [stated, streamed]) {
        assertTiled(t, bytes, regions);
        t.deepEqual(
          zstdIssues(read(bytes), bytes.length, input.length),
          [],
          `${options.join(' ')}, ${input.length}`,
        );
        t.is(read(bytes).hasChecksum, !options.includes('--no-check'));
      }
      t.is(read(stated).contentSize, input.length);
    }
});

test('zstd refuses what is refused here, apart from the unused bit', (t) => {
  if (!need(t, 'zstd')) return;
  const refuses = (bytes: Buffer): boolean => spawnSync('zstd', ['-dc'], { input: bytes }).status !== 0;
  t.true(refuses(buildZstd([hello], 0x08)));
  t.true(refuses(buildZstd([[3, 5, 'hello']])));
  t.true(refuses(buildZstd([[1, 1025, 'x']])));
  t.false(refuses(buildZstd([hello], 0x10)));
});
