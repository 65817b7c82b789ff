// SPDX-License-Identifier: Apache-2.0
/** The prepared image: every attempt is a new container from it, so that no attempt sees what another one left. */
import path from 'node:path';
import type { BuildResult, FetchedWorld, PhasePlan } from '../model.js';
import { containerOutputs } from './container-outputs.js';
import { buildResult, type PhaseResult } from './build-result.js';
import { runPhase } from './container-phase.js';
import type { Engine } from './engine.js';
import { throwIfAborted } from './engine-failure.js';
import type { PreparedBuild, PrepareRequest } from './executor.js';
import type { Leftovers } from './leftovers.js';
import { collectOutputs } from './outputs.js';
import { inPhaseNetwork } from './phase-network.js';
import { proxyFiles } from './phase-proxy.js';
import type { OpenRecorder } from './recorder.js';
import type { FrozenState } from './run-journal.js';
import { tarStream } from './tar-write.js';
import { createArguments, phaseVariables, wrapperScript, type ContainerLimits } from './phase.js';

export interface PreparedState extends Omit<FrozenState, 'imageId'> {
  readonly engine: Engine;
  readonly request: PrepareRequest;
  readonly phase: PhasePlan;
  readonly limits: ContainerLimits;
  readonly leftovers: Leftovers;
  readonly openRecorder: OpenRecorder | undefined;
}

export class PreparedContainer implements PreparedBuild {
  readonly inventory: PreparedBuild['inventory'];
  readonly environment: PreparedBuild['environment'];
  readonly deviations: PreparedBuild['deviations'];
  readonly logs: PreparedBuild['logs'];
  readonly fetched: readonly FetchedWorld[];
  readonly seconds: number;
  readonly #state: PreparedState;

  constructor(state: PreparedState) {
    this.inventory = state.inventory;
    this.environment = state.environment;
    this.deviations = state.deviations;
    this.logs = state.logs;
    this.fetched = state.fetched;
    this.seconds = state.seconds;
    this.#state = state;
  }

  async build(attempt: number, signal?: AbortSignal): Promise<BuildResult> {
    const { engine, request, account, image, phase, limits, leftovers } = this.#state;
    const { plan, run, journal } = request;
    const { commitTime } = request.source ?? {};
    const name = leftovers.container(`samesource-${run}-build-${attempt}`);
    const stop = signal ?? request.signal;
    const signalled = stop === undefined ? {} : { signal: stop };
    const variables = phaseVariables(plan.environment, account.home, commitTime);
    try {
      const { result, fetched } = await inPhaseNetwork(
        engine,
        this.#state.openRecorder,
        phase,
        name,
        request,
        leftovers,
        async (network) => {
          throwIfAborted(stop, 'before the build phase');
          const args = (own: readonly string[] | undefined): readonly string[] => [
            ...createArguments(name, run, plan, phase, variables, limits, own),
            ...engine.description.createArguments,
          ];
          await journal?.began({ phase: 'build', attempt, container: name, arguments: args(undefined) });
          await engine.checked([
            'create',
            ...args(network?.arguments),
            image,
            '-c',
            wrapperScript(variables, phase, [], network?.proxy),
            'sh',
            phase.script,
          ]);
          if (network?.proxy?.certificate !== undefined)
            await engine.copyIn(name, tarStream(proxyFiles(network.proxy, account, commitTime ?? 0)), stop);
          throwIfAborted(stop, 'before the build phase');
          return await runPhase(engine, {
            name,
            phase,
            title: `build ${attempt}`,
            logFile: path.join(request.directory, 'logs', `build-${attempt}.log`),
            minutes: plan.environment.minutes,
            memoryMiB: plan.environment.memoryMiB,
            ...signalled,
            ...(request.onProgress === undefined ? {} : { onProgress: request.onProgress }),
            ...(network?.onStart === undefined ? {} : { onStart: network.onStart }),
          });
        },
      );
      const built = await this.#result(name, attempt, result, fetched, stop);
      await journal?.built(attempt, built);
      return built;
    } finally {
      await leftovers.removePhase(name);
    }
  }

  close(): Promise<void> {
    return this.#state.leftovers.removeAll();
  }

  async #result(
    name: string,
    attempt: number,
    ran: PhaseResult,
    fetched: readonly FetchedWorld[],
    signal: AbortSignal | undefined,
  ): Promise<BuildResult> {
    const { engine, request } = this.#state;
    const result = await buildResult(ran, async () => {
      const collected = await collectOutputs(
        request.plan,
        containerOutputs(engine, name, signal),
        path.join(request.directory, 'outputs', String(attempt)),
      );
      throwIfAborted(signal, 'while the outputs were copied');
      return collected;
    });
    return result.kind === 'succeeded' ? { ...result, fetched } : result;
  }
}
