// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { BufferSource } from '../../../src/bytes.js';
import { comparePair } from '../../../src/compare/compare.js';
import { secondReaderDisagrees } from '../../../src/compare/decode/second-reader.js';
import { readZip, type ZipStructure } from '../../../src/formats/zip.js';
import { buildZip, type ZipLayout, type ZipMember } from '../../helpers/build-zip.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

function archive(
  t: ExecutionContext,
  members: readonly ZipMember[],
  layout: ZipLayout = {},
): { readonly file: string; readonly zip: ZipStructure } {
  const bytes = buildZip(members, layout);
  const file = path.join(temporaryDirectory(t), 'archive.zip');
  writeFileSync(file, bytes);
  return { file, zip: readZip(new BufferSource(bytes)) };
}

const agrees = test.macro(async (t, members: readonly ZipMember[], layout: ZipLayout = {}) => {
  const { file, zip } = archive(t, members, layout);
  t.is(await secondReaderDisagrees(file, zip), undefined);
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
  const { file, zip } = archive(t, [
    { name: 'a', data: 'x' },
    { name: 'b', data: 'y' },
  ]);
  const [first, second] = zip.entries;
  if (first === undefined || second === undefined) return t.fail('two entries expected');
  const { rawName, size, compressedSize, crc32 } = second;
  const facts = { rawName, size, compressedSize, crc32 };
  for (const change of [{ size: 7 }, { compressedSize: 7 }, { crc32: 7 }, { rawName: Buffer.from('z') }])
    t.regex(
      (await secondReaderDisagrees(file, { ...zip, entries: [first, { ...second, ...facts, ...change }] })) ??
        '',
      /of entry 1/,
    );
  t.is(await secondReaderDisagrees(file, { ...zip, entries: [first] }), '2 entries against 1');
});

test('a file that the other reader refuses is a disagreement', async (t) => {
  const { zip } = archive(t, [{ name: 'a', data: 'x' }]);
  const file = path.join(temporaryDirectory(t), 'other.zip');
  writeFileSync(file, 'no archive');
  t.regex((await secondReaderDisagrees(file, zip)) ?? '', /refuses/);
});

test('the comparison of files names the other reader when it disagrees, and stays silent when not', async (t) => {
  const published = archive(t, [{ name: 'a', data: 'x'.repeat(99), level: 9 }]);
  const rebuilt = archive(t, [{ name: 'a', data: 'x'.repeat(99), level: 1 }]);
  const pair = await comparePair(published.file, rebuilt.file);
  t.is(pair.unverifiable.length, 0);
});
