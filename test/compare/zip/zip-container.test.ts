// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { crc32, constants, deflateRawSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import type { CompareOptions } from '../../../src/compare/compare.js';
import type { Owner } from '../../../src/compare/types.js';
import type { VerdictKind } from '../../../src/model.js';
import { buildZip, type ZipLayout, type ZipMember } from '../../helpers/build-zip.js';
import { compareBuffers } from '../../helpers/compare-buffers.js';

const text = 'the quick brown fox jumps over the lazy dog, '.repeat(40);
const base: readonly ZipMember[] = [
  { name: 'AndroidManifest.xml', data: text },
  { name: 'classes.dex', data: text.toUpperCase() },
  { name: 'lib/arm64-v8a/libx.so', data: text, method: 0, align: 4096 },
  { name: 'resources.arsc', data: text, method: 0, align: 4 },
  { name: 'assets/a.txt', data: 'a', descriptor: 'signed' },
];
const rebuilt = buildZip(base);

const RANK: readonly VerdictKind[] = [
  'reproducible',
  'equivalent',
  'unverifiable',
  'unbuildable',
  'unreproducible',
  'not-authentic',
];
const rank = (kind: VerdictKind): number => RANK.indexOf(kind);

/** Both directions: a tampered published file and a tampered rebuilt one. */
async function bothWays(
  a: Buffer,
  b: Buffer,
  options: CompareOptions = {},
): Promise<readonly [VerdictKind, VerdictKind]> {
  const forth = await compareBuffers(a, b, options);
  const back = await compareBuffers(b, a, options);
  return [forth.verdict.kind, back.verdict.kind];
}

const differs = test.macro({
  async exec(t, members: readonly ZipMember[], layout: ZipLayout = {}) {
    t.deepEqual(await bothWays(buildZip(members, layout), rebuilt), ['unreproducible', 'unreproducible']);
  },
  title: (given) => `differs: ${given ?? ''}`,
});

const packedDifferently = test.macro({
  async exec(t, members: readonly ZipMember[], layout: ZipLayout = {}) {
    t.deepEqual(await bothWays(buildZip(members, layout), rebuilt), ['equivalent', 'equivalent']);
  },
  title: (given) => `packed differently: ${given ?? ''}`,
});

function changed(index: number, change: Partial<ZipMember>): ZipMember[] {
  return base.map((member, at) => (at === index ? { ...member, ...change } : member));
}

test('an archive and its copy are reproducible', async (t) => {
  t.deepEqual(await bothWays(rebuilt, Buffer.from(rebuilt)), ['reproducible', 'reproducible']);
});

test('one changed byte of content', differs, changed(1, { data: text.toUpperCase().replace('FOX', 'FIX') }));
test('one changed byte of stored content', differs, changed(2, { data: text.replace('fox', 'fix') }));
test('an entry more', differs, [...base, { name: 'x', data: 'x' }]);
test('an entry less', differs, base.slice(1));
test('a second entry of a name', differs, [...base, { name: 'classes.dex', data: 'evil' }]);
test('a second entry of a name, in front', differs, [{ name: 'classes.dex', data: 'evil' }, ...base]);
test('bytes before the archive', differs, base, { prefix: Buffer.from('dex\n035\0') });
test('bytes between entries', differs, changed(1, { gapBefore: Buffer.from('hidden') }));
test('zero bytes between entries', differs, changed(1, { gapBefore: Buffer.alloc(4) }));
test('an orphan local entry', differs, [
  base[0] as ZipMember,
  { name: 'classes9.dex', data: 'evil', orphan: true },
  ...base.slice(1),
]);
test('bytes before the directory', differs, base, { beforeDirectory: Buffer.from('hidden') });
test('zero bytes before the directory', differs, base, { beforeDirectory: Buffer.alloc(64) });
test('bytes between directory and end record', differs, base, {
  betweenDirectoryAndEnd: Buffer.from('hidden'),
});
test('bytes after the end record', differs, base, { trailing: Buffer.from('hidden') });
test('archive comment', differs, base, { comment: Buffer.from('hidden') });
test('entry comment', differs, changed(1, { comment: Buffer.from('hidden') }));
test(
  'extra field in the directory',
  differs,
  changed(1, { extra: Buffer.from('ffff0400aabbccdd', 'hex'), localExtra: Buffer.alloc(0) }),
);
test(
  'extra field in the local header',
  differs,
  changed(1, { localExtra: Buffer.from('ffff0400aabbccdd', 'hex') }),
);
test(
  'an alignment field with a payload',
  differs,
  changed(3, { localExtra: Buffer.from('35d906000400deadbeef', 'hex') }),
);
test('zero padding that aligns nothing', differs, changed(1, { localExtra: Buffer.alloc(5000) }));
test('time', differs, changed(1, { time: 1 }));
test('date', differs, changed(1, { date: 0x5000 }));
test('made by another system', differs, changed(1, { madeBy: 0x0314 }));
test('attributes', differs, changed(1, { externalAttributes: (0o100600 << 16) >>> 0 }));
test('stored instead of deflated', differs, changed(1, { method: 0 }));
test('deflated instead of stored', differs, changed(2, { method: 8 }));
test('local name unlike the directory', differs, changed(1, { localName: 'classez.dex' }));
test('local method unlike the directory', differs, changed(1, { localMethod: 0 }));
test('local CRC unlike the directory', differs, changed(1, { localCrc32: 1 }));
test('a CRC that lies', differs, changed(1, { crc32: 1 }));
test('a size that lies', differs, changed(1, { size: 1 }));
test('the encryption bit', differs, changed(1, { flags: 1 }));
test('an encryption bit over other content', differs, changed(1, { flags: 1, data: 'evil' }));
test('a name in UTF-8 by flag', differs, changed(1, { flags: 0x800 }));
test(
  'junk behind the deflate stream',
  differs,
  changed(1, { raw: Buffer.concat([deflateRawSync(text.toUpperCase()), Buffer.from('hidden')]) }),
);
test('empty blocks in the deflate stream', differs, changed(1, { raw: emptyBlocks(text.toUpperCase()) }));
test('a deflate stream that is longer than its content', differs, changed(4, { raw: emptyBlocks('a') }));
test('an unknown method', differs, changed(1, { method: 93, raw: Buffer.from('x') }));
test('a NUL in a name', differs, changed(1, { name: Buffer.from('classes.dex\0evil') }));
test('a symbolic link', differs, changed(4, { externalAttributes: (0o120777 << 16) >>> 0, madeBy: 0x0314 }));

test('another level', packedDifferently, changed(1, { level: 9, flags: 2 }));
test('level 1', packedDifferently, changed(1, { level: 1 }));
test('a descriptor', packedDifferently, changed(1, { descriptor: 'signed' }));
test('a descriptor without its signature', packedDifferently, changed(4, { descriptor: 'plain' }));
test('another order of data', packedDifferently, [...base].reverse(), { directoryOrder: [4, 3, 2, 1, 0] });
test('another order of the directory', packedDifferently, base, { directoryOrder: [1, 0, 2, 3, 4] });
test('more alignment', packedDifferently, changed(3, { align: 4096 }));

test('lost alignment of what Android maps from the file is a difference; gained alignment is packing', async (t) => {
  const library = buildZip(changed(2, { align: 1 }));
  t.deepEqual(await bothWays(library, rebuilt), ['unreproducible', 'equivalent']);
  // the entry before it, one byte longer, takes the table off its boundary
  const filler = (align: number): Buffer =>
    buildZip([
      { name: 'x', data: 'abc', method: 0 },
      { name: 'resources.arsc', data: text, method: 0, align },
    ]);
  t.deepEqual(await bothWays(filler(1), filler(4)), ['unreproducible', 'equivalent']);
});

/** The content in one stream with needless empty stored blocks before it. */
function emptyBlocks(content: string): Buffer {
  const block = Buffer.from([0x00, 0x00, 0x00, 0xff, 0xff]);
  return Buffer.concat([...Array.from({ length: 40 }, () => block), deflateRawSync(content)]);
}

test('a sync flush leaves a block that no encoder needs', async (t) => {
  const raw = Buffer.concat([
    deflateRawSync('the quick brown', { finishFlush: constants.Z_SYNC_FLUSH }),
    deflateRawSync(''),
  ]);
  const a = buildZip([
    { name: 'x', data: 'the quick brown', raw, size: 15, crc32: crc32('the quick brown') },
  ]);
  const b = buildZip([{ name: 'x', data: 'the quick brown' }]);
  t.deepEqual(await bothWays(a, b), ['unreproducible', 'unreproducible']);
});

test('unequal content of an unread method on both sides is unread, and named', async (t) => {
  const a = buildZip([{ name: 'x', method: 93, raw: Buffer.from('one'), data: 'x' }]);
  const b = buildZip([{ name: 'x', method: 93, raw: Buffer.from('two'), data: 'x' }]);
  const { verdict } = await compareBuffers(a, b);
  t.deepEqual(verdict, {
    kind: 'unverifiable',
    reasons: [{ code: 'unread', detail: 'x: compression method 93 is not read' }],
  });
});

test('streams that neither side decodes are unread; one that does not is different', async (t) => {
  const broken = (seed: number): Buffer =>
    buildZip([{ name: 'x', data: text, raw: Buffer.from([7, seed, 1, 2]) }]);
  t.deepEqual(await bothWays(broken(1), broken(2)), ['unverifiable', 'unverifiable']);
  t.deepEqual(await bothWays(broken(1), buildZip([{ name: 'x', data: text }])), [
    'unreproducible',
    'unreproducible',
  ]);
});

test('over a limit on both sides is unread with the flag that raises it; on one side different', async (t) => {
  const options = { limits: { memberBytes: 1000 } };
  const one = buildZip([{ name: 'x', data: text }]);
  const two = buildZip([{ name: 'x', data: text.replace('fox', 'fix') }]);
  const { verdict } = await compareBuffers(one, two, options);
  t.deepEqual(verdict, {
    kind: 'unverifiable',
    reasons: [{ code: 'limits', detail: 'x: 1800 decoded bytes, limit 1000 (--max-member)' }],
  });
  t.deepEqual(await bothWays(one, buildZip([{ name: 'x', data: 'short' }]), options), [
    'unreproducible',
    'unreproducible',
  ]);
});

test('a nested archive is compared member by member, and stored ones splice into the parent', async (t) => {
  const inner = (data: string): Buffer =>
    buildZip([
      { name: 'a', data },
      { name: 'b', data: 'same' },
    ]);
  for (const method of [0, 8]) {
    const { pair, verdict } = await compareBuffers(
      buildZip([{ name: 'in.jar', method, data: inner('one') }]),
      buildZip([{ name: 'in.jar', method, data: inner('two') }]),
    );
    t.is(verdict.kind, 'unreproducible');
    t.deepEqual(
      pair.nodes.map((node) => node.path),
      [[], ['in.jar'], ['in.jar', 'a']],
    );
    t.is(pair.nodes[1]?.members.find((member) => member.name === 'b')?.owner, 'identical');
  }
});

const member: fc.Arbitrary<ZipMember> = fc.record(
  {
    name: fc.constantFrom('a', 'b', 'c', 'AndroidManifest.xml', 'lib/x.so', 'META-INF/x'),
    data: fc.constantFrom('', 'one', 'two', text),
    method: fc.constantFrom(0, 8),
    descriptor: fc.constantFrom('signed', 'plain'),
    align: fc.constantFrom(4, 4096),
    level: fc.constantFrom(1, 6, 9),
    flags: fc.constantFrom(0, 2, 0x800),
    time: fc.constantFrom(0, 1),
    gapBefore: fc.constantFrom(Buffer.alloc(0), Buffer.from('gap')),
    localExtra: fc.constantFrom(Buffer.alloc(0), Buffer.alloc(3), Buffer.from('35d902000400', 'hex')),
  },
  { requiredKeys: ['name', 'data', 'method'] },
);
const layout: fc.Arbitrary<ZipLayout> = fc.record(
  {
    prefix: fc.constant(Buffer.from('pre')),
    trailing: fc.constant(Buffer.from('post')),
    comment: fc.constant(Buffer.from('comment')),
    beforeDirectory: fc.constant(Buffer.alloc(9)),
  },
  { requiredKeys: [] },
);
const archive = fc.record({ members: fc.array(member, { maxLength: 5 }), layout });

test('any two archives: both ledgers tile, only equal files are all identical, and success means equal content', async (t) => {
  await fc.assert(
    fc.asyncProperty(archive, archive, async (one, two) => {
      const p = buildZip(one.members, one.layout);
      const r = buildZip(two.members, two.layout);
      const { pair, verdict } = await compareBuffers(p, r);
      const [root] = pair.nodes;
      const total = (sums: Readonly<Record<Owner, number>> | undefined): number =>
        Object.values(sums ?? {}).reduce((a, b) => a + b, 0);
      t.is(total(root?.published.sums), p.length);
      t.is(total(root?.rebuilt.sums), r.length);
      t.is(
        root?.published.sums.identical === p.length && root.rebuilt.sums.identical === r.length,
        p.equals(r),
      );
      if (verdict.kind === 'reproducible') t.true(p.equals(r));
      if (verdict.kind === 'equivalent') {
        const content = (zip: typeof one): string[] =>
          zip.members.map(({ name, data, method }) => `${String(name)}=${String(data)}/${method}`).sort();
        t.deepEqual(content(one), content(two));
      }
    }),
    { numRuns: 400 },
  );
});

test('any single changed byte: never reproducible, in either direction', async (t) => {
  for (let at = 0; at < rebuilt.length; at++) {
    const corrupt = Buffer.from(rebuilt);
    corrupt[at] = (corrupt[at] ?? 0) ^ 0x10;
    const [forth, back] = await bothWays(corrupt, rebuilt);
    t.is(forth, 'unreproducible', `byte ${at}`);
    t.is(back, 'unreproducible', `byte ${at}`);
  }
});

const UNREADABLE: readonly (readonly [string, ZipMember])[] = [
  ['encrypted', { name: 'x', data: 'secret', flags: 1 }],
  ['unknown method', { name: 'x', data: 'secret', method: 97 }],
  ['broken stream', { name: 'x', data: 'secret', raw: Buffer.from([7, 7, 7]) }],
  ['oversized', { name: 'x', data: randomBytes(4000) }],
];

for (const [what, unreadable] of UNREADABLE) {
  test(`adding a member that is ${what} never weakens a verdict`, async (t) => {
    const options = { limits: { memberBytes: 2500 } };
    for (const one of [
      base,
      changed(1, { data: 'evil' }),
      changed(1, { level: 1 }),
      changed(1, { flags: 1 }),
    ]) {
      const before = await bothWays(buildZip(one), rebuilt, options);
      const after = await bothWays(buildZip([...one, unreadable]), rebuilt, options);
      t.true(rank(after[0]) >= rank(before[0]));
      t.true(rank(after[1]) >= rank(before[1]));
    }
  });

  test(`replacing any member by one that is ${what} never weakens a verdict`, async (t) => {
    const options = { limits: { memberBytes: 2500 } };
    for (const one of [base, changed(1, { data: 'evil' }), changed(1, { level: 1 })])
      for (const [index, victim] of one.entries()) {
        const before = await bothWays(buildZip(one), rebuilt, options);
        const replaced = one.map((kept, at) => (at === index ? { ...unreadable, name: victim.name } : kept));
        const after = await bothWays(buildZip(replaced), rebuilt, options);
        t.true(rank(after[0]) >= rank(before[0]), `${String(victim.name)} ${before[0]} -> ${after[0]}`);
        t.true(rank(after[1]) >= rank(before[1]), `${String(victim.name)} ${before[1]} -> ${after[1]}`);
      }
  });
}

test('the stamp rule covers exactly 32 bytes of that name, and counts them', async (t) => {
  const stamp = (name: string, size: number, change: Partial<ZipMember> = {}): Buffer =>
    buildZip([...base, { name, data: Buffer.alloc(size, 7), method: 0, ...change }]);
  const options: CompareOptions = { rules: ['play-stamp-cert'] };
  const { verdict } = await compareBuffers(stamp('stamp-cert-sha256', 32), rebuilt, options);
  t.is(verdict.kind, 'equivalent');
  t.deepEqual(verdict.kind === 'equivalent' && verdict.rules, ['play-stamp-cert']);
  const refused: readonly (readonly [string, number, Partial<ZipMember>?])[] = [
    ['stamp-cert-sha256', 33],
    ['stamp-cert-sha256', 31],
    ['stamp-cert-sha256X', 32],
    ['x/stamp-cert-sha256', 32],
    ['stamp-cert-sha256', 32, { comment: Buffer.from('hidden') }],
    ['stamp-cert-sha256', 32, { extra: Buffer.from('ffff0400aabbccdd', 'hex') }],
    ['stamp-cert-sha256', 32, { crc32: 1 }],
  ];
  for (const [name, size, change] of refused)
    t.is(
      (await compareBuffers(stamp(name, size, change), rebuilt, options)).verdict.kind,
      'unreproducible',
      `${name} ${size}`,
    );
  t.is((await compareBuffers(stamp('stamp-cert-sha256', 32), rebuilt)).verdict.kind, 'unreproducible');
});
