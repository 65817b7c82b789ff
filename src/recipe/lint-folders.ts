// SPDX-License-Identifier: Apache-2.0
/** Whether a channel compares folders with directories, path by path, and files with files. */
import type { Recipe, RecipeChannel } from './schema.js';
import type { Found } from './lint-problem.js';

const CODE = 'folder-and-file';
const isFolder = (name: string): boolean => name.endsWith('/');

export function lintFolders(
  recipe: Recipe,
  path: string,
  { pairs = [], acquisition }: RecipeChannel,
): readonly Found[] {
  const outputs = recipe.builds.flatMap((build) => build.outputs);
  const found: Found[] = [];
  const complain = (message: string): void => {
    found.push({ code: CODE, path: `${path}.pairs`, message });
  };
  for (const { published, output, when } of pairs) {
    const other = outputs.find(
      ({ id, path: where }) => id === output && isFolder(where) !== isFolder(published),
    );
    const [one, two] = isFolder(published) ? ['a folder', 'a file'] : ['a file', 'a directory'];
    if (other !== undefined)
      complain(`${published} is ${one}, and the output ${output} (${other.path}) is ${two}`);
    if (isFolder(published) && when !== undefined)
      complain(`${published} is a folder, of which nothing is read (when)`);
  }
  if (
    acquisition.kind === 'site-files' &&
    recipe.builds.length > 0 &&
    !pairs.some(({ published }) => isFolder(published))
  )
    complain('what a site serves is a folder: expected a pair whose published name ends in /');
  return found;
}
