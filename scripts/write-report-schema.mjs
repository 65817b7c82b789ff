// SPDX-License-Identifier: Apache-2.0
// Writes reports/schema.json from the schema that the program uses. Run by `npm run schema:reports`, after a build.
import { mkdirSync, writeFileSync } from 'node:fs';
import { reportJsonSchemaText } from '../dist/src/report/json-schema.js';

mkdirSync(new URL('../reports/', import.meta.url), { recursive: true });
writeFileSync(new URL('../reports/schema.json', import.meta.url), reportJsonSchemaText());
