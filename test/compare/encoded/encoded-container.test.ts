// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import type { VerdictKind } from '../../../src/model.js';
import { compareBuffers } from '../../helpers/compare-buffers.js';
import { need } from '../../helpers/need.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

const content = Buffer.from(
  Array.from({ length: 4000 }, (_, line) => `line ${line * line} of the content\n`).join(''),
);
const changed = Buffer.from(content);
changed[50_000] = (changed[50_000] ?? 0) ^ 1;

const packed = (tool: string, args: readonly string[], bytes = content): Buffer =>
  execFileSync(tool, [...args], { input: bytes, maxBuffer: 1 << 28 });

/** The same verdict from both directions. */
const judged = test.macro(
  async (
    t,
    tool: string | undefined,
    make: () => readonly [Buffer, Buffer],
    verdict: VerdictKind,
    field?: string,
  ) => {
    if (tool !== undefined && !need(t, tool)) return;
    const [published, rebuilt] = make();
    const forth = await compareBuffers(published, rebuilt);
    const back = await compareBuffers(rebuilt, published);
    t.is(forth.verdict.kind, verdict);
    t.is(back.verdict.kind, verdict);
    if (field !== undefined)
      t.true(
        forth.pair.differences.some((found) => found.kind === 'field' && found.field === field),
        JSON.stringify(forth.pair.differences),
      );
  },
);

const gz = (level: number, bytes = content): Buffer => gzipSync(bytes, { level });
function patched(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at < 0 ? copy.length + at : at] = value;
  return copy;
}

test('gzip of another level is reencoded', judged, undefined, () => [gz(9), gz(1)], 'equivalent');
test('gzip: changed content', judged, undefined, () => [gz(9), gz(9, changed)], 'unreproducible');
test(
  'gzip: changed content at another level',
  judged,
  undefined,
  () => [gz(9), gz(1, changed)],
  'unreproducible',
);
test('gzip: a time', judged, undefined, () => [gz(9), patched(gz(9), 4, 1)], 'unreproducible', 'gzip/mtime');
test(
  'gzip: an operating system',
  judged,
  undefined,
  () => [gz(9), patched(gz(9), 9, 7)],
  'unreproducible',
  'gzip/os',
);
test('gzip: a level hint follows', judged, undefined, () => [gz(9), patched(gz(9), 8, 4)], 'equivalent');
test(
  'gzip: a false checksum',
  judged,
  undefined,
  () => [gz(9), patched(gz(9), -8, ((gz(9).at(-8) as number) + 1) & 0xff)],
  'unreproducible',
);
test(
  'gzip: a trailing byte',
  judged,
  undefined,
  () => [gz(9), Buffer.concat([gz(9), Buffer.from([0])])],
  'unreproducible',
);
test(
  'gzip: a second member',
  judged,
  undefined,
  () => [gz(9), Buffer.concat([gz(9), gzipSync(Buffer.alloc(0))])],
  'unreproducible',
);
test('gzip: empty blocks', judged, undefined, () => [gz(9), withEmptyBlock()], 'unreproducible');

/** A stored block of no bytes in front of the stream. */
function withEmptyBlock(): Buffer {
  const whole = gz(9);
  return Buffer.concat([whole.subarray(0, 10), Buffer.from([0, 0, 0, 0xff, 0xff]), whole.subarray(10)]);
}

const xz = (args: readonly string[], bytes = content): Buffer => packed('xz', ['-c', ...args], bytes);
test(
  'xz of another level and check is reencoded',
  judged,
  'xz',
  () => [xz(['-9']), xz(['-0', '-Ccrc32'])],
  'equivalent',
);
test(
  'xz in several blocks is reencoded',
  judged,
  'xz',
  () => [xz(['-6']), xz(['-6', '--block-size=40000', '-T2'])],
  'equivalent',
);
test('xz: changed content', judged, 'xz', () => [xz([]), xz([], changed)], 'unreproducible');
test(
  'xz: a second stream',
  judged,
  'xz',
  () => [xz([]), Buffer.concat([xz([]), xz([], Buffer.alloc(0))])],
  'unreproducible',
);
test(
  'xz: stream padding',
  judged,
  'xz',
  () => [xz([]), Buffer.concat([xz([]), Buffer.alloc(4)])],
  'unreproducible',
);
test('xz: a damaged payload', judged, 'xz', () => [xz([]), patched(xz([]), 200, 0x55)], 'unreproducible');

const zst = (args: readonly string[], bytes = content): Buffer =>
  packed('zstd', ['-q', '-c', ...args], bytes);
const skippable = Buffer.concat([Buffer.from('502a4d1804000000', 'hex'), Buffer.from('evil')]);
test(
  'zstd of another level without checksum is reencoded',
  judged,
  'zstd',
  () => [zst(['-19']), zst(['-1', '--no-check'])],
  'equivalent',
);
test('zstd: changed content', judged, 'zstd', () => [zst([]), zst([], changed)], 'unreproducible');
test(
  'zstd: a skippable frame behind',
  judged,
  'zstd',
  () => [zst([]), Buffer.concat([zst([]), skippable])],
  'unreproducible',
);
test(
  'zstd: a skippable frame in front',
  judged,
  'zstd',
  () => [zst([]), Buffer.concat([skippable, zst([])])],
  'unreproducible',
);
test(
  'zstd: a second frame',
  judged,
  'zstd',
  () => [zst([]), Buffer.concat([zst([]), zst([], Buffer.alloc(0))])],
  'unreproducible',
);
test('zstd: a false checksum', judged, 'zstd', () => [zst([]), patched(zst([]), -1, 0x55)], 'unreproducible');

test('two streams that nobody can decode are unread', async (t) => {
  if (!need(t, 'zstd')) return;
  const [published, rebuilt] = [patched(zst([]), -1, 0x55), patched(zst(['-19']), -1, 0x55)];
  const { verdict } = await compareBuffers(published, rebuilt);
  t.is(verdict.kind, 'unverifiable');
});

test('the decoder is on record', async (t) => {
  if (!need(t, 'xz')) return;
  const { pair } = await compareBuffers(xz(['-9']), xz(['-0']));
  t.true(pair.decoders.some(({ name, version }) => name === 'xz' && /\d/.test(version)));
});

/** A package with one changed byte in one file. */
function deb(directory: string, name: string, text: string, compression: readonly string[]): Buffer {
  const root = path.join(directory, name);
  mkdirSync(path.join(root, 'DEBIAN'), { recursive: true });
  mkdirSync(path.join(root, 'usr/share/hello'), { recursive: true });
  writeFileSync(
    path.join(root, 'DEBIAN/control'),
    'Package: hello\nVersion: 1.0\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: d\n',
  );
  writeFileSync(path.join(root, 'usr/share/hello/text'), text);
  for (const file of [
    'DEBIAN/control',
    'DEBIAN',
    'usr/share/hello/text',
    'usr/share/hello',
    'usr/share',
    'usr',
    '.',
  ]) {
    if (!/control|text/.test(file)) chmodSync(path.join(root, file), 0o755);
    utimesSync(path.join(root, file), 1e9, 1e9);
  }
  const file = path.join(directory, `${name}.deb`);
  execFileSync('dpkg-deb', ['--root-owner-group', ...compression, '--build', root, file], {
    env: { ...process.env, SOURCE_DATE_EPOCH: '1000000000' },
  });
  return readFileSync(file);
}

test('a Debian package is compared down to the changed byte of a file', async (t) => {
  if (!need(t, 'dpkg-deb') || !need(t, 'xz')) return;
  const directory = temporaryDirectory(t);
  const published = deb(directory, 'published', 'hello, world\n', ['-Zxz']);
  const rebuilt = deb(directory, 'rebuilt', 'hello, World\n', ['-Zxz']);
  const { pair, verdict } = await compareBuffers(published, rebuilt);
  t.is(verdict.kind, 'unreproducible');
  const found = pair.differences.find(
    (difference) => difference.path.join('>') === 'data.tar.xz>data.tar>./usr/share/hello/text',
  );
  t.truthy(found, JSON.stringify(pair.differences));
});

test('a Debian package compressed otherwise is equivalent', async (t) => {
  if (!need(t, 'dpkg-deb') || !need(t, 'xz')) return;
  const directory = temporaryDirectory(t);
  const published = deb(directory, 'published', 'hello\n'.repeat(1000), ['-Zxz', '-z9']);
  const rebuilt = deb(directory, 'rebuilt', 'hello\n'.repeat(1000), ['-Zxz', '-z0']);
  const { verdict } = await compareBuffers(published, rebuilt);
  t.is(verdict.kind, published.equals(rebuilt) ? 'reproducible' : 'equivalent');
});
