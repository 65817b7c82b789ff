// SPDX-License-Identifier: Apache-2.0
/** The recipe schema for editors: JSON Schema draft 7 (https://json-schema.org/draft-07), which YAML language servers know best. */
import { z } from 'zod';
import { recipeSchema } from './schema.js';

/** The text of `recipes/schema.json`. `npm run schema:recipes` writes it, and a test holds it to this. */
export function recipeJsonSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(recipeSchema, { target: 'draft-7', io: 'input' }), null, 2)}\n`;
}
