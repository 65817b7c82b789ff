// SPDX-License-Identifier: Apache-2.0
/** Ten lines to quote: dated, about one file, with the digests that make them checkable. */
import { printable } from '../printable.js';
import { percent } from './say.js';
import { headline } from './title.js';
import type { Note, Report } from './types.js';

const LINES = 10;

export function renderBrief(report: Report, notes: readonly Note[] = []): string {
  const { statement, run } = report;
  const { target, published } = statement.subject;
  const [file] = published;
  const source = statement.source;
  const lines = [
    `On ${run.time.slice(0, 10)}, ${target === undefined ? 'a comparison of two files' : `${target.app} ${target.version} (${target.channel})`} gave: ${headline(report)} [${statement.verdict.kind}].`,
    file === undefined
      ? 'No published file was obtained.'
      : `Published file: ${printable(file.name)}, ${file.size} bytes, SHA-256 ${file.sha256}${published.length > 1 ? ` (and ${published.length - 1} more)` : ''}.`,
    ...(source === undefined
      ? []
      : [
          source.kind === 'git'
            ? `Source: commit ${source.commit} of ${printable(source.repository)}.`
            : `Source: ${source.package} ${source.version} of the signed Debian index of ${source.release.date}.`,
        ]),
    ...((statement.comparison?.pairs.length ?? 0) === 0
      ? []
      : [`Coverage: ${percent(statement.coverage.ratio)} of the content bytes.`]),
    ...notes.map((note) => `${note.kind} by ${printable(note.by)}, ${note.date}: ${printable(note.text)}`),
    ...statement.doesNotSay.map((line) => line.sentence),
  ];
  const digest = `Report statement SHA-256 ${report.statementSha256}, samesource ${run.tool.version}.`;
  return `${[...lines.slice(0, LINES - 1), digest].join('\n')}\n`;
}
