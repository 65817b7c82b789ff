// SPDX-License-Identifier: Apache-2.0
/**
 * What is known of a run as one archive to hand to a publisher: plan, findings, logs, what was rebuilt. The published file
 * is not in it, nor anything of it beyond what the report shows.
 */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { UsageError } from '../errors.js';
import type { OperationOptions } from './options.js';
import { writeArchive, type PackedFile } from './pack-archive.js';
import { attemptFiles } from './pack-attempt.js';
import { textFile } from './pack-files.js';
import { packReadme } from './pack-readme.js';
import { reportFiles } from './pack-report.js';

export interface PackRequest {
  /** Directory of a report or of an attempt, a report.json, or the name of an attempt below `attempts/`. */
  readonly what: string;
  /** The archive; default a name of its own in the current directory. */
  readonly out?: string;
}

export interface PackResult {
  readonly file: string;
  readonly files: readonly Pick<PackedFile, 'name' | 'size' | 'sha256' | 'what'>[];
  /** What somebody would look for and is not inside, and why. */
  readonly missing: readonly string[];
}

/** @throws UsageError `nothing-to-pack`, `report-inconsistent`, `out-exists`; FailedHere `disk-full`, `unreadable-input` */
export async function pack({ what, out }: PackRequest, options: OperationOptions = {}): Promise<PackResult> {
  const { directory, attempt } = await find(what);
  const packed = attempt ? await attemptFiles(directory) : await reportFiles(directory, options);
  const files = [...packed.files].sort((a, b) => (a.name < b.name ? -1 : 1));
  const readme = textFile('README.txt', 'this text', packReadme({ ...packed, files }));
  const sums = textFile(
    'SHA256SUMS',
    'the SHA-256 of every other file: `sha256sum -c SHA256SUMS`',
    [readme, ...files].map(({ sha256, name }) => `${sha256}  ${name}\n`).join(''),
  );
  const all = [readme, sums, ...files];
  const target = out ?? `${packed.root}.tar.gz`;
  await writeArchive(target, packed.root, all);
  return {
    file: target,
    files: all.map(({ name, size, sha256, what: is }) => ({ name, size, sha256, what: is })),
    missing: packed.missing,
  };
}

async function find(what: string): Promise<{ readonly directory: string; readonly attempt: boolean }> {
  const has = async (file: string): Promise<boolean> =>
    (await fs.stat(file).catch(() => undefined))?.isFile() === true;
  const named = /^[A-Za-z0-9][A-Za-z0-9._+~-]*$/.test(what) ? [path.join('attempts', what)] : [];
  for (const directory of [what, ...named]) {
    if (await has(path.join(directory, 'failure.json'))) return { directory, attempt: true };
    if (await has(path.join(directory, 'report.json'))) return { directory, attempt: false };
  }
  if (await has(what)) return { directory: what, attempt: false };
  throw new UsageError('nothing-to-pack', `${what} is no report and no attempt`, {
    hint: 'name the directory of a report (reports/…), a report.json, or a run below attempts/',
  });
}
