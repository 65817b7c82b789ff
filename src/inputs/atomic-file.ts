// SPDX-License-Identifier: Apache-2.0
/** Files that exist completely or not at all: written aside, synced, renamed. */
import { randomBytes } from 'node:crypto';
import { constants, promises as fs } from 'node:fs';
import path from 'node:path';
import { FailedHere } from '../errors.js';

const PART = '.part-';

/** A name beside `target`, so that the rename stays within one file system. */
export function partName(target: string): string {
  return path.join(
    path.dirname(target),
    `.${path.basename(target)}${PART}${process.pid}-${randomBytes(6).toString('hex')}`,
  );
}

function systemCode(error: unknown): string | undefined {
  const code: unknown = error instanceof Error && 'syscall' in error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : undefined;
}

export const isDiskFull = (cause: unknown): boolean => ['ENOSPC', 'EDQUOT'].includes(systemCode(cause) ?? '');

/** A failure of the file system in our words: a full disk is a class of its own. Anything else is returned as it is. */
export function storageFailure(cause: unknown, what: string, file: string): unknown {
  const code = systemCode(cause);
  if (code === undefined) return cause;
  if (isDiskFull(cause))
    return new FailedHere('disk-full', `no space left for ${what} in ${path.dirname(file)}`, {
      cause,
      hint: 'free some space, or point XDG_CACHE_HOME or TMPDIR to a larger file system',
    });
  return new FailedHere('unreadable-input', `cannot store ${what}: ${code}`, { cause });
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await fs.open(directory, constants.O_RDONLY);
  try {
    await handle.sync();
  } catch (error) {
    // some file systems cannot sync a directory; the rename is atomic there all the same
    if (!['EINVAL', 'EPERM', 'ENOTSUP'].includes(systemCode(error) ?? '')) throw error;
  } finally {
    await handle.close();
  }
}

/** Gives the finished `part` its final name. */
export async function publishPart(part: string, target: string): Promise<void> {
  await fs.rename(part, target);
  await syncDirectory(path.dirname(target));
}

/** Calls `fill` with an open file beside `target`; only when it returns does the file get its name. */
export async function writeAside<T>(target: string, fill: (handle: fs.FileHandle) => Promise<T>): Promise<T> {
  await fs.mkdir(path.dirname(target), { recursive: true });
  const part = partName(target);
  const handle = await fs.open(part, 'wx', 0o644);
  let done = false;
  try {
    const result = await fill(handle);
    await handle.sync();
    await handle.close();
    await publishPart(part, target);
    done = true;
    return result;
  } finally {
    if (!done) {
      await handle.close().catch(() => undefined);
      await fs.rm(part, { force: true });
    }
  }
}

/** What killed writers of `target` left beside it. The caller holds a lock that all of its writers hold. */
export async function removePartsOf(target: string): Promise<void> {
  const directory = path.dirname(target);
  const begin = `.${path.basename(target)}${PART}`;
  for (const name of await fs.readdir(directory).catch(() => [] as string[]))
    if (name.startsWith(begin)) await fs.rm(path.join(directory, name), { force: true });
}

/** Removes what a killed run left behind in `directory`. */
export async function sweepParts(directory: string, olderThanMs = 24 * 60 * 60 * 1000): Promise<void> {
  for (const entry of await fs.readdir(directory, { withFileTypes: true }).catch(() => [])) {
    if (!entry.isFile() || !entry.name.includes(PART)) continue;
    const file = path.join(directory, entry.name);
    const stat = await fs.stat(file).catch(() => undefined);
    if (stat !== undefined && Date.now() - stat.mtimeMs > olderThanMs) await fs.rm(file, { force: true });
  }
}
