// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import test from 'ava';
import type { Difference, PairComparison, SetComparison } from '../../src/compare/types.js';
import { boundEvidence, EVIDENCE_BYTES, fairShares } from '../../src/report/evidence.js';
import { findingRow } from '../../src/report/html-finding.js';
import { REPORTS } from '../helpers/a-report.js';

async function setOf(...lists: readonly (readonly Difference[])[]): Promise<SetComparison> {
  const pair = (await REPORTS.different()).statement.comparison?.pairs[0] as PairComparison;
  return {
    pairs: lists.map((differences) => ({ ...pair, differences, differencesCut: 0 })),
    unpairedPublished: [],
    notObtained: [],
    unpairedRebuilt: [],
    notPublished: [],
  };
}

/** What the findings take in report.json and in the pages beside it; counted until it is more than `enough`. */
function taken({ pairs }: SetComparison, enough = Infinity): number {
  let bytes = 0;
  for (const [at, { published, differences }] of pairs.entries()) {
    bytes += Buffer.byteLength(JSON.stringify(differences));
    for (const [index, difference] of differences.entries()) {
      const pointer = `/statement/comparison/pairs/${at}/differences/${index}`;
      const row = findingRow({ file: published.name, difference, key: '', pointer }, `code-${index}`, false);
      bytes += Buffer.byteLength(row.markup);
      if (bytes > enough) return bytes;
    }
  }
  return bytes;
}

const bytes = (name: string, fill: number): Difference => ({
  kind: 'bytes',
  path: [name],
  publishedOffset: 1e9,
  publishedLength: 64,
  rebuiltOffset: 1e9,
  rebuiltLength: 64,
  publishedHex: '0a'.repeat(64),
  rebuiltHex: Array.from({ length: 64 }, (_, at) =>
    at % 2 === 0 ? '0a' : fill.toString(16).padStart(2, '0'),
  ).join(''),
});
const text = (name: string, line: string, lines: number): Difference => ({
  kind: 'text',
  path: [name],
  patch: Array.from({ length: lines }, (_, at) => `${at % 2 === 0 ? '+' : '-'}${line}\n`).join(''),
  cutLines: 0,
});
const many = <T>(n: number, make: (at: number) => T): T[] => Array.from({ length: n }, (_, at) => make(at));

for (const [what, lists] of Object.entries({
  dumps: [many(20_000, (at) => bytes(`member-${at}`, at % 256))],
  'patches full of brackets': [many(3_000, (at) => text(`<${at}>`, '<&"\'`>'.repeat(20), 100))],
  'patches of short lines': [many(3_000, (at) => text(`m${at}`, 'x', 300))],
  'control characters': [many(3_000, (at) => text(`m${at}`, '\u0001\u202e\u200b'.repeat(30), 10))],
  fields: [
    many(
      20_000,
      (at) =>
        ({
          kind: 'field',
          path: ["'".repeat(40), `${at}`],
          field: 'mode',
          published: '<a>',
          rebuilt: '"b"',
          owner: 'different',
        }) as const,
    ),
  ],
  'many pairs': many(50, (pair) => many(pair * 20, (at) => bytes(`member-${at}`, 7))),
} satisfies Record<string, readonly (readonly Difference[])[]>))
  test(`evidence stays within its bound, and what was cut is counted: ${what}`, async (t) => {
    const all = await setOf(...lists);
    const bounded = boundEvidence(all);
    t.true(taken(all, EVIDENCE_BYTES) > EVIDENCE_BYTES);
    t.true(taken(bounded) <= EVIDENCE_BYTES, `${taken(bounded)} bytes`);
    t.true(taken(bounded) > EVIDENCE_BYTES / 4, `${taken(bounded)} bytes`);
    for (const [at, pair] of bounded.pairs.entries())
      t.is(pair.differences.length + pair.differencesCut, all.pairs[at]?.differences.length ?? 0);
  });

test('a finding of each member stays before a second one of any', async (t) => {
  const noisy = many(5_000, () => bytes('one', 1));
  const bounded = boundEvidence(await setOf([...noisy, bytes('two', 1)]));
  const [pair] = bounded.pairs;
  t.true((pair?.differencesCut ?? 0) > 0);
  t.true(pair?.differences.some(({ path }) => path[0] === 'two'));
});

test('3,000 short findings are kept whole', async (t) => {
  const bounded = boundEvidence(
    await setOf(many(3_000, (at) => text(`assets/part-${at}.txt`, `${at} one`, 2))),
  );
  t.is(bounded.pairs[0]?.differencesCut, 0);
});

test('shares never exceed the limit, and nobody gets more than it needs', (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_000)), fc.nat(20_000), (needs, limit) => {
      const shares = fairShares(needs, limit);
      const sum = (list: readonly number[]): number => list.reduce((all, one) => all + one, 0);
      return (
        sum(shares) <= limit &&
        shares.every((share, at) => share <= (needs[at] ?? 0)) &&
        (sum(needs) > limit || sum(shares) === sum(needs))
      );
    }),
  );
  t.deepEqual(fairShares([10, 100, 5], 60), [10, 45, 5]);
});
