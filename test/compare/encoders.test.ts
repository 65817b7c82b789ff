// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import test from 'ava';
import { deflateRaw } from 'pako';
import { buildZip, type ZipMember } from '../helpers/build-zip.js';
import { compareBuffers } from '../helpers/compare-buffers.js';

const CONTENT = Buffer.from(
  Array.from({ length: 400 }, (_, at) => `line ${at} ${(at * 7919) % 1013}\n`).join(''),
);

const packed = (level: 1 | 6 | 9, name = 'a'): ZipMember => ({
  name,
  data: CONTENT,
  raw: Buffer.from(deflateRaw(CONTENT, { level })),
});

test('a level of zlib that gives the published bytes again is named', async (t) => {
  const { pair, verdict } = await compareBuffers(
    buildZip([packed(9), packed(9, 'b')]),
    buildZip([packed(1), packed(1, 'b')]),
  );
  t.is(verdict.kind, 'equivalent');
  t.deepEqual(pair.encoders, { named: [{ encoder: 'zlib level 9', members: 2 }], unnamed: 0, untried: 0 });
});

test('choices that no level makes are not identified, though nothing is left out', async (t) => {
  // two blocks where zlib makes one: every choice is valid
  const half = CONTENT.length >> 1;
  const split = Buffer.concat([
    rawBlocks(CONTENT.subarray(0, half), false),
    rawBlocks(CONTENT.subarray(half), true),
  ]);
  const { pair, verdict } = await compareBuffers(
    buildZip([{ name: 'a', data: CONTENT, raw: split }]),
    buildZip([packed(6)]),
  );
  t.is(verdict.kind, 'equivalent');
  t.deepEqual(pair.encoders, { named: [], unnamed: 1, untried: 0 });
});

test('what is large is not tried, and says so', async (t) => {
  const content = Buffer.concat([randomBytes(200_000), Buffer.alloc(200_000)]);
  const one = (level: 1 | 9): Buffer =>
    buildZip([{ name: 'a', data: content, raw: Buffer.from(deflateRaw(content, { level })) }]);
  const { pair } = await compareBuffers(one(1), one(9));
  t.deepEqual(pair.encoders, { named: [], unnamed: 0, untried: 1 });
});

test('nothing is said where nothing is packed differently', async (t) => {
  const { pair } = await compareBuffers(buildZip([packed(6)]), buildZip([packed(6)]));
  t.is(pair.encoders, undefined);
});

/** Stored blocks (RFC 1951, section 3.2.4). */
function rawBlocks(bytes: Buffer, last: boolean): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt8(last ? 1 : 0, 0);
  header.writeUInt16LE(bytes.length, 1);
  header.writeUInt16LE(bytes.length ^ 0xffff, 3);
  return Buffer.concat([header, bytes]);
}
