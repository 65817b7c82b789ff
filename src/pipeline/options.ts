// SPDX-License-Identifier: Apache-2.0
/** What the pipeline is told beside the plan. */
import type { Executor, ExecutorKind } from '../build/executor.js';
import type { RunJournal } from '../build/run-journal.js';
import type { DeviceSpecification } from '../compare/device-specification.js';
import type { BuildInfo } from '../inputs/debian/buildinfo.js';
import type { OnProgress } from '../model.js';
import type { RunRecord } from '../report/types.js';

/** What the plan does not say: this run's places and wishes. */
export interface PipelineOptions {
  /** FILE or DIR of the user instead of the channel's files. */
  readonly published?: string;
  /** Which device got the splits that were handed over; in place of their device.json. */
  readonly device?: DeviceSpecification;
  /** Of the phone that is meant, where several are connected. */
  readonly serial?: string;
  /** A directory or an address instead of the plan's repository. */
  readonly source?: string;
  /** The publisher's record of its environment: a claim, shown as one. */
  readonly buildInfo?: BuildInfo;
  /** Clean builds in any case; default 1. */
  readonly builds?: number;
  /** One more clean build of a mismatch; default true. */
  readonly confirm?: boolean;
  /** That one under other conditions than the plan's, where the plan says which; default true. */
  readonly vary?: boolean;
  /** Build although the published file is not authentic. */
  readonly buildAnyway?: boolean;
  /** Kept builds that may take the place of one: by this engine, default any; made since then, default ever. */
  readonly engine?: ExecutorKind;
  readonly madeSince?: Date;
  /** Whether what is built here may take the place of a later build; default true. */
  readonly storing?: boolean;
  /** Takes out of what others said, a compiler or a server, what would name this machine. */
  readonly redact: (text: string) => string;
  /** Asked for when the cheap checks are done. */
  readonly executor: () => Promise<Executor>;
  readonly workspace: Workspace;
  readonly describeRun: (
    facts: Partial<Omit<RunRecord, 'statements'>>,
  ) => Promise<Omit<RunRecord, 'statements'>>;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

export interface Workspace {
  /** Of this run; removed with it. */
  readonly directory: string;
  readonly cache: string;
  readonly packageRoot: string;
  readonly debianMirror?: string;
  /** Nothing is asked of the network. */
  readonly offline?: boolean;
  /** Names everything of this run. */
  readonly run: string;
  /** Of a run that may be kept. */
  readonly journal?: RunJournal;
}
