// SPDX-License-Identifier: Apache-2.0
/** What a report says about the machine: nothing that names it or its user. And what is left of it. */
import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export interface Machine {
  readonly node: string;
  readonly architecture: string;
  readonly kernel: string;
  readonly cpuCount: number;
  readonly memoryMiB: number;
}

const MiB = 2 ** 20;

export function describeMachine(): Machine {
  return {
    node: process.version,
    architecture: process.arch,
    kernel: `${os.type()} ${os.release()}`,
    cpuCount: os.availableParallelism(),
    memoryMiB: Math.floor(os.totalmem() / MiB),
  };
}

export function freeMemoryMiB(): number {
  return Math.floor(Math.min(process.availableMemory(), os.totalmem()) / MiB);
}

/** Where `directory` is or will be made. */
export async function freeDiskMiB(directory: string): Promise<number> {
  let existing = path.resolve(directory);
  while (
    existing !== path.dirname(existing) &&
    (await fs.stat(existing).catch(() => undefined)) === undefined
  )
    existing = path.dirname(existing);
  const { bavail, bsize } = await fs.statfs(existing);
  return Math.floor((bavail * bsize) / MiB);
}
