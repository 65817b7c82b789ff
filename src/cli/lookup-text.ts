// SPDX-License-Identifier: Apache-2.0
/** What the reports say about a file, for people and as data. */
import {
  headline,
  printable,
  type LookupResult,
  type NotStanding,
  type OtherFile,
  type PlacedEntry,
  type StandingVerdict,
} from '../index.js';
import { styled } from './output.js';

const named = ({ app, version, channel }: PlacedEntry): string => `${app} ${version} (${channel})`;
const day = (time: string): string => time.slice(0, 10);

export function lookupText(found: LookupResult, what: string): string {
  const lines: string[] = found.standing.flatMap(standingLines);
  if (found.standing.length === 0) {
    const where = found.where.length === 0 ? 'here (there are none)' : `in ${found.where.join(' and ')}`;
    lines.push(`unknown: no standing report ${where} is about ${what}`);
    if (found.known.length > 0 && found.sha256.length > 1)
      lines.push(
        `  ${found.known.length} of ${found.sha256.length} files are in reports, but in none all of them`,
      );
  }
  for (const entry of found.earlier)
    lines.push(
      `earlier: ${named(entry)}, ${day(entry.time)}: ${entry.title} [${entry.verdict}], ${entry.place}`,
    );
  for (const one of found.notStanding) lines.push(`does not stand: ${notStandingLine(one)}`);
  for (const { place, detail } of found.unread) lines.push(`not read: ${place}: ${detail}`);
  return lines.map((line) => printable(line)).join('\n');
}

function standingLines({ entry, report, notes, location, inOtherWords, files }: StandingVerdict): string[] {
  return [
    `${headline(report)}  [${entry.verdict}]`,
    `  ${named(entry)}, ${day(entry.time)}`,
    ...(files > 1 ? [`  one of ${files} files of the report, whose verdict is of all of them`] : []),
    ...notes.map((note) => `  ${note.kind} of ${note.date} by ${note.by}: ${note.text}`),
    `  report    ${location}`,
    `  statement sha256:${report.statementSha256}`,
    ...(inOtherWords
      ? ['  made by another version of samesource: its sentences are in other words than ours']
      : []),
  ];
}

function notStandingLine(one: NotStanding): string {
  const { entry } = one;
  const which = `${named(entry)}, ${day(entry.time)} [${entry.verdict}], ${entry.place}`;
  switch (one.kind) {
    case 'superseded':
      return `${which}: superseded by ${one.by}`;
    case 'withdrawn':
      return `${which}: withdrawn`;
    case 'other-app':
      return `${which}: the file is of another app, which says nothing about it`;
    case 'replay':
      return `${which}: a replay of another report’s plan`;
    case 'other-source':
      return `${which}: built from another source than the publisher’s`;
  }
}

/** Said loudly: the publisher may have two files of one version, or somebody else made this one. */
export function otherFilesText(others: readonly OtherFile[]): string {
  return [
    styled('red', 'another file than the one verified before'),
    ...others.map(
      ({ name, sha256, entry }) =>
        `  ${named(entry)} was verified on ${day(entry.time)} [${entry.verdict}] with ${printable(name)}, SHA-256 ${sha256}`,
    ),
    '  this file has the same app, version and channel and other bytes: what was found then says nothing about it',
  ].join('\n');
}

export function lookupData(found: LookupResult, otherFiles: readonly OtherFile[]): object {
  const [newest] = found.standing;
  return {
    sha256: found.sha256,
    where: found.where,
    known: newest !== undefined,
    ...(newest === undefined ? {} : { verdict: newest.report.statement.verdict }),
    standing: found.standing.map(({ entry, notes, location, files }) => ({
      ...entry,
      notes,
      location,
      files,
    })),
    earlier: found.earlier,
    notStanding: found.notStanding,
    otherFiles: otherFiles.map(({ name, sha256, entry }) => ({ name, sha256, report: entry })),
    partly: newest === undefined ? found.known : [],
    unread: found.unread,
  };
}
