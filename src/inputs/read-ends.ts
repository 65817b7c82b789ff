// SPDX-License-Identifier: Apache-2.0
/** A log that may be larger than anybody wants to keep: its beginning and its end. */
import { constants, promises as fs } from 'node:fs';
import path from 'node:path';
import { FailedHere } from '../errors.js';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
const HALF = 8 << 20;

const notRegular = (file: string): FailedHere =>
  new FailedHere('unreadable-input', `${path.basename(file)} is no regular file`);

/** @throws FailedHere `unreadable-input`; what the file system says */
export async function readEnds(file: string): Promise<string> {
  // a link could lead anywhere, and what is read here is handed on
  const handle = await fs.open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code !== 'ELOOP') throw cause;
    throw notRegular(file);
  });
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw notRegular(file);
    const read = async (from: number, length: number): Promise<string> => {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, from);
      return buffer.toString('utf8', 0, bytesRead);
    };
    if (stat.size <= 2 * HALF) return await read(0, stat.size);
    const cut = stat.size - 2 * HALF;
    return `${await read(0, HALF)}\nsamesource: ${cut} bytes are left out here\n${await read(stat.size - HALF, HALF)}`;
  } finally {
    await handle.close();
  }
}
