// SPDX-License-Identifier: Apache-2.0
// Writes README's table of messengers and docs/claims.md. Run by `npm run docs:messengers`, after a build.
import { writeFileSync } from 'node:fs';
import { generatedPages } from '../dist/src/operations/generated-pages.js';

for (const [page, text] of Object.entries(await generatedPages())) writeFileSync(page, text);
