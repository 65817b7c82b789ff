// SPDX-License-Identifier: Apache-2.0
/** One process at a time makes a build that others could use: they wait for what it keeps. */
import path from 'node:path';
import { digestOf } from '../../canonical-json.js';
import { FailedHere } from '../../errors.js';
import type { BuildKey, OnProgress } from '../../model.js';
import { waitForLock, type Lock } from '../../owned-lock.js';
import { buildsDirectory } from './build-directory.js';

export interface WaitForBuild {
  readonly cache: string;
  readonly key: BuildKey;
  /** That was asked for: who asks for another one has no use for the build. */
  readonly engine?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/**
 * Held for one build, and nothing else is waited for meanwhile that another waiting process holds. Nothing where the
 * cache takes no lock: then each builds by itself.
 * @throws FailedHere `interrupted`
 */
export async function lockBuild({
  cache,
  key,
  engine,
  signal,
  onProgress,
}: WaitForBuild): Promise<Lock | undefined> {
  const name = digestOf({ ...key, ...(engine === undefined ? {} : { engine }) });
  try {
    return await waitForLock(path.join(buildsDirectory(cache), `${name}.lock`), {
      signal,
      onWait: ({ pid }) =>
        onProgress?.({
          kind: 'note',
          text: `waiting for process ${pid ?? 'unknown'}, which makes this very build: what it keeps is used here. Ctrl-C ends the waiting, --fresh does not wait`,
        }),
    });
  } catch (error) {
    if (signal?.aborted === true)
      throw new FailedHere('interrupted', 'interrupted while another process made this build', {
        cause: error,
      });
    return undefined;
  }
}
