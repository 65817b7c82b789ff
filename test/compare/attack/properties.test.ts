// SPDX-License-Identifier: Apache-2.0
/** What must hold for any two files: sums, one-to-one and in order, monotonicity; tar, ar and ZIP, both directions. */
import { randomBytes } from 'node:crypto';
import { deflateRawSync, gzipSync, inflateRawSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { BufferSource } from '../../../src/bytes.js';
import type { CompareOptions } from '../../../src/compare/compare.js';
import { OWNERS, type PairComparison, type Side } from '../../../src/compare/types.js';
import { readZip } from '../../../src/formats/zip.js';
import type { VerdictKind } from '../../../src/model.js';
import { buildAr, type ArMemberSpec } from '../../helpers/build-ar.js';
import { buildTar, paxRecord, type TarMemberSpec } from '../../helpers/build-tar.js';
import { buildZip, type ZipMember } from '../../helpers/build-zip.js';
import { compareBuffers } from '../../helpers/compare-buffers.js';

const SEED = 20261125;
const ORDER: readonly VerdictKind[] = [
  'reproducible',
  'equivalent',
  'unverifiable',
  'unbuildable',
  'unreproducible',
  'not-authentic',
];
const rank = (kind: VerdictKind): number => ORDER.indexOf(kind);

async function bothWays(
  a: Buffer,
  b: Buffer,
  options: CompareOptions = {},
): Promise<readonly [VerdictKind, VerdictKind]> {
  return [
    (await compareBuffers(a, b, options)).verdict.kind,
    (await compareBuffers(b, a, options)).verdict.kind,
  ];
}

/** Sums and tiling at every node; only equal bytes are all identical; identical is one-to-one. */
function assertLedgers(t: ExecutionContext, pair: PairComparison, p: Buffer, r: Buffer): void {
  for (const node of pair.nodes) {
    for (const side of ['published', 'rebuilt'] as const satisfies readonly Side[]) {
      const { size, sums, runs } = node[side];
      const listed = runs.reduce((sum, run) => sum + run.length, 0);
      if (OWNERS.reduce((sum, owner) => sum + sums[owner], 0) !== size) t.fail('the sums are not the size');
      if (sums.identical + listed !== size) t.fail('the runs are not what is not identical');
    }
    if (node.published.sums.identical !== node.rebuilt.sums.identical) t.fail('identical is not one-to-one');
  }
  const [root] = pair.nodes;
  if ((root?.published.size ?? -1) !== p.length || (root?.rebuilt.size ?? -1) !== r.length)
    t.fail('root size');
  if ((pair.worst === 'identical') !== p.equals(r)) t.fail('identical and equal are not the same');
}

const text = 'the quick brown fox jumps over the lazy dog, '.repeat(20);
const content = fc.constantFrom(
  '',
  'one',
  'two',
  text,
  gzipSync(text, { level: 1 }),
  gzipSync(text, { level: 9 }),
);

const tarMember: fc.Arbitrary<TarMemberSpec> = fc.record(
  {
    name: fc.constantFrom('a', 'b', 'c.gz', 'd/'),
    data: content,
    mtime: fc.constantFrom('00000000001\0', '00000000002\0'),
    mode: fc.constantFrom('0000644\0', '000644 \0'),
    padding: fc.constantFrom(0, 0, 0, 7),
    userName: fc.constantFrom('', 'root'),
  },
  { requiredKeys: ['name', 'data'] },
);
const tarRecord: fc.Arbitrary<TarMemberSpec> = fc.record(
  {
    name: fc.constant('x'),
    type: fc.constantFrom('x', 'g'),
    data: fc.constantFrom(paxRecord('mtime', '1.5'), paxRecord('comment', 'c')),
    padding: fc.constantFrom(0, 7),
  },
  { requiredKeys: ['name', 'type', 'data'] },
);
const tarFile = fc
  .tuple(
    fc.array(fc.tuple(fc.array(tarRecord, { maxLength: 2 }), tarMember), { maxLength: 4 }),
    fc.constantFrom(undefined, Buffer.alloc(1024), Buffer.alloc(512), Buffer.alloc(1024, 1), Buffer.alloc(0)),
  )
  .map(([list, end]) =>
    buildTar(
      list.flatMap(([records, member]) => [...records, member]),
      end,
    ),
  );

const arMember: fc.Arbitrary<ArMemberSpec> = fc.record(
  {
    name: fc.constantFrom('a', 'a/', 'b', 'c.gz', 'debian-binary'),
    data: content,
    mtime: fc.constantFrom('1', '2'),
    padding: fc.constantFrom('\n', '\n', 'x'),
  },
  { requiredKeys: ['name', 'data'] },
);
const arFile = fc
  .tuple(fc.array(arMember, { maxLength: 4 }), fc.constantFrom('', 'x'))
  .map(([list, trailing]) => buildAr(list, trailing));

for (const [what, file] of [
  ['tar', tarFile],
  ['ar', arFile],
  ['tar in gzip', tarFile.map((bytes) => gzipSync(bytes))],
  ['tar in ar', tarFile.map((bytes) => buildAr([{ name: 'data.tar', data: bytes }]))],
  ['ar in ZIP', arFile.map((bytes) => buildZip([{ name: 'x.a', data: bytes }]))],
] as const)
  test(`any two ${what} files: the ledgers add up, and only equal files are identical`, async (t) => {
    await fc.assert(
      fc.asyncProperty(file, file, async (p, r) => {
        const { pair, verdict } = await compareBuffers(p, r);
        assertLedgers(t, pair, p, r);
        if (verdict.kind === 'reproducible') t.true(p.equals(r));
        const back = await compareBuffers(r, p);
        assertLedgers(t, back.pair, r, p);
        t.is(verdict.kind, back.verdict.kind);
      }),
      { seed: SEED, numRuns: 400, interruptAfterTimeLimit: 15_000 },
    );
    t.pass();
  });

// ---------------------------------------------------------------- members that nobody can read

const LIMITS: CompareOptions = { limits: { memberBytes: 5000 } };
const UNREADABLE: readonly (readonly [what: string, content: Buffer])[] = [
  ['broken', Buffer.concat([gzipSync(text).subarray(0, 30), Buffer.alloc(40, 7)])],
  ['oversized', gzipSync(Buffer.alloc(9000, 1))],
  ['oversized in a second way', gzipSync(randomBytes(9000))],
  ['encrypted, by its looks', randomBytes(200)],
  ['empty', Buffer.alloc(0)],
];

interface Spec {
  readonly name: string;
  readonly data: Buffer;
}
const plain: readonly Spec[] = [
  { name: 'a.gz', data: gzipSync(text) },
  { name: 'b.gz', data: gzipSync(Buffer.alloc(9000)) },
  { name: 'c', data: Buffer.from(text) },
];
const variants: readonly (readonly Spec[])[] = [
  plain,
  plain.map((spec) => (spec.name === 'c' ? { ...spec, data: Buffer.from('evil') } : spec)),
  plain.map((spec) => (spec.name === 'a.gz' ? { ...spec, data: gzipSync(text, { level: 1 }) } : spec)),
  plain.map((spec) => (spec.name === 'b.gz' ? { ...spec, data: gzipSync(Buffer.alloc(9001)) } : spec)),
];

for (const [format, build] of [
  ['tar', (specs: readonly Spec[]) => buildTar(specs)],
  ['ar', (specs: readonly Spec[]) => buildAr(specs)],
  ['ZIP', (specs: readonly Spec[]) => buildZip(specs.map((spec) => ({ ...spec, method: 0 })))],
  ['tar in gzip', (specs: readonly Spec[]) => gzipSync(buildTar(specs))],
] as const)
  test(`a member that nobody reads, added to or put into a ${format} file, never weakens its verdict`, async (t) => {
    const options: CompareOptions = format === 'tar in gzip' ? { limits: { memberBytes: 60_000 } } : LIMITS;
    const rebuilt = build(plain);
    for (const specs of variants) {
      const before = await bothWays(build(specs), rebuilt, options);
      for (const [what, data] of UNREADABLE) {
        const tampered = [
          ...[0, 1, specs.length].map((at) => specs.toSpliced(at, 0, { name: 'z.gz', data })),
          ...specs.map((spec, at) => specs.toSpliced(at, 1, { ...spec, data })),
        ];
        for (const [index, list] of tampered.entries()) {
          const after = await bothWays(build(list), rebuilt, options);
          for (const way of [0, 1] as const)
            t.true(
              rank(after[way]) >= rank(before[way]),
              `${what} ${index}: ${before[way]} -> ${after[way]}`,
            );
        }
      }
    }
  });

// ---------------------------------------------------------------- packing means the same content

/** Read by nothing of ours but the places: what an extractor would get. */
function extracted(zip: Buffer): readonly string[] {
  const { entries } = readZip(new BufferSource(zip));
  return entries
    .map((entry) => {
      const raw = zip.subarray(entry.dataOffset, entry.dataOffset + entry.compressedSize);
      const data = entry.method === 8 ? inflateRawSync(raw) : raw;
      return `${entry.rawName.toString('hex')} ${entry.method} ${data.toString('hex')}`;
    })
    .sort();
}

test('whatever changes in the bytes of an archive: success means that the same content comes out', async (t) => {
  const members: readonly ZipMember[] = [
    { name: 'a', data: text },
    { name: 'b', data: text.toUpperCase(), descriptor: 'signed' },
    { name: 'c', data: 'abc', method: 0, align: 4 },
    { name: 'd', data: '', raw: deflateRawSync('') },
  ];
  const rebuilt = buildZip(members);
  const expected = extracted(rebuilt);
  let packed = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(rebuilt.length - 1), fc.nat(7)), { minLength: 1, maxLength: 2 }),
      async (changes) => {
        const published = Buffer.from(rebuilt);
        for (const [at, bit] of changes) published[at] = (published[at] ?? 0) ^ (1 << bit);
        const { verdict, pair } = await compareBuffers(published, rebuilt);
        assertLedgers(t, pair, published, rebuilt);
        if (verdict.kind === 'reproducible') return published.equals(rebuilt);
        if (verdict.kind !== 'equivalent') return true;
        packed++;
        return JSON.stringify(extracted(published)) === JSON.stringify(expected);
      },
    ),
    { seed: SEED, numRuns: 6000, interruptAfterTimeLimit: 20_000 },
  );
  t.log(`${packed} were packed differently`);
  t.true(packed > 0);
});
