// SPDX-License-Identifier: Apache-2.0
/** The recipes of this package: found, shown, checked. */
import { basename } from 'node:path';
import { readText } from '../bytes.js';
import { UsageError } from '../errors.js';
import { readRecipes } from '../inputs/package-files.js';
import { nearestWord } from '../nearest-word.js';
import { checkRecipe, formatProblem, parseRecipe, recipeDigest } from '../recipe/load.js';
import { COMMAND_NAMES, lintRecipes as lintAll } from '../recipe/lint.js';
import type { Recipe } from '../recipe/schema.js';

/** Far beyond what the checks accept: they say so then. */
const MAX_RECIPE = 4 << 20;

export interface LoadedRecipe {
  readonly file: string;
  readonly recipe: Recipe;
  readonly sha256: string;
}

/** @throws UsageError `recipe-invalid` for the first file with problems, all of which it names */
export async function recipes(own?: string): Promise<readonly LoadedRecipe[]> {
  const texts = await readRecipes(own);
  return texts.map(({ file, text }) => ({
    file,
    recipe: parseRecipe(file, text),
    sha256: recipeDigest(text),
  }));
}

/** The names of all, and the recipes whose names stand in a text: reading all of them takes a second. */
export async function recipesNamedIn(
  text: string,
  own?: string,
): Promise<{ readonly names: readonly string[]; readonly recipes: readonly Recipe[] }> {
  const texts = (await readRecipes(own)).map((one) => ({ ...one, app: basename(one.file, '.yaml') }));
  return {
    names: texts.map(({ app }) => app),
    recipes: texts.filter(({ app }) => text.includes(app)).map((one) => parseRecipe(one.file, one.text)),
  };
}

/** @throws UsageError `unknown-app` with the nearest name */
export async function recipeOf(app: string, own?: string): Promise<LoadedRecipe> {
  const texts = await readRecipes(own);
  const names = texts.map(({ file }) => basename(file, '.yaml'));
  const at = names.indexOf(app);
  const found = texts[at];
  if (found === undefined) {
    const near = nearestWord(app, [...names, ...COMMAND_NAMES]);
    throw new UsageError('unknown-app', `there is no recipe for ${JSON.stringify(app)}`, {
      hint: near === undefined ? `apps: ${names.join(', ')}` : `did you mean ${near}?`,
    });
  }
  const { file, text } = found;
  return { file, recipe: parseRecipe(file, text), sha256: recipeDigest(text) };
}

export interface LintResult {
  readonly file: string;
  /** One line each, with the place. */
  readonly problems: readonly string[];
}

/** Checks all recipes. */
export async function lintRecipes(own?: string): Promise<readonly LintResult[]> {
  return (await readRecipes(own)).map(({ file, text }) => lintText(file, text));
}

/** Checks one recipe that need not be part of the package. */
export function lintText(file: string, text: string): LintResult {
  const checked = checkRecipe(file, text);
  const problems =
    checked.kind === 'invalid'
      ? checked.problems.map(formatProblem)
      : lintAll([{ file, recipe: checked.recipe }]).map(
          ({ path, code, message }) => `${file} ${path}: ${message} (${code})`,
        );
  return { file, problems };
}

/**
 * Checks a recipe file of the user's.
 * @throws FailedHere `unreadable-input`
 */
export async function lintFile(file: string): Promise<LintResult> {
  return lintText(file, readText(file, MAX_RECIPE));
}
