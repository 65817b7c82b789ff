// SPDX-License-Identifier: Apache-2.0
/** How files are taken out of a container. */
import { addedFiles } from './added-files.js';
import type { Engine } from './engine.js';
import type { OutputSource } from './outputs.js';

export function containerOutputs(engine: Engine, container: string, signal?: AbortSignal): OutputSource {
  const signalled = signal === undefined ? {} : { signal };
  return {
    take: (from, file, maxBytes) => engine.copyOut(container, from, { file, maxBytes, ...signalled }),
    takeTree: (from, into, bounds) => engine.copyTreeOut(container, from, { into, bounds, ...signalled }),
    added: (directories) => addedFiles(engine, container, directories),
  };
}
