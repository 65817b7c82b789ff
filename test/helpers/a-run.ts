// SPDX-License-Identifier: Apache-2.0
/** The run part of a report, as tests need one. */
import type { ReportInput } from '../../src/report/assemble.js';

export function aRun(more: Partial<ReportInput['run']> = {}): ReportInput['run'] {
  return {
    time: '2026-01-02T03:04:05.000Z',
    tool: { name: 'samesource', version: '0.1.0' },
    node: 'v20.19.0',
    architecture: 'x64',
    kernel: 'Linux 6.1',
    cpuCount: 2,
    memoryMiB: 4096,
    builds: 0,
    matchingBuilds: 0,
    seconds: { compare: 0.1 },
    tools: [],
    missingTools: [],
    logs: [],
    ...more,
  };
}
