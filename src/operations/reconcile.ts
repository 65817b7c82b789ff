// SPDX-License-Identifier: Apache-2.0
/** Two reports from files, each checked, and where they part. */
import { UsageError } from '../errors.js';
import { reconcile, type Reconciliation } from '../report/reconcile.js';
import type { Note, Report } from '../report/types.js';
import { readNotes, readReport } from './read-report.js';

export interface ReconcileResult extends Reconciliation {
  /** As they were named. */
  readonly reports: readonly [ReadReport, ReadReport];
}

export interface ReadReport {
  readonly file: string;
  readonly statementSha256: string;
  readonly title: string;
  readonly time: string;
  readonly notes: readonly Note[];
}

/** @throws UsageError `report-inconsistent`, `other-target`, `not-json`; FailedHere `unreadable-input` */
export async function reconcileReports(one: string, other: string): Promise<ReconcileResult> {
  const [mine, theirs] = [await trusted(one), await trusted(other)];
  return {
    ...reconcile(mine, theirs),
    reports: [await described(one, mine), await described(other, theirs)],
  };
}

/** One that another version of samesource said in other words is as good. */
export async function trusted(file: string): Promise<Report> {
  const result = await readReport(file);
  const report = result.kind === 'consistent' ? result.report : result.inOtherWords;
  if (report !== undefined) return report;
  const [first] = result.kind === 'inconsistent' ? result.problems : [];
  throw new UsageError(
    'report-inconsistent',
    `${file} does not agree with itself: ${first?.code ?? ''} ${first?.at ?? ''}: ${first?.detail ?? ''}`,
    { hint: `verify report ${file} --check tells all of it` },
  );
}

async function described(file: string, { statement, statementSha256, run }: Report): Promise<ReadReport> {
  return {
    file,
    statementSha256,
    title: statement.title,
    time: run.time,
    notes: await readNotes(file, statementSha256),
  };
}
