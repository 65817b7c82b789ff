// SPDX-License-Identifier: Apache-2.0
/**
 * Removes what killed runs left behind: containers, images, directories. A run whose process lives is never touched. Done
 * by a run's keeper when its process is gone, and by the next run for what a keeper could not (a machine that went down).
 */
import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isEngineFile, removeFromEngine } from '../build/abandoned.js';
import { sweepRemotes } from '../build/ssh/abandoned-remote.js';
import { cacheDirectory } from '../inputs/cache.js';
import { isAbandoned, OWNER_FILE } from '../owned-directory.js';

export const runsDirectory = (cache: string): string => path.join(cache, 'runs');

/** As `makeOwnedDirectory` is called; the end is that of `mkdtemp`. */
export const TEMPORARY = /^samesource-(?:image-|pgp-|reports-)?[A-Za-z0-9]{6}$/;

/** Never throws: what cannot be removed now is left for the next time. */
export async function sweep(): Promise<void> {
  await sweepRemotes(cacheDirectory());
  const runs = runsDirectory(cacheDirectory());
  for (const directory of [...(await below(runs, /^/)), ...(await below(os.tmpdir(), TEMPORARY))])
    if (await isAbandoned(directory)) await removeRun(directory).catch(() => undefined);
}

export async function below(parent: string, named: RegExp): Promise<readonly string[]> {
  const names = await fs.readdir(parent).catch(() => []);
  return names
    .filter((name) => named.test(name))
    .map((name) => path.join(parent, name))
    .sort();
}

async function removeRun(directory: string): Promise<void> {
  // a killed mmdebstrap may have left something mounted, which must not be emptied from here
  const mounts = await fs.readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  if (mounts.includes(`${directory}/`)) return;
  const free = await removeFromEngine(directory);
  if (free) await fs.rm(directory, { recursive: true, force: true });
  else
    for (const name of await fs.readdir(directory))
      if (name !== OWNER_FILE && !isEngineFile(name))
        await fs.rm(path.join(directory, name), { recursive: true, force: true });
}
