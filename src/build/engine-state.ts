// SPDX-License-Identifier: Apache-2.0
/** Whether a container engine answers, and if not, why, by the words of its own client, and what its user can do. */
import { FailedHere } from '../errors.js';
import type { Engine } from './engine.js';

export type EngineState =
  | { readonly kind: 'reachable'; readonly version: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'not-running'; readonly detail: string }
  | { readonly kind: 'no-permission'; readonly detail: string }
  | { readonly kind: 'broken'; readonly detail: string };

export type EngineTrouble = Exclude<EngineState, { readonly kind: 'reachable' }>;

const NO_PERMISSION = /permission denied|operation not permitted|access denied/i;
const NOT_RUNNING =
  /cannot connect|daemon running|connection refused|no such file or directory|deadline exceeded|failed to connect/i;
const PROBE_MS = 20_000;

/**
 * Tries the runtimes in their order and leaves the engine with the first that answers.
 * @throws FailedHere `interrupted`
 */
export async function engineState(engine: Engine, signal?: AbortSignal): Promise<EngineState> {
  let trouble: EngineTrouble = { kind: 'broken', detail: 'no way to run containers' };
  for (const runtime of engine.description.runtimes) {
    if (!engine.runtimeTried) engine.useRuntime(runtime);
    const state = await ask(engine, signal);
    if (state.kind === 'reachable') return state;
    trouble = state;
    if (state.kind === 'missing' || state.kind === 'no-permission') break;
  }
  return trouble;
}

async function ask(engine: Engine, signal: AbortSignal | undefined): Promise<EngineState> {
  const { command, versionArguments } = engine.description;
  try {
    const { ended, stdout, stderr } = await engine.run(versionArguments, {
      timeoutMs: PROBE_MS,
      ...(signal === undefined ? {} : { signal }),
    });
    if (ended.kind === 'aborted') throw new FailedHere('interrupted', `interrupted while asking ${command}`);
    const version = stdout.toString().trim().split('\n').at(-1) ?? '';
    if (ended.kind === 'exited' && ended.code === 0 && version !== '') return { kind: 'reachable', version };
    if (ended.kind === 'timed-out')
      return { kind: 'broken', detail: `no answer within ${ended.afterMs / 1000} s` };
    return refused(stderr.toString());
  } catch (error) {
    if (error instanceof FailedHere && error.code === 'missing-tool') return { kind: 'missing' };
    throw error;
  }
}

function refused(said: string): EngineTrouble {
  const detail = said.trim().split('\n').at(-1)?.slice(0, 500) ?? '';
  if (NO_PERMISSION.test(said)) return { kind: 'no-permission', detail };
  if (NOT_RUNNING.test(said)) return { kind: 'not-running', detail };
  return { kind: 'broken', detail };
}

/** What to do about it. */
export function engineFix({ description }: Engine, state: EngineTrouble): string {
  const { command, installHint, startHint } = description;
  switch (state.kind) {
    case 'missing':
      return `install it: ${installHint}`;
    case 'not-running':
      return `start it: ${startHint}`;
    case 'no-permission':
      return `add the user to the group ${command} (as good as root) and log in again, or use podman: apt-get install podman`;
    case 'broken':
      return `see what it says: ${command} info`;
  }
}
