// SPDX-License-Identifier: Apache-2.0
/** The summary for a terminal: fits a screen, says what was proven and what was not. */
import { harmless, printable } from '../printable.js';
import { describeDifference, percent } from './statements.js';
import { sectionsOf } from './sections.js';
import { headline } from './title.js';
import type { Note, Report, Statement } from './types.js';

const SHOWN = 8;
/** The findings stand behind these. */
const FIRST = new Set(['Proven', 'Not proven']);

export interface TextOptions {
  /** Where the report lies, as the user can open it. */
  readonly location?: string;
  readonly notes?: readonly Note[];
  /** Findings to list. */
  readonly differences?: number;
}

export function renderText(report: Report, options: TextOptions = {}): string {
  const { statement } = report;
  const { target, published } = statement.subject;
  const lines: string[] = [];
  const subject =
    target === undefined
      ? published.map((file) => file.name).join(', ')
      : `${target.app} ${target.version} (${target.channel})`;
  lines.push(`${headline(report)}  [${statement.verdict.kind}]`, `  ${subject}`);
  if ((statement.comparison?.pairs.length ?? 0) > 0)
    lines.push(`  coverage ${percent(statement.coverage.ratio)} of content bytes`);
  for (const note of options.notes ?? [])
    lines.push(`  ${note.kind} by ${printable(note.by)}, ${note.date}: ${printable(note.text)}`);
  const sections = sectionsOf(report);
  for (const { title, statements } of sections) if (FIRST.has(title)) section(lines, title, statements);
  findings(lines, report, options.differences ?? SHOWN);
  for (const { title, statements } of sections) if (!FIRST.has(title)) section(lines, title, statements);
  lines.push('', `statement sha256:${report.statementSha256}`);
  if (options.location !== undefined) lines.push(`report    ${options.location}`);
  return `${lines.join('\n')}\n`;
}

function section(lines: string[], title: string, statements: readonly Statement[]): void {
  if (statements.length === 0) return;
  lines.push('', title);
  for (const { sentence } of statements.slice(0, SHOWN)) lines.push(`  - ${harmless(sentence)}`);
  if (statements.length > SHOWN) lines.push(`  - … and ${statements.length - SHOWN} more in the report`);
}

function findings(lines: string[], { statement }: Report, shown: number): void {
  const all = statement.comparison?.pairs.flatMap((pair) =>
    pair.differences.map(
      (difference) => `${printable(pair.published.name)}: ${harmless(describeDifference(difference))}`,
    ),
  );
  if (all === undefined || all.length === 0) return;
  lines.push('', 'Differences');
  for (const line of all.slice(0, shown)) lines.push(`  - ${line}`);
  if (all.length > shown) lines.push(`  - … and ${all.length - shown} more in the report`);
}
