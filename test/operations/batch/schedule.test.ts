// SPDX-License-Identifier: Apache-2.0
/** What runs beside what, and when again; the time is the test's. */
import test from 'ava';
import { nextTry, RETRY_BUDGETS } from '../../../src/operations/batch/retry-budgets.js';
import { schedule, type Again, type Clock, type Work } from '../../../src/operations/batch/schedule.js';

interface Item extends Work {
  readonly name: string;
  /** Of its time that it takes. */
  readonly takes: number;
}

const item = (name: string, more: Partial<Item> = {}): Item => ({
  name,
  group: name,
  takes: 10,
  room: { diskMiB: 10, memoryMiB: 10 },
  ...more,
});

/** Time that passes only when everybody waits. */
class FakeClock implements Clock {
  #now = 0;
  readonly #sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const sleeper = {
        at: this.#now + ms,
        wake: () => {
          this.#sleepers.delete(sleeper);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal.addEventListener('abort', sleeper.wake, { once: true });
      setImmediate(() => this.#pass());
    });
  }

  #pass(): void {
    const next = [...this.#sleepers].sort((a, b) => a.at - b.at)[0];
    if (next === undefined) return;
    this.#now = Math.max(this.#now, next.at);
    next.wake();
  }
}

interface Ran {
  readonly events: readonly string[];
  readonly most: number;
}

async function ran(
  items: readonly Item[],
  {
    slots = 4,
    room = { diskMiB: 100, memoryMiB: 100 },
    answers = {},
    signal = new AbortController().signal,
  }: {
    readonly slots?: number;
    readonly room?: Work['room'];
    /** Of each attempt, in turn. */
    readonly answers?: Readonly<Record<string, readonly (Again | Error)[]>>;
    readonly signal?: AbortSignal;
  } = {},
): Promise<Ran> {
  const clock = new FakeClock();
  const events: string[] = [];
  const tries: Record<string, number> = {};
  let [running, most] = [0, 0];
  await schedule(items, {
    slots,
    room,
    clock,
    signal,
    run: async ({ name, takes }) => {
      events.push(`${clock.now()} ${name}`);
      most = Math.max(most, ++running);
      await clock.sleep(takes, new AbortController().signal);
      running--;
      events.push(`${clock.now()} ${name} ends`);
      const answer = answers[name]?.[tries[name] ?? 0];
      tries[name] = (tries[name] ?? 0) + 1;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  });
  return { events, most };
}

const starts = ({ events }: Ran): readonly string[] => events.filter((event) => !event.endsWith('ends'));

test('one after the other in the order of the list, or as many at once as was asked for', async (t) => {
  const items = ['a', 'b', 'c'].map((name) => item(name));
  t.deepEqual(starts(await ran(items, { slots: 1 })), ['0 a', '10 b', '20 c']);
  const two = await ran(items, { slots: 2 });
  t.deepEqual(starts(two), ['0 a', '0 b', '10 c']);
  t.is(two.most, 2);
  t.deepEqual(await ran([]), { events: [], most: 0 });
});

for (const what of ['diskMiB', 'memoryMiB'] as const)
  test(`never more at once than ${what} allows; what fits goes before what does not`, async (t) => {
    const of = (need: number): Partial<Item> => ({ room: { diskMiB: 1, memoryMiB: 1, [what]: need } });
    const result = await ran([item('a', of(60)), item('b', of(60)), item('c', of(40))]);
    t.deepEqual(starts(result), ['0 a', '0 c', '10 b']);
    // what needs more than there is runs alone, and fails by itself
    t.deepEqual(starts(await ran([item('a', of(10)), item('b', of(101))])), ['0 a', '10 b']);
    t.deepEqual(starts(await ran([item('a', of(101)), item('b', of(10))])), ['0 a', '10 b']);
  });

test('two of one group do not run at once', async (t) => {
  const result = await ran([item('a', { group: 'x' }), item('b', { group: 'x' }), item('c')]);
  t.deepEqual(starts(result), ['0 a', '0 c', '10 b']);
});

test('what failed waits for its time, and the others go on', async (t) => {
  const again = { afterMs: 25, alone: false };
  const result = await ran([item('a'), item('b'), item('c')], { slots: 1, answers: { a: [again, again] } });
  t.deepEqual(starts(result), ['0 a', '10 b', '20 c', '35 a', '70 a']);
});

test('what has to be alone waits until nothing else runs, and nothing starts beside it', async (t) => {
  const result = await ran([item('a'), item('b', { takes: 30 }), item('c', { takes: 30 }), item('d')], {
    slots: 3,
    answers: { a: [{ afterMs: 0, alone: true }] },
  });
  t.deepEqual(starts(result), ['0 a', '0 b', '0 c', '10 d', '30 a']);
});

test('after the signal nothing begins, and what runs is waited for', async (t) => {
  const controller = new AbortController();
  const items = [item('a'), item('b')];
  controller.abort();
  t.deepEqual((await ran(items, { signal: controller.signal })).events, []);
  const later = new AbortController();
  setImmediate(() => later.abort());
  t.deepEqual((await ran(items, { slots: 1, signal: later.signal })).events, ['0 a', '10 a ends']);
});

test('a bug of one ends all, when the others have ended', async (t) => {
  const items = [item('a'), item('b', { takes: 20 }), item('c')];
  await t.throwsAsync(ran(items, { slots: 2, answers: { a: [new Error('a bug')] } }), { message: 'a bug' });
});

test('budgets: the network five times with growing waits, a full disk few times and alone, a wrong plan never', (t) => {
  const waits = (failure: keyof typeof RETRY_BUDGETS): readonly (number | undefined)[] =>
    [1, 2, 3, 4, 5, 6, 7].map((failures) => nextTry(failure, failures)?.afterMs);
  t.deepEqual(waits('network'), [30_000, 60_000, 120_000, 240_000, 480_000, undefined, undefined]);
  t.deepEqual(waits('disk-full').slice(0, 3), [60_000, 300_000, undefined]);
  t.true(nextTry('disk-full', 1)?.alone);
  t.false(nextTry('network', 1)?.alone);
  for (const never of ['plan-unresolved', 'time-limit', 'interrupted', 'missing-tool'] as const)
    t.is(nextTry(never, 1), undefined);
});
