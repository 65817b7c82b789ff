// SPDX-License-Identifier: Apache-2.0
/** Entries beyond what is held in memory: compared in lockstep, or spilled where they are archives themselves. */
import { readdirSync } from 'node:fs';
import test from 'ava';
import { HELD_BYTES } from '../../src/compare/walk.js';
import { buildZip } from '../helpers/build-zip.js';
import { compareBuffers } from '../helpers/compare-buffers.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const large = Buffer.alloc(HELD_BYTES + 4_000_000);
for (let at = 0; at < large.length; at += 64) large.writeUInt32LE((at * 2654435761) >>> 0, at);
const changed = Buffer.from(large);
const AT = 18_000_001;
changed[AT] = (changed[AT] ?? 0) ^ 0x40;
const archive = (data: Buffer, level: number): Buffer => buildZip([{ name: 'large', data, level }]);

test('a large entry at another level is packing', async (t) => {
  t.is((await compareBuffers(archive(large, 9), archive(large, 1))).verdict.kind, 'equivalent');
});

test('one byte in a large entry is found at its offset', async (t) => {
  const { verdict, pair } = await compareBuffers(archive(changed, 6), archive(large, 1));
  t.is(verdict.kind, 'unreproducible');
  t.like(
    pair.differences.find((found) => found.kind === 'bytes'),
    { path: ['large'], publishedOffset: AT, publishedLength: 1 },
  );
});

test('a large stream that ends early on one side is a difference', async (t) => {
  const whole = archive(large, 6);
  const raw = Buffer.from(whole.subarray(35, 35 + 5000));
  const cut = buildZip([{ name: 'large', raw, size: large.length, crc32: 1 }]);
  for (const [a, b] of [
    [whole, cut],
    [cut, whole],
  ] as const)
    t.is((await compareBuffers(a, b)).verdict.kind, 'unreproducible');
});

test('a large archive inside an archive is spilled, compared by member, and cleared away', async (t) => {
  const temporary = temporaryDirectory(t);
  const inner = (data: Buffer): Buffer =>
    buildZip([
      { name: 'large', data, method: 0 },
      { name: 'b', data: 'b' },
    ]);
  const { verdict, pair } = await compareBuffers(archive(inner(changed), 6), archive(inner(large), 1), {
    temporaryDirectory: temporary,
  });
  t.is(verdict.kind, 'unreproducible');
  t.like(
    pair.differences.find((found) => found.kind === 'bytes'),
    { path: ['large', 'large'], publishedOffset: AT, publishedLength: 1 },
  );
  t.deepEqual(readdirSync(temporary), []);
});
