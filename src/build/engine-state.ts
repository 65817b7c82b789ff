// SPDX-License-Identifier: Apache-2.0
/** Whether a container engine answers, and if not, why: what its own client says. */
import { FailedHere } from '../errors.js';
import { run } from '../process.js';

export const ENGINES = ['docker', 'podman'] as const;
export type Engine = (typeof ENGINES)[number];

export type EngineState =
  | { readonly kind: 'reachable'; readonly version: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'not-running'; readonly detail: string }
  | { readonly kind: 'no-permission'; readonly detail: string }
  | { readonly kind: 'broken'; readonly detail: string };

/** Answered by the engine itself, not by its client: a client without a daemon has a version too. */
const QUESTION: Readonly<Record<Engine, readonly string[]>> = {
  docker: ['version', '--format', '{{.Server.Version}}'],
  podman: ['info', '--format', '{{.Version.Version}}'],
};

const NO_PERMISSION = /permission denied|operation not permitted|access denied/i;
const NOT_RUNNING =
  /cannot connect|daemon running|connection refused|no such file or directory|deadline exceeded|failed to connect/i;
const LONG_ENOUGH_MS = 15_000;

export async function engineState(engine: Engine, signal?: AbortSignal): Promise<EngineState> {
  try {
    const { ended, stdout, stderr } = await run(engine, QUESTION[engine], {
      timeoutMs: LONG_ENOUGH_MS,
      ...(signal === undefined ? {} : { signal }),
    });
    if (ended.kind === 'aborted') throw new FailedHere('interrupted', `${engine} was interrupted`);
    const version = stdout.toString().trim();
    if (ended.kind === 'exited' && ended.code === 0 && version !== '') return { kind: 'reachable', version };
    if (ended.kind === 'timed-out')
      return { kind: 'broken', detail: `no answer within ${ended.afterMs / 1000} s` };
    return refused(stderr.toString());
  } catch (error) {
    if (error instanceof FailedHere && error.code === 'missing-tool') return { kind: 'missing' };
    throw error;
  }
}

/** By the words of the client. */
export function refused(said: string): EngineState {
  const detail = said.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
  if (NO_PERMISSION.test(said)) return { kind: 'no-permission', detail };
  if (NOT_RUNNING.test(said)) return { kind: 'not-running', detail };
  return { kind: 'broken', detail };
}
