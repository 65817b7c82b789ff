// SPDX-License-Identifier: Apache-2.0
/** Which CPUs a container may use, as it sees them itself: the engine may run on another machine. */
import { throwIfAborted } from './engine-failure.js';
import { HOSTNAME, createArguments } from './phase.js';
import type { PreparedState } from './prepared-container.js';

/** On one line, with nothing but a shell. */
const SCRIPT =
  'while read -r key value; do if test "$key" = Cpus_allowed_list:; then echo "$value"; fi; done </proc/self/status';

/** By number. @throws FailedHere */
export async function allowedCpus(
  { engine, image, leftovers, request: { run, plan }, phase, limits }: PreparedState,
  signal: AbortSignal | undefined,
): Promise<readonly number[]> {
  const name = leftovers.container(`samesource-${run}-cpus`);
  try {
    // to its end, as `throwIfAborted` says
    const list = await engine.checked([
      'run',
      ...createArguments(name, run, plan, { ...phase, network: false }, [], limits),
      ...engine.description.createArguments(HOSTNAME),
      image,
      '-c',
      SCRIPT,
    ]);
    throwIfAborted(signal, 'before the build phase');
    return cpusIn(list);
  } finally {
    await leftovers.removeContainer(name);
  }
}

/** `0-3,8` (cpuset(7), "List format"). Nothing where it is not one. */
export function cpusIn(list: string): readonly number[] {
  if (!/^\d{1,4}(?:-\d{1,4})?(?:,\d{1,4}(?:-\d{1,4})?)*$/.test(list)) return [];
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
  });
}
