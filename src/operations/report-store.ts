// SPDX-License-Identifier: Apache-2.0
/** Reports in a directory of this machine or below a web address: their index, and each of them checked when it is opened. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { canonicalJson } from '../canonical-json.js';
import { UsageError } from '../errors.js';
import { indexed, subjectsOf, type ReportIndex } from '../report/report-index.js';
import type { Note, Report } from '../report/types.js';
import { fetchReport, readIndex } from './fetch-reports.js';
import type { OperationOptions } from './options.js';
import { readNotes, readReport } from './read-report.js';
import { noteNames, scanReports, type UnreadReport } from './scan-reports.js';

export interface OpenedReport {
  readonly report: Report;
  readonly notes: readonly Note[];
  /** Directory or address. */
  readonly location: string;
  /** Its sentences are those of another version of samesource. */
  readonly inOtherWords: boolean;
}

export interface ReportStore {
  /** A directory, or an address without final slash. */
  readonly where: string;
  readonly index: ReportIndex;
  /** Of a directory: reports that could not be read, and so answer nothing. */
  readonly unread: readonly UnreadReport[];
  /**
   * A report that the index names.
   * @throws UsageError `report-not-as-indexed`: it does not agree with itself or with the index
   */
  readonly open: (place: string) => Promise<OpenedReport>;
}

const isAddress = (where: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(where);

/**
 * `below`: of a directory, only the reports in these directories of it.
 * @throws FailedHere `unreadable-input`, `network`
 * @throws UsageError `bad-url`, `bad-index`
 */
export async function openStore(
  where: string,
  options: OperationOptions = {},
  below: readonly string[] = [],
): Promise<ReportStore> {
  if (isAddress(where)) {
    const base = where.replace(/\/+$/, '');
    const index = await readIndex(base, options);
    return {
      where: base,
      index,
      unread: [],
      open: async (place) =>
        await fetchReport(base, place, index.reports[place]?.notes ?? [], options, async (directory) =>
          opened(index, place, directory, `${base}/${place}`),
        ),
    };
  }
  const { index, unread } = await scanReports(where, below);
  return {
    where,
    index,
    unread,
    open: async (place) => await opened(index, place, path.join(where, place), path.join(where, place)),
  };
}

/** Of a report in `directory`: whether it is what the index says of it. */
async function opened(
  index: ReportIndex,
  place: string,
  directory: string,
  location: string,
): Promise<OpenedReport> {
  const wrong = (detail: string): UsageError =>
    new UsageError('report-not-as-indexed', `${location}: ${detail}`, {
      hint: 'it answers nothing; tell those who publish these reports',
    });
  const result = await readReport(directory);
  const report = result.kind === 'consistent' ? result.report : result.inOtherWords;
  if (report === undefined) {
    const [first] = result.kind === 'inconsistent' ? result.problems : [];
    throw wrong(
      `it does not agree with itself: ${first?.code ?? ''} ${first?.at ?? ''}: ${first?.detail ?? ''}`,
    );
  }
  const said = index.reports[place];
  if (said?.statementSha256 !== report.statementSha256)
    throw wrong(
      `its statement has SHA-256 ${report.statementSha256}, the index says ${said?.statementSha256 ?? 'nothing'}`,
    );
  const notes = await readNotes(directory, report.statementSha256);
  const named = await noteNames(directory, report.statementSha256);
  const again = indexed({ place, report, notes: named });
  if (again === undefined || canonicalJson(again) !== canonicalJson(said))
    throw wrong('app, version, channel, verdict, time or notes are others than the index says');
  const files = new Set(subjectsOf(report).map(({ sha256 }) => sha256));
  const claimed = Object.entries(index.files).find(
    ([sha256, uses]) => !files.has(sha256) && uses.some((use) => use.report === place),
  );
  if (claimed !== undefined)
    throw wrong(`the index says that it is about ${claimed[0]}, which it does not name`);
  return { report, notes, location, inOtherWords: result.kind === 'inconsistent' };
}

/** Where nothing is said: `reports/` here, then those of this package; as far as they exist. */
export async function defaultStores(packageDirectory: string): Promise<readonly string[]> {
  const own = path.join(packageDirectory, 'reports');
  const places = path.resolve('reports') === own ? [own] : ['reports', own];
  const found = await Promise.all(
    places.map(async (place) => (await fs.stat(place).catch(() => undefined))?.isDirectory() === true),
  );
  return places.filter((_, at) => found[at]);
}
