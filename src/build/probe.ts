// SPDX-License-Identifier: Apache-2.0
/** An engine that must answer, or the error that says what its user can do about it. */
import { FailedHere } from '../errors.js';
import type { Engine } from './engine.js';
import { engineFix, engineState, type EngineTrouble } from './engine-state.js';

/** @throws FailedHere `no-engine`, `interrupted` */
export async function probeEngine(
  engine: Engine,
  signal: AbortSignal | undefined,
): Promise<{ readonly version: string }> {
  const state = await engineState(engine, signal);
  if (state.kind === 'reachable') return { version: state.version };
  throw new FailedHere('no-engine', `${engine.description.command} ${told(state)}`, {
    hint: engineFix(engine, state),
  });
}

function told(state: EngineTrouble): string {
  switch (state.kind) {
    case 'missing':
      return 'is not installed';
    case 'no-permission':
      return `is there, but this user may not use it: ${state.detail}`;
    case 'not-running':
    case 'broken':
      return `does not answer: ${state.detail}`;
  }
}
