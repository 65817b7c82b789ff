// SPDX-License-Identifier: Apache-2.0
/** The tables of a batch: before anything is built, and of what came of it. */
import { plainMarkdown, printable, type BatchResult, type BatchRow, type PreflightRow } from '../index.js';
import { columns } from './table-text.js';

const WHAT = {
  build: 'to build',
  checks: 'to check without a build',
  'no-source': 'no source: to say so',
  known: 'has a verdict; its published file is looked at',
  done: 'done before this batch was stopped',
  'failed-here': 'failed here',
  refused: 'cannot be',
} as const satisfies Record<PreflightRow['what'], string>;

export function preflightText(rows: readonly PreflightRow[]): string {
  return columns([
    ['app', 'version', 'channel', 'what', 'engine', 'disk', 'memory', 'limit', ''],
    ...rows.map(({ app, version, channel, what, room, minutes, engine, problem }) => [
      app,
      version,
      channel,
      WHAT[what],
      engine ?? '-',
      ...(engine === undefined
        ? ['-', '-', '-']
        : [`${room.diskMiB} MiB`, `${room.memoryMiB} MiB`, `${minutes} min`]),
      problem ?? '',
    ]),
  ]);
}

const HEAD = ['app', 'version', 'channel', 'state', 'verdict', 'before', 'report'];

function cells(row: BatchRow): readonly string[] {
  const { app, version, channel, state, verdict, before, worse, place } = row;
  return [
    app,
    version,
    channel,
    worse ? `${state}, worse` : state,
    verdict ?? '-',
    before === undefined
      ? '-'
      : before.version === version
        ? before.verdict
        : `${before.verdict} (${before.version})`,
    place ?? '-',
  ];
}

/** What the table has no room for: why something failed, and what was expected instead. */
function remarks({
  app,
  version,
  channel,
  failure,
  expected,
  worse,
  statementSha256,
}: BatchRow): readonly string[] {
  const about = `${app} ${version} (${channel})`;
  const lines: string[] = [];
  if (failure !== undefined)
    lines.push(
      `${about}: ${'failure' in failure ? failure.failure : failure.code}: ${failure.message}${failure.hint === undefined ? '' : ` (${failure.hint})`}`,
    );
  if (worse && expected !== undefined)
    lines.push(
      `${about}: expected ${expected.verdict}${expected.statementSha256 === undefined ? '' : ` with statement ${expected.statementSha256}`}, found statement ${statementSha256 ?? '-'}`,
    );
  return lines;
}

export function summaryOfBatch({ rows, resumed }: BatchResult): string {
  const count = (state: BatchRow['state']): number => rows.filter((row) => row.state === state).length;
  const worse = rows.filter((row) => row.worse).length;
  const refused = count('refused');
  return [
    `${rows.length} in the list: ${count('new')} new, ${count('changed')} changed, ${count('same')} same, ${count('failed-here')} failed here`,
    ...(refused === 0 ? [] : [`${refused} cannot be`]),
    worse === 0 ? 'none got worse' : `${worse} got worse or not as expected`,
    ...(resumed ? ['went on where the last one stopped'] : []),
  ].join('; ');
}

export const batchText = (result: BatchResult): string =>
  [
    columns([HEAD, ...result.rows.map(cells)]),
    ...result.rows.flatMap(remarks).map((line) => printable(line)),
    summaryOfBatch(result),
  ].join('\n');

export function batchMarkdown(result: BatchResult): string {
  const line = (of: readonly string[]): string => `| ${of.join(' | ')} |`;
  const told = result.rows.flatMap(remarks);
  return [
    line(HEAD),
    line(HEAD.map(() => '---')),
    ...result.rows.map((row) => line(cells(row).map(plainMarkdown))),
    '',
    ...told.map((text) => `- ${plainMarkdown(text)}`),
    ...(told.length === 0 ? [] : ['']),
    summaryOfBatch(result),
  ].join('\n');
}
