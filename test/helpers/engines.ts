// SPDX-License-Identifier: Apache-2.0
/** Container engines that answer here, and what they hold of a run. */
import { execFileSync } from 'node:child_process';
import type { ExecutionContext } from 'ava';
import { hasTool, without } from './need.js';

export type EngineName = 'docker' | 'podman';

export function hasEngine(t: ExecutionContext, engine: EngineName): boolean {
  try {
    if (hasTool(engine)) {
      execFileSync(engine, ['ps', '--quiet'], { stdio: 'pipe' });
      return true;
    }
  } catch {
    // installed, and does not answer
  }
  return without(t, `a running ${engine}`);
}

/** Containers, images and volumes of the runs that a scratch package has begun, by the plan's own names. */
export function held(engine: EngineName, runs: readonly string[]): readonly string[] {
  const list = (args: readonly string[]): readonly string[] =>
    execFileSync(engine, args, { encoding: 'utf8' }).split('\n');
  return [
    ...list(['ps', '--all', '--format', '{{.Names}}']),
    ...list(['images', '--format', '{{.Repository}}']),
    ...list(['volume', 'ls', '--format', '{{.Name}}']),
  ].filter((name) => runs.some((run) => name.includes(`samesource-${run}`)));
}
