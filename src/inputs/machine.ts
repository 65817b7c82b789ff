// SPDX-License-Identifier: Apache-2.0
/** What a report says about the machine: nothing that names it or its user. */
import os from 'node:os';

export interface Machine {
  readonly node: string;
  readonly architecture: string;
  readonly kernel: string;
  readonly cpuCount: number;
  readonly memoryMiB: number;
}

export function describeMachine(): Machine {
  return {
    node: process.version,
    architecture: process.arch,
    kernel: `${os.type()} ${os.release()}`,
    cpuCount: os.availableParallelism(),
    memoryMiB: Math.floor(os.totalmem() / 2 ** 20),
  };
}
