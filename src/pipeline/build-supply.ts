// SPDX-License-Identifier: Apache-2.0
/**
 * Clean builds of a plan, one after the other: those that were kept, then such as are made now. Source and environment are
 * only obtained for the latter, once.
 */
import type { Executor, PreparedBuild } from '../build/executor.js';
import { assertRoom } from '../inputs/room.js';
import type { BuildResult, Plan, PreparedFacts, Reason, SourceRecord, UnverifiableReason } from '../model.js';
import type { BuildUse } from '../report/types.js';
import { KeptSupply } from './kept-supply.js';
import { obtainSource } from './obtain-source.js';
import type { PipelineOptions } from './options.js';
import { debianSource, gitSource } from './source-record.js';

export type SupplyOptions = Pick<
  PipelineOptions,
  | 'workspace'
  | 'source'
  | 'engine'
  | 'madeSince'
  | 'storing'
  | 'redact'
  | 'executor'
  | 'signal'
  | 'onProgress'
> & {
  readonly timed?: <T>(stage: string, work: () => Promise<T>) => Promise<T>;
};

export interface FinishedBuild {
  readonly attempt: number;
  readonly source?: SourceRecord;
  readonly prepared: PreparedFacts;
  readonly result: Exclude<BuildResult, { kind: 'environment-gone' }>;
}

export interface SuppliedBuild extends Omit<FinishedBuild, 'attempt'> {
  readonly kind: 'built';
  readonly use: BuildUse;
}

/** Nothing can be built, for reasons of the target's own. */
export interface StoppedBuild {
  readonly kind: 'stopped';
  readonly reasons: readonly Reason<UnverifiableReason>[];
  readonly source?: SourceRecord;
  readonly prepared?: PreparedFacts;
}

interface Start {
  readonly kind: 'ready';
  readonly prepared: PreparedBuild;
  readonly source?: SourceRecord;
}

export class BuildSupply {
  readonly #plan: Plan;
  readonly #options: SupplyOptions;
  readonly #kept: KeptSupply;
  #start: Start | StoppedBuild | undefined;

  constructor(plan: Plan, options: SupplyOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#kept = new KeptSupply(plan, options);
  }

  /** Whether another one costs no build. */
  async hasKept(): Promise<boolean> {
    return !(await this.#kept.isEmpty());
  }

  /** `attempt`: counts from 1. @throws FailedHere */
  async next(attempt: number): Promise<SuppliedBuild | StoppedBuild> {
    const kept = await this.#kept.next();
    if (kept !== undefined) return kept;
    this.#start ??= await this.#prepare();
    if (this.#start.kind === 'stopped') return this.#start;
    const { prepared, source } = this.#start;
    const from = source === undefined ? {} : { source };
    const result = await this.#timed('build', () => prepared.build(attempt, this.#options.signal));
    if (result.kind === 'environment-gone')
      return { kind: 'stopped', reasons: [environmentGone(result)], ...from, prepared };
    const before = prepared.madeBefore?.(attempt);
    const made = before ?? new Date().toISOString();
    // one that was made before was kept then, if it could be: twice it would count as two
    const id =
      before === undefined && this.#options.storing !== false
        ? await this.#timed('keep', () => this.#kept.keep({ attempt, ...from, prepared, result }))
        : undefined;
    const { executor, engineVersion } = prepared.environment;
    return {
      kind: 'built',
      result,
      prepared,
      ...from,
      use: {
        ...(id === undefined ? {} : { id }),
        made,
        executor,
        ...(engineVersion === undefined ? {} : { engineVersion }),
        reused: before !== undefined,
      },
    };
  }

  /** Never throws. */
  async close(): Promise<void> {
    if (this.#start?.kind === 'ready') await this.#start.prepared.close();
  }

  async #prepare(): Promise<Start | StoppedBuild> {
    const { workspace, signal, onProgress } = this.#options;
    // a machine of another system is asked itself
    if (this.#plan.build.environment.image.kind !== 'host')
      await assertRoom(this.#plan.expected, workspace.directory);
    const executor: Executor = await this.#options.executor();
    const source = await this.#timed('source', () => obtainSource(this.#plan, this.#options));
    if (source.kind === 'untrusted') return { kind: 'stopped', reasons: source.reasons };
    if (source.kind === 'missing')
      return {
        kind: 'stopped',
        reasons: [{ code: 'source-missing-for-version', detail: source.detail }],
      };
    const tree = source.kind === 'ready' ? { source: gitSource(source) } : {};
    const outcome = await executor.prepare({
      plan: this.#plan.build,
      ...workspace,
      ...(source.kind === 'ready' ? { source } : {}),
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    switch (outcome.kind) {
      case 'environment-gone':
        return { kind: 'stopped', reasons: [environmentGone(outcome)], ...tree };
      case 'untrusted':
        return { kind: 'stopped', reasons: outcome.reasons, ...tree };
      case 'prepared': {
        const { prepared } = outcome;
        const { source: planned } = this.#plan.build;
        return {
          kind: 'ready',
          prepared,
          ...(planned.kind === 'debian' ? { source: debianSource(planned, prepared) } : tree),
        };
      }
    }
  }

  async #timed<T>(stage: string, work: () => Promise<T>): Promise<T> {
    const { timed } = this.#options;
    return timed === undefined ? await work() : await timed(stage, work);
  }
}

const environmentGone = (gone: {
  readonly url: string;
  readonly status: number;
}): Reason<UnverifiableReason> => ({
  code: 'environment-gone',
  detail: `${gone.url} answers with status ${gone.status}`,
});
