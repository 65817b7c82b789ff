// SPDX-License-Identifier: Apache-2.0
/** The reports that this project publishes: readable by anyone, and true to their own ledgers. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { indexReports } from '../../src/operations/index-reports.js';
import { readReport } from '../../src/operations/read-report.js';
import { reportSchema } from '../../src/report/schema.js';
import type { Report } from '../../src/report/types.js';
import { packageDirectory } from '../helpers/cli.js';
import { runCli } from '../helpers/run-cli.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const root = path.join(packageDirectory, 'reports');
const reports = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => path.basename(name) === 'report.json')
  .map((name) => path.join(root, name));

test('there is one of a messenger and one of the demo', (t) => {
  const apps = reports.map((file) => path.relative(root, file).split(path.sep)[0]);
  t.true(apps.includes('weechat') && apps.includes('demo'));
});

for (const file of reports)
  test(`it has the published shape: ${path.relative(root, file)}`, async (t) => {
    const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
    t.true(reportSchema.safeParse(report).success);
    const result = await readReport(file);
    const problems = result.kind === 'inconsistent' ? result.problems : [];
    // sentences may be put better one day; what they rest on stays
    const lasting = problems.filter(({ code }) => code !== 'conclusion' && code !== 'run');
    t.deepEqual(lasting, []);
  });

test('the index is the one that the reports give: `npm run reports:index`', async (t) => {
  t.false((await indexReports(root, { check: true })).changed);
});

test('a report of another version is told from one that was edited', async (t) => {
  const [file = ''] = reports;
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  const other = path.join(temporaryDirectory(t), 'report.json');
  const run = { ...report.run, tool: { ...report.run.tool, version: '0.0.1' }, statements: [] };
  writeFileSync(other, JSON.stringify({ ...report, run }));
  const { exitCode, output } = await runCli(['report', other, '--check']);
  t.is(exitCode, 1);
  t.regex(output, /made by samesource 0\.0\.1, this is /);
});
