// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import JSZip from 'jszip';
import test from 'ava';
import { readReport } from '../../src/operations/read-report.js';
import { storeAttempt, storeReport } from '../../src/operations/store.js';
import { evidenceBundle } from '../../src/report/evidence-bundle.js';
import { redacted, redactor } from '../../src/report/redact.js';
import { REPORTS } from '../helpers/a-report.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

test('a report is stored in every form, and agrees with itself there', async (t) => {
  const out = temporaryDirectory(t);
  const report = await REPORTS.different();
  const directory = await storeReport(report, { out });
  t.is(
    path.relative(out, directory),
    path.join('reports', 'demo', '1.0', 'website', `${report.statementSha256.slice(0, 12)}-1`),
  );
  t.deepEqual(readdirSync(directory).sort(), [
    'brief.txt',
    'index.html',
    'report.json',
    'report.md',
    'report.txt',
  ]);
  t.is((await readReport(directory)).kind, 'consistent');
  t.true(readFileSync(path.join(directory, 'index.html'), 'utf8').includes(report.statementSha256));
});

test('a report in the directory of another one is noticed', async (t) => {
  const out = temporaryDirectory(t);
  const directory = await storeReport(await REPORTS.different(), { out });
  const elsewhere = path.join(path.dirname(directory), `${'0'.repeat(12)}-1`);
  renameSync(directory, elsewhere);
  const result = await readReport(elsewhere);
  t.is(result.kind, 'inconsistent');
  if (result.kind === 'inconsistent')
    t.deepEqual(
      result.problems.map(({ code }) => code),
      ['place'],
    );
});

test('the full evidence is one archive beside the report, never over another file', async (t) => {
  const out = temporaryDirectory(t);
  const log = path.join(out, 'build.log');
  writeFileSync(log, `cc ${process.cwd()}/main.c on <b>\n`);
  const report = await REPORTS.different();
  const { comparison } = report.statement;
  if (comparison === undefined) return t.fail();
  const file = path.join(out, 'evidence.zip');
  const evidence = {
    file,
    comparison,
    logs: [
      { name: 'build 1.log', path: log },
      { name: '../gone', path: `${log}.gone` },
    ],
  };
  const directory = await storeReport(report, { out, evidence });
  t.false(readdirSync(directory).includes('evidence.zip'));
  const zip = await JSZip.loadAsync(readFileSync(file));
  const names = Object.keys(zip.files);
  t.deepEqual(names, [
    'index.json',
    'logs/1-build_1.log',
    'logs/2-gone',
    'pairs/0001/findings.jsonl',
    'pairs/0001/pair.json',
    'report.json',
  ]);
  const findings = await zip.file('pairs/0001/findings.jsonl')?.async('string');
  t.deepEqual(
    (findings ?? '')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
    comparison.pairs[0]?.differences,
  );
  t.is(await zip.file('logs/1-build_1.log')?.async('string'), 'cc <samesource>/main.c on <b>\n');
  await t.throwsAsync(storeReport(report, { out, evidence }), { code: 'evidence-exists' });
  t.is(readdirSync(path.dirname(directory)).length, 1);
});

test('the same evidence gives the same archive', async (t) => {
  const report = await REPORTS.different();
  const make = async () =>
    await evidenceBundle(report, report.statement.comparison, [{ name: 'logs/a', content: 'x' }]);
  const one = await make();
  await new Promise((resolve) => setTimeout(resolve, 2_100));
  t.deepEqual(one, await make());
});

test('a run without a verdict keeps why, its plan and its logs, and nothing of the machine', async (t) => {
  const out = temporaryDirectory(t);
  const run = path.join(out, 'work-4711');
  mkdirSync(run);
  const log = path.join(run, 'prepare.log');
  writeFileSync(log, `fetch http://mirror.example.internal/x\ncd ${run}/source\n`);
  const attempt = {
    run: '2026-01-02T03-04-05Z-demo',
    failure: { class: 'disk-full', message: `no space left in ${run}/outputs`, hint: 'free some space' },
    record: { builds: 1 },
    logs: [{ name: 'prepare.log', path: log }],
  };
  const options = { out, private: [run, 'mirror.example.internal'] };
  const directory = await storeAttempt(attempt, options);
  t.is(path.relative(out, directory), path.join('attempts', attempt.run));
  const failure = readFileSync(path.join(directory, 'failure.json'), 'utf8');
  t.deepEqual(JSON.parse(failure), {
    schemaVersion: 1,
    outcome: 'failed-here',
    failure: { class: 'disk-full', message: 'no space left in <private>/outputs', hint: 'free some space' },
    record: { builds: 1 },
  });
  t.is(
    readFileSync(path.join(directory, 'logs', '1-prepare.log'), 'utf8'),
    'fetch http://<private>/x\ncd <private>/source\n',
  );
  t.not(await storeAttempt(attempt, options), directory);
  t.false(readdirSync(out).includes('reports'));
});

test('a log without end is kept with both ends', async (t) => {
  const out = temporaryDirectory(t);
  const log = path.join(out, 'a.log');
  writeFileSync(log, `first\n${'x'.repeat(20 << 20)}\nlast\n`);
  const directory = await storeAttempt(
    { run: 'r', failure: { class: 'time-limit', message: 'm' }, logs: [{ name: 'a.log', path: log }] },
    { out },
  );
  const kept = path.join(directory, 'logs', '1-a.log');
  t.true(statSync(kept).size < 17 << 20);
  const text = readFileSync(kept, 'utf8');
  t.true(text.startsWith('first\n') && text.endsWith('\nlast\n'));
  t.regex(text, /\nsamesource: \d+ bytes are left out here\n/);
});

test('names of users and hosts are words, paths are not', (t) => {
  const redact = redactor([
    { text: 'alice', as: '<user>', word: true },
    { text: '/srv/a', as: '<one>' },
    { text: '/srv/a/b', as: '<two>' },
    { text: 'x', as: '<short>' },
  ]);
  t.is(redact('alice malice alice-smith (alice) x'), '<user> malice alice-smith (<user>) x');
  t.is(redact('/srv/a/b/c /srv/a/d'), '<two>/c <one>/d');
  t.deepEqual(redacted({ alice: ['by alice', 1, null] }, redact), { alice: ['by <user>', 1, null] });
  t.is(redactor([{ text: 'a.c', as: '$&' }])('abc a.c'), 'abc $&');
  t.true(os.hostname().length > 0);
});
