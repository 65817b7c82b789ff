// SPDX-License-Identifier: Apache-2.0
/** Where runs lie, those that go at their end and those that are kept; which of them live; and how one goes. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { isEngineFile, removeFromEngine } from '../build/abandoned.js';
import { isAbandoned, OWNER_FILE, removeOwned } from '../owned-directory.js';

export const runsDirectory = (cache: string): string => path.join(cache, 'runs');

export const keptDirectory = (cache: string): string => path.join(cache, 'kept');

/** Whoever was given a path may read it for a while. */
const IN_USE_MS = 60 * 60 * 1000;

/** What was used since then, in milliseconds since 1970, may be needed: a run that lives needs it to its end. */
export async function inUseSince(cache: string): Promise<number> {
  return Math.min(Date.now() - IN_USE_MS, ...(await startsOfRuns(cache)));
}

/** Of those whose process lives. */
export async function startsOfRuns(cache: string): Promise<readonly number[]> {
  const starts: number[] = [];
  for (const runs of [runsDirectory(cache), keptDirectory(cache)])
    for (const name of await fs.readdir(runs).catch(() => [])) {
      const directory = path.join(runs, name);
      const owner = await fs.stat(path.join(directory, OWNER_FILE)).catch(() => undefined);
      if (owner !== undefined && !(await isAbandoned(directory))) starts.push(owner.mtimeMs);
    }
  return starts;
}

/** False when something is left for the next time. */
export async function removeRun(directory: string): Promise<boolean> {
  // a killed mmdebstrap may have left something mounted, which must not be emptied from here
  const mounts = await fs.readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  if (mounts.includes(`${directory}/`)) return false;
  const free = await removeFromEngine(directory);
  if (free) await removeOwned(directory);
  else
    for (const name of await fs.readdir(directory))
      if (name !== OWNER_FILE && !isEngineFile(name))
        await fs.rm(path.join(directory, name), { recursive: true, force: true });
  return free;
}
