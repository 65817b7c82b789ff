// SPDX-License-Identifier: Apache-2.0
/** Reports from a web address: the index first, then a report with the notes that the index names. */
import os from 'node:os';
import path from 'node:path';
import { readText } from '../bytes.js';
import { UsageError } from '../errors.js';
import { download } from '../inputs/http/download.js';
import { makeOwnedDirectory, removeOwned } from '../owned-directory.js';
import {
  REPORT_PLACE,
  reportIndexSchema,
  type IndexedNote,
  type ReportIndex,
} from '../report/report-index.js';
import type { OperationOptions } from './options.js';

const MAX_INDEX = 64 << 20;
const MAX_REPORT = 256 << 20;
const MAX_NOTE = 1 << 20;
const MAX_NOTES = 100;

/** @throws FailedHere `network` …; UsageError `bad-url`, `bad-index` */
export async function readIndex(base: string, options: OperationOptions): Promise<ReportIndex> {
  return await inTemporary(async (directory) => {
    const target = path.join(directory, 'index.json');
    const url = `${base}/index.json`;
    await fetched(url, 'the index of reports', target, MAX_INDEX, options);
    let value: unknown;
    try {
      value = JSON.parse(readText(target, MAX_INDEX));
    } catch (cause) {
      throw badIndex(url, `it is not JSON: ${(cause as Error).message}`);
    }
    const parsed = reportIndexSchema.safeParse(value);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw badIndex(url, `/${issue?.path.map(String).join('/') ?? ''}: ${issue?.message ?? ''}`);
    }
    const index = parsed.data as ReportIndex;
    for (const [sha256, uses] of Object.entries(index.files))
      for (const { report } of uses)
        if (!Object.hasOwn(index.reports, report))
          throw badIndex(url, `${sha256} leads to ${report}, which it does not list`);
    return index;
  });
}

/** Calls `work` with a directory that is named as the report's is, and that is gone afterwards. */
export async function fetchReport<T>(
  base: string,
  place: string,
  notes: readonly IndexedNote[],
  options: OperationOptions,
  work: (directory: string) => Promise<T>,
): Promise<T> {
  if (!REPORT_PLACE.test(place)) throw badIndex(base, `${place} is no place of a report`);
  if (notes.length > MAX_NOTES)
    throw badIndex(base, `${notes.length} notes of ${place}, at most ${MAX_NOTES}`);
  return await inTemporary(async (temporary) => {
    const directory = path.join(temporary, path.posix.basename(place));
    const from = `${base}/${place}`;
    await fetched(
      `${from}/report.json`,
      'the report',
      path.join(directory, 'report.json'),
      MAX_REPORT,
      options,
    );
    for (const { file } of notes)
      await fetched(
        `${from}/notes/${file}`,
        'a note of the report',
        path.join(directory, 'notes', file),
        MAX_NOTE,
        options,
      );
    return await work(directory);
  });
}

async function fetched(
  url: string,
  what: string,
  target: string,
  maxBytes: number,
  { signal, onProgress }: OperationOptions,
): Promise<void> {
  const outcome = await download({ url, what, target, maxBytes, signal, onProgress });
  if (outcome.kind !== 'done')
    throw new UsageError(
      'no-reports',
      `${what} is not at ${url}${outcome.kind === 'gone' ? ` (HTTP ${outcome.status})` : ''}`,
      {
        hint: 'name the directory that holds index.json, with --reports',
      },
    );
}

async function inTemporary<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await makeOwnedDirectory(os.tmpdir(), 'samesource-reports-');
  try {
    return await work(directory);
  } finally {
    await removeOwned(directory);
  }
}

const badIndex = (where: string, detail: string): UsageError =>
  new UsageError('bad-index', `${where} is no index of reports of version 1: ${detail}`);
