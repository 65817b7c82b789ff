// SPDX-License-Identifier: Apache-2.0
/** A directory of one run below the cache, gone when the run ends, however it ends; a killed one's keeper sees to that. */
import { randomBytes } from 'node:crypto';
import { promises as fs, type Dirent } from 'node:fs';
import path from 'node:path';
import { storageFailure } from '../inputs/atomic-file.js';
import { cacheDirectory } from '../inputs/cache.js';
import { makeOwned, OWNER_FILE, removeOwned } from '../owned-directory.js';
import { debianMirror } from '../inputs/debian/debian-mirror.js';
import { packageRoot } from '../inputs/package-files.js';
import type { Plan } from '../model.js';
import type { Workspace } from '../pipeline/options.js';
import { outcomeOf, type Ending, type KeepRun } from './keep-run.js';
import { discard } from './kept-runs.js';
import { keptDirectory, runsDirectory } from './run-directories.js';
import { startRunKeeper } from './run-keeper.js';
import { sweep } from './sweep.js';

/** `20261125t071500-3f9a2c`: sorts by time, and is a valid container name. */
export function runName(now = new Date()): string {
  const time = now.toISOString().replace(/[-:]/g, '').replace(/\..*$/, '').toLowerCase();
  return `${time}-${randomBytes(3).toString('hex')}`;
}

export interface Keeping<T> {
  readonly journal: KeepRun;
  readonly endingOf: (result: T) => Ending;
}

export async function inWorkspace<T>(
  plan: Needs,
  work: (workspace: Workspace) => Promise<T>,
  keeping?: Keeping<T>,
): Promise<T> {
  const cache = cacheDirectory();
  const run = runName();
  const directory = path.join(keeping === undefined ? runsDirectory(cache) : keptDirectory(cache), run);
  await sweep();
  const keeper = await startRunKeeper();
  try {
    await fs.mkdir(path.dirname(directory), { recursive: true });
    await makeOwned(directory);
  } catch (error) {
    keeper.done();
    await removeOwned(directory).catch(() => undefined);
    throw storageFailure(error, 'the work of this run', directory);
  }
  let ending: Ending = { good: false, outcome: 'error' };
  try {
    await keeping?.journal.begin(directory);
    const result = await work({
      directory,
      cache,
      packageRoot: packageRoot(),
      run,
      ...(needsArchive(plan) ? { debianMirror: await debianMirror() } : {}),
      ...(keeping === undefined ? {} : { journal: keeping.journal }),
    });
    if (keeping !== undefined) ending = keeping.endingOf(result);
    return result;
  } catch (error) {
    ending = { good: false, outcome: outcomeOf(error) };
    throw error;
  } finally {
    if (keeping === undefined) await remove(directory);
    else if (await keeping.journal.end(ending))
      await fs.rm(path.join(directory, OWNER_FILE), { force: true });
    else await discard(directory).catch(() => undefined);
    keeper.done();
  }
}

/** A result is not lost because something of its run cannot be removed, e.g. what lies in a directory without write mode. */
async function remove(directory: string): Promise<void> {
  const attempt = async (): Promise<boolean> =>
    await removeOwned(directory).then(
      () => true,
      () => false,
    );
  if (await attempt()) return;
  const found = await fs
    .readdir(directory, { recursive: true, withFileTypes: true })
    .catch(() => [] as Dirent[]);
  for (const entry of found)
    if (entry.isDirectory())
      await fs.chmod(path.join(entry.parentPath, entry.name), 0o700).catch(() => undefined);
  await attempt();
}

/** Of a plan; without a build nothing but the published files is fetched. */
type Needs = Pick<Plan, 'compare'> & Partial<Pick<Plan, 'build'>>;

/** Debian's archive may then be asked, also by a phase. */
export function needsArchive({ build, compare }: Needs): boolean {
  return (
    build?.source.kind === 'debian' ||
    build?.environment.image.kind === 'lock' ||
    compare.acquisition.kind === 'debian-archive'
  );
}
