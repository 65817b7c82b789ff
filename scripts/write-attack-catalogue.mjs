// SPDX-License-Identifier: Apache-2.0
// Writes the table of attacks into docs/comparison.md; a test holds it.
import { readFileSync, writeFileSync } from 'node:fs';
import { withCatalogue } from '../dist/test/attacks/catalogue.js';
import { attacks } from '../dist/test/attacks/index.js';

const page = new URL('../docs/comparison.md', import.meta.url);
writeFileSync(page, withCatalogue(readFileSync(page, 'utf8'), attacks));
