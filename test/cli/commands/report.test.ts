// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { renderJson } from '../../../src/report/json.js';
import type { Report } from '../../../src/report/types.js';
import { REPORTS, reportOf } from '../../helpers/a-report.js';
import { buildZip } from '../../helpers/build-zip.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

const main = path.resolve(import.meta.dirname, '../../../bin/main.js');

type Run = (...args: readonly string[]) => ReturnType<typeof verify>;

function stored(t: ExecutionContext, report: Report): { readonly directory: string; readonly run: Run } {
  const directory = temporaryDirectory(t);
  writeFileSync(path.join(directory, 'report.json'), renderJson(report));
  return { directory, run: (...args) => verify(directory, ...args) };
}

function verify(directory: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'report', 'report.json', ...args], {
    cwd: directory,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], NO_COLOR: '1' },
  });
  return { status, stdout, stderr };
}
function many(): Promise<Report> {
  const zip = (data: string): Buffer =>
    buildZip(Array.from({ length: 200 }, (_, at) => ({ name: `assets/${at}.txt`, data: `${at} ${data}\n` })));
  return reportOf(zip('one'), zip('two'));
}

test('every form of text goes to standard output, or to a new file', async (t) => {
  const { directory, run } = stored(t, await REPORTS.different());
  const starts = {
    text: 'Not reproduced',
    brief: 'On 2026-01-02, ',
    json: '{"schemaVersion":1',
    markdown: '# Not reproduced',
  };
  for (const [format, start] of Object.entries(starts)) {
    const { status, stdout } = run('--format', format);
    t.is(status, 0);
    t.true(stdout.startsWith(start), stdout.slice(0, 100));
    t.is(run('--format', format, '--out', `to.${format}`).status, 0);
    t.is(readFileSync(path.join(directory, `to.${format}`), 'utf8'), stdout);
    const again = run('--format', format, '-o', `to.${format}`);
    t.is(again.status, 64);
    t.regex(again.stderr, /\[out-exists\]/);
  }
});

test('html goes to a directory of its own, with all pages and the report itself', async (t) => {
  const { directory, run } = stored(t, await many());
  const first = run('--format', 'html');
  t.is(first.status, 0, first.stderr);
  t.regex(first.stdout, /^samesource-[0-9a-f]{12}\/index\.html\n$/);
  const pages = path.dirname(path.join(directory, first.stdout.trim()));
  for (const name of ['index.html', 'details/data-findings-1.html', 'report.json'])
    t.true(existsSync(path.join(pages, name)), name);
  const second = run('--format', 'html');
  t.is(second.stdout, first.stdout.replace('/index', '-2/index'));
  t.is(run('--format', 'html', '--out', 'pages').stdout, 'pages/index.html\n');
  const again = run('--format', 'html', '--out', 'pages');
  t.is(again.status, 64);
  t.regex(again.stderr, /\[out-exists\]/);
  const dash = run('--format', 'html', '--out=-');
  t.is(dash.status, 64);
  t.regex(dash.stderr, /\[many-pages\][^]*--out DIR/);
});

test('one page of html goes to standard output when asked', async (t) => {
  const { run } = stored(t, await REPORTS.equal());
  const { status, stdout } = run('--format', 'html', '--out=-');
  t.is(status, 0);
  t.true(stdout.startsWith('<!doctype html>'));
});

test('a report that does not agree with itself is shown in no form', async (t) => {
  const report = await REPORTS.different();
  const { run } = stored(t, { ...report, statement: { ...report.statement, title: 'Reproduced' } });
  for (const args of [['--check'], ['--format', 'html'], ['--format', 'brief']]) {
    const { status, stdout } = run(...args);
    t.is(status, 1);
    t.regex(stdout, /^report-inconsistent: /);
  }
  t.is(stored(t, report).run('--check').status, 0);
});
