// SPDX-License-Identifier: Apache-2.0
/** The end of a run on one screen: verdict, coverage, what was proven and what was not, what was carried in. */
import { blocksOf } from './blocks.js';
import { clipped, inert } from './inert.js';
import { percent } from './say.js';
import { sectionsOf, type SectionId } from './sections.js';
import { headline } from './title.js';
import type { Report, Statement } from './types.js';

/** Sentences of each section; the others are counted. */
const SHOWN: Partial<Record<SectionId, number>> = { proven: 3, 'not-proven': 4, carried: 2 };
const SENTENCE = 240;
const ERROR_LINES = 3;

const text = (value: string): string => inert(clipped(value, SENTENCE));

export function renderSummary(report: Report): string {
  const { statement, run } = report;
  const { target, published } = statement.subject;
  const subject =
    target === undefined
      ? published.map((file) => file.name).join(', ')
      : `${target.app} ${target.version} (${target.channel})`;
  const compared = (statement.comparison?.pairs.length ?? 0) > 0;
  const lines = [
    `${headline(report)}  [${statement.verdict.kind}]`,
    `  ${text(subject)}, ${run.time.slice(0, 10)}${compared ? `, coverage ${percent(statement.coverage.ratio)} of content bytes` : ''}`,
  ];
  const sections = sectionsOf(report);
  for (const { id, title, statements } of sections) {
    const shown = SHOWN[id];
    if (shown !== undefined) lines.push('', title, ...listed(statements, shown, isCheck));
  }
  const error = blocksOf(report).find((block) => block.id === 'first-error');
  if (error !== undefined)
    lines.push('', error.title, ...error.lines.slice(0, ERROR_LINES).map((line) => `  | ${text(line)}`));
  for (const { code, sentence } of run.statements)
    if (code.startsWith('known-failure-')) lines.push('', text(sentence));
  const bare = statement.statements.find((line) => line.code === 'no-container');
  if (bare !== undefined) lines.push('', text(bare.sentence));
  const { deviations, publisherEnvironment, knownResults } = statement;
  const more = [
    counted(
      deviations.length,
      'departure from the publisher’s environment',
      'departures from the publisher’s environment',
    ),
    counted(publisherEnvironment.length, 'fact about that environment', 'facts about that environment'),
    counted(knownResults.length, 'result of others', 'results of others'),
  ].filter((part) => part !== '');
  if (more.length > 0) lines.push('', `In the report: ${more.join(', ')}.`);
  lines.push('', ...statement.doesNotSay.map(({ sentence }) => text(sentence)));
  return `${lines.join('\n')}\n`;
}

function counted(n: number, one: string, several: string): string {
  return n === 0 ? '' : `${n} ${n === 1 ? one : several}`;
}

/** Where nothing could be built, the checks are the result: all of them stand there. */
const isCheck = ({ code }: Statement): boolean => /^check-(?:passed|failed|not-run)-/.test(code);

function listed(
  statements: readonly Statement[],
  shown: number,
  always: (statement: Statement) => boolean,
): string[] {
  const taken = statements.filter((statement, at) => at < shown || always(statement));
  const rest = statements.length - taken.length;
  return [
    ...taken.map(({ sentence }) => `  - ${text(sentence)}`),
    ...(rest > 0 ? [`  - … and ${rest} more`] : []),
  ];
}
