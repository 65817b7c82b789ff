// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { renderSummary } from '../../src/report/summary.js';
import { REPORTS } from '../helpers/a-report.js';
import { hostileReport } from '../helpers/hostile-report.js';

const SCREEN = 40;

for (const [name, make] of Object.entries(REPORTS))
  test(`the end of a run fits a screen and has its verdict and its limits: ${name}`, async (t) => {
    const report = await make();
    const summary = renderSummary(report);
    t.true(summary.split('\n').length <= SCREEN, summary);
    t.true(summary.includes(`[${report.statement.verdict.kind}]`));
    for (const { sentence } of report.statement.doesNotSay) t.true(summary.includes(sentence));
  });

test('hostile texts stay on the screen as text', async (t) => {
  const summary = renderSummary(await hostileReport());
  // oxlint-disable-next-line no-control-regex
  t.notRegex(summary, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  t.true(summary.split('\n').every((line) => line.length < 700));
});
