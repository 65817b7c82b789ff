// SPDX-License-Identifier: Apache-2.0
/** Runs work of known size side by side: never more than fits, never two of one group, what has to wait in its turn. */
import type { Room } from '../../inputs/room.js';

export interface Clock {
  now(): number;
  /** Ends early, without an error, when the signal says so. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export interface Work {
  readonly room: Room;
  /** Two of one group do not run at once: they would need the same things. */
  readonly group: string;
}

/** Again, not before then. */
export interface Again {
  readonly afterMs: number;
  readonly alone: boolean;
}

export interface ScheduleOptions<T extends Work> {
  readonly slots: number;
  /** What all that runs at once may need together; one that needs more runs alone, and says itself what it lacks. */
  readonly room: Room;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly run: (work: T) => Promise<Again | undefined>;
}

interface Waiting<T> {
  readonly work: T;
  readonly notBefore: number;
  readonly alone: boolean;
}

/** Until all is done; after the signal nothing new begins. What `run` throws ends it, when the rest that runs has ended. */
export async function schedule<T extends Work>(
  all: readonly T[],
  options: ScheduleOptions<T>,
): Promise<void> {
  const { slots, room, clock, signal, run } = options;
  const waiting: Waiting<T>[] = all.map((work) => ({ work, notBefore: 0, alone: false }));
  const running = new Map<Waiting<T>, Promise<void>>();
  const errors: unknown[] = [];

  const fits = ({ work, alone, notBefore }: Waiting<T>): boolean => {
    if (notBefore > clock.now() || running.size >= slots) return false;
    const others = [...running.keys()];
    if (others.length === 0) return true;
    if (alone || others.some((one) => one.alone || one.work.group === work.group)) return false;
    const needed = (of: keyof Room): number =>
      others.reduce((sum, one) => sum + one.work.room[of], work.room[of]);
    return needed('diskMiB') <= room.diskMiB && needed('memoryMiB') <= room.memoryMiB;
  };
  const start = (item: Waiting<T>): void => {
    waiting.splice(waiting.indexOf(item), 1);
    const ended = run(item.work)
      .then((again) => {
        if (again !== undefined)
          waiting.push({ work: item.work, notBefore: clock.now() + again.afterMs, alone: again.alone });
      })
      .catch((error: unknown) => void errors.push(error))
      .finally(() => void running.delete(item));
    running.set(item, ended);
  };

  for (;;) {
    const stopped = signal.aborted || errors.length > 0;
    const next = stopped ? undefined : waiting.find(fits);
    if (next !== undefined) {
      start(next);
      continue;
    }
    if (running.size === 0 && (stopped || waiting.length === 0)) break;
    const later = stopped ? [] : waiting.map(({ notBefore }) => notBefore).filter((at) => at > clock.now());
    const enough = new AbortController();
    const either = AbortSignal.any([signal, enough.signal]);
    await Promise.race([
      ...running.values(),
      ...(later.length === 0 ? [] : [clock.sleep(Math.min(...later) - clock.now(), either)]),
    ]);
    enough.abort();
  }
  if (errors.length > 0) throw errors[0];
}
