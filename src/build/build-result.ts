// SPDX-License-Identifier: Apache-2.0
/** How a phase ended, the same for every executor, and what a build phase that ended like this comes to. */
import type { BuildResult, LogRecord } from '../model.js';
import type { PhaseOutcome } from './failure.js';
import type { LogSummary } from './log-reader.js';
import type { CollectedOutputs } from './outputs.js';

export interface PhaseResult {
  readonly outcome: PhaseOutcome;
  readonly summary: LogSummary;
  readonly log: LogRecord;
  readonly seconds: number;
}

/**
 * `shown`: what a line of the log looks like elsewhere.
 * @throws FailedHere of the phase, and what `collect` throws
 */
export async function buildResult(
  { outcome, summary, log, seconds }: PhaseResult,
  collect: () => Promise<CollectedOutputs>,
  shown: (line: string) => string = (line) => line,
): Promise<BuildResult> {
  const logs = [log];
  switch (outcome.kind) {
    case 'failed-here':
      throw outcome.error;
    case 'environment-gone':
      return outcome;
    case 'command-failed':
      return {
        kind: 'failed',
        phase: 'build',
        exitCode: outcome.exitCode,
        firstError: summary.firstError.map(shown),
        tail: summary.tail.map(shown),
        known: summary.known.map(({ id, line }) => ({ id, line: shown(line) })),
        logs,
        seconds,
      };
    case 'succeeded':
      return { kind: 'succeeded', ...(await collect()), logs, seconds };
  }
}
