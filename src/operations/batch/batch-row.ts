// SPDX-License-Identifier: Apache-2.0
/** What came of one version of one app in a batch, beside what was known before. Pure. */
import type { VerdictKind } from '../../model.js';
import { isExpected, type ExpectedVerdict } from '../../report/expected-verdict.js';
import type { JobFailure, JobTarget, KnownVerdict, Refused } from './job.js';
import type { TaskRecord } from './journal.js';

export interface BatchRow {
  readonly app: string;
  readonly version: string;
  readonly channel: string;
  /**
   * `new`: the first verdict on this version; `changed`: another verdict or another statement than before; `not-done`: the
   * batch was stopped before.
   */
  readonly state: 'new' | 'changed' | 'same' | 'failed-here' | 'refused' | 'not-done';
  readonly verdict?: VerdictKind;
  readonly title?: string;
  readonly statementSha256?: string;
  /** Directory of the report. */
  readonly place?: string;
  readonly before?: KnownVerdict;
  readonly expected?: ExpectedVerdict;
  /** Not what was expected; where nothing was: less good than the last verdict on this version or the one before it. */
  readonly worse: boolean;
  readonly failure?: Omit<JobFailure, 'kind'> | Omit<Refused, 'kind'>;
  /** How often it was tried again. */
  readonly retries: number;
  readonly seconds: number;
}

/** From good to bad, as in a set of files. */
const RANK = [
  'reproducible',
  'equivalent',
  'unverifiable',
  'unbuildable',
  'unreproducible',
  'not-authentic',
] as const satisfies readonly VerdictKind[];

export function rowOf(
  { app, version, channel }: JobTarget,
  expected: ExpectedVerdict | undefined,
  record: TaskRecord | undefined,
): BatchRow {
  const { before, outcome, failures = {}, seconds = 0 } = record ?? {};
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
  const row = {
    app,
    version,
    channel,
    ...(before === undefined ? {} : { before }),
    ...(expected === undefined ? {} : { expected }),
    worse: false,
    seconds,
    retries: outcome?.kind === 'failed' ? Math.max(0, failed - 1) : failed,
  };
  if (outcome === undefined) return { ...row, state: 'not-done' };
  if (outcome.kind !== 'verdict') {
    const { kind, ...failure } = outcome;
    return { ...row, state: kind === 'failed' ? 'failed-here' : 'refused', failure };
  }
  const { verdict, title, statementSha256, place } = outcome;
  const state =
    before?.version !== version ? 'new' : before.statementSha256 === statementSha256 ? 'same' : 'changed';
  const worse =
    expected !== undefined
      ? !isExpected(expected, { verdict, statementSha256 })
      : before !== undefined
        ? RANK.indexOf(verdict) > RANK.indexOf(before.verdict)
        : verdict === 'not-authentic';
  return { ...row, state, verdict, title, statementSha256, place, worse };
}
