// SPDX-License-Identifier: Apache-2.0
/** Every place of every recipe: taken out, of another type, beside a key that nobody knows. Each is told with line and column. */
import test from 'ava';
import { parse, stringify } from 'yaml';
import { checkRecipe } from '../../src/recipe/load.js';
import { recipeFiles, recipeText } from '../helpers/recipes.js';

type Key = string | number;
type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };

interface Place {
  readonly file: string;
  readonly recipe: Value;
  readonly path: readonly Key[];
  readonly value: Value;
}

/** One of each kind: list items and names that recipes choose themselves count once. */
function kindOf(path: readonly Key[]): string {
  return path
    .map((key, i) => {
      const before = path[i - 1];
      if (typeof key === 'number') return '[]';
      return before === 'channels' || before === 'variables' || before === 'toolchain' || before === 'files'
        ? '{}'
        : key;
    })
    .join('.');
}

function* placesOf(file: string, recipe: Value, value = recipe, path: readonly Key[] = []): Generator<Place> {
  yield { file, recipe, path, value };
  if (Array.isArray(value))
    for (const [i, item] of (value as readonly Value[]).entries())
      yield* placesOf(file, recipe, item, [...path, i]);
  else if (typeof value === 'object' && value !== null)
    for (const [key, item] of Object.entries(value)) yield* placesOf(file, recipe, item, [...path, key]);
}

const places = new Map<string, Place>();
for (const file of recipeFiles())
  for (const place of placesOf(file, parse(recipeText(file)) as Value)) {
    // what a list item looks like depends on its kind
    const around = at(place.recipe, place.path.slice(0, -1));
    const variant = typeof around === 'object' && around !== null && 'kind' in around ? around.kind : '';
    const kind = `${kindOf(place.path)} ${JSON.stringify(variant)}`;
    if (place.path.length > 0 && !places.has(kind)) places.set(kind, place);
  }

function at(value: Value, path: readonly Key[]): Value | undefined {
  return path.reduce<Value | undefined>(
    (current, key) =>
      typeof current === 'object' && current !== null
        ? (current as Readonly<Record<Key, Value>>)[key]
        : undefined,
    value,
  );
}

/** A copy in which `edit` has had the node around the place. */
function edited(
  { recipe, path }: Place,
  edit: (around: Record<Key, Value> & Value[], key: Key) => void,
): string {
  const copy = structuredClone(recipe);
  const key = path.at(-1);
  if (key === undefined) throw new Error('the root has nothing around it');
  edit(at(copy, path.slice(0, -1)) as Record<Key, Value> & Value[], key);
  return stringify(copy, { aliasDuplicateObjects: false });
}

interface Found {
  readonly line: number;
  readonly column: number;
  readonly path: string;
}

function problems(text: string, file: string): readonly Found[] {
  const checked = checkRecipe(file, text);
  return checked.kind === 'valid' ? [] : checked.problems;
}

const textOf = (path: readonly Key[]): string =>
  path.map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i === 0 ? '' : '.'}${key}`)).join('');

/** The line of YAML at which a problem points has the key, or the place around it. */
function pointsInto(text: string, { line, column }: Found): boolean {
  const shown = text.split('\n')[line - 1];
  return shown !== undefined && column >= 1 && column <= shown.length + 1;
}

/** Around a union, the problem may be told of the whole item. */
const tellsOf = (found: Found, path: readonly Key[]): boolean =>
  [path, path.slice(0, -1)].some((one) => found.path.startsWith(textOf(one)));

test(`${places.size} kinds of places, from ${recipeFiles().length} recipes`, (t) => {
  t.true(places.size > 150);
});

test('of another type', (t) => {
  for (const place of places.values()) {
    const wrong: Value = typeof place.value === 'object' && place.value !== null ? 'text' : [[1]];
    const text = edited(place, (around, key) => {
      around[key] = wrong;
    });
    const found = problems(text, place.file);
    const where = `${place.file} ${textOf(place.path)}`;
    t.true(found.length > 0, `${where}: ${JSON.stringify(wrong)} is accepted`);
    t.true(
      found.some((problem) => tellsOf(problem, place.path)),
      `${where}: ${JSON.stringify(found)}`,
    );
    t.true(
      found.every((problem) => pointsInto(text, problem)),
      `${where}: ${JSON.stringify(found)}`,
    );
  }
});

test('taken out: a key that may be missing, or a problem that names it', (t) => {
  let needed = 0;
  for (const place of places.values()) {
    if (typeof place.path.at(-1) === 'number') continue;
    const text = edited(place, (around, key) => {
      Reflect.deleteProperty(around, key);
    });
    const found = problems(text, place.file);
    if (found.length === 0) continue;
    needed++;
    t.true(
      found.some((problem) => tellsOf(problem, place.path)),
      `${place.file} ${textOf(place.path)}: ${JSON.stringify(found)}`,
    );
    t.true(found.every((problem) => pointsInto(text, problem)));
  }
  t.true(needed > 60, String(needed));
});

/** Maps whose keys a recipe chooses. */
const OPEN = /(?:^|\.)(?:channels|variables|toolchain|files|buildArguments)$/;

test('a key that nobody knows, in every map', (t) => {
  let maps = 0;
  for (const place of places.values()) {
    const { value, path, file } = place;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) continue;
    if (OPEN.test(textOf(path))) continue;
    maps++;
    const text = edited(place, (around, key) => {
      around[key] = { ...(value as object), nobodyKnows: 1 } as Value;
    });
    const found = problems(text, file);
    t.true(
      found.some((problem) => problem.path === `${textOf(path)}.nobodyKnows`),
      `${file} ${textOf(path)}: ${JSON.stringify(found)}`,
    );
  }
  t.true(maps > 30, String(maps));
});
