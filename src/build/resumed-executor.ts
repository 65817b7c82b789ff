// SPDX-License-Identifier: Apache-2.0
/**
 * Takes up a run that was kept. What a finished phase left is used by its digest and by nothing else; where the state of
 * a phase is used that did not finish, or that somebody had their hands in, the caller knows and gives no verdict.
 */
import os from 'node:os';
import path from 'node:path';
import { FailedHere } from '../errors.js';
import type { BuildResult } from '../model.js';
import { noteEngine } from './abandoned.js';
import type { ExecutorDependencies } from './container.js';
import { chooseRuntime, openFilesLimit } from './create-prepare.js';
import { DOCKER } from './docker.js';
import { Engine } from './engine.js';
import { throwIfAborted } from './engine-failure.js';
import type { Executor, PreparedBuild, PrepareOutcome, PrepareRequest } from './executor.js';
import { environmentRecord, freezeState } from './frozen-state.js';
import { Leftovers } from './leftovers.js';
import { collectOutputs } from './outputs.js';
import { containerOutputs } from './container-outputs.js';
import { assertContainer, checkedImage } from './phase-shell.js';
import { PODMAN } from './podman.js';
import { PreparedContainer } from './prepared-container.js';
import { probeEngine } from './probe.js';
import type { BegunPhase, FrozenState } from './run-journal.js';
import { imageOfRun } from './run-names.js';

/** Where builds start. */
export type ResumedStart =
  | { readonly kind: 'image'; readonly state: FrozenState }
  /** Frozen as it is. */
  | { readonly kind: 'container'; readonly container: string };

export interface ResumedRun {
  readonly engine: 'docker' | 'podman';
  readonly start: ResumedStart;
  /** The phase that gave the state, as it was begun. */
  readonly prepare?: BegunPhase;
  /** Builds that finished, in order: they are not made again. */
  readonly built?: readonly { readonly result: BuildResult; readonly made: string }[];
  /** The first build is what lies in this container. */
  readonly outputsOf?: string;
}

export class ResumedExecutor implements Executor {
  readonly kind: 'docker' | 'podman';
  readonly #engine: Engine;
  readonly #resumed: ResumedRun;
  readonly #takeInventory: ExecutorDependencies['takeInventory'];
  readonly #openRecorder: ExecutorDependencies['openRecorder'];

  constructor(
    resumed: ResumedRun,
    { takeInventory, openRecorder }: Pick<ExecutorDependencies, 'takeInventory' | 'openRecorder'>,
  ) {
    this.kind = resumed.engine;
    this.#engine = new Engine(resumed.engine === 'docker' ? DOCKER : PODMAN);
    this.#resumed = resumed;
    this.#takeInventory = takeInventory;
    this.#openRecorder = openRecorder;
  }

  probe(signal?: AbortSignal): Promise<{ readonly version: string }> {
    return probeEngine(this.#engine, signal);
  }

  async prepare(request: PrepareRequest): Promise<PrepareOutcome> {
    const { start, built } = this.#resumed;
    const leftovers = new Leftovers(this.#engine, request.journal !== undefined);
    // builds that are there need no engine; only one more of them would
    if (start.kind === 'image' && built !== undefined) {
      let container: Promise<PreparedContainer> | undefined;
      const started = (): Promise<PreparedContainer> => (container ??= this.#started(request, leftovers));
      return {
        kind: 'prepared',
        prepared: this.#withBuilt(start.state, started, leftovers, request),
      };
    }
    try {
      const container = await this.#started(request, leftovers);
      return {
        kind: 'prepared',
        prepared: this.#withBuilt(container, () => Promise.resolve(container), leftovers, request),
      };
    } catch (error) {
      await leftovers.removeAll();
      throw error;
    }
  }

  #withBuilt(
    {
      inventory,
      environment,
      deviations,
      logs,
      fetched = [],
      seconds,
    }: Omit<PreparedBuild, 'build' | 'close'>,
    started: () => Promise<PreparedContainer>,
    leftovers: Leftovers,
    request: PrepareRequest,
  ): PreparedBuild {
    const { built = [], outputsOf } = this.#resumed;
    return {
      inventory,
      environment,
      deviations,
      logs,
      fetched,
      seconds,
      variable: async (asked, signal) =>
        built.length > 1
          ? { possible: [], why: 'another build of the earlier run confirms it' }
          : await (await started()).variable(asked, signal),
      build: async (attempt, signal, varied) => {
        if (varied !== undefined) return await (await started()).build(attempt, signal, varied);
        if (attempt === 1 && outputsOf !== undefined) return await this.#collected(outputsOf, request);
        return built[attempt - 1]?.result ?? (await (await started()).build(attempt, signal));
      },
      madeBefore: (attempt) => built[attempt - 1]?.made,
      close: () => leftovers.removeAll(),
    };
  }

  /** What lies there, however it came to be there. */
  async #collected(container: string, request: PrepareRequest): Promise<BuildResult> {
    await assertContainer(this.#engine, container);
    const source = containerOutputs(this.#engine, container, request.signal);
    const directory = path.join(request.directory, 'outputs', '1');
    const collected = await collectOutputs(request.plan, source, directory);
    return { kind: 'succeeded', ...collected, logs: [], seconds: 0 };
  }

  async #started(request: PrepareRequest, leftovers: Leftovers): Promise<PreparedContainer> {
    const { start, prepare } = this.#resumed;
    const engine = this.#engine;
    const { plan, run, directory, signal, journal } = request;
    const build = plan.phases.find((each) => each.name === 'build');
    if (build === undefined) throw new FailedHere('plan-unresolved', 'the plan has no build phase');
    const { version } = await this.probe(signal);
    engine.workIn(directory);
    await noteEngine(directory, this.kind, run);
    await journal?.engine(this.kind);
    throwIfAborted(signal, 'before the run was taken up');
    const state =
      start.kind === 'image'
        ? await this.#tagged(start.state, leftovers.image(imageOfRun(run, 'prepared')))
        : await this.#frozen(start.container, request, version, leftovers);
    if (prepare !== undefined) await journal?.began(prepare);
    await journal?.prepared(state);
    await chooseRuntime(engine, state.imageId, request);
    return new PreparedContainer({
      ...state,
      // by what it is: a name could be given to another one meanwhile
      image: state.imageId,
      engine,
      request,
      phase: build,
      limits: { cpus: os.availableParallelism(), openFiles: await openFilesLimit() },
      leftovers,
      openRecorder: this.#openRecorder,
    });
  }

  /** Of this run's own name as well, so that it stays when the other run goes. */
  async #tagged(state: FrozenState, name: string): Promise<FrozenState> {
    const id = await checkedImage(this.#engine, { name: state.image, id: state.imageId });
    await this.#engine.checked(['tag', id, name]);
    return { ...state, image: name };
  }

  async #frozen(
    container: string,
    request: PrepareRequest,
    version: string,
    leftovers: Leftovers,
  ): Promise<FrozenState> {
    const engine = this.#engine;
    const started = performance.now();
    await assertContainer(engine, container);
    const build = request.plan.phases.find((each) => each.name === 'build');
    if (build === undefined) throw new FailedHere('plan-unresolved', 'the plan has no build phase');
    const frozen = await freezeState(engine, container, request, build, leftovers, this.#takeInventory);
    return {
      ...frozen,
      imageId: await engine.imageId(frozen.image),
      environment: environmentRecord(engine, version, frozen, request),
      deviations: [],
      logs: [],
      fetched: [],
      seconds: (performance.now() - started) / 1000,
    };
  }
}
