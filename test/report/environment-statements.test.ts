// SPDX-License-Identifier: Apache-2.0
/** What the report says of the publisher's environment, and how to check it without this tool. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { EVIDENCE_KINDS } from '../../src/compare/types.js';
import { assembleReport, type ReportInput } from '../../src/report/assemble.js';
import type { Statement } from '../../src/report/types.js';
import { aRun } from '../helpers/a-run.js';
import { buildZip } from '../helpers/build-zip.js';
import { need } from '../helpers/need.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const OURS = '1'.repeat(40);
const THEIRS = '2'.repeat(40);
const SOURCE: ReportInput['source'] = {
  kind: 'git',
  repository: 'https://example.org/demo.git',
  commit: OURS,
  treeSha256: '3'.repeat(64),
  from: 'upstream',
  submodules: [],
  lfs: [],
};
const HOSTILE = "it's $(touch x).apk";

function statements(input: Partial<ReportInput>): readonly Statement[] {
  return assembleReport({
    target: { app: 'demo', version: '1.0', channel: 'website' },
    published: [],
    rebuilt: [],
    run: aRun(),
    ...input,
  }).statement.statements;
}

const named = (commit: string): Partial<ReportInput> => ({
  publisherEnvironment: [
    { file: 'app.apk', from: 'version-control-info', fact: `commit ${commit} (in META-INF/x)` },
  ],
});
const other = (input: Partial<ReportInput>): Statement | undefined =>
  statements(input).find(({ code }) => code === 'built-from-other-commit');

test('another commit than ours is said, with the command to try it', (t) => {
  const said = other({ ...named(THEIRS), source: SOURCE });
  t.deepEqual(said?.basis, ['/statement/publisherEnvironment/0', '/statement/source']);
  t.is(said?.check, 'unzip -p app.apk META-INF/version-control-info.textproto');
  t.true(
    said?.sentence.includes(
      `git clone https://example.org/demo.git source && git -C source checkout ${THEIRS} && verify demo 1.0 --source source`,
    ),
  );
});

test('our own commit, no commit or no commit of ours is nothing to try', (t) => {
  t.is(other({ ...named(OURS), source: SOURCE }), undefined);
  t.is(other(named(THEIRS)), undefined);
  t.is(other({ source: SOURCE }), undefined);
  t.is(other({ ...named('no commit: NO_SUPPORTED_VCS_FOUND'), source: SOURCE }), undefined);
});

for (const from of EVIDENCE_KINDS)
  test(`evidence from ${from} has a shell line that parses, whatever the file is called`, (t) => {
    if (!need(t, 'sh')) return;
    for (const file of ['app.apk', 'chat.deb', HOSTILE]) {
      const [said] = statements({ publisherEnvironment: [{ file, from, fact: 'a fact' }] }).filter(
        ({ code }) => code === 'publisher-environment',
      );
      t.deepEqual(said?.basis, ['/statement/publisherEnvironment/0']);
      t.notThrows(() => execFileSync('sh', ['-n', '-c', said?.check ?? '(']));
    }
  });

test('the shell line for markers finds them', (t) => {
  if (!need(t, 'sh', 'unzip', 'grep')) return;
  const directory = temporaryDirectory(t);
  const marker = '~~R8{"version":"8.1.56"}';
  writeFileSync(path.join(directory, HOSTILE), buildZip([{ name: 'classes.dex', data: `\0\0${marker}\0` }]));
  const [said] = statements({
    publisherEnvironment: [{ file: HOSTILE, from: 'r8-marker', fact: marker }],
  }).filter(({ code }) => code === 'publisher-environment');
  const output = execFileSync('sh', ['-c', said?.check ?? 'false'], { cwd: directory, encoding: 'utf8' });
  t.is(output.trim(), marker);
});
