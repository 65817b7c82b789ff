// SPDX-License-Identifier: Apache-2.0
/** What somebody says of a report afterwards, put beside it: an answer, a correction, a withdrawal. */
import path from 'node:path';
import { UsageError } from '../errors.js';
import { packageRoot } from '../inputs/package-files.js';
import { publishNote } from '../report/publish.js';
import { noteSchema } from '../report/schema.js';
import type { Note } from '../report/types.js';
import { readNotes, reportFile } from './read-report.js';
import { trusted } from './reconcile.js';

export interface NoteRequest {
  /** A report.json, or the directory of one. */
  readonly file: string;
  readonly kind: Note['kind'];
  readonly text: string;
  /** Who says it. */
  readonly by: string;
  /** YYYY-MM-DD; default today. */
  readonly date?: string;
  readonly url?: string;
}

export interface NoteResult {
  /** Of the note. */
  readonly file: string;
  readonly note: Note;
}

const MAX_TEXT = 20_000;

/**
 * @throws UsageError `note-invalid`, `already-withdrawn`, `report-inconsistent`, `out-in-package`; FailedHere `disk-full`,
 * `unreadable-input`
 */
export async function noteReport({ file, kind, text, by, date, url }: NoteRequest): Promise<NoteResult> {
  const { statementSha256 } = await trusted(file);
  const note: Note = {
    schemaVersion: 1,
    kind,
    statementSha256,
    date: date ?? new Date().toISOString().slice(0, 10),
    by: by.trim(),
    text: text.trim(),
    ...(url === undefined ? {} : { url }),
  };
  assertValid(note);
  const earlier = (await readNotes(file, statementSha256)).find((one) => one.kind === 'withdrawal');
  if (kind === 'withdrawal' && earlier !== undefined)
    throw new UsageError(
      'already-withdrawn',
      `${file} was withdrawn on ${earlier.date} by ${earlier.by}: ${earlier.text}`,
      { hint: 'say more with --note: nothing is ever taken back twice or replaced' },
    );
  const directory = path.dirname(await reportFile(file));
  return { file: await publishNote(directory, note, packageRoot()), note };
}

function assertValid(note: Note): void {
  const parsed = noteSchema.safeParse(note);
  const [issue] = parsed.success ? [] : parsed.error.issues;
  const wrong =
    issue !== undefined
      ? `${issue.path.map(String).join('.')}: ${issue.message}`
      : note.text.length > MAX_TEXT
        ? `text: ${note.text.length} characters, at most ${MAX_TEXT}`
        : note.url !== undefined && !/^https?:\/\//i.test(note.url)
          ? 'url: expected a web address'
          : undefined;
  if (wrong !== undefined)
    throw new UsageError('note-invalid', `this is no note: ${wrong}`, {
      hint: 'a note has a text, --by and a date as YYYY-MM-DD, and may have a web address (--url)',
    });
}
