// SPDX-License-Identifier: Apache-2.0
/** The report for an issue or a forum (https://github.github.com/gfm/). Names in it are hostile: they stay text. */
import { clipped, inert } from './inert.js';
import { blocksOf, type Block } from './blocks.js';
import { groupsOf, GROUP_TITLES, type Group } from './groups.js';
import { sectionsOf } from './sections.js';
import { describeDifference } from './describe-difference.js';
import { percent } from './say.js';
import { headline } from './title.js';
import type { Note, Report, Statement } from './types.js';

const SHOWN = 50;
const FINDINGS = 20;
const TEXT = 1_000;

export function renderMarkdown(report: Report, notes: readonly Note[] = []): string {
  const { statement, run } = report;
  const { target, published } = statement.subject;
  const subject =
    target === undefined
      ? published.map((file) => file.name).join(', ')
      : `${target.app} ${target.version} (${target.channel})`;
  const lines = [
    `# ${plain(headline(report))}`,
    '',
    `**${plain(subject)}** · verdict \`${statement.verdict.kind}\` · ${run.time.slice(0, 10)}`,
  ];
  if ((statement.comparison?.pairs.length ?? 0) > 0)
    lines.push('', `Coverage: ${percent(statement.coverage.ratio)} of content bytes`);
  for (const note of notes)
    lines.push(
      '',
      `> **${note.kind}** by ${plain(note.by)}, ${plain(note.date)}: ${plain(note.text)}${note.url === undefined ? '' : ` ${code(note.url)}`}`,
    );
  files(lines, report);
  for (const { title, statements } of sectionsOf(report)) section(lines, title, statements);
  for (const group of groupsOf(report)) groupLines(lines, group);
  for (const block of blocksOf(report)) blockLines(lines, block);
  lines.push('', `Statement SHA-256 \`${report.statementSha256}\`, samesource ${plain(run.tool.version)}`);
  return `${lines.join('\n')}\n`;
}

/** One line of text without markup, links, mentions or HTML. */
export function plain(text: string): string {
  return (
    inert(clipped(text, TEXT))
      .replace(/[\\`*_[\]<>|~#!$]/g, '\\$&')
      .replaceAll('&', '&amp;')
      .replaceAll('@', '&#64;')
      // autolinks of bare addresses
      .replace(/:\/\//g, ':&#47;&#47;')
      .replace(/www\./gi, (found) => `${found.slice(0, 3)}&#46;`)
      // what would start a list or a heading
      .replace(/^\s*(\d*)([-+=.)])/, '$1\\$2')
  );
}

/** A code span; its fence is longer than any run of backticks inside. */
export function code(text: string): string {
  const inner = inert(clipped(text, TEXT));
  const longest = Math.max(0, ...(inner.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  const space = inner.startsWith('`') || inner.endsWith('`') ? ' ' : '';
  return `${fence}${space}${inner}${space}${fence}`;
}

function files(lines: string[], { statement }: Report): void {
  const pairs = statement.comparison?.pairs ?? [];
  if (pairs.length === 0) return;
  lines.push('', '| file | side | bytes | SHA-256 |', '|---|---|---|---|');
  for (const { published, rebuilt } of pairs.slice(0, SHOWN))
    lines.push(
      `| ${plain(published.name)} | published | ${published.size} | \`${published.sha256}\` |`,
      `| ${plain(rebuilt.name)} | rebuilt | ${rebuilt.size} | \`${rebuilt.sha256}\` |`,
    );
  more(lines, pairs.length, SHOWN, '\n');
}

function section(lines: string[], title: string, statements: readonly Statement[]): void {
  lines.push('', `## ${title}`, '');
  for (const { sentence, check } of statements.slice(0, SHOWN))
    lines.push(`- ${plain(sentence)} Check: ${code(check)}`);
  more(lines, statements.length, SHOWN, '- ');
}

function groupLines(lines: string[], { name, findings }: Group): void {
  if (findings.length === 0) return;
  lines.push('', `## ${GROUP_TITLES[name]}`, '');
  for (const { file, difference } of findings.slice(0, FINDINGS))
    lines.push(`- ${plain(`${file}: ${describeDifference(difference)}`)}`);
  more(lines, findings.length, FINDINGS, '- ');
}

/** Fenced lines; none of them can close the fence, since each is indented. */
function blockLines(lines: string[], { title, lines: all }: Block): void {
  lines.push('', `## ${title}`, '', '```text');
  for (const line of all.slice(0, SHOWN)) lines.push(`    ${inert(clipped(line, TEXT))}`);
  lines.push('```');
  more(lines, all.length, SHOWN, '\n');
}

function more(lines: string[], all: number, shown: number, before: string): void {
  if (all > shown) lines.push(`${before}… and ${all - shown} more in the report`);
}
