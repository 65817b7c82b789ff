// SPDX-License-Identifier: Apache-2.0
/** Every attack: code that makes it, one line that says what it is, and the verdict that must come out. */
import type { Attack } from './base.js';
import { cover } from './cover.js';
import { jarOnly } from './jar-only.js';
import { lab } from './lab.js';
import { sets } from './sets.js';
import { signers } from './signers.js';
import { structure } from './structure.js';
import { tables } from './tables.js';

export const attacks: readonly Attack[] = [
  ...lab,
  ...jarOnly,
  ...structure,
  ...tables,
  ...cover,
  ...signers,
  ...sets,
];
