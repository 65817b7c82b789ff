// SPDX-License-Identifier: Apache-2.0
/** Makes the report out of what the stages yielded. The statement part holds nothing of this machine or this moment. */
import { asJson, digestOf } from '../canonical-json.js';
import { allowsFullCoverage, setCoverage } from '../compare/coverage.js';
import { decideVerdict } from '../compare/verdict.js';
import type { SetComparison } from '../compare/types.js';
import type {
  AuthenticityReason,
  ComparePlan,
  Deviation,
  FileIdentity,
  KnownResult,
  Origin,
  CarriedBinary,
  PhaseName,
  Reason,
  Target,
  UnverifiableReason,
  Verdict,
} from '../model.js';
import { boundEvidence } from './evidence.js';
import { doesNotSay, publisherCan } from './conclusions.js';
import { runStatements } from './run-statements.js';
import type { StatementFacts } from './say.js';
import { scopeOf } from './split-scope.js';
import { statementsOf } from './statements.js';
import { titleOf } from './title.js';
import type {
  ChecksRecord,
  EnvironmentEvidence,
  PlanRecord,
  Report,
  ReportStatement,
  RunRecord,
  SourceRecord,
} from './types.js';

export interface ReportInput {
  readonly target?: Target;
  readonly builtBy?: ComparePlan['builtBy'];
  /** Both are taken from `comparison` where there is one: what was compared is what the report speaks of. */
  readonly published: readonly FileIdentity[];
  readonly rebuilt: readonly FileIdentity[];
  readonly source?: SourceRecord;
  readonly plan?: PlanRecord;
  readonly checks?: ChecksRecord;
  readonly comparison?: SetComparison;
  readonly unverifiable?: readonly Reason<UnverifiableReason>[];
  readonly notAuthentic?: readonly Reason<AuthenticityReason>[];
  readonly buildFailure?: {
    readonly phase: PhaseName;
    readonly exitCode: number;
    readonly firstError: readonly string[];
  };
  readonly origins?: readonly Origin[];
  readonly linkable?: readonly string[];
  readonly unopened?: ReportStatement['unopened'];
  readonly carried?: readonly CarriedBinary[];
  readonly deviations?: readonly Deviation[];
  readonly publisherEnvironment?: readonly EnvironmentEvidence[];
  readonly knownResults?: readonly KnownResult[];
  readonly run: Omit<RunRecord, 'statements'>;
}

export const LINKABLE_SHOWN = 200;

const pick = ({ name, size, sha256 }: FileIdentity): FileIdentity => ({ name, size, sha256 });

/** Pairs, files without a twin, and v4 signatures that need none. */
export function publishedOf({
  pairs,
  unpairedPublished,
  idsigs = [],
  folders,
}: SetComparison): FileIdentity[] {
  return [
    ...pairs.map((pair) => pair.published),
    ...unpairedPublished,
    ...idsigs.filter(({ status }) => status === 'verified').map(pick),
    ...(folders?.outside ?? []),
  ];
}

export function rebuiltOf({ pairs, unpairedRebuilt, splits }: SetComparison): FileIdentity[] {
  // devices of which each got a file of its own can have one twin in the bundle
  const twins = new Map(pairs.map(({ rebuilt }) => [rebuilt.name, rebuilt]));
  return [...(splits === undefined ? pairs.map((pair) => pair.rebuilt) : twins.values()), ...unpairedRebuilt];
}

export function assembleReport(input: ReportInput): Report {
  const comparison = input.comparison === undefined ? undefined : boundEvidence(input.comparison);
  const unverifiable = input.unverifiable ?? [];
  const notAuthentic = input.notAuthentic ?? [];
  const deviations = input.deviations ?? [];
  const linkable = input.linkable ?? [];
  const facts: StatementFacts = {
    subject: {
      ...(input.target === undefined ? {} : { target: input.target }),
      published: (comparison === undefined ? input.published : publishedOf(comparison)).map(pick),
      rebuilt: (comparison === undefined ? input.rebuilt : rebuiltOf(comparison)).map(pick),
    },
    ...(input.builtBy === undefined ? {} : { builtBy: input.builtBy }),
    ...(input.source === undefined ? {} : { source: input.source }),
    ...(input.plan === undefined ? {} : { plan: input.plan }),
    ...(input.checks === undefined ? {} : { checks: input.checks }),
    ...(comparison === undefined ? {} : { comparison }),
    unverifiable,
    notAuthentic,
    ...(input.buildFailure === undefined ? {} : { buildFailure: input.buildFailure }),
    origins: input.origins ?? [],
    linkable: { count: linkable.length, shown: linkable.slice(0, LINKABLE_SHOWN) },
    ...(input.unopened === undefined ? {} : { unopened: input.unopened }),
    carried: input.carried ?? [],
    deviations,
    publisherEnvironment: input.publisherEnvironment ?? [],
    knownResults: input.knownResults ?? [],
  };
  // as JSON has it: what a reader of the file recomputes must be what was digested
  const statement = asJson(concluded(facts));
  return {
    schemaVersion: 1,
    statement,
    statementSha256: digestOf(statement),
    run: { ...input.run, statements: runStatements(input.run, statement) },
  };
}

/** Everything that follows from the facts: verdict, title, coverage, sentences. */
export function concluded(facts: StatementFacts): ReportStatement {
  const verdict = verdictOf(facts);
  const { comparison } = facts;
  const decided = {
    ...facts,
    verdict,
    title: titleOf(verdict, facts.deviations, comparison === undefined ? undefined : scopeOf(comparison)),
    coverage: setCoverage(
      { ...(comparison === undefined ? {} : { comparison }), unverifiable: [], notAuthentic: [] },
      verdict,
    ),
  };
  if (!allowsFullCoverage(verdict) && decided.coverage.ratio >= 1)
    throw new Error('full coverage without proof');
  return {
    ...decided,
    statements: statementsOf(decided),
    doesNotSay: doesNotSay(decided),
    publisherCan: publisherCan(decided),
  };
}

function verdictOf(facts: StatementFacts): Verdict {
  return decideVerdict({
    ...(facts.comparison === undefined ? {} : { comparison: facts.comparison }),
    ...(facts.buildFailure === undefined
      ? {}
      : { buildFailure: { phase: facts.buildFailure.phase, exitCode: facts.buildFailure.exitCode } }),
    unverifiable: facts.unverifiable,
    notAuthentic: facts.notAuthentic,
  });
}
