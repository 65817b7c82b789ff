// SPDX-License-Identifier: Apache-2.0
/** How a container gets to our proxy: we listen on the address of its network here, or inside of its own. */
import type { Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { FailedHere } from '../errors.js';
import { CommandFailed, receiveHandle } from '../process.js';
import type { Engine } from './engine.js';
import { PROXY_PORT, type PhaseProxy } from './phase-proxy.js';
import type { Recorder } from './recorder.js';

const POLL_MS = 50;

export const certificateOf = ({ certificate }: Recorder): Pick<PhaseProxy, 'certificate'> =>
  certificate === undefined ? {} : { certificate };

/**
 * Makes the network, of this name, and listens there.
 * @throws FailedHere `no-recording`
 */
export async function listenAtGateway(
  engine: Engine,
  recorder: Recorder,
  network: string,
  run: string,
): Promise<PhaseProxy> {
  const host = await engine.createNetwork(network, run);
  try {
    const port = await recorder
      .listen({ host, port: PROXY_PORT })
      .catch(async () => await recorder.listen({ host, port: 0 }));
    return { host, port, wait: false, ...certificateOf(recorder) };
  } catch (cause) {
    throw new FailedHere('no-recording', `the network of ${engine.kind} is not one of this machine`, {
      cause,
      hint: `use an engine of this machine, or --no-record: the container then gets the engine's network`,
    });
  }
}

/**
 * A socket that listens in the network of a container. Undefined: the container ended, which says why by itself.
 * @throws FailedHere `no-recording`
 */
export async function listenInside(
  engine: Engine,
  container: string,
  ended: AbortSignal,
): Promise<Server | undefined> {
  for (;;) {
    const pid = await engine.pid(container);
    if (ended.aborted) return undefined;
    if (pid !== 0)
      try {
        return await listenIn(pid);
      } catch (error) {
        if (ended.aborted || (await engine.pid(container)) === 0) return undefined;
        throw error;
      }
    await sleep(POLL_MS);
  }
}

/** Without being root only what is ours can be entered, as its own root. */
async function listenIn(pid: number): Promise<Server> {
  const own = process.getuid?.() === 0 ? [] : ['--user', '--preserve-credentials'];
  const listener = fileURLToPath(new URL('./listener.js', import.meta.url));
  try {
    const entered = ['--target', String(pid), '--net', ...own, process.execPath, listener];
    const handle = await receiveHandle('nsenter', entered);
    return handle as Server;
  } catch (cause) {
    if (!(cause instanceof CommandFailed)) throw cause;
    throw new FailedHere(
      'no-recording',
      `nothing can listen in the network of the container: ${cause.said}`,
      {
        cause,
        hint: "--no-record: the container then gets the engine's network",
      },
    );
  }
}
