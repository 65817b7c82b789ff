// SPDX-License-Identifier: Apache-2.0
/** A run that somebody had their hands in: nothing that says so becomes a report, and what is shown has no verdict. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { indexReports } from '../../src/operations/index-reports.js';
import { assistedRecord, renderAssisted } from '../../src/report/assisted.js';
import { checkReport } from '../../src/report/check.js';
import { publishReport } from '../../src/report/publish.js';
import type { Report } from '../../src/report/types.js';
import { REPORTS } from '../helpers/a-report.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const WHY = 'the build phase was touched at 2026-11-29T10:00:00.000Z (verify shell)';

async function assisted(): Promise<Report> {
  const report = await REPORTS.different();
  return { ...report, run: { ...report.run, assisted: WHY } };
}

test('it is not published, not consistent, and in no index', async (t) => {
  const report = await assisted();
  const out = temporaryDirectory(t);
  const options = { out, packageRoot: temporaryDirectory(t) };
  const files = [{ name: 'report.json', content: '{}' }];
  await t.throwsAsync(publishReport(report, files, options), { code: 'assisted' });
  t.deepEqual(readdirSync(out), []);
  const checked = checkReport(report);
  t.deepEqual(checked.kind === 'inconsistent' ? checked.problems.map(({ code, at }) => [code, at]) : [], [
    ['assisted', '/run/assisted'],
  ]);
  t.false('inOtherWords' in checked);
  // as somebody would put it there
  const place = path.join(out, 'demo/1.0/website', `${report.statementSha256.slice(0, 12)}-1`);
  mkdirSync(place, { recursive: true });
  writeFileSync(path.join(place, 'report.json'), JSON.stringify(report));
  const error = await t.throwsAsync(indexReports(out), { code: 'report-inconsistent' });
  t.regex(error?.message ?? '', /assisted/);
  t.deepEqual(readdirSync(out), ['demo']);
});

test('which phases were used again is told, and cannot lie after the run', async (t) => {
  const report = await REPORTS.equal();
  const later = { from: 'build', begun: '2999-01-01T00:00:00.000Z' } as const;
  const checked = checkReport({ ...report, run: { ...report.run, resumed: later } });
  t.true(checked.kind === 'inconsistent' && checked.problems.some(({ at }) => at === '/run/resumed'));
});

for (const [name, make] of Object.entries(REPORTS))
  test(`its record has a comparison, and neither it nor its text has a verdict: ${name}`, async (t) => {
    const report = await make();
    const record = assistedRecord(report, WHY, report.statement.comparison);
    t.is(record.pairs.length, report.statement.comparison?.pairs.length ?? 0);
    const { verdict, title } = report.statement;
    for (const text of [JSON.stringify(record), renderAssisted(record)]) {
      t.notRegex(text, /verdict"|reproduced|reproducible|equivalent|not-authentic/i);
      t.false(text.includes(verdict.kind) && verdict.kind !== 'unverifiable', verdict.kind);
      t.false(text.includes(title), title);
    }
  });

test('names are shown inert', async (t) => {
  const report = await REPORTS.equal();
  const record = assistedRecord(report, 'a\u202Eb\u001b[31m', report.statement.comparison);
  const text = renderAssisted({ ...record, unpairedPublished: ['\u001b[2J\u202Ename'] });
  // oxlint-disable-next-line no-control-regex -- they are looked for
  t.notRegex(text, /[\u001b\u202e]/);
});
