// SPDX-License-Identifier: Apache-2.0
/** Whether an engine answers, and if not, what its user can do about it. */
import { FailedHere } from '../errors.js';
import type { Engine } from './engine.js';

const PROBE_MS = 20_000;

/** @throws FailedHere `no-engine`, `interrupted` */
export async function probeEngine(
  engine: Engine,
  signal: AbortSignal | undefined,
): Promise<{ readonly version: string }> {
  const { description } = engine;
  const { command, installHint, startHint } = description;
  for (const runtime of description.runtimes) {
    if (!engine.runtimeTried) engine.useRuntime(runtime);
    let result;
    try {
      result = await engine.run(description.versionArguments, {
        timeoutMs: PROBE_MS,
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      if (!(error instanceof FailedHere) || error.code !== 'missing-tool') throw error;
      throw new FailedHere('no-engine', `${command} is not installed`, {
        cause: error,
        hint: `install it: ${installHint}`,
      });
    }
    const { ended, stdout, stderr } = result;
    if (ended.kind === 'aborted') throw new FailedHere('interrupted', `interrupted while asking ${command}`);
    const version = stdout.toString().trim().split('\n').at(-1) ?? '';
    if (ended.kind === 'exited' && ended.code === 0 && version !== '') return { version };
    const said = stderr.toString().trim().split('\n').at(-1) ?? '';
    if (/permission denied/i.test(said))
      throw new FailedHere('no-engine', `${command} is there, but this user may not use it: ${said}`, {
        hint: `add the user to the group ${command} and log in again, or use podman: ${installHint.replace(/\S+$/, 'podman')}`,
      });
    if (runtime === description.runtimes.at(-1))
      throw new FailedHere('no-engine', `${command} does not answer: ${said.slice(0, 500)}`, {
        hint: `start it: ${startHint}`,
      });
  }
  throw new FailedHere('no-engine', `${command} has no way to run containers`);
}
