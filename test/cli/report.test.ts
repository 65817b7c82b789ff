// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { document, errorOf, verify } from '../helpers/transcript.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

/** A stored report of two texts that differ. */
async function stored(t: ExecutionContext): Promise<string> {
  const cwd = temporaryDirectory(t);
  writeFileSync(path.join(cwd, 'published.txt'), 'one\n');
  writeFileSync(path.join(cwd, 'rebuilt.txt'), 'two\n');
  const { stdout } = await verify(['compare', 'published.txt', 'rebuilt.txt', '--json', '--quiet'], { cwd });
  const file = path.join(cwd, 'report.json');
  writeFileSync(file, stdout);
  return file;
}

test('text by default, other forms by --format', async (t) => {
  const file = await stored(t);
  const text = await verify(['report', file]);
  t.is(text.code, 0);
  t.regex(text.stdout, /Not reproduced/);
  const brief = await verify(['report', file, '--format', 'brief']);
  t.is(brief.code, 0);
  t.true(brief.stdout.trimEnd().split('\n').length <= 10);
  const json = await verify(['report', file, '--format', 'json']);
  t.deepEqual(document(t, json), JSON.parse(readFileSync(file, 'utf8')));
});

test('--check of a report that agrees with itself', async (t) => {
  const transcript = await verify(['report', await stored(t), '--check', '--json']);
  t.is(transcript.code, 0);
  t.like(document(t, transcript), { consistent: true, verdict: { kind: 'unreproducible' } });
});

test('fails: a verdict that the ledgers do not give', async (t) => {
  const file = await stored(t);
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('"unreproducible"', '"reproducible"'));
  const transcript = await verify(['report', file, '--check']);
  t.is(transcript.code, 1);
  t.regex(transcript.stdout, /^report-inconsistent: /);
  // nothing of it is shown either
  const shown = await verify(['report', file]);
  t.is(shown.code, 1);
  t.notRegex(shown.stdout, /Reproduced/);
});

test('fails: not JSON', async (t) => {
  const file = path.join(temporaryDirectory(t), 'report.json');
  writeFileSync(file, 'hello');
  const transcript = await verify(['report', file, '--json']);
  t.is(transcript.code, 64);
  t.is(errorOf(t, transcript), 'not-json');
});

for (const file of ['nowhere.json', '/dev/zero'])
  test(`fails: ${file}`, async (t) => {
    const transcript = await verify(['report', file, '--json'], { cwd: temporaryDirectory(t) });
    t.is(transcript.code, 75);
    t.is(errorOf(t, transcript), 'unreadable-input');
  });
