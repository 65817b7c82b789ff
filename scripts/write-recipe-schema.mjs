// SPDX-License-Identifier: Apache-2.0
// Writes recipes/schema.json from the schema that the program uses. Run by `npm run schema:recipes`, after a build.
import { writeFileSync } from 'node:fs';
import { recipeJsonSchema } from '../dist/src/recipe/json-schema.js';

writeFileSync(new URL('../recipes/schema.json', import.meta.url), recipeJsonSchema());
