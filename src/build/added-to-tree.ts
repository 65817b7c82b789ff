// SPDX-License-Identifier: Apache-2.0
/** As `addedFiles`, of a tree that is mounted into a container: read by the container that holds it. */
import path from 'node:path';
import { hasControls, MAX_FILES } from './added-files.js';
import type { OrderedTree } from './directory-order.js';
import type { Engine } from './engine.js';
import { engineFailure } from './engine-failure.js';

/**
 * Each name in a directory, with nothing but a shell; a directory that is not there has none. One that a link leads to
 * lies in the build's container and not in the one that is asked; an engine's own list has nothing under such a name.
 */
const LIST = `cd -P -- "$1" 2>/dev/null || exit 0
test "$(pwd -P)" = "$1" || exit 0
for name in * .[!.]* ..?*; do
  if test -e "$name" || test -h "$name"; then printf '%s\\0' "$name"; fi
done`;

export async function addedToTree(
  engine: Engine,
  { holder, directory, before }: OrderedTree,
  directories: readonly string[],
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const one of directories) {
    if (one !== directory && !one.startsWith(`${directory}/`)) continue;
    const result = await engine.run(['exec', holder, 'sh', '-c', LIST, 'sh', one]);
    if (result.ended.kind !== 'exited' || result.ended.code !== 0)
      throw engineFailure(engine.kind, 'exec', result);
    const names = result.stdout.toString('latin1').split('\0');
    // behind the last zero is nothing, or the beginning of a name
    names.pop();
    const relative = Buffer.from(path.posix.relative(directory, one)).toString('latin1');
    for (const name of names) {
      const file = Buffer.from(name, 'latin1').toString();
      if (before.has(path.posix.join(relative, name)) || hasControls(file)) continue;
      found.push(path.posix.join(one, file));
    }
  }
  return found.sort().slice(0, MAX_FILES);
}
