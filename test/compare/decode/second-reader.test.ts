// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { BufferSource, SliceSource, type ByteSource } from '../../../src/bytes.js';
import { FailedHere } from '../../../src/errors.js';
import { comparePair, compareSources } from '../../../src/compare/compare.js';
import { secondReaderDisagrees } from '../../../src/compare/decode/second-reader.js';
import { readZip, type ZipStructure } from '../../../src/formats/zip.js';
import { TEXT } from '../../helpers/ambiguous-zips.js';
import { buildZip, type ZipLayout, type ZipMember } from '../../helpers/build-zip.js';
import { verdictOf } from '../../helpers/compare-buffers.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

function archive(
  t: ExecutionContext,
  members: readonly ZipMember[],
  layout: ZipLayout = {},
): { readonly file: string; readonly source: ByteSource; readonly zip: ZipStructure } {
  const bytes = buildZip(members, layout);
  const file = path.join(temporaryDirectory(t), 'archive.zip');
  writeFileSync(file, bytes);
  const source = new BufferSource(bytes);
  return { file, source, zip: readZip(source) };
}

const agrees = test.macro(async (t, members: readonly ZipMember[], layout: ZipLayout = {}) => {
  const { source, zip } = archive(t, members, layout);
  t.is(await secondReaderDisagrees(source, zip), undefined);
});

test('both readers agree on plain entries', agrees, [
  { name: 'a', data: 'x' },
  { name: 'b', data: 'y', method: 0 },
]);
test('both readers agree on duplicate names', agrees, [
  { name: 'a', data: 'x' },
  { name: 'a', data: 'yy' },
]);
test(
  'both readers agree on names that are traps of JavaScript and of paths',
  agrees,
  ['__proto__', '10', '9', '../evil', 'a\\b', 'constructor', 'a\nb'].map((name) => ({ name, data: 'x' })),
);
test('both readers agree on bytes that are no UTF-8', agrees, [
  { name: Buffer.from([0xff, 0x41]), data: 'x' },
]);
test('both readers agree on ZIP64', agrees, [{ name: 'a', data: 'x' }], { zip64: true });
test('both readers agree on a descriptor', agrees, [{ name: 'a', data: 'x', descriptor: 'signed' }]);

test('every fact that differs is a disagreement', async (t) => {
  const { source, zip } = archive(t, [
    { name: 'a', data: 'x' },
    { name: 'b', data: 'y' },
  ]);
  const [first, second] = zip.entries;
  if (first === undefined || second === undefined) return t.fail('two entries expected');
  const { rawName, size, compressedSize, crc32, method, flags, localOffset } = second;
  const facts = { rawName, size, compressedSize, crc32, method, flags, localOffset };
  const same = { ...zip, entries: [first, { ...second, ...facts }] };
  t.is(await secondReaderDisagrees(source, same), undefined);
  for (const [what, change] of [
    ['size', { size: 7 }],
    ['compressed size', { compressedSize: 7 }],
    ['crc32', { crc32: 7 }],
    ['name', { rawName: Buffer.from('z') }],
    ['method', { method: 0 }],
    ['flags', { flags: 7 }],
    ['offset', { localOffset: 7 }],
  ] as const) {
    const changed = { ...zip, entries: [first, { ...second, ...facts, ...change }] };
    t.true((await secondReaderDisagrees(source, changed))?.startsWith(`${what} of entry 1: `));
  }
  t.is(await secondReaderDisagrees(source, { ...zip, entries: [first] }), '2 entries against 1');
});

test('both readers agree behind a prefix', agrees, [{ name: 'a', data: 'x' }], {
  prefix: Buffer.from('dex\n'),
});
test('both readers agree on an orphan and a gap', agrees, [
  { name: 'a', data: 'x' },
  { name: 'a', data: 'y', orphan: true },
  { name: 'b', data: 'z', gapBefore: Buffer.from('gap') },
]);
test('both readers agree with bytes behind the end', agrees, [{ name: 'a', data: 'x' }], {
  trailing: Buffer.from('more'),
});
test('both readers agree on a comment', agrees, [{ name: 'a', data: 'x', comment: Buffer.from('c') }], {
  comment: Buffer.alloc(0xfffe, 'c'),
});
test('the other reader does not find an end record behind the longest of comments', async (t) => {
  const { source, zip } = archive(t, [{ name: 'a', data: 'x' }], { comment: Buffer.alloc(0xffff, 'c') });
  t.regex((await secondReaderDisagrees(source, zip)) ?? '', /refuses the file/);
});
test('both readers agree on a gap before the end record', agrees, [{ name: 'a', data: 'x' }], {
  betweenDirectoryAndEnd: Buffer.from('gap'),
});

test('what the other reader throws out of a callback is a disagreement, and the process goes on', async (t) => {
  // its search for the ZIP64 end record finds the signature in the comment, too close to the end for a record
  const { source, zip } = archive(t, [{ name: 'a', data: 'x' }], {
    zip64: true,
    comment: Buffer.from('PK\x06\x06 and nothing more', 'latin1'),
  });
  t.regex((await secondReaderDisagrees(source, zip)) ?? '', /^it fails: /);
});

test('readers that disagree are never reproducible, and said in the reason', async (t) => {
  const layout: ZipLayout = { zip64: true, comment: Buffer.from('PK\x06\x06 and nothing more', 'latin1') };
  const published = archive(t, [{ name: 'a', data: TEXT, level: 9 }], layout);
  const rebuilt = archive(t, [{ name: 'a', data: TEXT, level: 1 }], layout);
  const pair = await comparePair(published.file, rebuilt.file);
  t.is(verdictOf(pair).kind, 'unverifiable');
  t.regex(pair.unverifiable[0]?.detail ?? '', /^readers-disagree: node-stream-zip/);
  t.true(pair.differences.some(({ kind }) => kind === 'unread'));
});

test('an archive inside of another is read twice as well: splits come so', async (t) => {
  const layout: ZipLayout = { zip64: true, comment: Buffer.from('PK\x06\x06 and nothing more', 'latin1') };
  const inside = (level: number): SliceSource => {
    const { source } = archive(t, [{ name: 'a', data: TEXT, level }], layout);
    const outer = new BufferSource(Buffer.concat([Buffer.from('before'), source.read(0, source.size)]));
    return new SliceSource(outer, 6, source.size);
  };
  const pair = await compareSources(inside(9), inside(1), {});
  t.is(verdictOf(pair).kind, 'unverifiable');
  t.regex(pair.unverifiable[0]?.detail ?? '', /^readers-disagree: /);
});

test('a source that cannot be read is nobody’s disagreement', async (t) => {
  const { source, zip } = archive(t, [{ name: 'a', data: 'x' }]);
  const broken: ByteSource = {
    size: source.size,
    read() {
      throw new FailedHere('unreadable-input', 'the disk is gone');
    },
  };
  await t.throwsAsync(secondReaderDisagrees(broken, zip), { instanceOf: FailedHere });
});

test('several archives at once', async (t) => {
  const all = [1, 2, 3].map((count) =>
    archive(
      t,
      Array.from({ length: count }, (_, at) => ({ name: `${at}`, data: 'x' })),
    ),
  );
  const found = await Promise.all(all.map(({ source, zip }) => secondReaderDisagrees(source, zip)));
  t.deepEqual(found, [undefined, undefined, undefined]);
  const [one, two] = all;
  if (one === undefined || two === undefined) return t.fail('three archives expected');
  t.is(await secondReaderDisagrees(one.source, two.zip), '1 entries against 2');
});

test('a file that the other reader refuses is a disagreement', async (t) => {
  const { zip } = archive(t, [{ name: 'a', data: 'x' }]);
  const source = new BufferSource(Buffer.from('no archive'));
  t.regex((await secondReaderDisagrees(source, zip)) ?? '', /refuses/);
});

test('the comparison of files names the other reader when it disagrees, and stays silent when not', async (t) => {
  const published = archive(t, [{ name: 'a', data: TEXT, level: 9 }]);
  const rebuilt = archive(t, [{ name: 'a', data: TEXT, level: 1 }]);
  const pair = await comparePair(published.file, rebuilt.file);
  t.is(verdictOf(pair).kind, 'equivalent');
  t.is(pair.unverifiable.length, 0);
});
