// SPDX-License-Identifier: Apache-2.0
/** How files are taken out of a container. */
import { addedFiles } from './added-files.js';
import { addedToTree } from './added-to-tree.js';
import type { OrderedTree } from './directory-order.js';
import type { Engine } from './engine.js';
import type { OutputSource } from './outputs.js';

/** `tree`: what is mounted into it, and is in no engine's list of what was added. */
export function containerOutputs(
  engine: Engine,
  container: string,
  signal?: AbortSignal,
  tree?: OrderedTree,
): OutputSource {
  const signalled = signal === undefined ? {} : { signal };
  return {
    take: (from, file, maxBytes) => engine.copyOut(container, from, { file, maxBytes, ...signalled }),
    takeTree: (from, into, bounds) => engine.copyTreeOut(container, from, { into, bounds, ...signalled }),
    added: async (directories) => {
      const listed = await addedFiles(engine, container, directories);
      return tree === undefined ? listed : [...listed, ...(await addedToTree(engine, tree, directories))];
    },
  };
}
