// SPDX-License-Identifier: Apache-2.0
/** What a batch and the process of one of its jobs say to each other: one JSON document in, one out. */
import type { ExecutorKind } from '../../build/executor.js';
import type { Room } from '../../inputs/room.js';
import type { Plan, Sha256, VerdictKind } from '../../model.js';
import type { JobFailureClass } from './retry-budgets.js';

/** Of an app whose recipe has none: reports have this word in its place. */
export const NO_CHANNEL = 'any';

export interface JobTarget {
  readonly app: string;
  /** As it was asked for, or as it was resolved. */
  readonly version: string;
  readonly channel: string;
  readonly engine?: ExecutorKind;
  /** Absolute. */
  readonly published?: string;
}

export interface PlanJob {
  readonly kind: 'plan';
  readonly target: JobTarget;
  /** Also which versions of the range came after this one. */
  readonly newerThan?: string;
  readonly out: string;
  readonly recipes?: string;
}

export interface VerifyJob {
  readonly kind: 'verify';
  readonly target: JobTarget;
  /** As the preflight made it; without it the job makes its own. */
  readonly plan?: Plan;
  readonly out: string;
  readonly vary?: boolean;
  readonly recipes?: string;
  /** Held while it works: one job of a killed batch may still be ending. */
  readonly lock: string;
}

export type Job = PlanJob | VerifyJob;

/** A verdict as reports tell it. */
export interface KnownVerdict {
  readonly version: string;
  readonly verdict: VerdictKind;
  readonly statementSha256: Sha256;
  /** Directory below `out`. */
  readonly place: string;
}

export interface Planned {
  readonly kind: 'planned';
  readonly version: string;
  readonly what: 'build' | 'checks' | 'no-source';
  readonly plan?: Plan;
  /** Of the build. */
  readonly room: Room;
  readonly minutes: number;
  /** No container is needed. */
  readonly local: boolean;
  readonly unresolved: readonly string[];
  /** Of this version, else of the newest before it. */
  readonly before?: KnownVerdict;
  /** Its plan was carried out before: only another published file makes it run again. */
  readonly samePlan: boolean;
  /** Newest first, where it was asked. */
  readonly newer: readonly string[];
}

export interface Checked {
  readonly kind: 'verdict';
  readonly verdict: VerdictKind;
  readonly title: string;
  readonly statementSha256: Sha256;
  readonly place: string;
  /** False: a report on the same plan and the same published files was there. */
  readonly fresh: boolean;
}

export interface JobFailure {
  readonly kind: 'failed';
  readonly failure: JobFailureClass;
  readonly message: string;
  readonly hint?: string;
}

/** What the caller asked for cannot be: a version that nobody knows, a file of another version. */
export interface Refused {
  readonly kind: 'refused';
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

export type JobResult = Planned | Checked | JobFailure | Refused;
