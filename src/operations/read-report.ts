// SPDX-License-Identifier: Apache-2.0
/** A report from a file, checked before anything of it is believed, with the notes that lie beside it. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { readText } from '../bytes.js';
import { UsageError } from '../errors.js';
import { checkReport, type CheckResult } from '../report/check.js';
import { noteSchema } from '../report/schema.js';
import type { Note } from '../report/types.js';

const MAX_REPORT = 256 << 20;
const MAX_NOTE = 1 << 20;

/**
 * `file`: a report.json or the directory of one.
 * @throws FailedHere `unreadable-input`; UsageError `not-json`
 */
export async function readReport(file: string): Promise<CheckResult> {
  const found = await reportFile(file);
  const result = checkReport(await readJson(found, MAX_REPORT));
  if (result.kind === 'inconsistent') return result;
  // a stored report lies in a directory that is named after it
  const [, named] = /^([0-9a-f]{12})-\d+$/.exec(path.basename(path.dirname(path.resolve(found)))) ?? [];
  if (named === undefined || result.report.statementSha256.startsWith(named)) return result;
  const detail = `${result.report.statementSha256.slice(0, 12)}, the directory is of ${named}`;
  return { kind: 'inconsistent', problems: [{ code: 'place', at: '/statementSha256', detail }] };
}

/** Of the report whose statement has this digest. */
export async function readNotes(file: string, statementSha256: string): Promise<readonly Note[]> {
  const directory = path.join(path.dirname(await reportFile(file)), 'notes');
  const names = await fs.readdir(directory).catch(() => [] as string[]);
  const notes: Note[] = [];
  for (const name of names.filter((entry) => entry.endsWith('.json')).sort()) {
    const parsed = noteSchema.safeParse(await readJson(path.join(directory, name), MAX_NOTE));
    if (!parsed.success)
      throw new UsageError('note-invalid', `${path.join(directory, name)} is not a note of version 1`, {
        hint: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '),
      });
    if (parsed.data.statementSha256 === statementSha256) notes.push(parsed.data as Note);
  }
  return notes;
}

/** Of a directory the report in it. */
export async function reportFile(file: string): Promise<string> {
  const stat = await fs.stat(file).catch(() => undefined);
  return stat?.isDirectory() === true ? path.join(file, 'report.json') : file;
}

async function readJson(file: string, limit: number): Promise<unknown> {
  const text = readText(file, limit);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new UsageError('not-json', `${file} is not JSON: ${(cause as Error).message}`, {
      cause,
      hint: 'name a report.json, or the directory of one',
    });
  }
}
