// SPDX-License-Identifier: Apache-2.0
/** The sentences of a report under the headings that every rendering uses, in the order in which people ask. */
import type { Report, Statement } from './types.js';

export interface Section {
  readonly title: string;
  readonly statements: readonly Statement[];
}

const PROVEN = new Set([
  'pair-identical',
  'pair-signature-only',
  'pair-reencoded',
  'pair-excluded',
  'signature-verified',
  'origin-built',
]);
const NOT_PROVEN = new Set([
  'pair-different',
  'pair-unread',
  'pair-encrypted',
  'unpaired-published',
  'undeclared-rebuilt',
  'not-obtained',
  'build-failed',
  'nothing-compared',
]);
const CARRIED = new Set(['origin-carried', 'origin-may-contain', 'carried-known']);

function titleOfCode(code: string): 'Proven' | 'Not proven' | 'Carried in' | 'Known' {
  if (PROVEN.has(code)) return 'Proven';
  if (NOT_PROVEN.has(code) || /^(unverifiable|not-authentic)-/.test(code)) return 'Not proven';
  return CARRIED.has(code) ? 'Carried in' : 'Known';
}

/** Sections without a sentence are left out. */
export function sectionsOf({ statement, run }: Report): readonly Section[] {
  const of = (title: ReturnType<typeof titleOfCode>): Section => ({
    title,
    statements: statement.statements.filter((line) => titleOfCode(line.code) === title),
  });
  return [
    of('Proven'),
    of('Not proven'),
    of('Carried in'),
    of('Known'),
    { title: 'This run', statements: run.statements },
    { title: 'The publisher can', statements: statement.publisherCan },
    { title: 'This report', statements: statement.doesNotSay },
  ].filter((section) => section.statements.length > 0);
}
