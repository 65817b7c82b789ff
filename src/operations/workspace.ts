// SPDX-License-Identifier: Apache-2.0
/** A directory of one run below the cache, gone when the run ends, however it ends. */
import { randomBytes } from 'node:crypto';
import { promises as fs, type Dirent } from 'node:fs';
import path from 'node:path';
import { storageFailure } from '../inputs/atomic-file.js';
import { cacheDirectory } from '../inputs/cache.js';
import { debianMirror } from '../inputs/debian-mirror.js';
import { packageRoot } from '../inputs/package-files.js';
import type { Plan } from '../model.js';
import type { Workspace } from '../pipeline/options.js';

/** `20261125t071500-3f9a2c`: sorts by time, and is a valid container name. */
function runName(now = new Date()): string {
  const time = now.toISOString().replace(/[-:]/g, '').replace(/\..*$/, '').toLowerCase();
  return `${time}-${randomBytes(3).toString('hex')}`;
}

export async function inWorkspace<T>(plan: Plan, work: (workspace: Workspace) => Promise<T>): Promise<T> {
  const cache = cacheDirectory();
  const run = runName();
  const directory = path.join(cache, 'runs', run);
  try {
    await fs.mkdir(directory, { recursive: true });
  } catch (error) {
    throw storageFailure(error, 'the work of this run', directory);
  }
  try {
    return await work({
      directory,
      cache,
      packageRoot: packageRoot(),
      run,
      ...(needsArchive(plan) ? { debianMirror: await debianMirror() } : {}),
    });
  } finally {
    await remove(directory);
  }
}

/** A result is not lost because something of its run cannot be removed, e.g. what lies in a directory without write mode. */
async function remove(directory: string): Promise<void> {
  const attempt = async (): Promise<boolean> =>
    await fs.rm(directory, { recursive: true, force: true, maxRetries: 3 }).then(
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

function needsArchive({ build, compare }: Plan): boolean {
  return (
    build.source.kind === 'debian' ||
    build.environment.image.kind === 'lock' ||
    compare.acquisition.kind === 'debian-archive'
  );
}
