// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { canonicalJson, digestOf } from '../../src/canonical-json.js';
import { checkReport } from '../../src/report/check.js';
import type { Report } from '../../src/report/types.js';
import { REPORTS } from '../helpers/a-report.js';

const cases = REPORTS;

for (const [name, make] of Object.entries(cases))
  test(`a report of ours agrees with itself, also after a round trip: ${name}`, async (t) => {
    const report = await make();
    for (const value of [report, JSON.parse(JSON.stringify(report)) as unknown]) {
      const result = checkReport(value);
      t.deepEqual(result.kind === 'inconsistent' ? result.problems : [], []);
    }
  });

test('the statement is the same bytes for the same files', async (t) => {
  const [one, other] = [await cases.different(), await cases.different()];
  t.is(canonicalJson(one.statement), canonicalJson(other.statement));
  t.is(one.statementSha256, digestOf(one.statement));
});

/** Every leaf of the statement, with a way to change it. */
function* leaves(
  value: unknown,
  at: readonly (string | number)[] = [],
): Generator<readonly (string | number)[]> {
  if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value))
      yield* leaves(inner, [...at, Array.isArray(value) ? Number(key) : key]);
  else yield at;
}

function changedAt(report: Report, at: readonly (string | number)[]): Report {
  const copy = structuredClone(report);
  let holder = copy.statement as unknown as Record<string | number, unknown>;
  for (const key of at.slice(0, -1)) holder = holder[key] as Record<string | number, unknown>;
  const key = at.at(-1) as string | number;
  const value = holder[key];
  holder[key] =
    typeof value === 'number' ? value + 1 : typeof value === 'boolean' ? !value : `${String(value)}x`;
  return copy;
}

test('any changed value of the statement is found by its digest', async (t) => {
  const report = await cases.different();
  let tried = 0;
  for (const at of leaves(report.statement)) {
    tried++;
    if (checkReport(changedAt(report, at)).kind !== 'inconsistent') t.fail(`/${at.join('/')}`);
  }
  t.true(tried > 200);
});

/** As a forger would: the digest is made again. */
const forged = (report: Report): Report => ({ ...report, statementSha256: digestOf(report.statement) });

test('a changed number, owner or verdict is found although the digest was made again', async (t) => {
  // free text that no ledger speaks of can be forged by whoever makes the whole report
  const free =
    /^(comparison\/pairs\/0\/(differences|identity|decoders|signature|rules|nodes\/\d+\/(path|format)|nodes\/\d+\/members\/\d+\/(name|rawName|type|kind|occurrence)|nodes\/\d+\/(published|rebuilt)\/runs\/\d+\/region|rebuilt\/name)|subject|source\/submodules\/\d+\/url|deviations\/\d+\/code)/;
  const unnoticed: string[] = [];
  for (const make of [cases.packed, cases.different, cases.unpaired]) {
    const report = await make();
    for (const at of leaves(report.statement)) {
      const place = at.join('/');
      if (free.test(place)) continue;
      if (checkReport(forged(changedAt(report, at))).kind !== 'inconsistent')
        // positions and labels: only the files themselves can tell
        if (!/\/(size|storedSize|offset|member|why|count)$/.test(place)) unnoticed.push(place);
    }
  }
  t.deepEqual(unnoticed, []);
});

test('a mismatch cannot be called reproducible', async (t) => {
  const report = structuredClone(await cases.different());
  const statement = report.statement as { verdict: unknown; title: string };
  statement.verdict = { kind: 'reproducible' };
  statement.title = 'Reproduced';
  const result = checkReport(forged(report));
  t.is(result.kind, 'inconsistent');
  if (result.kind === 'inconsistent') t.true(result.problems.some(({ code }) => code === 'conclusion'));
});

for (const [what, value] of [
  ['nothing', null],
  ['a number', 7],
  ['an empty object', {}],
  ['another version', { schemaVersion: 2 }],
] as const)
  test(`no report: ${what}`, (t) => {
    const result = checkReport(value);
    t.is(result.kind, 'inconsistent');
    if (result.kind === 'inconsistent') t.true(result.problems.every(({ code }) => code === 'shape'));
  });
