// SPDX-License-Identifier: Apache-2.0
/** Where a phase's log lies, and its digest. */
import type { LogRecord, PhaseName } from '../model.js';
import type { RunResult } from '../process.js';

export function logRecord(phase: PhaseName, path: string, { log }: RunResult): LogRecord {
  if (log === undefined) throw new Error('the program was run without a log file');
  return { phase, path, ...log };
}
