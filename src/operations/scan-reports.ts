// SPDX-License-Identifier: Apache-2.0
/** Every report below a directory, read as far as the index needs it. */
import { existsSync, promises as fs } from 'node:fs';
import path from 'node:path';
import { readText } from '../bytes.js';
import { FailedHere, VerifyError } from '../errors.js';
import {
  indexableSchema,
  makeReportIndex,
  REPORT_PLACE,
  type Indexable,
  type PlacedReport,
  type ReportIndex,
} from '../report/report-index.js';
import { noteSchema } from '../report/schema.js';
import type { Note } from '../report/types.js';

const MAX_REPORT = 256 << 20;
const MAX_NOTE = 1 << 20;

export interface UnreadReport {
  readonly place: string;
  readonly detail: string;
}

/**
 * `below`: only those in these directories, one in the other, if there are any.
 * @throws FailedHere `unreadable-input` for a directory that cannot be read
 */
export async function scanReports(
  where: string,
  below: readonly string[] = [],
): Promise<{ readonly index: ReportIndex; readonly unread: readonly UnreadReport[] }> {
  const placed: PlacedReport[] = [];
  const unread: UnreadReport[] = [];
  for (const place of await placesBelow(where, below)) {
    const directory = path.join(where, place);
    const report = read(path.join(directory, 'report.json'));
    if (typeof report === 'string') unread.push({ place, detail: report });
    else placed.push({ place, report, notes: await noteNames(directory, report.statementSha256) });
  }
  return { index: makeReportIndex(placed), unread };
}

/** The report, or why there is none. */
function read(file: string): Indexable | string {
  let value: unknown;
  try {
    value = JSON.parse(readText(file, MAX_REPORT));
  } catch (error) {
    if (error instanceof VerifyError || error instanceof SyntaxError) return error.message;
    throw error;
  }
  const parsed = indexableSchema.safeParse(value);
  if (parsed.success) return value as Indexable;
  const [issue] = parsed.error.issues;
  return `/${issue?.path.map(String).join('/') ?? ''}: ${issue?.message ?? ''}`;
}

/** Notes about this statement, with their names. What is no note of version 1 is for `readNotes` to refuse. */
export async function noteNames(
  directory: string,
  statementSha256: string,
): Promise<readonly { readonly file: string; readonly note: Note }[]> {
  const names = await fs.readdir(path.join(directory, 'notes')).catch(() => [] as string[]);
  return names
    .filter((name) => name.endsWith('.json'))
    .sort()
    .flatMap((file) => {
      const parsed = noteSchema.safeParse(json(path.join(directory, 'notes', file)));
      return parsed.success && parsed.data.statementSha256 === statementSha256
        ? [{ file, note: parsed.data as Note }]
        : [];
    });
}

function json(file: string): unknown {
  try {
    return JSON.parse(readText(file, MAX_NOTE));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function placesBelow(where: string, below: readonly string[]): Promise<readonly string[]> {
  let level: readonly string[] = [below.join('/')];
  if (below.length > 0 && !existsSync(path.join(where, ...below))) return [];
  for (let depth = below.length; depth < 4; depth++) {
    const next: string[] = [];
    for (const parent of level)
      for (const name of await directoriesIn(path.join(where, parent)))
        next.push(path.posix.join(parent, name));
    level = next;
  }
  return level.filter((place) => REPORT_PLACE.test(place)).sort();
}

async function directoriesIn(directory: string): Promise<readonly string[]> {
  try {
    const entries = await fs.readdir(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (cause) {
    throw new FailedHere(
      'unreadable-input',
      `cannot read the reports in ${directory}: ${(cause as Error).message}`,
      { cause, hint: 'name a directory that holds reports' },
    );
  }
}
