// SPDX-License-Identifier: Apache-2.0
/** Paths that appeared in a container since its image, directly in the given directories, by the engine's own list. */
import path from 'node:path';
import type { Engine } from './engine.js';
import { engineFailure } from './engine-failure.js';

/** No build leaves so many files beside its outputs. */
export const MAX_FILES = 1000;

export async function addedFiles(
  engine: Engine,
  container: string,
  directories: readonly string[],
): Promise<readonly string[]> {
  const wanted = new Set(directories);
  const found = new Set<string>();
  const result = await engine.run(['diff', container], {
    timeoutMs: 30 * 60_000,
    captureBytes: 4096,
    onLine: (line) => {
      const file = /^A (\/.+)$/.exec(line)?.[1];
      if (
        file !== undefined &&
        found.size < MAX_FILES &&
        wanted.has(path.posix.dirname(file)) &&
        !hasControls(file)
      )
        found.add(file);
    },
  });
  if (result.ended.kind !== 'exited' || result.ended.code !== 0)
    throw engineFailure(engine.kind, 'diff', result);
  return [...found].sort();
}

/** Such a name could not be told from two lines of the list. */
export const hasControls = (name: string): boolean => /\p{Cc}/u.test(name);
