// SPDX-License-Identifier: Apache-2.0
/** One bare clone per repository, kept between runs: all commits, trees only when asked for. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, promises as fs } from 'node:fs';
import path from 'node:path';
import { FailedHere, UsageError } from '../../errors.js';
import type { OnProgress } from '../../model.js';
import { withLock } from '../../owned-lock.js';
import { git, gitChecked, gitError, gitFailure, isRepositoryAddress, succeeded } from './git.js';

export interface GitCacheOptions {
  readonly cache: string;
  /** What is there is taken as it is. */
  readonly offline?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** Thrown where the server answers that there is no such repository. */
export class RepositoryMissing extends Error {}

/**
 * The directory of an up-to-date bare clone.
 * @throws RepositoryMissing
 * @throws FailedHere `network`, `interrupted`
 */
export async function bareClone(repository: string, options: GitCacheOptions): Promise<string> {
  if (!isRepositoryAddress(repository))
    throw new UsageError('bad-repository', `not the address of a repository: ${repository}`, {
      hint: 'use an https:// address or an absolute path',
    });
  const name = createHash('sha256').update(repository).digest('hex').slice(0, 32);
  const directory = path.join(options.cache, 'git', `${name}.git`);
  // two that fetch at once would trip over each other's locks of references, and one would take the clone for broken
  return await withLock(`${directory}.lock`, async () => await upToDate(repository, directory, options), {
    signal: options.signal,
    onWait: ({ pid }) =>
      options.onProgress?.({
        kind: 'note',
        text: `waiting for process ${pid ?? 'unknown'}, which fetches ${repository}`,
      }),
  });
}

async function upToDate(repository: string, directory: string, options: GitCacheOptions): Promise<string> {
  // a repository on this machine needs no network
  if (options.offline === true && /^[a-z]+:/i.test(repository)) {
    if (existsSync(directory)) return directory;
    throw new FailedHere('not-recorded', `${repository} is not in the cache`, {
      hint: 'copy the cache of the machine that made the report, or run it without --offline',
    });
  }
  await removeAsides(directory);
  if (existsSync(directory)) {
    const fetched = await git(
      ['fetch', '--quiet', '--prune', '--force', '--tags', 'origin', '+refs/heads/*:refs/heads/*'],
      { cwd: directory, signal: options.signal },
    );
    if (succeeded(fetched)) return directory;
    const failure = gitFailure(fetched);
    if (failure.kind === 'not-found') throw new RepositoryMissing(failure.said);
    // a cache that git cannot use any more is made anew; a network that fails is said
    if (failure.kind === 'network' || fetched.ended.kind !== 'exited') throw gitError(['fetch'], fetched);
    // at once, for whoever reads it
    await fs.rename(directory, asideName(directory));
    await removeAsides(directory);
  }
  const aside = asideName(directory);
  try {
    // a server without filters ignores the wish and sends everything
    const cloned = await git(['clone', '--quiet', '--bare', '--filter=tree:0', '--', repository, aside], {
      signal: options.signal,
    });
    if (!succeeded(cloned)) {
      const failure = gitFailure(cloned);
      if (failure.kind === 'not-found') throw new RepositoryMissing(failure.said);
      throw gitError(['clone'], cloned);
    }
    await gitChecked(['config', 'remote.origin.fetch', '+refs/heads/*:refs/heads/*'], { cwd: aside });
    await fs.rename(aside, directory);
  } finally {
    await fs.rm(aside, { recursive: true, force: true });
  }
  return directory;
}

const asideName = (directory: string): string => `${directory}.${randomBytes(6).toString('hex')}`;

/** What a killed run was cloning; nobody else does while we hold the lock. */
async function removeAsides(directory: string): Promise<void> {
  const base = `${path.basename(directory)}.`;
  for (const name of await fs.readdir(path.dirname(directory)))
    if (name.startsWith(base) && /^[0-9a-f]{12}$/.test(name.slice(base.length)))
      await fs.rm(path.join(path.dirname(directory), name), { recursive: true, force: true });
}
