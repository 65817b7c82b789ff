// SPDX-License-Identifier: Apache-2.0
/** The network of a phase: our proxy and nothing else. */
import { FailedHere } from '../errors.js';
import type { FetchedWorld, PhasePlan } from '../model.js';
import type { Engine } from './engine.js';
import type { PrepareRequest } from './executor.js';
import type { PhaseOutcome } from './failure.js';
import { writeFetched } from './fetched-log.js';
import type { Leftovers } from './leftovers.js';
import { PROXY_PORT, type PhaseProxy } from './phase-proxy.js';
import { certificateOf, listenAtGateway, listenInside } from './proxy-reach.js';
import {
  assertAnswered,
  assertServed,
  nothingRecorded,
  type OpenRecorder,
  type Recorder,
} from './recorder.js';

export interface PhaseNetwork {
  /** Of `create`. */
  readonly arguments: readonly string[];
  readonly proxy?: PhaseProxy;
  /** To be done when the container has started. */
  readonly onStart?: (ended: AbortSignal) => Promise<void>;
}

const MIB = 1 << 20;

/**
 * Does `work` in the network that the phase gets, and says what went over it. `container`: name of the one it runs in.
 * @throws FailedHere `host-refused`, `not-recorded`, `no-recording`, `network`, and what `work` throws
 */
export async function inPhaseNetwork<T extends { readonly outcome: PhaseOutcome } | undefined>(
  engine: Engine,
  open: OpenRecorder | undefined,
  phase: PhasePlan,
  container: string,
  request: PrepareRequest,
  leftovers: Leftovers,
  work: (network: PhaseNetwork | undefined, phase: PhasePlan) => Promise<T>,
): Promise<{ readonly result: T; readonly fetched: readonly FetchedWorld[] }> {
  if (!phase.network) return { result: await work(undefined, phase), fetched: [] };
  if (open === undefined) {
    if (phase.hosts !== undefined)
      throw new FailedHere(
        'no-recording',
        'the recipe lists the hosts that may be asked, which only the recording proxy can see to',
      );
    const result = await work(undefined, phase);
    return { result, fetched: [nothingRecorded(phase.name, 'all', 'recording was switched off')] };
  }
  const { plan, cache, directory, debianMirror, signal } = request;
  const recorder = await open({
    phase: phase.name,
    cache,
    directory,
    maxBytes: plan.environment.diskMiB * MIB,
    ...(phase.hosts === undefined ? {} : { hosts: phase.hosts }),
    ...(phase.certificate === undefined ? {} : { certificate: phase.certificate }),
    ...(debianMirror === undefined ? {} : { debianMirror }),
    ...(signal === undefined ? {} : { signal }),
  });
  let result: T;
  try {
    const network =
      engine.description.reach === 'namespace'
        ? inside(engine, recorder, container)
        : await overGateway(engine, recorder, container, request.run, leftovers);
    result = await work(network, phase);
  } catch (error) {
    const outcome = await recorder.close().catch(() => undefined);
    if (outcome !== undefined) await writeFetched(directory, outcome.world);
    throw error;
  }
  const outcome = await recorder.close();
  await writeFetched(directory, outcome.world);
  await leftovers.removeNetworks();
  assertAnswered(outcome, phase.name);
  if (result?.outcome.kind === 'command-failed') assertServed(outcome, phase.name);
  return { result, fetched: [outcome.world] };
}

async function overGateway(
  engine: Engine,
  recorder: Recorder,
  container: string,
  run: string,
  leftovers: Leftovers,
): Promise<PhaseNetwork> {
  const network = leftovers.network(`${container}-network`);
  const proxy = await listenAtGateway(engine, recorder, network, run);
  return { arguments: ['--network', network], proxy };
}

function inside(engine: Engine, recorder: Recorder, container: string): PhaseNetwork {
  return {
    arguments: ['--network', 'none'],
    proxy: { host: '127.0.0.1', port: PROXY_PORT, wait: true, ...certificateOf(recorder) },
    async onStart(ended) {
      const server = await listenInside(engine, container, ended);
      if (server !== undefined) await recorder.listen(server);
    },
  };
}
