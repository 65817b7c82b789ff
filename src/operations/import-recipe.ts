// SPDX-License-Identifier: Apache-2.0
/** A recipe out of what others know about building an app; what is lost on the way stands in it. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { readText } from '../bytes.js';
import { UsageError } from '../errors.js';
import { renderRecipe, type ImportedRecipe, type Todo } from '../recipe/import/draft.js';
import { importFdroid, type ImportRequest } from '../recipe/import/fdroid.js';
import type { Srclib } from '../recipe/import/fdroid-schema.js';
import { importRbtlog } from '../recipe/import/rbtlog.js';
import { readSrclib, srclibNames } from '../recipe/import/srclibs.js';
import { printable } from '../printable.js';
import { lintText } from './recipes.js';

export const IMPORT_FORMATS = ['fdroiddata', 'rbtlog'] as const;
export type ImportFormat = (typeof IMPORT_FORMATS)[number];

export interface RecipeImportRequest {
  readonly format: ImportFormat;
  /** `metadata/<package>.yml` or `recipes/<package>.yml`: the name is the package. */
  readonly file: string;
  /** Name of the recipe; default the package with hyphens. */
  readonly app?: string;
  /** So many of the newest versions; default 3. */
  readonly versions?: number;
  /** Which of several files of one version, counted from 1; default the last one listed. */
  readonly variant?: number;
}

export interface RecipeImport {
  readonly app: string;
  /** The recipe with its comments, as YAML. */
  readonly text: string;
  readonly todos: readonly Todo[];
}

const MAX_FILE = 4 << 20;
const IMPORTERS = { fdroiddata: importFdroid, rbtlog: importRbtlog } as const satisfies Record<
  ImportFormat,
  (request: ImportRequest) => ImportedRecipe
>;

/**
 * @throws UsageError `import-name`, `import-invalid` (a line for each problem), `import-nothing`
 * @throws FailedHere `unreadable-input`
 */
export async function importRecipe(request: RecipeImportRequest): Promise<RecipeImport> {
  const { format, file, versions = 3 } = request;
  const packageId = path.basename(file).replace(/\.ya?ml$/, '');
  if (!/^[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)+$/.test(packageId))
    throw new UsageError('import-name', `${path.basename(file)} is not named after a package`, {
      hint: 'both formats say in the name of the file which package it is about: org.example.chat.yml',
    });
  const text = readText(file, MAX_FILE);
  const imported = IMPORTERS[format]({
    file,
    text,
    packageId,
    versions,
    date: new Date().toISOString().slice(0, 10),
    ...(request.app === undefined ? {} : { app: request.app }),
    ...(request.variant === undefined ? {} : { variant: request.variant }),
    srclibs: format === 'fdroiddata' ? srclibsBeside(file, text) : new Map(),
  });
  const { app } = imported.recipe;
  const head = `Taken over from ${printable(path.basename(file))} (${format}). Every TODO is something that could not be taken over.`;
  const result = renderRecipe(imported, head);
  const { problems } = lintText(`${app}.yaml`, result);
  if (problems.length > 0)
    throw new UsageError(
      'import-invalid',
      `what ${file} says makes no valid recipe: ${problems.join('; ')}`,
      {
        hint: 'fewer versions (--versions 1), another name (--app), or a recipe by hand: verify recipes new',
      },
    );
  return { app, text: result, todos: imported.todos };
}

/** F-Droid keeps them in a directory beside the one of the metadata. */
function srclibsBeside(file: string, text: string): ReadonlyMap<string, Srclib> {
  const directory = path.join(path.dirname(path.resolve(file)), '..', 'srclibs');
  const found = new Map<string, Srclib>();
  for (const name of srclibNames(text)) {
    const at = path.join(directory, `${name}.yml`);
    if (existsSync(at)) found.set(name, readSrclib(at, readText(at, MAX_FILE)));
  }
  return found;
}
