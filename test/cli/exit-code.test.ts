// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { EXIT, exitCodeFor, exitCodeOf, VERDICTS } from '../../src/cli/exit-code.js';
import type { Report, Verdict, VerdictKind } from '../../src/index.js';
import { REPORTS } from '../helpers/a-report.js';

const OF: Readonly<Record<VerdictKind, number>> = {
  reproducible: 0,
  equivalent: 0,
  unreproducible: 1,
  unverifiable: 2,
  unbuildable: 2,
  'not-authentic': 3,
};

test('every verdict has its code, and --expect makes yes or no of it', (t) => {
  t.deepEqual([...VERDICTS].sort(), Object.keys(OF).sort());
  for (const kind of VERDICTS) {
    const verdict = { kind } as Verdict;
    t.is(exitCodeFor(verdict), OF[kind]);
    t.is(exitCodeFor(verdict, { strict: true }), kind === 'equivalent' ? 1 : OF[kind]);
    for (const expect of VERDICTS) t.is(exitCodeFor(verdict, { expect }), expect === kind ? 0 : 1);
  }
});

test('--require-built: carried code, code that may be linked in, and what nobody could look into', async (t) => {
  const report = await REPORTS.equal();
  const none = { count: 0, shown: [] };
  const withOrigins = (more: Partial<Report['statement']>): Report => ({
    ...report,
    statement: { ...report.statement, origins: [], unopened: { inputs: none, outputs: none }, ...more },
  });
  const code = (more: Partial<Report['statement']>): number =>
    exitCodeOf(withOrigins(more), { requireBuilt: true });
  t.is(report.statement.verdict.kind, 'reproducible');
  t.is(code({}), EXIT.ok);
  t.is(code({ origins: [{ kind: 'built', member: 'a', mayContain: [] }] }), EXIT.ok);
  t.is(code({ origins: [{ kind: 'built', member: 'a', mayContain: ['lib.a'] }] }), EXIT.unreproducible);
  t.is(code({ origins: [{ kind: 'carried', member: 'a', from: 'b', by: 'bytes' }] }), EXIT.unreproducible);
  const outputs = { count: 1, shown: [{ place: 'x.jar', reason: 'encrypted' }] };
  t.is(code({ unopened: { inputs: none, outputs } }), EXIT.unreproducible);
});
