// SPDX-License-Identifier: Apache-2.0
/** Room that an edit of the store could leave to whoever writes the published file, where both sides have to agree otherwise. */
import { createHash } from 'node:crypto';
import test from 'ava';
import { FormatError } from '../../../src/errors.js';
import { rules } from '../../../src/compare/rules/index.js';
import { readArsc } from '../../../src/formats/arsc.js';
import { writeCanonicalArsc } from '../../../src/formats/arsc-writer.js';
import { SORTED_FLAG } from '../../../src/formats/string-pool.js';
import { smallArsc } from '../../attacks/small-arsc.js';
import { reversePools } from '../../helpers/arsc-edits.js';
import { buildZip, type ZipMember } from '../../helpers/build-zip.js';
import { compareBuffers } from '../../helpers/compare-buffers.js';
import { sortedManifest as manifest } from '../../helpers/sorted-manifest.js';

function coversOf(name: 'play-manifest-metadata' | 'play-arsc-relayout') {
  const { content } = rules[name];
  if (content === undefined) throw new Error(`${name} has no content`);
  return content.covers;
}

test('meta-data: the text beside a resource id, which Android does not read', (t) => {
  const covers = coversOf('play-manifest-metadata');
  t.true(covers(manifest('value'), manifest()));
  t.true(covers(manifest(), manifest('value')));
  t.false(covers(manifest('hidden'.repeat(1000)), manifest()));
  t.false(covers(manifest(), manifest('hidden')));
});

test('resource table: a pool that says it is sorted keeps its order', (t) => {
  const covers = coversOf('play-arsc-relayout');
  const table = smallArsc();
  const other = reversePools(table);
  t.true(covers(table, other));
  const sorted = (bytes: Buffer): Buffer => {
    const out = Buffer.from(bytes);
    out.writeUInt32LE(out.readUInt32LE(12 + 16) | SORTED_FLAG, 12 + 16);
    t.is(readArsc(out).pool.flags & SORTED_FLAG, SORTED_FLAG);
    return out;
  };
  t.true(covers(sorted(table), sorted(table)));
  t.false(covers(sorted(table), sorted(other)));
});

test('resource table: entries that share their bytes do not grow without bounds', (t) => {
  const table = readArsc(smallArsc());
  const packages = table.packages.map((one) => ({
    ...one,
    chunks: one.chunks.map((chunk) =>
      chunk.kind === 'type'
        ? {
            ...chunk,
            entries: Int32Array.from([
              ...chunk.entries,
              ...Array<number>(8 << 20).fill(chunk.entries[0] ?? 0),
            ]),
          }
        : chunk,
    ),
  }));
  const error = t.throws(() => writeCanonicalArsc({ ...table, packages }), { instanceOf: FormatError });
  t.is(error?.code, 'arsc/too-large');
});

// ---------------------------------------------------------------- the stamp's entry

const digest = createHash('sha256').update('a stamp').digest();
const TIMES = { time: 0x0821, date: 0x0221, madeBy: 0x0314 } as const;
const app = (mode: number): ZipMember[] => [
  { name: 'AndroidManifest.xml', data: 'manifest', ...TIMES, externalAttributes: mode },
  { name: 'classes.dex', data: 'code'.repeat(100), ...TIMES, externalAttributes: mode },
];
const stamp = (change: Partial<ZipMember> = {}): ZipMember => ({
  name: 'stamp-cert-sha256',
  data: digest,
  method: 0,
  ...TIMES,
  ...change,
});
const [DELIVERED, BUNDLETOOL] = [0x81a40000, 0x81b60000];
const kindOf = async (
  p: readonly ZipMember[],
  r: readonly ZipMember[],
  ...names: ('play-entry-times' | 'play-stamp-cert')[]
) => (await compareBuffers(buildZip(p), buildZip(r), { rules: names })).verdict.kind;

test('times of entries: a stamp that both sides have is not among those that a row stands for', async (t) => {
  const rebuilt = [...app(BUNDLETOOL), stamp()];
  t.is(await kindOf([...app(DELIVERED), stamp()], rebuilt, 'play-entry-times'), 'equivalent');
  for (const change of [{ time: 0x1234 }, { date: 0x5678 }, { externalAttributes: 0xa1ff1234 }])
    t.is(
      await kindOf([...app(DELIVERED), stamp(change)], rebuilt, 'play-entry-times'),
      'unreproducible',
      JSON.stringify(change),
    );
});

const ROOM: readonly (readonly [string, Partial<ZipMember>])[] = [
  ['attributes of another system', { externalAttributes: 0x81a41234 }],
  ['a link', { externalAttributes: 0xa1ff0000 }],
  ['a version of its own', { madeBy: 0x77ff }],
  ['reserved flags', { flags: 0x1000 }],
  ['another method in the local header', { localMethod: 8 }],
];
for (const [title, change] of ROOM)
  test(`stamp: ${title}`, async (t) => {
    t.is(await kindOf([...app(DELIVERED), stamp()], app(DELIVERED), 'play-stamp-cert'), 'equivalent');
    t.is(
      await kindOf([...app(DELIVERED), stamp(change)], app(DELIVERED), 'play-stamp-cert'),
      'unreproducible',
    );
  });

test('stamp: packed without codes of its own', async (t) => {
  t.is(
    await kindOf([...app(DELIVERED), stamp({ method: 8 })], app(DELIVERED), 'play-stamp-cert'),
    'equivalent',
  );
});
