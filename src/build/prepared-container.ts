// SPDX-License-Identifier: Apache-2.0
/** The prepared image: every attempt is a new container from it, so that no attempt sees what another one left. */
import path from 'node:path';
import type { BuildResult, FetchedWorld, PhasePlan, Variation } from '../model.js';
import { allowedCpus } from './allowed-cpus.js';
import { containerOutputs } from './container-outputs.js';
import { DirectoryOrder, type OrderedTree } from './directory-order.js';
import { buildResult, type PhaseResult } from './build-result.js';
import { runPhase } from './container-phase.js';
import type { Engine } from './engine.js';
import { throwIfAborted } from './engine-failure.js';
import type { PreparedBuild, PrepareRequest } from './executor.js';
import type { Leftovers } from './leftovers.js';
import { assertNotLinked } from './linked-outputs.js';
import { collectOutputs } from './outputs.js';
import { inPhaseNetwork } from './phase-network.js';
import { proxyFiles } from './phase-proxy.js';
import type { OpenRecorder } from './recorder.js';
import type { FrozenState } from './run-journal.js';
import { tarStream, type TarItem } from './tar-write.js';
import {
  createArguments,
  hostsFile,
  HOSTNAME,
  phaseVariables,
  wrapperScript,
  type ContainerLimits,
} from './phase.js';
import { variedContainer, variedVariables, type Variable } from './variation.js';

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
  readonly #order: DirectoryOrder;
  #cpus: Promise<readonly number[]> | undefined;

  constructor(state: PreparedState) {
    this.inventory = state.inventory;
    this.environment = state.environment;
    this.deviations = state.deviations;
    this.logs = state.logs;
    this.fetched = state.fetched;
    this.seconds = state.seconds;
    this.#state = state;
    this.#order = new DirectoryOrder(state);
  }

  async variable(asked: readonly Variation[], signal?: AbortSignal): Promise<Variable> {
    const why: string[] = [];
    const possible: Variation[] = [];
    for (const one of asked) {
      const reason = await this.#whyNot(one, signal);
      if (reason === undefined) possible.push(one);
      else why.push(reason);
    }
    return why.length === 0 ? { possible } : { possible, why: why.join('; ') };
  }

  async build(
    attempt: number,
    signal?: AbortSignal,
    varied: readonly Variation[] = [],
  ): Promise<BuildResult> {
    if (!varied.includes('directory-order')) return await this.#build(attempt, signal, varied);
    const stop = signal ?? this.#state.request.signal;
    return await this.#order.around(String(attempt), stop, (tree) =>
      this.#build(attempt, signal, varied, tree),
    );
  }

  async #build(
    attempt: number,
    signal: AbortSignal | undefined,
    varied: readonly Variation[],
    tree?: OrderedTree,
  ): Promise<BuildResult> {
    const { engine, request, account, image, phase, limits, leftovers } = this.#state;
    const { plan, run } = request;
    const planned = varied.length === 0;
    // what is kept of a run is what can be taken up, and nothing goes on from a varied build
    const journal = planned ? request.journal : undefined;
    const { commitTime } = request.source ?? {};
    const title = planned ? String(attempt) : `varied-${attempt}`;
    const name = leftovers.container(`samesource-${run}-build-${title}`);
    const stop = signal ?? request.signal;
    const signalled = stop === undefined ? {} : { signal: stop };
    const variables = variedVariables(
      phaseVariables(plan.environment, account.home, commitTime),
      varied,
      plan.environment,
    );
    const { timeFactor, ...frame } = variedContainer(
      varied,
      varied.includes('cpus') ? await this.#allowedCpus(stop) : [],
    );
    const memoryMiB = plan.environment.memoryMiB + (tree?.memoryMiB ?? 0);
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
            ...createArguments(name, run, plan, phase, variables, limits, {
              ...frame,
              memoryMiB,
              network: own,
            }),
            ...engine.description.createArguments(frame.hostName),
            ...(tree?.arguments ?? []),
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
          const mtime = commitTime ?? 0;
          const items: readonly TarItem[] = [
            ...(frame.hostName === HOSTNAME ? [] : [hostsFile(frame.hostName, mtime)]),
            ...(network?.proxy === undefined ? [] : proxyFiles(network.proxy, account, mtime)),
          ];
          if (items.length > 0) await engine.copyIn(name, tarStream(items), stop);
          throwIfAborted(stop, 'before the build phase');
          return await runPhase(engine, {
            name,
            phase,
            title: planned ? `build ${attempt}` : `build with other ${varied.join(', ')}`,
            logFile: path.join(request.directory, 'logs', `build-${title}.log`),
            minutes: plan.environment.minutes * timeFactor,
            memoryMiB,
            ...signalled,
            ...(request.onProgress === undefined ? {} : { onProgress: request.onProgress }),
            ...(network?.onStart === undefined ? {} : { onStart: network.onStart }),
          });
        },
      );
      const built = await this.#result(name, title, result, fetched, stop, tree);
      await journal?.built(attempt, built);
      return built;
    } finally {
      await (planned ? leftovers.removePhase(name) : leftovers.removeContainer(name));
    }
  }

  async close(): Promise<void> {
    await this.#order.close();
    await this.#state.leftovers.removeAll();
  }

  async #whyNot(one: Variation, signal: AbortSignal | undefined): Promise<string | undefined> {
    if (one === 'directory-order') return await this.#order.whyNot(signal ?? this.#state.request.signal);
    if (one !== 'cpus' || (await this.#allowedCpus(signal)).length > 1) return undefined;
    return `a container of ${this.#state.engine.kind} has one CPU here`;
  }

  async #allowedCpus(signal: AbortSignal | undefined): Promise<readonly number[]> {
    this.#cpus ??= allowedCpus(this.#state, signal);
    return await this.#cpus;
  }

  async #result(
    name: string,
    title: string,
    ran: PhaseResult,
    fetched: readonly FetchedWorld[],
    signal: AbortSignal | undefined,
    tree: OrderedTree | undefined,
  ): Promise<BuildResult> {
    const { engine, request } = this.#state;
    const result = await buildResult(ran, async () => {
      const collected = await collectOutputs(
        request.plan,
        containerOutputs(engine, name, signal, tree),
        path.join(request.directory, 'outputs', title),
      );
      throwIfAborted(signal, 'while the outputs were copied');
      if (tree !== undefined) await assertNotLinked(engine, tree, request.plan, collected);
      return collected;
    });
    return result.kind === 'succeeded' ? { ...result, fetched } : result;
  }
}
