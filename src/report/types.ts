// SPDX-License-Identifier: Apache-2.0
/** The report as data: `statement` is the same bytes for the same inputs, `run` is what differs from run to run. */
import type {
  AuthenticityReason,
  BuildPlan,
  CarriedBinary,
  CheckOutcome,
  CheckPlan,
  ComparePlan,
  Deviation,
  EnvironmentRecord,
  Fetched,
  FetchedWorld,
  FileIdentity,
  IndexRecord,
  KnownResult,
  Obstacle,
  Origin,
  PhaseName,
  PhoneRecord,
  PublishedFrom,
  Reason,
  Sha256,
  SourceRecord,
  Standing,
  Variation,
  Target,
  Unopened,
  UnverifiableReason,
  Verdict,
} from '../model.js';
import type { KnownFailureId } from '../known-failures.js';
import type {
  Coverage,
  EnvironmentEvidence,
  PairComparison,
  SetComparison,
  SignatureRecord,
} from '../compare/types.js';

/** One sentence of the report with what it rests on. */
export interface Statement {
  /** Stable kebab-case. */
  readonly code: string;
  readonly sentence: string;
  /** JSON pointers (RFC 6901) into the report. */
  readonly basis: readonly string[];
  /** A shell line that does not need this tool. */
  readonly check: string;
}

/** The plan as far as it decides the result. */
export interface PlanRecord {
  readonly recipeSha256: Sha256;
  readonly buildDigest?: Sha256;
  readonly compareDigest: Sha256;
  readonly build: BuildPlan;
  readonly compare: ComparePlan;
}

/** Where nothing could be built: what was checked of the published file instead. */
export interface ChecksRecord {
  readonly recipeSha256: Sha256;
  readonly compareDigest: Sha256;
  readonly compare: ComparePlan;
  readonly obstacle: Obstacle;
  readonly source?: NonNullable<CheckPlan['source']>;
  /** Certificates that signed the published files, sorted. */
  readonly certificates: readonly Sha256[];
  readonly outcomes: readonly CheckOutcome[];
}

export interface ReportStatement {
  readonly subject: {
    readonly target?: Target;
    readonly published: readonly FileIdentity[];
    readonly rebuilt: readonly FileIdentity[];
  };
  readonly builtBy?: ComparePlan['builtBy'];
  readonly source?: SourceRecord;
  readonly plan?: PlanRecord;
  readonly checks?: ChecksRecord;
  readonly comparison?: SetComparison;
  /** Of the target as a whole, beside those of the pairs. */
  readonly unverifiable: readonly Reason<UnverifiableReason>[];
  readonly notAuthentic: readonly Reason<AuthenticityReason>[];
  readonly buildFailure?: {
    readonly phase: PhaseName;
    readonly exitCode: number;
    readonly firstError: readonly string[];
  };
  readonly origins: readonly Origin[];
  /** Objects and static archives among the inputs that may have been linked in; the first 200. */
  readonly linkable: { readonly count: number; readonly shown: readonly string[] };
  /** Archives that nobody could look into: what they hold is no one's known origin. */
  readonly unopened?: { readonly inputs: Unopened; readonly outputs: Unopened };
  readonly carried: readonly CarriedBinary[];
  readonly deviations: readonly Deviation[];
  readonly publisherEnvironment: readonly EnvironmentEvidence[];
  readonly knownResults: readonly KnownResult[];
  readonly verdict: Verdict;
  readonly title: string;
  readonly coverage: Coverage;
  readonly statements: readonly Statement[];
  readonly doesNotSay: readonly Statement[];
  readonly publisherCan: readonly Statement[];
}

/** Where a published file came from, and what its own signatures were found to be before the build. */
export interface PublishedOrigin {
  readonly file: string;
  readonly from: PublishedFrom;
  /** From the publisher's server: address, redirects, time. */
  readonly fetched?: Fetched;
  /** Who had said what its SHA-256 must be, in words. */
  readonly digestFrom?: string;
  /** The signed index that named it. */
  readonly index?: IndexRecord;
  /** What the phone said of it. */
  readonly phone?: PhoneRecord;
  /** Of the file, or of each APK in it; none where they were not looked at. */
  readonly signatures: readonly {
    readonly file: string;
    readonly status: SignatureRecord['status'];
    /** Certificates by SHA-256. */
    readonly signers: readonly Sha256[];
  }[];
}

/** A build that a report speaks of. */
export interface BuildUse {
  /** Of the build as it is kept; none where it is not. */
  readonly id?: Sha256;
  /** ISO 8601, UTC. */
  readonly made: string;
  readonly executor: EnvironmentRecord['executor'];
  readonly engineVersion?: string;
  /** It was made before this run. */
  readonly reused: boolean;
  /** What was built, where no plan of this report says it. */
  readonly of?: { readonly app: string; readonly version: string; readonly buildDigest: Sha256 };
}

export const VARIED_OUTCOMES = ['same', 'differs', 'not-possible', 'failed'] as const;

/** A confirming build of ours in another environment than the plan's, next to the first build. */
export interface VariedBuild {
  readonly varied: readonly Variation[];
  readonly outcome: (typeof VARIED_OUTCOMES)[number];
  /** Where the outputs differ: file, then names of members, joined by ` > `. */
  readonly members?: readonly string[];
  /** Why it was not possible, or how it failed. */
  readonly detail?: string;
  /** It came nearer to the published file than every planned build: the report compares this one. */
  readonly reported?: true;
}

/** What one run of ours was like. */
export interface RunRecord {
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly tool: { readonly name: 'samesource'; readonly version: string };
  readonly node: string;
  readonly architecture: string;
  readonly kernel: string;
  readonly cpuCount: number;
  readonly memoryMiB: number;
  readonly published?: readonly PublishedOrigin[];
  readonly environment?: EnvironmentRecord;
  /** What the phases got over the network, and what of it is not known. */
  readonly fetched?: readonly FetchedWorld[];
  readonly builds: number;
  readonly matchingBuilds: number;
  /** Builds that were asked for and gave nothing to compare. */
  readonly otherBuilds?: readonly { readonly attempt: number; readonly outcome: string }[];
  /** Builds that differed from the plan in what must not matter; of them only what is as the first build, or reported, counts. */
  readonly variations?: readonly VariedBuild[];
  /** Those that were compared, or that failed, in order. */
  readonly usedBuilds?: readonly BuildUse[];
  readonly standing?: Standing;
  /** Where our builds differ from each other: file, then names of members, joined by ` > `. */
  readonly unstableMembers?: readonly string[];
  readonly seconds: Readonly<Record<string, number>>;
  readonly tools: readonly { readonly name: string; readonly version: string }[];
  readonly missingTools: readonly string[];
  readonly logs: readonly {
    readonly phase: PhaseName;
    readonly name: string;
    readonly sha256: Sha256;
    readonly truncatedBytes: number;
  }[];
  /** The end of the log of a failed build, beside `buildFailure.firstError`. */
  readonly failureTail?: readonly string[];
  /** Lines of that log that people have met before; they decide nothing. */
  readonly knownFailures?: readonly { readonly id: KnownFailureId; readonly line: string }[];
  /** Digest of the statement of an earlier report that this one replaces. */
  readonly supersedes?: Sha256;
  /** Of an earlier run, the phases before `from` were used again: by digest, and none of them touched. */
  readonly resumed?: { readonly from: 'build' | 'compare'; readonly begun: string };
  /** Of a replay, the statement whose plan was run: nobody made that plan of a recipe here. */
  readonly replayOf?: Sha256;
  /** Why no verdict comes of it. No report that is published has it. */
  readonly assisted?: string;
  readonly statements: readonly Statement[];
}

export interface Report {
  readonly schemaVersion: 1;
  readonly statement: ReportStatement;
  /** Of the canonical JSON of `statement`. */
  readonly statementSha256: Sha256;
  readonly run: RunRecord;
}

/** What others said of a report afterwards; lies beside it in `notes/` and is shown under the verdict. */
export interface Note {
  readonly schemaVersion: 1;
  readonly kind: 'vendor-response' | 'correction' | 'withdrawal';
  readonly statementSha256: Sha256;
  readonly date: string;
  readonly by: string;
  readonly text: string;
  readonly url?: string;
}

export type { Coverage, EnvironmentEvidence, PairComparison, SetComparison, SourceRecord };
