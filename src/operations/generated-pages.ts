// SPDX-License-Identifier: Apache-2.0
/** The pages that are written from recipes, reports and docs/claims.yaml. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../inputs/package-files.js';
import { claimsPage, scoreboardLinks } from './claims-page.js';
import { parseClaims } from './claims.js';
import { messengersTable, withMessengers } from './messengers.js';
import { recipes } from './recipes.js';
import { scanReports } from './scan-reports.js';

/** By path below the root, what each page has to be. */
export async function generatedPages(root = packageRoot()): Promise<Readonly<Record<string, string>>> {
  const known = (await recipes(root)).map(({ recipe }) => recipe);
  const { index } = await scanReports(path.join(root, 'reports'));
  const read = async (file: string): Promise<string> => await fs.readFile(path.join(root, file), 'utf8');
  const claims = parseClaims(await read('docs/claims.yaml'));
  const table = messengersTable(known, index, scoreboardLinks(claims));
  return {
    'README.md': withMessengers(await read('README.md'), table),
    'docs/claims.md': claimsPage(claims, known, index),
  };
}
