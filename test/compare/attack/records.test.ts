// SPDX-License-Identifier: Apache-2.0
/** Room in the records of ZIP, tar, ar and their encodings: what is packing, and its twin that is a difference. */
import { execFileSync } from 'node:child_process';
import { deflateRawSync } from 'node:zlib';
import test from 'ava';
import type { CompareOptions } from '../../../src/compare/compare.js';
import type { VerdictKind } from '../../../src/model.js';
import { buildAr } from '../../helpers/build-ar.js';
import { buildTar, paxRecord, tarMember } from '../../helpers/build-tar.js';
import { buildZip, type ZipMember } from '../../helpers/build-zip.js';
import { compareBuffers } from '../../helpers/compare-buffers.js';
import { need } from '../../helpers/need.js';
import { newIdentity, signedApk } from '../../helpers/sign-apk.js';

const text = 'the quick brown fox jumps over the lazy dog, '.repeat(40);

const judge = test.macro(
  async (
    t,
    make: () => readonly [published: Buffer, rebuilt: Buffer],
    forth: VerdictKind,
    back: VerdictKind = forth,
    options: CompareOptions = {},
  ) => {
    const [published, rebuilt] = make();
    t.is((await compareBuffers(published, rebuilt, options)).verdict.kind, forth);
    t.is((await compareBuffers(rebuilt, published, options)).verdict.kind, back, 'the other way round');
  },
);

// ---------------------------------------------------------------- ZIP flags and descriptors

const one = (change: Partial<ZipMember>): Buffer => buildZip([{ name: 'x', data: text, ...change }]);

test('level bits of deflated data are packing', judge, () => [one({ flags: 6 }), one({})], 'equivalent');
test(
  'level bits of stored data say nothing, so they are a difference',
  judge,
  () => [one({ flags: 6, method: 0 }), one({ method: 0 })],
  'unreproducible',
);
test(
  'level bits of an unread method too',
  judge,
  () => [one({ flags: 6, method: 93 }), one({ method: 93 })],
  'unreproducible',
);
test('a descriptor is packing', judge, () => [one({ descriptor: 'signed' }), one({})], 'equivalent');
test(
  'a descriptor that only the local header announces is not',
  judge,
  () => {
    const bytes = one({ descriptor: 'signed' });
    const record = bytes.indexOf('PK\x01\x02', 0, 'latin1');
    bytes[record + 8] = 0;
    return [bytes, one({})];
  },
  'unreproducible',
);
test(
  'a descriptor that is announced and not there is not',
  judge,
  () => [one({ flags: 8 }), one({ descriptor: 'signed' })],
  'unreproducible',
);
test(
  'a descriptor that lies is a gap',
  judge,
  () => {
    const bytes = one({ descriptor: 'signed' });
    const at = bytes.indexOf('PK\x07\x08', 0, 'latin1');
    bytes[at + 4] = (bytes[at + 4] ?? 0) ^ 1;
    return [bytes, one({})];
  },
  'unreproducible',
);

// ---------------------------------------------------------------- alignment

test(
  'alignment lost by moving an entry is a difference, also where there was no padding to lose',
  judge,
  () => {
    const table: ZipMember = { name: 'resources.arsc', data: text, method: 0 };
    const filler: ZipMember = { name: 'x', data: 'abc', method: 0 };
    return [buildZip([filler, table]), buildZip([table, filler])];
  },
  'unreproducible',
  'equivalent',
);
test(
  'alignment lost by packing what lies in front is a difference',
  judge,
  () => {
    const file = (name: string, level: number): Buffer =>
      buildZip([
        { name, data: text, level },
        { name: 'resources.arsc', data: text, method: 0 },
      ]);
    const isAligned = (zip: Buffer): boolean => (zip.indexOf('resources.arsc') + 14) % 4 === 0;
    // one of four lengths of a name leaves the table aligned
    const name = ['a', 'aa', 'aaa', 'aaaa'].find((length) => isAligned(file(length, 9))) ?? '';
    const [published, rebuilt] = [file(name, 1), file(name, 9)];
    if (isAligned(published)) throw new Error('both levels give the same length modulo 4');
    return [published, rebuilt];
  },
  'unreproducible',
  'equivalent',
);
const library = (align: number): Buffer =>
  buildZip([
    { name: 'a', data: text },
    { name: 'lib/arm64-v8a/libx.so', data: text, method: 0, align },
  ]);
test(
  'a library padded for pages of 16 KiB that is aligned to 4 KiB only is a difference',
  judge,
  () => [library(4096), library(16_384)],
  'unreproducible',
  'equivalent',
);
test(
  'an alignment field that claims another alignment than it gives',
  judge,
  () => {
    const field = (alignment: number, zeros: number): Buffer => {
      const bytes = Buffer.alloc(6 + zeros);
      bytes.writeUInt16LE(0xd935, 0);
      bytes.writeUInt16LE(2 + zeros, 2);
      bytes.writeUInt16LE(alignment, 4);
      return bytes;
    };
    return [one({ method: 0, localExtra: field(4, 40) }), one({ method: 0 })];
  },
  'unreproducible',
);

// ---------------------------------------------------------------- ZIP64

const members: readonly ZipMember[] = [
  { name: 'a', data: text },
  { name: 'b', data: text.toUpperCase() },
];
test(
  'ZIP64 end records follow what lies in front',
  judge,
  () => [
    buildZip(members, { zip64: true }),
    buildZip(
      members.map((member) => ({ ...member, level: 1 })),
      { zip64: true },
    ),
  ],
  'equivalent',
);
test(
  'a ZIP64 end record on one side only is a difference',
  judge,
  () => [buildZip(members, { zip64: true }), buildZip(members)],
  'unreproducible',
);
test(
  'versions in a ZIP64 end record are a difference',
  judge,
  () => {
    const [p, r] = [buildZip(members, { zip64: true }), buildZip(members, { zip64: true })];
    const at = p.indexOf('PK\x06\x06', 0, 'latin1');
    p[at + 13] = 0x77;
    return [p, r];
  },
  'unreproducible',
);
test(
  'a signature does not hide a ZIP64 end record',
  judge,
  () => [signedApk(buildZip(members), { identity: newIdentity() }), buildZip(members, { zip64: true })],
  'unreproducible',
);

// ---------------------------------------------------------------- the stamp rule

const stamp: ZipMember = { name: 'stamp-cert-sha256', data: Buffer.alloc(32, 7), method: 0 };
const stampRule: CompareOptions = { rules: ['play-stamp-cert'] };
const withStamp =
  (change: Partial<ZipMember>, count = 1): (() => readonly [Buffer, Buffer]) =>
  () => [
    buildZip([...members, ...Array.from({ length: count }, () => ({ ...stamp, ...change }))]),
    buildZip(members),
  ];

test('the stamp rule covers its entry', judge, withStamp({}), 'equivalent', 'equivalent', stampRule);
for (const [what, change, count] of [
  ['a payload as its local name', { localName: Buffer.alloc(60_000, 'payload') }, 1],
  ['another local name of that length', { localName: 'stamp-cert-sha257' }, 1],
  ['three bytes of local extra field', { localExtra: Buffer.from('abc') }, 1],
  ['another local method', { localMethod: 77 }, 1],
  ['other local flags', { localFlags: 0x0f00 }, 1],
  ['another local CRC', { localCrc32: 1 }, 1],
  ['a second one', {}, 2],
  ['a thousand of them', {}, 1000],
] as const)
  test(
    `the stamp rule does not cover ${what}`,
    judge,
    withStamp(change, count),
    'unreproducible',
    'unreproducible',
    stampRule,
  );
test(
  'the stamp rule does not reach into archives inside',
  judge,
  () => [
    buildZip([{ name: 'in.zip', data: buildZip([...members, stamp]), method: 0 }]),
    buildZip([{ name: 'in.zip', data: buildZip(members), method: 0 }]),
  ],
  'unreproducible',
  'unreproducible',
  stampRule,
);

// ---------------------------------------------------------------- tar, ar

const end = Buffer.alloc(1024);
const tar = (...parts: readonly Buffer[]): Buffer => Buffer.concat([...parts, end]);
const file = tarMember({ name: 'm', data: 'hello' });
const record = (padding?: number): Buffer =>
  tarMember({
    name: 'x',
    type: 'x',
    data: paxRecord('mtime', '1.5'),
    ...(padding === undefined ? {} : { padding }),
  });

test(
  'slack that changes places between two equal records',
  judge,
  () => [tar(record(), record(1), file), tar(record(1), record(), file)],
  'unreproducible',
);
test(
  'a checksum spelled otherwise',
  judge,
  () => {
    const digits = file.toString('latin1', 148, 154);
    return [
      tar(tarMember({ name: 'm', data: 'hello', checksum: `${digits} \0` })),
      tar(tarMember({ name: 'm', data: 'hello', checksum: `${digits}\0 ` })),
    ];
  },
  'unreproducible',
);
test(
  'members behind the end of a tar archive',
  judge,
  () => [Buffer.concat([tar(file), file, end]), tar(file)],
  'unreproducible',
);
test(
  'zeros up to a record are packing',
  judge,
  () => [buildTar([{ name: 'm', data: 'hello' }]), tar(tarMember({ name: 'm', data: 'hello' }))],
  'equivalent',
);
test(
  'zeros beyond a record are not',
  judge,
  () => [
    Buffer.concat([buildTar([{ name: 'm', data: 'hello' }]), Buffer.alloc(10_240)]),
    tar(tarMember({ name: 'm', data: 'hello' })),
  ],
  'unreproducible',
);
const version = { name: 'debian-binary', data: '2.0\n' };
const control = { name: 'control.tar', data: tar(file) };
const data = { name: 'data.tar', data: tar(tarMember({ name: 'd', data: text })) };
const hidden = { name: '_payload', data: 'evil' };
for (const [what, list] of [
  ['in front', [hidden, version, control, data]],
  ['in the middle', [version, hidden, control, data]],
  ['at the end', [version, control, data, hidden]],
] as const)
  test(
    `a .deb with a member more, ${what}`,
    judge,
    () => [buildAr(list), buildAr([version, control, data])],
    'unreproducible',
  );
test(
  'a .deb with its members in another order',
  judge,
  () => [buildAr([version, data, control]), buildAr([version, control, data])],
  'unreproducible',
);
test(
  'a .deb with the same member twice',
  judge,
  () => [buildAr([version, control, data, data]), buildAr([version, control, data])],
  'unreproducible',
);

// ---------------------------------------------------------------- encodings that state no size

test('a zstd stream that states no size counts against the limit of all content', async (t) => {
  if (!need(t, 'zstd')) return;
  const zst = (bytes: Buffer, level: string): Buffer =>
    execFileSync('zstd', ['-c', level, '--no-content-size'], { input: bytes });
  const big = Buffer.alloc(1 << 20, 'content');
  const list = (level: string): Buffer =>
    buildZip(Array.from({ length: 8 }, (_, at) => ({ name: `${at}.zst`, data: zst(big, level), method: 0 })));
  const within = await compareBuffers(list('-1'), list('-19'));
  t.is(within.verdict.kind, 'equivalent');
  const { verdict } = await compareBuffers(list('-1'), list('-19'), {
    limits: { decodedBytes: 4.5 * 2 ** 20 },
  });
  t.is(verdict.kind, 'unverifiable');
  t.true(verdict.kind === 'unverifiable' && verdict.reasons.every(({ code }) => code === 'limits'));
});

test('a stream behind the stream: never packing, whatever it holds', async (t) => {
  const raw = deflateRawSync(text);
  for (const tail of [Buffer.alloc(1), deflateRawSync(''), deflateRawSync('payload')])
    t.is(
      (await compareBuffers(one({ raw: Buffer.concat([raw, tail]) }), one({}))).verdict.kind,
      'unreproducible',
    );
});

test('a stream of 60,000 blocks does not take longer than it must', async (t) => {
  if (!need(t, 'xz')) return;
  const bytes = Buffer.alloc(60_000 * 64, text);
  const xz = (level: string): Buffer =>
    execFileSync('xz', ['-c', level, '--block-size=64'], { input: bytes, maxBuffer: 1 << 26 });
  const started = process.cpuUsage();
  const { verdict } = await compareBuffers(xz('-0'), xz('-1'));
  // more room than content in headers and checks
  t.is(verdict.kind, 'unreproducible');
  t.true(process.cpuUsage(started).user < 20e6);
});
