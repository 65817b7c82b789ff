// SPDX-License-Identifier: Apache-2.0
/** New, changed, same, worse: what a batch says of a verdict beside the one before. */
import test from 'ava';
import { exitCodeOfBatch } from '../../../src/cli/commands/batch.js';
import type { VerdictKind } from '../../../src/model.js';
import { rowOf } from '../../../src/operations/batch/batch-row.js';
import type { TaskRecord } from '../../../src/operations/batch/journal.js';

const TARGET = { app: 'a', version: '2', channel: 'c' };
const [ONE, OTHER] = ['a'.repeat(64), 'b'.repeat(64)] as const;

interface Found {
  readonly verdict: VerdictKind;
  readonly statement?: string;
  readonly version?: string;
}

const record = (after: Found, before?: Found): TaskRecord => ({
  failures: {},
  seconds: 1,
  outcome: {
    kind: 'verdict',
    verdict: after.verdict,
    title: 't',
    statementSha256: after.statement ?? ONE,
    place: 'p',
    fresh: true,
  },
  ...(before === undefined
    ? {}
    : {
        before: {
          version: before.version ?? '2',
          verdict: before.verdict,
          statementSha256: before.statement ?? ONE,
          place: 'q',
        },
      }),
});

const ROWS: readonly (readonly [string, TaskRecord, string, boolean])[] = [
  ['the first verdict of all', record({ verdict: 'unreproducible' }), 'new', false],
  ['the first one is an alarm', record({ verdict: 'not-authentic' }), 'new', true],
  ['the very same', record({ verdict: 'unreproducible' }, { verdict: 'unreproducible' }), 'same', false],
  [
    'another difference',
    record({ verdict: 'unreproducible', statement: OTHER }, { verdict: 'unreproducible' }),
    'changed',
    false,
  ],
  [
    'better',
    record({ verdict: 'reproducible', statement: OTHER }, { verdict: 'unbuildable' }),
    'changed',
    false,
  ],
  [
    'worse',
    record({ verdict: 'unreproducible', statement: OTHER }, { verdict: 'unverifiable' }),
    'changed',
    true,
  ],
  [
    'a new version as good',
    record({ verdict: 'reproducible' }, { verdict: 'reproducible', version: '1' }),
    'new',
    false,
  ],
  [
    'a new version, worse',
    record({ verdict: 'equivalent' }, { verdict: 'reproducible', version: '1' }),
    'new',
    true,
  ],
  [
    'a new version, better',
    record({ verdict: 'unbuildable' }, { verdict: 'unreproducible', version: '1' }),
    'new',
    false,
  ],
];

for (const [title, of, state, worse] of ROWS)
  test(`a row: ${title}`, (t) => {
    const row = rowOf(TARGET, undefined, of);
    t.is(row.state, state as typeof row.state);
    t.is(row.worse, worse);
    t.is(exitCodeOfBatch([row]), worse ? 1 : 0);
  });

test('what was expected decides, whatever was before', (t) => {
  const found = record({ verdict: 'unreproducible' }, { verdict: 'reproducible' });
  t.false(rowOf(TARGET, { verdict: 'unreproducible' }, found).worse);
  t.false(rowOf(TARGET, { verdict: 'unreproducible', statementSha256: ONE }, found).worse);
  t.true(rowOf(TARGET, { verdict: 'unreproducible', statementSha256: OTHER }, found).worse);
  t.true(rowOf(TARGET, { verdict: 'reproducible' }, found).worse);
});

test('no verdict: failed here is 75, what cannot be is 64, and a worse verdict goes before both', (t) => {
  const failed = rowOf(TARGET, undefined, {
    failures: { network: 6 },
    seconds: 1,
    outcome: { kind: 'failed', failure: 'network', message: 'm' },
  });
  t.like(failed, {
    state: 'failed-here',
    worse: false,
    retries: 5,
    failure: { failure: 'network', message: 'm' },
  });
  const refused = rowOf(
    TARGET,
    { verdict: 'reproducible' },
    {
      failures: {},
      seconds: 1,
      outcome: { kind: 'refused', code: 'unknown-version', message: 'm' },
    },
  );
  t.like(refused, { state: 'refused', worse: false });
  const undone = rowOf(TARGET, undefined, undefined);
  t.is(undone.state, 'not-done');
  const worse = rowOf(TARGET, undefined, record({ verdict: 'not-authentic' }));
  t.is(exitCodeOfBatch([failed]), 75);
  t.is(exitCodeOfBatch([undone]), 75);
  t.is(exitCodeOfBatch([failed, refused]), 64);
  t.is(exitCodeOfBatch([failed, refused, worse]), 1);
  t.is(exitCodeOfBatch([]), 0);
});
