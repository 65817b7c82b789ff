// SPDX-License-Identifier: Apache-2.0
/** The demo from the command line: the real pipeline, from the source in the package to a stored report. */
import { cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { commandLine, packageDirectory, type Cli } from '../helpers/cli.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';
import { verify } from '../../src/index.js';
import type { Report } from '../../src/report/types.js';

const MAIN = 'dist/bin/main.js';

/** A copy of the package whose demo source says something else. */
function changedPackage(t: ExecutionContext, file: string, change: (text: string) => string): string {
  const root = temporaryDirectory(t);
  for (const part of ['demo', 'recipes', 'docker', 'package.json', 'dist/bin'])
    cpSync(path.join(packageDirectory, part), path.join(root, part), { recursive: true });
  symlinkSync(path.join(packageDirectory, 'node_modules'), path.join(root, 'node_modules'));
  const source = path.join(root, 'demo/source', file);
  const [before, after] = [readFileSync(source, 'utf8'), change(readFileSync(source, 'utf8'))];
  t.not(after, before);
  writeFileSync(source, after);
  return path.join(root, MAIN);
}

function storedReports(cli: Cli): string[] {
  const parent = path.join(cli.directory, 'reports/demo/1.0.0/demo');
  return readdirSync(parent).map((name) => path.join(parent, name));
}

const reportOf = (directory: string): Report =>
  JSON.parse(readFileSync(path.join(directory, 'report.json'), 'utf8')) as Report;

test('the demo is reproducible, says what was carried in and that no container was used', (t) => {
  const cli = commandLine(t);
  const { exitCode, stdout, stderr } = cli('demo');
  t.is(exitCode, 0, stderr);
  t.regex(stdout, /^Reproduced {2}\[reproducible\]/);
  t.regex(stdout, /no container was used/);
  t.regex(stdout, /libcrypto-prebuilt\.so was carried in, not built/);
  const [directory, ...more] = storedReports(cli);
  t.deepEqual(more, []);
  const { statement } = reportOf(directory ?? '');
  t.is(statement.verdict.kind, 'reproducible');
  t.is(statement.coverage.ratio, 1);
  t.deepEqual(
    statement.origins.map(({ kind, member }) => `${kind} ${member}`),
    ['built app-unsigned.apk!/classes.dex', 'carried app-unsigned.apk!/lib/arm64-v8a/libcrypto-prebuilt.so'],
  );
  t.is(cli('report', directory ?? '', '--check').exitCode, 0);
});

test('two runs give one statement, and the second report lies beside the first', (t) => {
  const cli = commandLine(t);
  cli('demo');
  cli('demo');
  const reports = storedReports(cli);
  t.is(reports.length, 2);
  const digests = reports.map((directory) => reportOf(directory).statementSha256);
  t.is(new Set(digests).size, 1);
  t.deepEqual(
    reports.map((directory) => path.basename(directory)).sort(),
    [1, 2].map((n) => `${digests[0]?.slice(0, 12)}-${n}`),
  );
});

test('the tampered files are unreproducible: entry, offset and length are named', (t) => {
  const { exitCode, stdout } = commandLine(t)('demo', '--tampered');
  t.is(exitCode, 1);
  t.is(stdout.match(/^Not reproduced .*\[unreproducible\]/gm)?.length, 2);
  t.regex(stdout, /classes\.dex: offset \d+, 1 published against 1 rebuilt bytes/);
  t.regex(stdout, /64 bytes at offset \d+ of the published file that no structure owns/);
});

test('one changed character of the source is enough', (t) => {
  const cli = commandLine(
    t,
    changedPackage(t, 'src/Texts.txt', (text) => text.replace('every byte', 'every bite')),
  );
  const { exitCode, stdout, stderr } = cli('demo');
  t.is(exitCode, 1, stderr);
  t.regex(stdout, /^Not reproduced \(2 builds, 1 machine\) {2}\[unreproducible\]/);
  t.regex(stdout, /classes\.dex/);
});

test('a source of another version is not built', (t) => {
  const cli = commandLine(
    t,
    changedPackage(t, 'version.txt', (text) => text.replace('1.0.0', '1.0.1')),
  );
  const { exitCode, stdout } = cli('demo');
  t.is(exitCode, 2);
  t.regex(stdout, /version-file-mismatch/);
});

test('a source that does not build is unbuildable', (t) => {
  const cli = commandLine(
    t,
    changedPackage(t, 'build.mjs', (text) => `throw new Error('no such thing');\n${text}`),
  );
  const { exitCode, stdout } = cli('demo');
  t.is(exitCode, 2);
  t.regex(stdout, /^The published source did not build {2}\[unbuildable\]/);
});

test('JSON on standard output is one document', (t) => {
  const { exitCode, stdout } = commandLine(t)('demo', '--json', '--quiet');
  t.is(exitCode, 0);
  const [report] = JSON.parse(stdout) as readonly Report[];
  t.is(report?.statement.verdict.kind, 'reproducible');
});

test('a later report can take the place of an earlier one of the same target, and of no other', async (t) => {
  const cli = commandLine(t);
  cli('demo');
  const [earlier = ''] = storedReports(cli);
  const request = { app: 'demo', version: 'latest', supersedes: earlier };
  const { report } = await verify(request);
  t.is(report.run.supersedes, reportOf(earlier).statementSha256);
  t.true(report.run.statements.some((line) => line.code === 'supersedes'));
  const compared = path.join(cli.directory, 'compared');
  const apk = path.join(packageDirectory, 'demo/published/app.apk');
  t.is(
    cli('compare', apk, path.join(packageDirectory, 'demo/published/tampered-dex.apk'), '--out', compared)
      .exitCode,
    1,
  );
  const [other = ''] = readdirSync(path.join(compared, 'reports/compare'));
  const supersedes = path.join(compared, 'reports/compare', other);
  await t.throwsAsync(verify({ ...request, supersedes }), { code: 'supersedes-other' });
});
