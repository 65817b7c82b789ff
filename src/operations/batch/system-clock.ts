// SPDX-License-Identifier: Apache-2.0
/** The time of this machine. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from './schedule.js';

/** More would end at once (setTimeout). */
const LONGEST_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    sleep(Math.min(Math.max(0, ms), LONGEST_MS), undefined, { signal }).catch(() => undefined),
};
