// SPDX-License-Identifier: Apache-2.0
/** What a batch notes: whole at each moment, set aside when it is damaged. */
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { Journal, type TaskRecord } from '../../../src/operations/batch/journal.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

const NOW = new Date('2026-01-02T03:04:05Z');
const DONE: TaskRecord = {
  failures: { network: 2 },
  seconds: 1.5,
  outcome: {
    kind: 'verdict',
    verdict: 'reproducible',
    title: 'Reproduced',
    statementSha256: 'a'.repeat(64),
    place: 'reports/a',
    fresh: true,
  },
};
const KNOWN = { version: '1', verdict: 'reproducible', statementSha256: 'a'.repeat(64), place: 'b' } as const;

test('a batch that was killed goes on, one that ended begins anew and knows the versions and verdicts', async (t) => {
  const file = path.join(temporaryDirectory(t), 'deep', 'list.json');
  const first = await Journal.open(file, NOW);
  t.false(first.resumed);
  await Promise.all([
    first.journal.note('a', { failures: {}, seconds: 0 }),
    first.journal.note('a', DONE),
    first.journal.note('b', { failures: {}, seconds: 0, before: KNOWN }),
    first.journal.noteNewest('a', '1.0'),
    first.journal.noteVerdict('a', KNOWN),
  ]);
  const { journal, resumed } = await Journal.open(file, NOW);
  t.true(resumed);
  t.deepEqual(journal.task('a'), DONE);
  t.deepEqual(journal.task('b')?.before, KNOWN);
  await journal.finish(NOW);
  const next = await Journal.open(file, NOW);
  t.false(next.resumed);
  t.is(next.journal.task('a'), undefined);
  t.is(next.journal.newest('a'), '1.0');
  t.deepEqual(next.journal.verdict('a'), KNOWN);
  t.deepEqual(readdirSync(path.dirname(file)), ['list.json']);
});

test('a journal that was cut anywhere, or is none, is set aside whole and told', async (t) => {
  const directory = temporaryDirectory(t);
  const file = path.join(directory, 'list.json');
  const { journal } = await Journal.open(file, NOW);
  await journal.note('a', DONE);
  const whole = readFileSync(file);
  const cuts = Array.from({ length: 16 }, (_, n) => Math.floor((whole.length * n) / 16));
  for (const cut of cuts) {
    writeFileSync(file, whole);
    truncateSync(file, cut);
    const opened = await Journal.open(file, new Date(NOW.getTime() + cut));
    t.false(opened.resumed, `${cut}`);
    t.is(readFileSync(opened.damaged ?? '').length, cut);
    t.is(opened.journal.task('a'), undefined);
  }
  for (const [n, text] of [
    'null',
    '[]',
    '{"schemaVersion":2}',
    whole.toString().replace('network', 'weather'),
  ].entries()) {
    writeFileSync(file, text);
    const opened = await Journal.open(file, new Date(n));
    t.is(readFileSync(opened.damaged ?? '', 'utf8'), text);
  }
});

test('what a killed writer left of it goes, and of another list nothing', async (t) => {
  const directory = temporaryDirectory(t);
  const left = [
    '.list.json.part-1-00',
    '.list.json.part-99-ffffff',
    '.other.json.part-1-00',
    'list.json.part-1',
  ];
  for (const name of left) writeFileSync(path.join(directory, name), '{');
  await (await Journal.open(path.join(directory, 'list.json'), NOW)).journal.finish(NOW);
  t.deepEqual(readdirSync(directory).sort(), ['.other.json.part-1-00', 'list.json', 'list.json.part-1']);
});
