// SPDX-License-Identifier: Apache-2.0
/** Every attack: code that makes it, one line that says what it is, and the verdict that must come out. */
import { apps } from './apps.js';
import type { Attack } from './base.js';
import { CODES } from './codes.js';
import { cover } from './cover.js';
import { jarOnly } from './jar-only.js';
import { lab } from './lab.js';
import { sets } from './sets.js';
import { signers } from './signers.js';
import { structure } from './structure.js';
import { tables } from './tables.js';

const all: readonly Attack[] = [
  ...lab,
  ...jarOnly,
  ...structure,
  ...tables,
  ...cover,
  ...signers,
  ...sets,
  ...apps,
];

export const attacks: readonly Attack[] = all.map((attack) => {
  const code = attack.manner === 'as-is' ? undefined : CODES[attack.name];
  return code === undefined ? attack : { ...attack, expected: { ...attack.expected, code } };
});
