// SPDX-License-Identifier: Apache-2.0
/** The check `transparency-log`: what the logs that are known answer about a published file. */
import { FailedHere, UsageError } from '../errors.js';
import type { PublishedFile } from '../inputs/published.js';
import type { LogAnswer } from '../pipeline/run-checks.js';
import { checkLog, type LogRequest } from './check-log.js';
import type { OperationOptions } from './options.js';

/** A log that cannot be asked is no answer about the file. */
export async function logged(
  { path }: PublishedFile,
  log: Omit<LogRequest, 'file'>,
  options: OperationOptions,
): Promise<LogAnswer> {
  try {
    const { status, logs, shows } = await checkLog({ file: path, ...log }, options);
    const entry = logs.find((answer) => answer.status === 'listed');
    switch (status) {
      case 'listed':
        return {
          outcome: 'passed',
          detail: `${shows} (${entry?.log.name ?? 'a log'}, entry ${entry?.status === 'listed' ? entry.index : '?'})`,
        };
      case 'not-listed':
      case 'refused':
        return { outcome: 'failed', detail: shows };
    }
  } catch (error) {
    if (error instanceof UsageError || (error instanceof FailedHere && error.code !== 'interrupted'))
      return { outcome: 'not-run', detail: error.message };
    throw error;
  }
}
