// SPDX-License-Identifier: Apache-2.0
/**
 * Clean builds of a plan, one after the other: those that were kept, then such as are made now. Source and environment are
 * only obtained for the latter, once.
 */
import type { Executor, PreparedBuild } from '../build/executor.js';
import type { Variable } from '../build/variation.js';
import type { VariedNote } from '../inputs/builds/varied-note.js';
import { assertRoom } from '../inputs/room.js';
import type {
  BuildResult,
  Plan,
  PreparedFacts,
  Reason,
  SourceRecord,
  UnverifiableReason,
  Variation,
} from '../model.js';
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
  #varied = 0;

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
    return (await this.#kept.next()) ?? (await this.#kept.alone(() => this.#made(attempt)));
  }

  async #made(attempt: number): Promise<SuppliedBuild | StoppedBuild> {
    const start = await this.#started();
    if (start.kind === 'stopped') return start;
    const built = await this.#make(start, attempt);
    if (built.kind === 'stopped') return built;
    const { prepared, result } = built;
    const before = prepared.madeBefore?.(attempt);
    // one that was made before was kept then, if it could be: twice it would count as two
    const id =
      before === undefined && this.#options.storing !== false
        ? await this.#timed('keep', () =>
            this.#kept.keep({
              attempt,
              ...(built.source === undefined ? {} : { source: built.source }),
              prepared,
              result,
            }),
          )
        : undefined;
    return {
      ...built,
      use: {
        ...(id === undefined ? {} : { id }),
        ...built.use,
        ...(before === undefined ? {} : { made: before, reused: true }),
      },
    };
  }

  /** Which of these a build can be made with here; none where nothing can be built at all. @throws FailedHere */
  async variable(asked: readonly Variation[]): Promise<Variable> {
    const start = await this.#started();
    if (start.kind === 'stopped') return { possible: [] };
    const { prepared } = start;
    return (
      (await prepared.variable?.(asked, this.#options.signal)) ?? {
        possible: [],
        why: `the executor ${prepared.environment.executor} varies nothing`,
      }
    );
  }

  /** In another environment than the plan's, so that it is never kept. @throws FailedHere */
  async varied(varied: readonly Variation[]): Promise<SuppliedBuild | StoppedBuild> {
    const start = await this.#started();
    return start.kind === 'stopped' ? start : await this.#make(start, ++this.#varied, varied);
  }

  /** What is known of an earlier build under other conditions that gave what this one did. */
  async variedBefore({ id }: BuildUse): Promise<VariedNote | undefined> {
    return id === undefined ? undefined : await this.#kept.variedNote(id);
  }

  async noteVaried({ id }: BuildUse, note: VariedNote): Promise<void> {
    if (id !== undefined) await this.#kept.noteVaried(id, note);
  }

  /** Never throws. */
  async close(): Promise<void> {
    if (this.#start?.kind === 'ready') await this.#start.prepared.close();
  }

  async #started(): Promise<Start | StoppedBuild> {
    this.#start ??= await this.#prepare();
    return this.#start;
  }

  async #make(
    { prepared, source }: Start,
    attempt: number,
    varied?: readonly Variation[],
  ): Promise<(SuppliedBuild & { readonly prepared: PreparedBuild }) | StoppedBuild> {
    const from = source === undefined ? {} : { source };
    const result = await this.#timed('build', () => prepared.build(attempt, this.#options.signal, varied));
    if (result.kind === 'environment-gone')
      return { kind: 'stopped', reasons: [environmentGone(result)], ...from, prepared };
    const { executor, engineVersion } = prepared.environment;
    return {
      kind: 'built',
      result,
      prepared,
      ...from,
      use: {
        made: new Date().toISOString(),
        executor,
        ...(engineVersion === undefined ? {} : { engineVersion }),
        reused: false,
      },
    };
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
