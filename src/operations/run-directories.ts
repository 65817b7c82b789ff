// SPDX-License-Identifier: Apache-2.0
/** Where runs lie, those that go at their end and those that are kept; and how one goes. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { isEngineFile, removeFromEngine } from '../build/abandoned.js';
import { OWNER_FILE } from '../owned-directory.js';

export const runsDirectory = (cache: string): string => path.join(cache, 'runs');

export const keptDirectory = (cache: string): string => path.join(cache, 'kept');

/** False when something is left for the next time. */
export async function removeRun(directory: string): Promise<boolean> {
  // a killed mmdebstrap may have left something mounted, which must not be emptied from here
  const mounts = await fs.readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  if (mounts.includes(`${directory}/`)) return false;
  const free = await removeFromEngine(directory);
  if (free) await fs.rm(directory, { recursive: true, force: true });
  else
    for (const name of await fs.readdir(directory))
      if (name !== OWNER_FILE && !isEngineFile(name))
        await fs.rm(path.join(directory, name), { recursive: true, force: true });
  return free;
}
