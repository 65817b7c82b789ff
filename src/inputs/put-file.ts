// SPDX-License-Identifier: Apache-2.0
/** Puts files where a user wants them, and never in the place of another one. */
import { createHash } from 'node:crypto';
import { constants, promises as fs } from 'node:fs';
import path from 'node:path';
import { UsageError } from '../errors.js';
import type { Sha256 } from '../model.js';
import { partName, storageFailure } from './atomic-file.js';
import { sha256OfFile } from './cache.js';

export type Place = 'free' | 'there';

/**
 * Whether a file with this content can be put at `target`, or lies there already.
 * @throws UsageError `file-exists` for anything else that has this name
 */
export async function placeFor(target: string, sha256: Sha256): Promise<Place> {
  const stat = await fs.lstat(target).catch(() => undefined);
  if (stat === undefined) return 'free';
  const found = stat.isFile() ? (await sha256OfFile(target)).sha256 : undefined;
  if (found === sha256) return 'there';
  throw taken(
    target,
    found === undefined ? 'is there and is no regular file' : `is there with SHA-256 ${found}`,
    sha256,
  );
}

function taken(target: string, what: string, sha256: Sha256): UsageError {
  return new UsageError('file-exists', `${target} ${what}; the fetched file has ${sha256}`, {
    hint: 'nothing is ever overwritten: name another directory with --out, or move that file away',
  });
}

/**
 * A copy of `file`, whole or not at all.
 * @throws UsageError `file-exists`; FailedHere `disk-full`, `unreadable-input`
 */
export async function putFile(file: string, target: string, sha256: Sha256): Promise<void> {
  await put(target, sha256, (part) => fs.copyFile(file, part, constants.COPYFILE_FICLONE));
}

/** As `putFile`, for a small text. */
export async function putText(text: string, target: string): Promise<void> {
  const sha256 = createHash('sha256').update(text).digest('hex');
  await put(target, sha256, (part) => fs.writeFile(part, text));
}

async function put(target: string, sha256: Sha256, fill: (part: string) => Promise<void>): Promise<void> {
  const part = partName(target);
  try {
    await fs.mkdir(path.dirname(target), { recursive: true });
    await fill(part);
    await fs.chmod(part, 0o644);
    await giveName(part, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
      throw storageFailure(error, path.basename(target), target);
    // another run was faster: with the same file, or it is refused
    await placeFor(target, sha256);
  } finally {
    await fs.rm(part, { force: true });
  }
}

/** A rename would replace what came there since somebody looked. */
async function giveName(part: string, target: string): Promise<void> {
  try {
    await fs.link(part, target);
  } catch (error) {
    // a file system without links
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS'].includes(code)) throw error;
    await fs.copyFile(part, target, constants.COPYFILE_EXCL);
  }
}
