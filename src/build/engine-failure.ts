// SPDX-License-Identifier: Apache-2.0
/** What the words of an engine's client mean when no script of ours was running. */
import { FailedHere } from '../errors.js';
import { knownFailure } from '../known-failures.js';
import type { RunResult } from '../process.js';

export function streamFailure(engine: string, what: string, said: string): FailedHere {
  return wordsFailure(engine, what, said) ?? new FailedHere('engine-died', `${engine} ${what}: ${said}`);
}

/**
 * Between two commands that run to their end even when we are interrupted: ending the client of `create` or `commit` does
 * not end what the engine makes of it, which would then be left behind.
 */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted === true) throw new FailedHere('interrupted', `interrupted ${what}`);
}

/** What the end of an engine's client means when no container of ours was running. */
export function engineFailure(engine: string, what: string, result: RunResult): FailedHere {
  const said = result.stderr.toString().trim().split('\n').slice(-3).join(' | ').slice(0, 1000);
  const { ended } = result;
  if (ended.kind === 'aborted') return new FailedHere('interrupted', `interrupted during ${engine} ${what}`);
  if (ended.kind === 'timed-out')
    return new FailedHere('time-limit', `${engine} ${what} took longer than ${ended.afterMs / 1000} s`);
  return wordsFailure(engine, what, said) ?? new FailedHere('engine-died', `${engine} ${what}: ${said}`);
}

function wordsFailure(engine: string, what: string, said: string): FailedHere | undefined {
  if (/no space left on device|disk quota exceeded/i.test(said))
    return new FailedHere('disk-full', `the disk is full where ${engine} keeps its containers: ${said}`, {
      hint: knownFailure('disk-full').advice,
    });
  if (/toomanyrequests|\b429\b/i.test(said))
    return new FailedHere('rate-limited', `${engine} ${what}: ${said}`, { hint: 'try again later' });
  return undefined;
}
