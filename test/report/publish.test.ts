// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { keepAttempt, publishReport, writePages } from '../../src/report/publish.js';
import { REPORTS } from '../helpers/a-report.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

test('a report goes where its target says, and is never overwritten', async (t) => {
  const out = temporaryDirectory(t);
  const options = { out, packageRoot: temporaryDirectory(t) };
  const report = await REPORTS.different();
  const files = [
    { name: 'report.json', content: '{}' },
    { name: 'details/a-1.html', content: 'a' },
  ];
  const places = await Promise.all([1, 2, 3].map(() => publishReport(report, files, options)));
  const parent = path.join(out, 'reports', 'demo', '1.0', 'website');
  const short = report.statementSha256.slice(0, 12);
  const expected = [1, 2, 3].map((n) => `${short}-${n}`);
  t.deepEqual(places.map((place) => path.relative(parent, place)).sort(), expected);
  t.deepEqual(readdirSync(parent).sort(), expected);
  t.is(readFileSync(path.join(parent, `${short}-3`, 'details', 'a-1.html'), 'utf8'), 'a');
});

test('a run without a verdict is kept among the attempts only', async (t) => {
  const out = temporaryDirectory(t);
  const options = { out, packageRoot: temporaryDirectory(t) };
  const files = [{ name: 'failure.json', content: '{}' }];
  const places = [await keepAttempt('run', files, options), await keepAttempt('run', files, options)];
  t.deepEqual(
    places.map((place) => path.relative(out, place)),
    [path.join('attempts', 'run'), path.join('attempts', 'run-2')],
  );
  t.deepEqual(readdirSync(out), ['attempts']);
});

test('nothing is written into an installed package, and nothing is left behind', async (t) => {
  const packageRoot = path.join(temporaryDirectory(t), 'node_modules', 'samesource');
  mkdirSync(packageRoot, { recursive: true });
  const report = await REPORTS.equal();
  const files = [{ name: 'report.json', content: '{}' }];
  await t.throwsAsync(publishReport(report, files, { out: packageRoot, packageRoot }), {
    code: 'out-in-package',
  });
  t.false(readdirSync(packageRoot, { recursive: true }).some((name) => String(name).includes('report.json')));
});

for (const name of ['../evil', '.hidden', 'a//b', '/etc/x', 'a\nb', ''])
  test(`no file of a report is called ${JSON.stringify(name)}`, async (t) => {
    const out = temporaryDirectory(t);
    const options = { out, packageRoot: temporaryDirectory(t) };
    await t.throwsAsync(publishReport(await REPORTS.equal(), [{ name, content: '' }], options));
    t.deepEqual(readdirSync(out), []);
  });

test('what a failed write made is removed, and what was there or holds something stays', async (t) => {
  const out = path.join(temporaryDirectory(t), 'new', 'out');
  const options = { out, packageRoot: temporaryDirectory(t) };
  const [bad, good] = [[{ name: '.x', content: '' }], [{ name: 'x', content: '' }]];
  const report = await REPORTS.equal();
  await t.throwsAsync(publishReport(report, bad, options));
  await t.throwsAsync(keepAttempt('run', bad, options));
  await t.throwsAsync(writePages(path.join(out, 'pages'), bad, false));
  t.false(existsSync(path.dirname(out)));
  mkdirSync(path.join(out, 'reports'), { recursive: true });
  await t.throwsAsync(publishReport(report, bad, options));
  t.deepEqual(readdirSync(out, { recursive: true }), ['reports']);
  const kept = await publishReport(report, good, options);
  await t.throwsAsync(publishReport(report, bad, options));
  t.deepEqual(readdirSync(path.dirname(kept)), [path.basename(kept)]);
});

test('a target cannot lead out of the reports', async (t) => {
  const out = temporaryDirectory(t);
  const report = await REPORTS.different();
  const target = { app: 'demo', version: '../../../x', channel: 'website' } as const;
  const hostile = {
    ...report,
    statement: { ...report.statement, subject: { ...report.statement.subject, target } },
  };
  await t.throwsAsync(
    publishReport(hostile, [{ name: 'report.json', content: '' }], {
      out,
      packageRoot: temporaryDirectory(t),
    }),
    { code: 'bad-report-path' },
  );
  t.deepEqual(readdirSync(out), []);
});

test('versions that are no file names have a place all the same', async (t) => {
  const out = temporaryDirectory(t);
  const report = await REPORTS.different();
  for (const [version, segment] of [
    ['1:2.3-4', '1~2.3-4'],
    ['>=10.9 <11', 'v_10.9_11'],
    ['*', 'v_'],
  ] as const) {
    const subject = { ...report.statement.subject, target: { app: 'demo', version, channel: 'any' } };
    const of = { ...report, statement: { ...report.statement, subject } };
    const place = await publishReport(of, [{ name: 'a', content: '' }], {
      out,
      packageRoot: temporaryDirectory(t),
    });
    t.is(path.relative(path.join(out, 'reports/demo'), path.dirname(path.dirname(place))), segment);
  }
});
