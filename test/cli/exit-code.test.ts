// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { EXIT, exitCodeFor, exitCodeOf, expectedVerdict } from '../../src/cli/exit-code.js';
import { VERDICTS, type Report, type Verdict, type VerdictKind } from '../../src/index.js';
import { REPORTS } from '../helpers/a-report.js';

const OF: Readonly<Record<VerdictKind, number>> = {
  reproducible: 0,
  equivalent: 0,
  unreproducible: 1,
  unverifiable: 2,
  unbuildable: 2,
  'not-authentic': 3,
};

const DIGEST = 'a'.repeat(64);

test('every verdict has its code, and --expect makes yes or no of it', async (t) => {
  const report = await REPORTS.equal();
  t.deepEqual([...VERDICTS].sort(), Object.keys(OF).sort());
  for (const kind of VERDICTS) {
    const verdict = { kind } as Verdict;
    t.is(exitCodeFor(verdict), OF[kind]);
    t.is(exitCodeFor(verdict, { strict: true }), kind === 'equivalent' ? 1 : OF[kind]);
    const judged: Report = {
      ...report,
      statement: { ...report.statement, verdict },
      statementSha256: DIGEST,
    };
    for (const other of VERDICTS)
      for (const [digest, same] of [
        ['', true],
        [`@${DIGEST}`, true],
        [`@sha256:${DIGEST}`, true],
        [`@${'b'.repeat(64)}`, false],
      ] as const) {
        const expect = expectedVerdict(`${other}${digest}`);
        if (expect === undefined) return t.fail();
        t.is(exitCodeOf(judged, { expect }), other === kind && same ? 0 : 1);
      }
  }
});

test('what is no expectation: another word, a digest that is cut, in capitals or of nothing', (t) => {
  t.is(expectedVerdict(undefined), undefined);
  for (const text of [
    '',
    'fine',
    `@${DIGEST}`,
    'unreproducible@',
    `unreproducible@${DIGEST.slice(0, 12)}`,
    `unreproducible@${DIGEST}0`,
    `unreproducible@${DIGEST.toUpperCase()}`,
    `unreproducible@md5:${DIGEST}`,
    `unreproducible @${DIGEST}`,
    `unreproducible@${DIGEST}\n`,
  ])
    t.throws(() => expectedVerdict(text), { message: /not a verdict/ }, text);
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
