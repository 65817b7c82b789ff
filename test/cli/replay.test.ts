// SPDX-License-Identifier: Apache-2.0
/** `replay` from the command line, with the demo's report: the same again, another one, and what cannot be replayed. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { digestOf } from '../../src/canonical-json.js';
import { commandLine, type Cli } from '../helpers/cli.js';
import { appRecipe, scratchPackage } from '../helpers/scratch-package.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';
import { compareReports } from '../../src/report/compare-reports.js';
import type { Report } from '../../src/report/types.js';

function demoReport(cli: Cli): string {
  cli('demo');
  const parent = path.join(cli.directory, 'reports/demo/1.0.0/demo');
  return path.join(parent, readdirSync(parent)[0] ?? '', 'report.json');
}

test('the same plan gives the same statement, with and without the network', (t) => {
  const cli = commandLine(t);
  const file = demoReport(cli);
  for (const more of [[], ['--offline']]) {
    const { exitCode, stdout, stderr } = cli('replay', file, ...more);
    t.is(exitCode, 0, stderr);
    t.regex(stdout, /^the same statement\n {2}published {3}same/);
    t.regex(stdout, /\n {2}outputs {5}same/);
  }
  const { stages, same } = JSON.parse(cli('replay', file, '--offline', '--json').stdout) as {
    readonly same: boolean;
    readonly stages: readonly { readonly stage: string; readonly outcome: string }[];
  };
  t.true(same);
  t.deepEqual(
    stages.map(({ stage, outcome }) => `${stage} ${outcome}`),
    [
      'published same',
      'source same',
      'environment same',
      'conditions same',
      'inputs same',
      'fetched unknown',
      'outputs same',
      'comparison same',
      'statement same',
    ],
  );
});

test('another published file is another statement; what is no report is said', (t) => {
  const cli = commandLine(t);
  const file = demoReport(cli);
  const other = path.join(cli.directory, 'app.apk');
  const tampered = cli('demo', '--tampered');
  t.is(tampered.exitCode, 1);
  writeFileSync(other, 'no APK');
  const replayed = cli('replay', file, '--published', other);
  t.not(replayed.exitCode, 0);
  t.is(cli('replay', other).exitCode, 64);
  const report = JSON.parse(readFileSync(file, 'utf8')) as { statement: Record<string, unknown> };
  writeFileSync(
    path.join(cli.directory, 'forged.json'),
    JSON.stringify({ ...report, statementSha256: '0'.repeat(64) }),
  );
  const forged = cli('replay', 'forged.json');
  t.is(forged.exitCode, 64);
  t.regex(forged.stderr, /report-inconsistent/);
});

test('what a report adds to its plan does not run here; a replay that is stored says what it is', (t) => {
  const cli = commandLine(t);
  const file = demoReport(cli);
  const { statement, ...report } = JSON.parse(readFileSync(file, 'utf8')) as Report;
  const planned = statement.plan?.build;
  const phases = planned?.phases.map((phase) => ({ ...phase, script: `${phase.script}\ntouch here` }));
  const build = { ...planned, phases };
  const forged = { ...statement, plan: { ...statement.plan, build, buildDigest: digestOf(build) } };
  writeFileSync(
    path.join(cli.directory, 'forged.json'),
    JSON.stringify({ ...report, statement: forged, statementSha256: digestOf(forged) }),
  );
  t.is(cli('report', 'forged.json', '--check').exitCode, 0, 'it agrees with itself');
  const refused = cli('replay', 'forged.json');
  t.is(refused.exitCode, 64);
  t.regex(refused.stderr, /\[foreign-plan\].*runs without a container/);

  t.is(cli('replay', file, '--out', 'again').exitCode, 0);
  const parent = path.join(cli.directory, 'again/reports/demo/1.0.0/demo');
  const stored = path.join(parent, readdirSync(parent)[0] ?? '', 'report.json');
  const { run } = JSON.parse(readFileSync(stored, 'utf8')) as Report;
  t.is(run.replayOf, report.statementSha256);
  t.true(run.statements.some(({ code }) => code === 'replay'));
});

test('each stage that parts is named', (t) => {
  const cli = commandLine(t);
  const then = JSON.parse(readFileSync(demoReport(cli), 'utf8')) as Report;
  const [file] = then.statement.subject.rebuilt;
  if (file === undefined) throw new Error('no output');
  const statement = {
    ...then.statement,
    subject: { ...then.statement.subject, rebuilt: [{ ...file, sha256: '0'.repeat(64) }] },
  };
  const world = {
    phase: 'prepare',
    from: 'network',
    count: 1,
    bytes: 1,
    requests: [
      { method: 'GET', url: 'http://example.org/', status: 200, size: 1, sha256: '1'.repeat(64), time: '' },
    ],
    unrecorded: [],
  } as const;
  const [request] = world.requests;
  const fetched = (sha256: string) => [{ ...world, requests: [{ ...request, sha256 }] }];
  const stages = compareReports(
    { ...then, run: { ...then.run, fetched: fetched('1'.repeat(64)) } },
    {
      ...then,
      statement,
      statementSha256: digestOf(statement),
      run: { ...then.run, fetched: fetched('2'.repeat(64)) },
    },
  );
  t.deepEqual(
    stages.filter(({ outcome }) => outcome === 'other').map(({ stage }) => stage),
    ['fetched', 'outputs', 'statement'],
  );
  t.regex(stages.find(({ stage }) => stage === 'outputs')?.detail ?? '', /^then .*; now .* sha256:0{64}$/);
  t.regex(stages.at(-1)?.detail ?? '', /they differ in subject$/);
});

test('a match under other conditions is made under those again; where that is not needed any more, it says so', async (t) => {
  const gate = path.join(temporaryDirectory(t), 'planned');
  const scratch = scratchPackage(t, {
    zone: appRecipe({
      app: 'zone',
      // what the machine has can change from one day to the next; nothing keeps a local build from it
      build: `if test -e '${gate}'; then echo '<+14>-14' > result.txt; else echo "$TZ" > result.txt; fi`,
      vary: '[time-zone]',
    }),
  });
  writeFileSync(path.join(scratch.work, 'theirs.txt'), '<+14>-14\n');
  const first = await scratch.run(['zone', '1.0.0', '--published', 'theirs.txt']);
  t.is(first.code, 0, first.stderr);
  const parent = path.join(scratch.work, 'reports/zone/1.0.0/own');
  const file = path.join(parent, readdirSync(parent)[0] ?? '', 'report.json');
  const { run, statement } = JSON.parse(readFileSync(file, 'utf8')) as Report;
  t.true(run.variations?.some(({ reported }) => reported === true));
  const again = await scratch.run(['replay', file, '--published', 'theirs.txt', '--out', 'again']);
  t.is(again.code, 0, again.stdout + again.stderr);
  t.regex(again.stdout, /^the same statement$/m);
  t.regex(again.stdout, /^ {2}conditions +same +with another time zone$/m);
  const stored = path.join(scratch.work, 'again/reports/zone/1.0.0/own');
  const replayed = JSON.parse(
    readFileSync(path.join(stored, readdirSync(stored)[0] ?? '', 'report.json'), 'utf8'),
  ) as Report;
  t.deepEqual(replayed.statement, statement);
  // a file that neither gives
  writeFileSync(path.join(scratch.work, 'others.txt'), 'neither\n');
  const other = await scratch.run(['replay', file, '--published', 'others.txt']);
  t.is(other.code, 1);
  t.regex(
    other.stdout,
    /^ {2}conditions +other +then with another time zone, now as planned: A build with another time zone differed/m,
  );
  // the build as planned is enough now
  writeFileSync(gate, '');
  const enough = await scratch.run(['replay', file, '--published', 'theirs.txt', '--out', 'planned']);
  t.is(enough.code, 1);
  t.regex(
    enough.stdout,
    /^ {2}conditions +other +then with another time zone, now as planned: no build under other conditions was made$/m,
  );
  const plain = path.join(scratch.work, 'planned/reports/zone/1.0.0/own');
  const checked = await scratch.run(['report', path.join(plain, readdirSync(plain)[0] ?? ''), '--check']);
  t.is(checked.code, 0, checked.stdout + checked.stderr);
});
