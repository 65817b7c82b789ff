// SPDX-License-Identifier: Apache-2.0
/**
 * Builds in a container. Nothing of this machine is mounted: the source goes in as a tar stream, the outputs come out as
 * one, and no published file ever goes in. Preparation is frozen as an image, from which every build starts anew.
 */
import os from 'node:os';
import path from 'node:path';
import { FailedHere } from '../errors.js';
import type { BuildPlan, FetchedWorld, InputInventory, OnProgress } from '../model.js';
import { noteEngine } from './abandoned.js';
import { runPhase } from './container-phase.js';
import { chooseRuntime, createPrepare, openFilesLimit } from './create-prepare.js';
import { checkSourceFiles } from './debian-sources.js';
import { Engine, type EngineDescription } from './engine.js';
import type { Executor, PrepareOutcome, PrepareRequest } from './executor.js';
import { AddressFallbacks } from './fallback.js';
import { provideImage, type MakeRootFileSystem } from './images.js';
import { environmentRecord, freezeState } from './frozen-state.js';
import { Leftovers } from './leftovers.js';
import { inPhaseNetwork } from './phase-network.js';
import { PreparedContainer } from './prepared-container.js';
import { probeEngine } from './probe.js';
import { nothingRecorded, type OpenRecorder } from './recorder.js';
import { imageOfRun } from './run-names.js';

export interface InventoryOptions {
  /** Absolute, inside the container. */
  readonly sourceDirectory: string;
  readonly temporaryDirectory: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/** What executors need of the rooms beside them. */
export interface ExecutorDependencies {
  readonly rootFileSystem: MakeRootFileSystem;
  /** Without one a phase with the network gets that of the engine, and nothing of it is recorded. */
  readonly openRecorder?: OpenRecorder;
  /** `exported`: uncompressed tar of the whole file system before the build phase. */
  readonly takeInventory: (
    exported: AsyncIterable<Uint8Array>,
    options: InventoryOptions,
  ) => Promise<InputInventory>;
  readonly takeInventoryOfDirectory: (
    directory: string,
    options: Omit<InventoryOptions, 'sourceDirectory'>,
  ) => Promise<InputInventory>;
}

export class ContainerExecutor implements Executor {
  readonly kind: 'docker' | 'podman';
  readonly #engine: Engine;
  readonly #dependencies: ExecutorDependencies;

  constructor(description: EngineDescription, dependencies: ExecutorDependencies) {
    this.kind = description.kind;
    this.#engine = new Engine(description);
    this.#dependencies = dependencies;
  }

  probe(signal?: AbortSignal): Promise<{ readonly version: string }> {
    return probeEngine(this.#engine, signal);
  }

  async prepare(asked: PrepareRequest): Promise<PrepareOutcome> {
    // names of images are lower case
    const request = { ...asked, run: asked.run.toLowerCase().replace(/[^a-z0-9]+/g, '-') };
    const leftovers = new Leftovers(this.#engine, request.journal !== undefined);
    try {
      const outcome = await this.#prepare(request, leftovers);
      if (outcome.kind !== 'prepared') await leftovers.removeAll();
      return outcome;
    } catch (error) {
      await leftovers.removeAll();
      throw error;
    }
  }

  async #prepare(request: PrepareRequest, leftovers: Leftovers): Promise<PrepareOutcome> {
    const engine = this.#engine;
    const { plan, run, signal } = request;
    const started = performance.now();
    const { version } = await this.probe(signal);
    engine.workIn(request.directory);
    await noteEngine(request.directory, this.kind, run);
    await request.journal?.engine(this.kind);
    leftovers.image(imageOfRun(run, 'image'));
    const image = await provideImage(engine, request, this.#dependencies.rootFileSystem);
    if (image.kind !== 'ready') return image;
    await chooseRuntime(engine, image.reference, request);
    const limits = { cpus: os.availableParallelism(), openFiles: await openFilesLimit() };
    const name = leftovers.container(`samesource-${run}-prepare`);
    const phase = plan.phases.find((each) => each.name === 'prepare');
    const build = plan.phases.find((each) => each.name === 'build');
    if (build === undefined) throw new FailedHere('plan-unresolved', 'the plan has no build phase');
    const logs = [...image.logs];
    const fallbacks = new AddressFallbacks(plan.fallbacks);
    const fetched: FetchedWorld[] = [];
    let asked = phase;
    for (let turn = 1; ; turn++) {
      const own = asked ?? { ...build, network: false };
      const { result: ran, fetched: world } = await inPhaseNetwork(
        engine,
        this.#dependencies.openRecorder,
        own,
        name,
        request,
        leftovers,
        async (network) => {
          await createPrepare(engine, image.reference, name, own, limits, request, leftovers, network);
          if (asked === undefined) return undefined;
          return await runPhase(engine, {
            name,
            phase: own,
            title: 'preparing the environment',
            logFile: path.join(request.directory, 'logs', turn === 1 ? 'prepare.log' : `prepare-${turn}.log`),
            minutes: plan.environment.minutes,
            memoryMiB: plan.environment.memoryMiB,
            ...onlyDefined(request),
            ...(network?.onStart === undefined ? {} : { onStart: network.onStart }),
          });
        },
      );
      fetched.push(...world);
      if (asked === undefined || ran === undefined) break;
      const { outcome, log } = ran;
      logs.push(log);
      if (outcome.kind === 'failed-here') throw withLog(outcome.error, log.path);
      if (outcome.kind !== 'environment-gone') break;
      const script = fallbacks.next(asked.script, outcome);
      if (script === undefined) return outcome;
      // from the image again: half of the first try is no state that anybody knows
      await leftovers.removeContainer(name);
      asked = { ...asked, script };
    }
    if (phase !== undefined) {
      const reasons = await checkSourceFiles(engine, name, plan, signal);
      if (reasons.length > 0) return { kind: 'untrusted', reasons };
    }
    const { takeInventory } = this.#dependencies;
    const frozen = await freezeState(engine, name, request, build, leftovers, takeInventory);
    await leftovers.removeContainer(name);
    const state = {
      inventory: frozen.inventory,
      environment: environmentRecord(engine, version, frozen, request, image.record, asked?.script),
      deviations: [...image.deviations, ...fallbacks.used],
      logs,
      seconds: (performance.now() - started) / 1000,
      fetched: [...unrecordedImage(plan), ...fetched],
      image: frozen.image,
      account: frozen.account,
    };
    await request.journal?.prepared({ ...state, imageId: await engine.imageId(frozen.image) });
    const { openRecorder } = this.#dependencies;
    return {
      kind: 'prepared',
      prepared: new PreparedContainer({
        ...state,
        engine,
        request,
        phase: build,
        limits,
        leftovers,
        openRecorder,
      }),
    };
  }
}

const onlyDefined = ({ signal, onProgress, debianMirror }: PrepareRequest) => ({
  ...(signal === undefined ? {} : { signal }),
  ...(onProgress === undefined ? {} : { onProgress }),
  ...(debianMirror === undefined ? {} : { debianMirror }),
});

/** `build` of an engine has its own way to the network. */
function unrecordedImage({ environment: { dockerfile } }: BuildPlan): readonly FetchedWorld[] {
  if (dockerfile === undefined) return [];
  return [nothingRecorded('prepare', 'image-build', dockerfile.path)];
}

const withLog = (error: FailedHere, log: string): FailedHere =>
  new FailedHere(error.code, error.message, {
    cause: error,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    log,
    known: error.known,
  });
