// SPDX-License-Identifier: Apache-2.0
/** A report in one of its forms: as a text, or written to a place that does not exist yet. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { UsageError } from '../errors.js';
import { storageFailure, writeAside } from '../inputs/atomic-file.js';
import { renderBrief } from '../report/brief.js';
import { renderHtml } from '../report/html.js';
import { renderJson } from '../report/json.js';
import { renderMarkdown } from '../report/markdown.js';
import { writePages, type ReportFile } from '../report/publish.js';
import { renderText } from '../report/text.js';
import type { Note, Report } from '../report/types.js';

export const REPORT_FORMATS = ['text', 'brief', 'json', 'markdown', 'html'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

export interface RenderOptions {
  readonly notes?: readonly Note[];
  /** Where the report lies, as the user can open it. */
  readonly location?: string;
}

/** One text; pages with others beside them have to be written. @throws UsageError `many-pages` */
export function renderReport(report: Report, format: ReportFormat, options: RenderOptions = {}): string {
  const { notes = [], location } = options;
  switch (format) {
    case 'text':
      return renderText(report, { notes, ...(location === undefined ? {} : { location }) });
    case 'brief':
      return renderBrief(report, notes);
    case 'json':
      return renderJson(report);
    case 'markdown':
      return renderMarkdown(report, notes);
    case 'html': {
      const [index, ...beside] = renderHtml(report, notes);
      if (beside.length > 0)
        throw new UsageError('many-pages', `this report has ${beside.length + 1} pages`, {
          hint: 'write them to a directory with --out DIR',
        });
      return String(index?.content);
    }
  }
}

/**
 * Writes to `out`, which must not exist: a file, or for html a directory; without it html goes to a new directory
 * `samesource-<statement>` beside. Returns what to open.
 * @throws UsageError `out-exists`; FailedHere `disk-full`, `unreadable-input`
 */
export async function writeReport(
  report: Report,
  format: ReportFormat,
  out: string | undefined,
  options: RenderOptions = {},
): Promise<string> {
  if (format !== 'html') {
    if (out === undefined) throw new TypeError('a file to write to');
    await writeNew(out, renderReport(report, format, options));
    return out;
  }
  const pages: readonly ReportFile[] = [
    ...renderHtml(report, options.notes),
    { name: 'report.json', content: renderJson(report) },
  ];
  const asked = out ?? `samesource-${report.statementSha256.slice(0, 12)}`;
  const directory = await writePages(asked, pages, out === undefined);
  if (directory === undefined) throw exists(asked);
  return path.join(directory, 'index.html');
}

function exists(out: string): UsageError {
  return new UsageError('out-exists', `${out} exists already`, {
    hint: 'name a new file or directory with --out: nothing is ever overwritten',
  });
}

async function writeNew(out: string, content: string): Promise<void> {
  const there = await fs.lstat(out).catch(() => undefined);
  if (there !== undefined) throw exists(out);
  try {
    await writeAside(path.resolve(out), async (handle) => {
      await handle.writeFile(content);
    });
  } catch (cause) {
    throw storageFailure(cause, 'the report', out);
  }
}
