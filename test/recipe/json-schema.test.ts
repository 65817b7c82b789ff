// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import test from 'ava';
import { parse } from 'yaml';
import { recipeJsonSchema } from '../../src/recipe/json-schema.js';
import { recipeFiles, recipeText, replaced, SMALL_RECIPE } from '../helpers/recipes.js';

const written = (): string => readFileSync(new URL('../../../recipes/schema.json', import.meta.url), 'utf8');

function errorsOf(text: string): readonly string[] {
  const ajv = new Ajv({ allErrors: true, strict: false });
  const validate = ajv.compile(JSON.parse(written()) as object);
  return validate(parse(text))
    ? []
    : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message ?? ''}`);
}

test('recipes/schema.json is up to date (npm run schema:recipes)', (t) => {
  t.is(written(), recipeJsonSchema());
});

for (const file of recipeFiles())
  test(`${file} agrees with the schema for editors, and names it`, (t) => {
    t.deepEqual(errorsOf(recipeText(file)), []);
    t.is(recipeText(file).split('\n')[0], '# yaml-language-server: $schema=./schema.json');
  });

test('the schema for editors refuses what the program refuses', (t) => {
  t.deepEqual(errorsOf(SMALL_RECIPE), []);
  t.not(errorsOf(replaced('packageId:', 'packagId:')(SMALL_RECIPE)).length, 0);
  t.not(errorsOf(replaced("version: '10.10'", 'version: 10.10')(SMALL_RECIPE)).length, 0);
  t.not(errorsOf(replaced('rule: play', 'rule: plai')(SMALL_RECIPE)).length, 0);
});
