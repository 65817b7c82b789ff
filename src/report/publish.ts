// SPDX-License-Identifier: Apache-2.0
/** The only writer of reports: append-only, whole or not at all. */
import { randomBytes } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { FailedHere, UsageError } from '../errors.js';
import { isAbandoned, makeOwned, removeOwned } from '../owned-directory.js';
import { printableJson } from '../printable.js';
import { placeOf } from './report-index.js';
import type { Note, Report } from './types.js';

export interface ReportFile {
  /** Below the report's directory; plain names and `/`. */
  readonly name: string;
  readonly content: string | Uint8Array;
}

export interface PublishOptions {
  /** `reports/` and `attempts/` are made below it. */
  readonly out: string;
  /** Of the installed package: nothing is ever written there. */
  readonly packageRoot: string;
}

/** What is being written; says whose it is. */
const ASIDE = /^\.[0-9a-f]{16}\.tmp$/;
const WHOLE = 'whole';
const SEGMENT = /^[A-Za-z0-9][A-Za-z0-9._+~-]*$/;

/** Returns the directory of the new report. */
export async function publishReport(
  report: Report,
  files: readonly ReportFile[],
  options: PublishOptions,
): Promise<string> {
  if (report.run.assisted !== undefined)
    throw new FailedHere('assisted', `no report is made of this run: ${report.run.assisted}`);
  const { target } = report.statement.subject;
  const short = report.statementSha256.slice(0, 12);
  const place = target === undefined ? ['reports', 'compare'] : ['reports', ...placeOf(target)];
  return await inDirectory(options, place, (parent) => writeOnce(parent, (n) => `${short}-${n}`, files));
}

/** A run without a verdict: kept for its user, never among the reports. */
export async function keepAttempt(
  run: string,
  files: readonly ReportFile[],
  options: PublishOptions,
): Promise<string> {
  return await inDirectory(options, ['attempts'], (parent) =>
    writeOnce(parent, (n) => (n === 1 ? run : `${run}-${n}`), files),
  );
}

/** Beside the report in `directory`, under a name of its own: nothing is ever replaced. Returns the file. */
export async function publishNote(directory: string, note: Note, packageRoot: string): Promise<string> {
  const parent = path.join(path.resolve(directory), 'notes');
  const content = `${printableJson(JSON.stringify(note, undefined, 2))}\n`;
  return await withDirectory(parent, async () => {
    await assertOutside(parent, packageRoot);
    // no name of a note: one that a killed process left is none
    const name = `${randomBytes(8).toString('hex')}.tmp`;
    try {
      await failedHere(() => writeSynced(parent, { name, content }));
      for (let n = 1; ; n++) {
        const file = path.join(parent, `${note.date}-${note.kind}-${n}.json`);
        try {
          // a rename would replace what came there since
          await fs.link(path.join(parent, name), file);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
          throw error;
        }
        await syncDirectory(parent);
        return file;
      }
    } finally {
      await fs.rm(path.join(parent, name), { force: true });
    }
  });
}

/**
 * Pages to a directory of their own that must not exist; `numbered`: else the next free `<directory>-<n>`. Nothing is
 * returned when it exists.
 */
export async function writePages(
  out: string,
  files: readonly ReportFile[],
  numbered: boolean,
): Promise<string | undefined> {
  const target = path.resolve(out);
  if (!numbered && (await exists(target))) return undefined;
  const parent = path.dirname(target);
  const base = path.basename(target);
  const written = await withDirectory(parent, () =>
    writeOnce(parent, (n) => (n === 1 ? base : `${base}-${n}`), files),
  );
  return path.join(path.dirname(out), path.basename(written));
}

async function inDirectory(
  options: PublishOptions,
  place: readonly string[],
  write: (parent: string) => Promise<string>,
): Promise<string> {
  for (const segment of place)
    if (!SEGMENT.test(segment))
      throw new UsageError('bad-report-path', `${JSON.stringify(segment)} cannot be part of a report's path`);
  const out = path.resolve(options.out);
  const parent = path.join(out, ...place);
  return await withDirectory(parent, async () => {
    await assertOutside(parent, options.packageRoot);
    return await write(parent);
  });
}

async function assertOutside(directory: string, packageRoot: string): Promise<void> {
  const [real, root] = await Promise.all([fs.realpath(directory), fs.realpath(packageRoot)]);
  const installed = root.split(path.sep).includes('node_modules');
  if (installed && (real === root || real.startsWith(`${root}${path.sep}`)))
    throw new UsageError('out-in-package', `${directory} is inside of the installed package`, {
      hint: 'choose another directory with --out',
    });
}

/** Makes it with all above it; of what was made nothing that is empty stays where `write` fails. */
async function withDirectory<T>(directory: string, write: () => Promise<T>): Promise<T> {
  const made: string[] = [];
  for (let at = directory; !(await exists(at)); at = path.dirname(at)) made.push(at);
  try {
    await failedHere(() => fs.mkdir(directory, { recursive: true }));
    return await write();
  } catch (error) {
    for (const one of made) await fs.rmdir(one).catch(() => undefined);
    throw error;
  }
}

/** Writes aside, syncs, renames; the next free number when another run was faster. */
async function writeOnce(
  parent: string,
  name: (n: number) => string,
  files: readonly ReportFile[],
): Promise<string> {
  const aside = path.join(parent, `.${randomBytes(8).toString('hex')}.tmp`);
  const whole = path.join(aside, WHOLE);
  await removeAbandoned(parent);
  try {
    await failedHere(async () => {
      await makeOwned(aside);
      await fs.mkdir(whole);
      for (const file of files) await writeSynced(whole, file);
    });
    for (let n = 1; ; n++) {
      const final = path.join(parent, name(n));
      if (await exists(final)) continue;
      try {
        // fails when another run has made it, since a report's directory is never empty
        await fs.rename(whole, final);
      } catch (error) {
        if (['EEXIST', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? '')) continue;
        throw error;
      }
      await syncDirectory(parent);
      return final;
    }
  } finally {
    await removeOwned(aside);
  }
}

/** What a killed process had not yet given its name. */
async function removeAbandoned(parent: string): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const name of await fs.readdir(parent).catch(() => [])) {
    const aside = path.join(parent, name);
    if (!ASIDE.test(name) || !(await isAbandoned(aside))) continue;
    await removeOwned(aside).catch(() => undefined);
    removed.push(aside);
  }
  return removed;
}

/** The same below a whole `out`, whose reports and attempts stay as they are. */
export async function removeHalfWritten(out: string): Promise<readonly string[]> {
  const removed: string[] = [];
  let level = [path.join(out, 'reports'), path.join(out, 'attempts')];
  for (let depth = 0; depth < 4; depth++) {
    const next: string[] = [];
    for (const parent of level) {
      removed.push(...(await removeAbandoned(parent)));
      const entries = await fs.readdir(parent, { withFileTypes: true }).catch(() => []);
      for (const entry of entries)
        if (entry.isDirectory() && !entry.name.startsWith('.')) next.push(path.join(parent, entry.name));
    }
    level = next;
  }
  return removed;
}

async function writeSynced(root: string, { name, content }: ReportFile): Promise<void> {
  for (const segment of name.split('/'))
    if (!SEGMENT.test(segment)) throw new Error(`not a plain file name in a report: ${JSON.stringify(name)}`);
  const file = path.join(root, name);
  await fs.mkdir(path.dirname(file), { recursive: true });
  const handle = await fs.open(file, 'wx');
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncDirectory(directoryPath: string): Promise<void> {
  const handle = await fs.open(directoryPath, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await fs.lstat(file);
    return true;
  } catch {
    return false;
  }
}

async function failedHere<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new FailedHere('disk-full', `no space for the report: ${message}`, {
        cause,
        hint: 'free some space, or choose another place with --out',
      });
    if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM' || code === 'ENOTDIR')
      throw new FailedHere('unreadable-input', `cannot write the report: ${message}`, {
        cause,
        hint: 'choose another place with --out',
      });
    throw cause;
  }
}
