// SPDX-License-Identifier: Apache-2.0
/**
 * What is known of a run as one archive to hand to a publisher: plan, findings, logs, what was rebuilt. The published file
 * is not in it, nor anything of it beyond what the report shows.
 */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { UsageError } from '../errors.js';
import { cacheDirectory } from '../inputs/cache.js';
import { RUN_FILE } from './kept-run.js';
import type { OperationOptions } from './options.js';
import { writeArchive, type PackedFile } from './pack-archive.js';
import { attemptFiles } from './pack-attempt.js';
import { textFile, type Packed } from './pack-files.js';
import { keptRunFiles } from './pack-kept.js';
import { packReadme } from './pack-readme.js';
import { reportFiles } from './pack-report.js';
import { keptDirectory } from './run-directories.js';

export interface PackRequest {
  /** Directory of a report or of an attempt, a report.json, the name of an attempt below `attempts/`, or a kept run. */
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

/**
 * @throws UsageError `nothing-to-pack`, `report-inconsistent`, `out-exists`
 * @throws FailedHere `disk-full`, `unreadable-input`, `run-in-use`, `kept-run-damaged`
 */
export async function pack({ what, out }: PackRequest, options: OperationOptions = {}): Promise<PackResult> {
  const packed = await packedOf(await find(what), options);
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

type Found =
  | { readonly kind: 'attempt' | 'report'; readonly directory: string }
  | { readonly kind: 'kept'; readonly run: string };

function packedOf(found: Found, options: OperationOptions): Promise<Packed> {
  switch (found.kind) {
    case 'attempt':
      return attemptFiles(found.directory);
    case 'report':
      return reportFiles(found.directory, options);
    case 'kept':
      return keptRunFiles(found.run, options);
  }
}

async function find(what: string): Promise<Found> {
  const has = async (file: string): Promise<boolean> =>
    (await fs.stat(file).catch(() => undefined))?.isFile() === true;
  const isName = /^[A-Za-z0-9][A-Za-z0-9._+~-]*$/.test(what);
  for (const directory of [what, ...(isName ? [path.join('attempts', what)] : [])]) {
    if (await has(path.join(directory, 'failure.json'))) return { kind: 'attempt', directory };
    if (await has(path.join(directory, 'report.json'))) return { kind: 'report', directory };
  }
  if (await has(what)) return { kind: 'report', directory: what };
  if (isName && (await has(path.join(keptDirectory(cacheDirectory()), what, RUN_FILE))))
    return { kind: 'kept', run: what };
  throw new UsageError('nothing-to-pack', `${what} is no report, no attempt and no run that is kept`, {
    hint: 'name the directory of a report (reports/…), a report.json, a run below attempts/ or one of `verify runs`',
  });
}
