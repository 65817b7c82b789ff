// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { scanReports } from '../../../src/operations/scan-reports.js';
import { renderJson } from '../../../src/report/json.js';
import { standingOf } from '../../../src/report/standing.js';
import type { Report } from '../../../src/report/types.js';
import { FULL, reportOf } from '../../helpers/a-report.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

const main = path.resolve(import.meta.dirname, '../../../bin/main.js');

async function stored(t: ExecutionContext) {
  const report: Report = await reportOf(Buffer.from('one'), Buffer.from('two'), FULL);
  const reports = path.join(temporaryDirectory(t), 'reports');
  const directory = path.join(reports, 'demo/1.0/website', `${report.statementSha256.slice(0, 12)}-1`);
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, 'report.json'), renderJson(report));
  const verify = (...args: readonly string[]) =>
    spawnSync(process.execPath, [main, ...args], {
      cwd: path.dirname(reports),
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], NO_COLOR: '1' },
    });
  return {
    report,
    reports,
    notes: () => readdirSync(path.join(directory, 'notes')).sort(),
    read: (name: string) =>
      JSON.parse(readFileSync(path.join(directory, 'notes', name), 'utf8')) as Record<string, unknown>,
    run: (...args: readonly string[]) => verify('report', directory, ...args),
    verify,
  };
}

test('a withdrawn report stands no more, and says so under its verdict', async (t) => {
  const { report, reports, notes, read, run, verify } = await stored(t);
  const stands = async () => standingOf((await scanReports(reports)).index);
  t.is((await stands()).standing.length, 1);
  const done = run('--withdraw', 'built with another JDK', '--by', 'A. Auditor', '--date', '2026-11-29');
  t.is(done.status, 0, done.stderr);
  t.regex(done.stdout, /notes\/2026-11-29-withdrawal-1\.json\n$/);
  t.deepEqual(notes(), ['2026-11-29-withdrawal-1.json']);
  t.deepEqual(read('2026-11-29-withdrawal-1.json'), {
    schemaVersion: 1,
    kind: 'withdrawal',
    statementSha256: report.statementSha256,
    date: '2026-11-29',
    by: 'A. Auditor',
    text: 'built with another JDK',
  });
  const after = await stands();
  t.deepEqual(after.standing, []);
  t.is(after.notStanding[0]?.kind, 'withdrawn');
  t.regex(run().stdout, /^ {2}withdrawal by A\. Auditor, 2026-11-29: built with another JDK$/m);
  const found = verify('lookup', report.statement.subject.published[0]?.sha256 ?? '', '--reports', reports);
  t.is(found.status, 4, found.stdout);
  const again = run('--withdraw', 'once more', '--by', 'B');
  t.is(again.status, 64);
  t.regex(again.stderr, /\[already-withdrawn\][^]*built with another JDK/);
});

test('notes are only added, each under a name of its own; the report stays as it is', async (t) => {
  const { notes, read, run } = await stored(t);
  const on = ['--by', 'The makers', '--date', '2026-01-02'];
  t.is(
    run('--note', 'we look into it', '--kind', 'vendor-response', '--url', 'https://example.org/1', ...on)
      .status,
    0,
  );
  t.is(run('--note', 'fixed in 1.1', '--kind', 'vendor-response', ...on).status, 0);
  t.is(run('--note', 'a \u001b[31mword\u202e', ...on).status, 0);
  t.deepEqual(notes(), [
    '2026-01-02-correction-1.json',
    '2026-01-02-vendor-response-1.json',
    '2026-01-02-vendor-response-2.json',
  ]);
  t.is(read('2026-01-02-vendor-response-1.json')['url'], 'https://example.org/1');
  const { stdout, status } = run();
  t.is(status, 0);
  t.regex(stdout, /correction by The makers, 2026-01-02: a \\x1b\[31mword\\u\{202e\}/);
  t.is(run('--check').status, 0);
});

test('what is no note is refused, and nothing is written', async (t) => {
  const { run, reports } = await stored(t);
  const written = () =>
    readdirSync(reports, { recursive: true }).filter((name) => String(name).includes('notes'));
  const by = ['--by', 'A'];
  for (const [args, code] of [
    [['--note', 'x'], 'note-options'],
    [['--note', 'x', '--withdraw', 'y', ...by], 'note-options'],
    [['--kind', 'correction'], 'note-options'],
    [['--by', 'A'], 'note-options'],
    [['--note', '  ', ...by], 'note-invalid'],
    [['--note', 'x', '--by', ' '], 'note-invalid'],
    [['--note', 'x'.repeat(20_001), ...by], 'note-invalid'],
    [['--note', 'x', ...by, '--date', '29.11.2026'], 'note-invalid'],
    [['--note', 'x', ...by, '--date', '2026-02-30'], 'note-invalid'],
    [['--note', 'x', ...by, '--url', 'javascript:alert(1)'], 'note-invalid'],
  ] as const) {
    const { status, stderr } = run(...args);
    t.is(status, 64, args.join(' ').slice(0, 80));
    t.true(stderr.includes(`[${code}]`), stderr);
  }
  t.deepEqual(written(), []);
});
