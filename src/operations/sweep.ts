// SPDX-License-Identifier: Apache-2.0
/**
 * Removes what killed runs left behind: containers, images, directories. A run whose process lives is never touched, and
 * of one that is kept only what still runs is ended. Done by a run's keeper when its process is gone, and by the next run for what a keeper could not (a machine that went down).
 */
import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { sweepRemotes } from '../build/ssh/abandoned-remote.js';
import { cacheDirectory } from '../inputs/cache.js';
import { isAbandoned } from '../owned-directory.js';
import { keptDirectory, removeRun, runsDirectory } from './run-directories.js';

/** As `makeOwnedDirectory` is called; the end is that of `mkdtemp`. */
export const TEMPORARY = /^samesource-(?:image-|pgp-|reports-)?[A-Za-z0-9]{6}$/;

/** Never throws: what cannot be removed now is left for the next time. */
export async function sweep(): Promise<void> {
  await sweepRemotes(cacheDirectory());
  const runs = runsDirectory(cacheDirectory());
  for (const directory of [...(await below(runs, /^/)), ...(await below(os.tmpdir(), TEMPORARY))])
    if (await isAbandoned(directory)) await removeRun(directory).catch(() => undefined);
  for (const directory of await below(keptDirectory(cacheDirectory()), /^/))
    if (await isAbandoned(directory)) {
      const { settle } = await import('./kept-runs.js');
      await settle(directory).catch(() => undefined);
    }
}

export async function below(parent: string, named: RegExp): Promise<readonly string[]> {
  const names = await fs.readdir(parent).catch(() => []);
  return names
    .filter((name) => named.test(name))
    .map((name) => path.join(parent, name))
    .sort();
}
