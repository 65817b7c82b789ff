// SPDX-License-Identifier: Apache-2.0
/**
 * Many apps, one after the other or side by side. Each job has a process of its own: what one does to itself, or a
 * published file to it, is no matter of the others. A killed batch goes on where it stopped.
 */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { readText } from '../../bytes.js';
import { digestOf } from '../../canonical-json.js';
import { FailedHere, UsageError } from '../../errors.js';
import { cacheDirectory } from '../../inputs/cache.js';
import { describeMachine, freeDiskMiB } from '../../inputs/machine.js';
import { tryLock } from '../../owned-lock.js';
import { VERSION_PATTERN } from '../../recipe/version.js';
import { assertWritable } from '../assert-writable.js';
import type { OperationOptions } from '../options.js';
import { recipesNamedIn } from '../recipes.js';
import { startRunKeeper } from '../run-keeper.js';
import { parseBatchList, type BatchEntry } from './batch-list.js';
import { rowOf, type BatchRow } from './batch-row.js';
import { Journal, type OpenedJournal } from './journal.js';
import {
  engineTroubles,
  planEntries,
  preflightRow,
  type PlannedEntry,
  type PreflightRow,
} from './preflight.js';
import { runJob as runInProcess, type RunJob } from './run-job.js';
import { runTask, taskOf, type Task } from './task.js';
import { schedule, type Clock } from './schedule.js';
import { systemClock } from './system-clock.js';

export interface BatchRequest {
  /** The file. */
  readonly list: string;
  /** `reports/`, `attempts/` and `batch/` are made below it; default the current directory. */
  readonly out?: string;
  /** How many are checked at once; default 1. */
  readonly jobs?: number;
  /** Every version that came out since the last batch, not only the newest of each entry. */
  readonly since?: 'last';
  /** As of `VerifyRequest`. */
  readonly vary?: boolean;
}

export interface BatchOptions extends OperationOptions {
  /** Before anything is built. */
  readonly onPreflight?: (rows: readonly PreflightRow[]) => void;
  readonly clock?: Clock;
  readonly runJob?: RunJob;
}

export interface BatchResult {
  /** In the order of the list. */
  readonly rows: readonly BatchRow[];
  /** It went on where a killed batch stopped. */
  readonly resumed: boolean;
  readonly journal: string;
}

export type { BatchRow, PreflightRow };

const MAX_LIST = 4 << 20;

/**
 * @throws UsageError `list-invalid`, `batch-running`, `not-writable`
 * @throws FailedHere `unreadable-input`, `disk-full`, `interrupted`: what was done stays done
 */
export async function batch(request: BatchRequest, options: BatchOptions = {}): Promise<BatchResult> {
  const { list } = request;
  const text = readText(list, MAX_LIST);
  const entries = parseBatchList(list, text, await recipesNamedIn(text, options.recipes));
  const out = path.resolve(request.out ?? '.');
  await assertWritable(out);
  const base = path.join(
    out,
    'batch',
    path
      .basename(list)
      .replace(/\.ya?ml$/, '')
      .replace(/[^A-Za-z0-9._+~-]/g, '_'),
  );
  await fs.mkdir(path.dirname(base), { recursive: true });
  const taken = await tryLock(`${base}.lock`);
  if (taken.kind === 'busy')
    throw new UsageError(
      'batch-running',
      `process ${taken.holder.pid ?? 'unknown'} works on this list already (${base}.json)`,
      { hint: 'wait for it, or put this one elsewhere with --out' },
    );
  // ends the processes of the jobs when this one is killed
  const keeper = await startRunKeeper();
  try {
    return await run(entries, { ...request, out, base }, options);
  } finally {
    keeper.done();
    await taken.lock.release();
  }
}

interface Place extends BatchRequest {
  readonly out: string;
  /** Of the journal and the locks. */
  readonly base: string;
}

async function run(
  entries: readonly BatchEntry[],
  { out, base, jobs = 1, since, vary }: Place,
  options: BatchOptions,
): Promise<BatchResult> {
  const { clock = systemClock, runJob = runInProcess, recipes: own } = options;
  const signal = options.signal ?? new AbortController().signal;
  const note = (text: string): void => options.onProgress?.({ kind: 'note', text });
  const opened = await Journal.open(`${base}.json`, new Date(clock.now()));
  const { journal } = opened;
  for (const text of wordsOf(opened)) note(text);
  await freeLocks(base);

  const planned = await planEntries(entries, {
    out,
    jobs,
    runJob,
    clock,
    signal,
    ...(own === undefined ? {} : { recipes: own }),
    newerThan: (entry) => (since === undefined ? undefined : journal.newest(entryKey(entry))),
    onLine: ({ app, version }, line) => note(`${app} ${version}: ${line.trim()}`),
  });
  if (signal.aborted) throw new FailedHere('interrupted', 'interrupted before anything was built');
  const tasks = tasksOf(planned, base, note);
  const room = { diskMiB: await freeDiskMiB(cacheDirectory()), memoryMiB: describeMachine().memoryMiB };
  const engines = await engineTroubles(signal);
  options.onPreflight?.(
    tasks.map((task) =>
      preflightRow(task.planned, { done: journal.task(task.key)?.outcome !== undefined, room, engines }),
    ),
  );

  await schedule(
    tasks.filter(({ key }) => journal.task(key)?.outcome === undefined),
    {
      slots: jobs,
      room,
      clock,
      signal,
      run: (task) =>
        runTask(task, {
          journal,
          out,
          runJob,
          clock,
          signal,
          note,
          ...(own === undefined ? {} : { recipes: own }),
          ...(vary === undefined ? {} : { vary }),
        }),
    },
  );
  if (signal.aborted)
    throw new FailedHere('interrupted', 'interrupted; the same command goes on where this one stopped');
  await noteResults(tasks, journal);
  await journal.finish(new Date(clock.now()));
  return {
    rows: tasks.map(({ key, target, planned: { entry } }) => rowOf(target, entry.expect, journal.task(key))),
    resumed: opened.resumed,
    journal: `${base}.json`,
  };
}

function wordsOf({ resumed, damaged }: OpenedJournal): readonly string[] {
  return [
    ...(resumed ? ['a batch of this list did not come to its end: it goes on'] : []),
    ...(damaged === undefined
      ? []
      : [`the journal was damaged and lies in ${damaged} now; what is finished is told by the reports`]),
  ];
}

/** For the next batch. An entry of which a version got no verdict begins there again. */
async function noteResults(tasks: readonly Task[], journal: Journal): Promise<void> {
  for (const { key, target } of tasks) {
    const outcome = journal.task(key)?.outcome;
    if (outcome?.kind !== 'verdict') continue;
    const { verdict, statementSha256, place } = outcome;
    await journal.noteVerdict(key, { version: target.version, verdict, statementSha256, place });
  }
  for (const {
    planned: { entry, asked, result },
  } of tasks) {
    if (entry !== asked || result.kind !== 'planned' || !VERSION_PATTERN.test(result.version)) continue;
    const own = tasks.filter(({ planned }) => planned.asked === asked);
    if (own.every(({ key }) => journal.task(key)?.outcome?.kind === 'verdict'))
      await journal.noteNewest(entryKey(asked), result.version);
  }
}

/** What killed jobs held. */
async function freeLocks(base: string): Promise<void> {
  const prefix = `${path.basename(base)}-`;
  for (const name of await fs.readdir(path.dirname(base))) {
    if (!name.startsWith(prefix) || !name.endsWith('.lock')) continue;
    const taken = await tryLock(path.join(path.dirname(base), name));
    if (taken.kind === 'held') await taken.lock.release();
  }
}

const entryKey = ({ app, version, channel }: BatchEntry): string => `${app} ${version} (${channel})`;

/** Two entries may mean the same version: it is checked once. */
function tasksOf(
  planned: readonly PlannedEntry[],
  base: string,
  note: (text: string) => void,
): readonly Task[] {
  const tasks = new Map<string, Task>();
  for (const one of planned) {
    const task = taskOf(one, (key) => `${base}-${digestOf(key).slice(0, 12)}.lock`);
    if (tasks.has(task.key)) note(`${task.key}: two entries of the list mean it, it is checked once`);
    else tasks.set(task.key, task);
  }
  return [...tasks.values()];
}
