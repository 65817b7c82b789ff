// SPDX-License-Identifier: Apache-2.0
/**
 * How often a failure of ours is tried again within one batch. What a publisher's source does is not among them: a
 * mismatch is built once more by the pipeline itself, and what did not compile is not built again before its plan changes.
 */
import type { FailureClass } from '../../errors.js';

export interface RetryBudget {
  readonly retries: number;
  /** Before the first retry, the second … ; the last one is for all that follow. */
  readonly waitSeconds: readonly number[];
  /** The next try has the machine to itself. */
  readonly alone?: true;
}

/** Its process ended without an answer. */
export type JobFailureClass = FailureClass | 'crashed';

const NEVER: RetryBudget = { retries: 0, waitSeconds: [0] };

export const RETRY_BUDGETS = {
  network: { retries: 5, waitSeconds: [30, 60, 120, 240, 480] },
  'rate-limited': { retries: 5, waitSeconds: [120, 300, 600, 1200, 1800] },
  // a mirror in the middle of an update
  'mirror-incomplete': { retries: 3, waitSeconds: [300, 900, 1800] },
  'index-signature': { retries: 1, waitSeconds: [600] },
  'index-stale': { retries: 1, waitSeconds: [600] },
  'index-unreadable': { retries: 1, waitSeconds: [600] },
  'pull-failed': { retries: 2, waitSeconds: [10, 60] },
  // others may have needed it meanwhile
  'disk-full': { retries: 2, waitSeconds: [60, 300], alone: true },
  'out-of-memory': { retries: 1, waitSeconds: [10], alone: true },
  'no-engine': { retries: 2, waitSeconds: [30, 120] },
  'engine-died': { retries: 2, waitSeconds: [30, 120], alone: true },
  'prepare-failed': { retries: 1, waitSeconds: [60] },
  // it was removed: the next try builds anew
  'build-damaged': { retries: 1, waitSeconds: [0] },
  'no-recording': { retries: 1, waitSeconds: [10] },
  crashed: { retries: 1, waitSeconds: [10], alone: true },
  'time-limit': NEVER,
  'no-device': NEVER,
  'device-unauthorized': NEVER,
  'unreadable-input': NEVER,
  'missing-tool': NEVER,
  'output-refused': NEVER,
  'host-differs': NEVER,
  'host-key': NEVER,
  'login-refused': NEVER,
  'transfer-damaged': { retries: 1, waitSeconds: [60] },
  'plan-unresolved': NEVER,
  'host-refused': NEVER,
  'not-recorded': NEVER,
  interrupted: NEVER,
  // of runs that are taken up by hand
  assisted: NEVER,
  'kept-run-damaged': NEVER,
  'kept-state-gone': NEVER,
  'kept-state-changed': NEVER,
  'run-in-use': NEVER,
} as const satisfies Readonly<Record<JobFailureClass, RetryBudget>>;

/** Milliseconds until the next try after this many failures of the class; nothing when it is used up. */
export function nextTry(
  failure: JobFailureClass,
  failures: number,
): { readonly afterMs: number; readonly alone: boolean } | undefined {
  const budget: RetryBudget = RETRY_BUDGETS[failure];
  if (failures > budget.retries) return undefined;
  const seconds = budget.waitSeconds[Math.min(failures, budget.waitSeconds.length) - 1] ?? 0;
  return { afterMs: seconds * 1000, alone: budget.alone === true };
}
