// SPDX-License-Identifier: Apache-2.0
/** A report with its renderings, stored where its user wants it; its evidence beside it; a run without a verdict. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { SetComparison } from '../compare/types.js';
import { UsageError } from '../errors.js';
import { storageFailure, writeAside } from '../inputs/atomic-file.js';
import { packageRoot } from '../inputs/package-files.js';
import type { ExplainedLine } from '../known-failures.js';
import { readEnds } from '../inputs/read-ends.js';
import type { CheckPlan, Plan } from '../model.js';
import { renderBrief } from '../report/brief.js';
import { evidenceBundle } from '../report/evidence-bundle.js';
import { renderHtml } from '../report/html.js';
import { renderJson } from '../report/json.js';
import { renderMarkdown } from '../report/markdown.js';
import { keepAttempt, publishReport, removeHalfWritten, type ReportFile } from '../report/publish.js';
import { redacted, redactor, type Redact } from '../report/redact.js';
import { renderText } from '../report/text.js';
import type { Note, Report, RunRecord } from '../report/types.js';
import { privateTexts } from './private-texts.js';

/** A log on this machine; the report knows it by digest. */
export interface LogFile {
  /** Plain file name. */
  readonly name: string;
  readonly path: string;
}

export interface StoreOptions {
  /** `reports/` and `attempts/` are made below it; default the current directory. */
  readonly out?: string;
  /** Directories of this run, addresses of mirrors: taken out of logs and failures. */
  readonly private?: readonly string[];
  /** The full evidence, written as one archive to `file`, which must not exist. */
  readonly evidence?: Evidence;
}

export interface Evidence {
  readonly file: string;
  /** As it was before the report bounded its evidence. */
  readonly comparison?: SetComparison;
  readonly logs?: readonly LogFile[];
}

/** Every form of a report; `report.json` first. */
export function reportFiles(report: Report, notes: readonly Note[] = []): readonly ReportFile[] {
  return [
    { name: 'report.json', content: renderJson(report) },
    { name: 'report.txt', content: renderText(report, { notes }) },
    { name: 'brief.txt', content: renderBrief(report, notes) },
    { name: 'report.md', content: renderMarkdown(report, notes) },
    ...renderHtml(report, notes),
  ];
}

/**
 * Returns the report's directory.
 * @throws UsageError `evidence-exists`, `out-in-package`; FailedHere `disk-full`, `unreadable-input`
 */
export async function storeReport(
  report: Report,
  options: StoreOptions = {},
  more: readonly ReportFile[] = [],
): Promise<string> {
  const { evidence } = options;
  if (evidence !== undefined) assertAbsent(evidence.file);
  const directory = await publishReport(report, [...reportFiles(report), ...more], place(options));
  if (evidence !== undefined) await writeEvidence(report, evidence, options.private);
  return directory;
}

/** @throws UsageError `evidence-exists`; FailedHere `disk-full`, `unreadable-input` */
export async function writeEvidence(
  report: Report,
  { file, comparison, logs = [] }: Evidence,
  more: readonly string[] = [],
): Promise<void> {
  assertAbsent(file);
  const redact = redactor(privateTexts(more));
  const bundle = await evidenceBundle(report, comparison, await readLogs(logs, redact));
  try {
    await writeAside(path.resolve(file), async (handle) => {
      await handle.writeFile(bundle);
    });
  } catch (cause) {
    throw storageFailure(cause, 'the evidence', file);
  }
}

/** @throws UsageError `evidence-exists`; worth a call before hours of work */
export function assertAbsent(file: string): void {
  if (existsSync(file))
    throw new UsageError('evidence-exists', `${file} exists already`, {
      hint: 'name another file: nothing is ever overwritten',
    });
}

/** What killed processes were writing below `out`. */
export const removeHalfReports = (out: string): Promise<readonly string[]> =>
  removeHalfWritten(path.resolve(out));

/** A run that ended without a verdict. */
export interface Attempt {
  /** Names the directory: letters, digits, `.`, `_`, `+`, `~`, `-`. */
  readonly run: string;
  readonly failure: {
    readonly class: string;
    readonly message: string;
    readonly hint?: string;
    /** Lines of its logs that people have met before. */
    readonly known?: readonly ExplainedLine[];
  };
  readonly plan?: Plan | CheckPlan;
  readonly record?: Partial<Omit<RunRecord, 'statements'>>;
  readonly logs?: readonly LogFile[];
  /** What there is to show of it all the same. */
  readonly more?: readonly ReportFile[];
}

/** Returns the directory below `attempts/`. */
export async function storeAttempt(attempt: Attempt, options: StoreOptions = {}): Promise<string> {
  const redact = redactor(privateTexts(options.private));
  const { run, failure, plan, record } = attempt;
  const told = redacted({ schemaVersion: 1, outcome: 'failed-here', failure, plan, record }, redact);
  const files: ReportFile[] = [
    { name: 'failure.json', content: `${JSON.stringify(told, undefined, 2)}\n` },
    ...(attempt.more ?? []),
    ...(await readLogs(attempt.logs ?? [], redact)),
  ];
  return await keepAttempt(run, files, place(options));
}

const place = (options: StoreOptions): { out: string; packageRoot: string } => ({
  out: options.out ?? '.',
  packageRoot: packageRoot(),
});

/** A log that is gone says so in its place: it is no reason to lose the rest. */
async function readLogs(logs: readonly LogFile[], redact: Redact): Promise<ReportFile[]> {
  const files: ReportFile[] = [];
  for (const { name, path: file } of logs) {
    const content = await readEnds(file).catch(
      (error: unknown) =>
        `samesource: cannot read this log: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}\n`,
    );
    files.push({ name: storedName({ name }, files.length), content: redact(content) });
  }
  return files;
}

/** What the log with this number is called where it is kept. */
export const storedName = ({ name }: Pick<LogFile, 'name'>, at: number): string =>
  `logs/${plainName(name, at)}`;

function plainName(name: string, at: number): string {
  const plain = name.replace(/[^A-Za-z0-9._+~-]/g, '_').replace(/^[^A-Za-z0-9]+/, '');
  return `${at + 1}-${plain === '' ? 'log' : plain.slice(0, 100)}`;
}
