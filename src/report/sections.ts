// SPDX-License-Identifier: Apache-2.0
/** The sentences of a report under the headings that every rendering uses, in the order in which people ask. */
import type { Report, Statement } from './types.js';

export interface Section {
  readonly id: SectionId;
  readonly title: string;
  readonly statements: readonly Statement[];
}

const PROVEN = new Set([
  'scope',
  'app-shown',
  'pair-identical',
  'pair-signature-only',
  'pair-reencoded',
  'pair-excluded',
  'signature-verified',
  'v4-signature',
  'signer-pinned',
  'signer-rotated',
]);
const NOT_PROVEN = new Set([
  'app-decrypted',
  'app-not-shown',
  'pair-different',
  'pair-unread',
  'pair-encrypted',
  'unpaired-published',
  'undeclared-rebuilt',
  'not-obtained',
  'other-deliveries',
  'build-failed',
  'nothing-compared',
  'signer-unpinned',
  'debug-key',
  'split-twice',
  'unread-member',
  'ambiguous-archive',
  'v4-signature-not-verified',
  'source-not-upstream',
  'built-from-other-commit',
  'store-protected',
  'stamp-unchecked',
  'store-encryption',
  'needs-host-steps',
]);
const CARRIED = new Set([
  'origin-built',
  'origin-carried',
  'origin-may-contain',
  'unopened-inputs',
  'unopened-outputs',
  'carried-known',
]);
const ENVIRONMENT = new Set([
  'deviation',
  'publisher-environment',
  'publisher-environment-unknown',
  'no-container',
  'on-host',
]);

const TITLES = {
  proven: 'Proven',
  'not-proven': 'Not proven',
  ambiguous: 'What readers may take differently',
  carried: 'Built, and carried in',
  environment: 'Their environment and ours',
  known: 'Also known',
  run: 'This run',
  can: 'What the publisher can do',
  limits: 'What this report does not say',
} as const;
export type SectionId = keyof typeof TITLES;

function sectionOfCode(code: string): SectionId {
  if (PROVEN.has(code)) return 'proven';
  if (NOT_PROVEN.has(code) || /^(unverifiable|not-authentic|check-failed|check-not-run)-/.test(code))
    return 'not-proven';
  if (code.startsWith('check-passed-')) return 'proven';
  if (code.startsWith('ambiguous-')) return 'ambiguous';
  if (ENVIRONMENT.has(code)) return 'environment';
  return CARRIED.has(code) ? 'carried' : 'known';
}

/** Sections without a sentence are left out. */
export function sectionsOf({ statement, run }: Report): readonly Section[] {
  const section = (id: SectionId, statements: readonly Statement[]): Section => ({
    id,
    title: TITLES[id],
    statements,
  });
  const of = (id: SectionId): Section =>
    section(
      id,
      statement.statements.filter((line) => sectionOfCode(line.code) === id),
    );
  const matched = statement.verdict.kind === 'reproducible' || statement.verdict.kind === 'equivalent';
  return [
    // what decided comes first
    ...(matched ? [of('proven'), of('not-proven')] : [of('not-proven'), of('proven')]),
    of('ambiguous'),
    of('carried'),
    of('environment'),
    of('known'),
    section('run', run.statements),
    section('can', statement.publisherCan),
    section('limits', statement.doesNotSay),
  ].filter(({ statements }) => statements.length > 0);
}
