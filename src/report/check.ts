// SPDX-License-Identifier: Apache-2.0
/** Whether a report agrees with itself: sums, verdict, coverage and every sentence are made again from its ledgers. */
import { canonicalJson, digestOf } from '../canonical-json.js';
import { concluded } from './assemble.js';
import { checkFacts } from './check-facts.js';
import { checkPair } from './check-pair.js';
import { checkRun } from './check-run.js';
import { reportSchema } from './schema.js';
import { runStatements } from './run-statements.js';
import type { StatementFacts } from './say.js';
import type { Report } from './types.js';

export interface Inconsistency {
  /**
   * Stable: `shape`, `digest`, `ledger`, `tree`, `proof`, `rule`, `signature`, `reason`, `finding`, `coverage`, `subject`, `plan`,
   * `set`, `origin`, `conclusion`, `run`, `assisted`, `place`.
   */
  readonly code: string;
  /** JSON pointer. */
  readonly at: string;
  readonly detail: string;
}

export type CheckResult =
  | { readonly kind: 'consistent'; readonly report: Report }
  | {
      readonly kind: 'inconsistent';
      readonly problems: readonly Inconsistency[];
      /** Version of samesource that the report names: another one says things in other words. */
      readonly madeBy?: string;
      /** Present where it only says things in other words than we would: verdict, title and ledgers hold. */
      readonly inOtherWords?: Report;
    };

const MAX_PROBLEMS = 100;
/** Where a report only speaks. */
const WORDS: readonly string[] = [
  '/statement/statements',
  '/statement/doesNotSay',
  '/statement/publisherCan',
  '/run/statements',
];

export function checkReport(value: unknown): CheckResult {
  const parsed = reportSchema.safeParse(value);
  if (!parsed.success)
    return {
      kind: 'inconsistent',
      problems: parsed.error.issues.slice(0, MAX_PROBLEMS).map((issue) => ({
        code: 'shape',
        at: `/${issue.path.map(String).join('/')}`,
        detail: issue.message,
      })),
    };
  const report = value as Report;
  const problems: Inconsistency[] = [];
  const found = (code: string, at: string, detail: string): void => {
    if (problems.length < MAX_PROBLEMS) problems.push({ code, at, detail });
  };
  const { statement } = report;
  const digest = digestOrNone(statement);
  if (digest === undefined)
    return {
      kind: 'inconsistent',
      problems: [{ code: 'digest', at: '/statement', detail: 'it has no canonical form (a lone surrogate)' }],
    };
  if (digest !== report.statementSha256)
    found(
      'digest',
      '/statementSha256',
      `the statement has ${digest}, the report says ${report.statementSha256}`,
    );
  for (const [at, pair] of (statement.comparison?.pairs ?? []).entries())
    checkPair(pair, statement.plan?.compare, `/statement/comparison/pairs/${at}`, found);
  // conclusions of ledgers that do not hold are worth nothing
  if (problems.length === 0) checkConclusions(report, found);
  checkFacts(statement, found);
  checkRun(report, found);
  if (problems.length === 0) return { kind: 'consistent', report };
  return {
    kind: 'inconsistent',
    problems,
    madeBy: report.run.tool.version,
    ...(problems.every(({ at }) => WORDS.includes(at)) ? { inOtherWords: report } : {}),
  };
}

function digestOrNone(value: unknown): string | undefined {
  try {
    return digestOf(value);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Takes a problem down. */
export type Found = (code: string, at: string, detail: string) => void;

function checkConclusions({ statement, run }: Report, found: Found): void {
  const { verdict, title, coverage, statements, doesNotSay, publisherCan, ...facts } = statement;
  const again = concluded(facts satisfies StatementFacts);
  const said = { verdict, title, coverage, statements, doesNotSay, publisherCan };
  for (const key of Object.keys(said) as (keyof typeof said)[])
    if (canonicalJson(said[key]) !== canonicalJson(again[key]))
      found('conclusion', `/statement/${key}`, `the ledgers and facts give another ${key}`);
  const { statements: runSaid, ...runFacts } = run;
  if (canonicalJson(runSaid) !== canonicalJson(runStatements(runFacts, statement)))
    found('run', '/run/statements', 'the run gives other sentences');
}
