// SPDX-License-Identifier: Apache-2.0
/** What of a run names this machine, and is taken out of everything that is kept. */
import type { Workspace } from '../pipeline/options.js';

export function privateOf({ directory, cache, packageRoot, debianMirror }: Workspace): readonly string[] {
  return [directory, cache, packageRoot, ...(debianMirror === undefined ? [] : [debianMirror])];
}
