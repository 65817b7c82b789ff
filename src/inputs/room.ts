// SPDX-License-Identifier: Apache-2.0
/** Whether a build fits this machine, asked before anything is fetched for it. */
import { promises as fs } from 'node:fs';
import os from 'node:os';
import { FailedHere } from '../errors.js';

export interface Room {
  readonly diskMiB: number;
  readonly memoryMiB: number;
}

/** @throws FailedHere `disk-full`, `out-of-memory` with both numbers */
export async function assertRoom(needed: Room, directory: string): Promise<void> {
  const { bavail, bsize } = await fs.statfs(directory);
  const diskMiB = Math.floor((bavail * bsize) / 2 ** 20);
  if (diskMiB < needed.diskMiB)
    throw new FailedHere(
      'disk-full',
      `the plan needs ${needed.diskMiB} MiB of disk, ${diskMiB} MiB are free`,
      {
        hint: 'free some space, or point XDG_CACHE_HOME to a larger file system',
      },
    );
  const memoryMiB = Math.floor(os.totalmem() / 2 ** 20);
  if (memoryMiB < needed.memoryMiB)
    throw new FailedHere(
      'out-of-memory',
      `the plan needs ${needed.memoryMiB} MiB of memory, this machine has ${memoryMiB} MiB`,
      { hint: 'run it on a larger machine' },
    );
}
