// SPDX-License-Identifier: Apache-2.0
/** The summary for a terminal: fits a screen, says what was proven and what was not. */
import { blocksOf, type Block } from './blocks.js';
import { describeDifference } from './describe-difference.js';
import { clipped, inert } from './inert.js';
import { percent } from './say.js';
import { sectionsOf } from './sections.js';
import { headline } from './title.js';
import type { Note, Report, Statement } from './types.js';

const SHOWN = 8;
const SENTENCE = 600;
/** The findings stand behind these. */
const FIRST = new Set(['proven', 'not-proven']);
/** Lines of each block; the others stand in the report. */
const BLOCK_LINES: Partial<Record<Block['id'], number>> = {
  'first-error': 6,
  'failure-tail': 4,
  commands: 3,
};

export interface TextOptions {
  /** Where the report lies, as the user can open it. */
  readonly location?: string;
  readonly notes?: readonly Note[];
  /** Findings to list. */
  readonly differences?: number;
}

export function renderText(report: Report, options: TextOptions = {}): string {
  const { statement, run } = report;
  const { target, published } = statement.subject;
  const lines: string[] = [];
  const subject =
    target === undefined
      ? published.map((file) => file.name).join(', ')
      : `${target.app} ${target.version} (${target.channel})`;
  lines.push(
    `${headline(report)}  [${statement.verdict.kind}]`,
    `  ${text(subject)}, ${run.time.slice(0, 10)}`,
  );
  if ((statement.comparison?.pairs.length ?? 0) > 0)
    lines.push(`  coverage ${percent(statement.coverage.ratio)} of content bytes`);
  for (const note of options.notes ?? [])
    lines.push(
      `  ${note.kind} by ${text(note.by)}, ${text(note.date)}: ${text(note.text)}${note.url === undefined ? '' : ` (${text(note.url)})`}`,
    );
  const sections = sectionsOf(report);
  const blocks = blocksOf(report);
  for (const { id, title, statements } of sections) if (FIRST.has(id)) section(lines, title, statements);
  for (const shown of blocks)
    if (shown.id === 'first-error' || shown.id === 'failure-tail') block(lines, shown);
  findings(lines, report, options.differences ?? SHOWN);
  for (const { id, title, statements } of sections) if (!FIRST.has(id)) section(lines, title, statements);
  for (const shown of blocks) if (shown.id === 'commands') block(lines, shown);
  lines.push('', `statement sha256:${report.statementSha256}`);
  if (options.location !== undefined) lines.push(`report    ${options.location}`);
  return `${lines.join('\n')}\n`;
}

const text = (value: string): string => inert(clipped(value, SENTENCE));

function section(lines: string[], title: string, statements: readonly Statement[]): void {
  lines.push('', title);
  for (const { sentence } of statements.slice(0, SHOWN)) lines.push(`  - ${text(sentence)}`);
  if (statements.length > SHOWN) lines.push(`  - … and ${statements.length - SHOWN} more in the report`);
}

function block(lines: string[], { id, title, lines: all }: Block): void {
  const shown = BLOCK_LINES[id] ?? SHOWN;
  const from = id === 'failure-tail' ? Math.max(0, all.length - shown) : 0;
  lines.push('', title);
  for (const line of all.slice(from, from + shown)) lines.push(`  | ${text(line)}`);
  if (all.length > shown) lines.push(`  | … and ${all.length - shown} more lines in the report`);
}

function findings(lines: string[], { statement }: Report, shown: number): void {
  const pairs = statement.comparison?.pairs ?? [];
  const all = pairs.reduce((sum, pair) => sum + pair.differences.length, 0);
  if (all === 0) return;
  lines.push('', 'Differences');
  let left = shown;
  for (const pair of pairs)
    for (const difference of pair.differences.slice(0, left)) {
      lines.push(`  - ${text(`${pair.published.name}: ${describeDifference(difference)}`)}`);
      left--;
    }
  if (all > shown) lines.push(`  - … and ${all - shown} more in the report`);
}
