// SPDX-License-Identifier: Apache-2.0
/** One version of one app in a batch: done once, tried again within the budget of what failed, noted at each step. */
import { FailedHere } from '../../errors.js';
import type { JobFailure, JobResult, JobTarget } from './job.js';
import type { Journal, TaskRecord } from './journal.js';
import { targetOf, type PlannedEntry } from './preflight.js';
import { nextTry } from './retry-budgets.js';
import type { RunJob } from './run-job.js';
import type { Again, Clock, Work } from './schedule.js';

export interface Task extends Work {
  /** `weechat 3.8-1 (debian)` */
  readonly key: string;
  readonly planned: PlannedEntry;
  /** As the version was resolved. */
  readonly target: JobTarget;
  readonly minutes: number;
  /** Held by the process that works on it. */
  readonly lock: string;
}

/** Phases are limited by the recipe; this is for what hangs elsewhere. A varied build may take twice as long. */
const limitOf = (minutes: number, variations: number): number =>
  (variations === 0 ? 3 : 5 + variations) * minutes + 60;

export function taskOf(planned: PlannedEntry, lockOf: (key: string) => string): Task {
  const { entry, result } = planned;
  const version = result.kind === 'planned' ? result.version : entry.version;
  const target = { ...targetOf(entry), version };
  const { app, channel, engine, published } = target;
  const more = [...(engine === undefined ? [] : [engine]), ...(published === undefined ? [] : [published])];
  const key = `${app} ${version} (${[channel, ...more].join(', ')})`;
  return {
    key,
    planned,
    target,
    room: result.kind === 'planned' ? result.room : { diskMiB: 0, memoryMiB: 0 },
    group: app,
    minutes:
      entry.minutes ??
      (result.kind === 'planned' ? limitOf(result.minutes, result.plan?.vary?.length ?? 0) : limitOf(60, 0)),
    lock: lockOf(key),
  };
}

export interface TaskOptions {
  readonly journal: Journal;
  readonly out: string;
  readonly recipes?: string;
  readonly vary?: boolean;
  readonly runJob: RunJob;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
}

/** When to try again; nothing when it is done, or the batch was stopped. */
export async function runTask(task: Task, options: TaskOptions): Promise<Again | undefined> {
  const { journal, clock, signal, note } = options;
  const { key, planned } = task;
  const first = journal.task(key) === undefined;
  const { result } = planned;
  // what the last batch said of this very entry, before what reports say of the version
  const before = journal.verdict(key) ?? (result.kind === 'planned' ? result.before : undefined);
  const known: TaskRecord = journal.task(key) ?? {
    failures: {},
    seconds: 0,
    // now, since the newest report is one of this batch later
    ...(before === undefined ? {} : { before }),
  };
  const started = clock.now();
  if (first) await journal.note(key, known);
  // a plan that could not be made counts as the first try
  const answer = first && result.kind !== 'planned' ? result : await doneBy(task, options);
  if (answer === undefined || signal.aborted) return undefined;
  const seconds = known.seconds + (clock.now() - started) / 1000;
  if (answer.kind !== 'failed') {
    await journal.note(key, { ...known, seconds, outcome: answer });
    note(`${key}: ${answer.kind === 'verdict' ? answer.title : `${answer.code}: ${answer.message}`}`);
    return undefined;
  }
  const failures = { ...known.failures, [answer.failure]: (known.failures[answer.failure] ?? 0) + 1 };
  const again = nextTry(answer.failure, failures[answer.failure] ?? 1);
  const record: TaskRecord = { ...known, seconds, failures };
  await journal.note(key, again === undefined ? { ...record, outcome: answer } : record);
  note(
    `${key}: no verdict, ${answer.failure}: ${answer.message}${again === undefined ? '' : `; again in ${again.afterMs / 1000} s`}`,
  );
  return again;
}

type Answer = Exclude<JobResult, { readonly kind: 'planned' }>;

async function doneBy(task: Task, options: TaskOptions): Promise<Answer | undefined> {
  const { runJob, signal, note, out, recipes, vary } = options;
  const { planned, target, lock, minutes, key } = task;
  const { result } = planned;
  const plan = result.kind === 'planned' ? result.plan : undefined;
  note(`${key}: begins`);
  try {
    const answer = await runJob(
      {
        kind: 'verify',
        target,
        ...(plan === undefined ? {} : { plan }),
        out,
        lock,
        ...(recipes === undefined ? {} : { recipes }),
        ...(vary === undefined ? {} : { vary }),
      },
      { signal, minutes, onLine: (line) => note(`${key}: ${line.trim()}`) },
    );
    return answer.kind === 'planned' ? NO_ANSWER : answer;
  } catch (error) {
    if (error instanceof FailedHere && error.code === 'interrupted') return undefined;
    throw error;
  }
}

const NO_ANSWER: JobFailure = {
  kind: 'failed',
  failure: 'crashed',
  message: 'a bug of samesource: no verdict',
};
