// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Report } from '../../../src/report/types.js';
import { renderJson } from '../../../src/report/json.js';
import { aPlan } from '../../helpers/a-plan.js';
import { FULL, reportOf } from '../../helpers/a-report.js';
import { aRun } from '../../helpers/a-run.js';
import { buildZip } from '../../helpers/build-zip.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

const main = path.resolve(import.meta.dirname, '../../../bin/main.js');
const { environment } = FULL.run ?? {};
/** One build that matched. */
const MATCHED = {
  ...FULL,
  run: aRun({ builds: 1, matchingBuilds: 1, ...(environment === undefined ? {} : { environment }) }),
};
const zip = (text: string): Buffer => buildZip([{ name: 'classes.dex', data: text.repeat(50) }]);

function stored(t: ExecutionContext, reports: Readonly<Record<string, Report | string>>) {
  const directory = temporaryDirectory(t);
  for (const [name, report] of Object.entries(reports)) {
    mkdirSync(path.join(directory, name));
    const text = typeof report === 'string' ? report : renderJson(report);
    writeFileSync(path.join(directory, name, 'report.json'), text);
  }
  return (...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'reconcile', ...args], {
      cwd: directory,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], NO_COLOR: '1' },
    });
    return { status, stdout, stderr };
  };
}

test('two reports: exit 0 where nothing parts, 1 and the place where something does', async (t) => {
  const mine = await reportOf(zip('one'), zip('one'), MATCHED);
  const theirs = await reportOf(zip('one'), zip('two'), FULL);
  const run = stored(t, { mine, again: mine, theirs });
  const same = run('mine', 'again/report.json');
  t.is(same.status, 0, same.stderr);
  t.regex(same.stdout, /^same file, same source, same plan, same environment, .*same verdict\n/);
  const other = run('mine', 'theirs');
  t.is(other.status, 1, other.stderr);
  t.regex(other.stdout, /; classes\.dex differs; then verdict/);
  t.regex(other.stdout, /^≠ rebuilt files {2}<- here they part$/m);
  t.regex(other.stdout, /^= source$/m);
  const json = run('mine', 'theirs', '--json');
  t.is(json.status, 1);
  t.is((JSON.parse(json.stdout) as { readonly first: string }).first, 'outputs');
});

test('other published files are said first and loudly, whatever their names hold', async (t) => {
  const target = { app: 'demo', version: '1.0', channel: 'website' };
  const mine = await reportOf(zip('one'), zip('one'), { ...MATCHED, target });
  const theirs = await reportOf(zip('two'), zip('two'), { ...MATCHED, target });
  const run = stored(t, { mine, theirs });
  const { status, stdout } = run('mine', 'theirs');
  t.is(status, 1);
  t.regex(
    stdout,
    /^DIFFERENT PUBLISHED FILES as demo 1\.0 \(website\):\n {2}app\.apk\n {4}A sha256:[0-9a-f]{64}\n {4}B sha256:/,
  );
});

test('what is no pair of reports about one target is the caller’s mistake', async (t) => {
  const mine = await reportOf(zip('one'), zip('one'), MATCHED);
  const target = { app: 'demo', version: '2.0', channel: 'website' };
  const plan = aPlan({ build: { version: '2.0' }, compare: { target } });
  const other = await reportOf(zip('one'), zip('one'), { ...MATCHED, target, plan });
  const forged = { ...mine, statementSha256: '0'.repeat(64) };
  const run = stored(t, { mine, other, forged, text: 'not JSON' });
  for (const [name, code] of [
    ['other', 'other-target'],
    ['forged', 'report-inconsistent'],
    ['text', 'not-json'],
  ] as const) {
    const { status, stderr } = run('mine', name);
    t.is(status, 64, stderr);
    t.true(stderr.includes(`[${code}]`), stderr);
  }
  t.is(run('mine', 'nowhere').status, 75);
});
