// SPDX-License-Identifier: Apache-2.0
/** What every way to run a build offers: an environment with the source in it, frozen before the build phase begins. */
import type {
  BuildPlan,
  BuildResult,
  Deviation,
  EnvironmentRecord,
  OnProgress,
  PreparedFacts,
  Reason,
  Sha256,
  Variation,
} from '../model.js';
import type { RunJournal } from './run-journal.js';
import type { Variable } from './variation.js';

export type ExecutorKind = EnvironmentRecord['executor'];

/** Bounded and never a path of this machine in what it returns, but for `BuiltFile.path` and `LogRecord.path`. */
export interface PrepareRequest {
  readonly plan: BuildPlan;
  /** The checked-out tree; absent for Debian sources, which the prepare phase fetches itself. */
  readonly source?: { readonly directory: string; readonly commitTime: number };
  /** Of this run; the executor may write anything below it, logs go to `logs/`, outputs to `outputs/<attempt>/`. */
  readonly directory: string;
  /** Images, packages of locks and other things worth keeping between runs. */
  readonly cache: string;
  /** Root of this package: `docker/` lies there. */
  readonly packageRoot: string;
  /** Address of the Debian archive for locks and for the prepare phase; it is not trusted and enters no record. */
  readonly debianMirror?: string;
  /** Names containers and images: `samesource-<run>-…`. Nothing of that name is left behind. */
  readonly run: string;
  /** Of a run that may be kept. */
  readonly journal?: RunJournal;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

export type PrepareOutcome =
  | { readonly kind: 'prepared'; readonly prepared: PreparedBuild }
  /** An image, package or dependency of the plan that its server says is gone. */
  | { readonly kind: 'environment-gone'; readonly url: string; readonly status: 404 | 410 }
  /** The prepare phase left other source files than the plan names. */
  | { readonly kind: 'untrusted'; readonly reasons: readonly Reason<'source-untrusted'>[] };

/** The state right before the build phase. Every build starts from it anew. */
export interface PreparedBuild extends PreparedFacts {
  /**
   * `varied`: of those that `variable` says; such a build is counted by itself, and no planned one takes its place.
   * @throws FailedHere for anything that is our side: `engine-died`, `out-of-memory`, `disk-full`, `time-limit`, `network`, `interrupted` …
   */
  build(attempt: number, signal?: AbortSignal, varied?: readonly Variation[]): Promise<BuildResult>;
  /** What a build can be made with otherwise here. Absent: nothing. @throws FailedHere as `build` */
  variable?(asked: readonly Variation[], signal?: AbortSignal): Promise<Variable>;
  /** When the build of an earlier run was made that `build` gives for this one, ISO 8601. */
  madeBefore?(attempt: number): string | undefined;
  /** Removes container, images and temporary trees of this run, but for those of a run with a journal. Never throws. */
  close(): Promise<void>;
}

export interface Executor {
  readonly kind: ExecutorKind;
  /** @throws FailedHere `no-engine` with what to install or start */
  probe(signal?: AbortSignal): Promise<{ readonly version: string }>;
  /** @throws FailedHere `prepare-failed`, `network`, `rate-limited`, `disk-full`, `time-limit`, `out-of-memory`, `engine-died`, `interrupted` */
  prepare(request: PrepareRequest): Promise<PrepareOutcome>;
}

/** The root file system of a base image, made or found, ready to be given to an engine. */
export interface RootFileSystem {
  /** Uncompressed tar. */
  readonly path: string;
  readonly sha256: Sha256;
  readonly lockSha256: Sha256;
  readonly deviations: readonly Deviation[];
}
