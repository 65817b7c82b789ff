// SPDX-License-Identifier: Apache-2.0
/** Whether a run's results can be put where its user wants them, asked before an hour is spent on them. */
import { constants, promises as fs } from 'node:fs';
import path from 'node:path';
import { UsageError } from '../errors.js';

/** procfs and sysfs, by their magic numbers (statfs(2)). */
const KERNEL: ReadonlySet<number> = new Set([0x9fa0, 0x62656572]);

/**
 * Makes nothing: what is not there yet must be possible to make.
 * @throws UsageError `not-writable`
 */
export async function assertWritable(directory: string): Promise<void> {
  let place = path.resolve(directory);
  try {
    while (!(await isDirectory(place))) place = path.dirname(place);
    await fs.access(place, constants.W_OK);
    // the superuser may write to anything, and nothing can be made there: Node would try for ever
    if (KERNEL.has((await fs.statfs(place)).type))
      throw Object.assign(new Error('a file system of the kernel'), { code: 'EROFS' });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new UsageError(
      'not-writable',
      `cannot write to ${directory}: ${code ?? (cause as Error).message}`,
      {
        cause,
        hint: 'choose another directory with --out, for the outputs of `verify build` with --output',
      },
    );
  }
}

/** False when there is nothing. */
async function isDirectory(place: string): Promise<boolean> {
  try {
    if ((await fs.stat(place)).isDirectory()) return true;
    throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
