// SPDX-License-Identifier: Apache-2.0
/** All entries of a list are planned before anything is built: versions, room, engines, what is known already. */
import { DOCKER } from '../../build/docker.js';
import { Engine } from '../../build/engine.js';
import { engineState } from '../../build/engine-state.js';
import type { ExecutorKind } from '../../build/executor.js';
import { PODMAN } from '../../build/podman.js';
import type { Room } from '../../inputs/room.js';
import type { BatchEntry } from './batch-list.js';
import type { JobFailure, JobTarget, Planned, Refused } from './job.js';
import type { RunJob } from './run-job.js';
import { schedule, type Clock, type Work } from './schedule.js';

export interface PlannedEntry {
  readonly entry: BatchEntry;
  /** As it stands in the list: one of its versions is in `entry`. */
  readonly asked: BatchEntry;
  readonly result: Planned | JobFailure | Refused;
}

export interface PreflightOptions {
  readonly out: string;
  readonly recipes?: string;
  readonly jobs: number;
  /** Of entries whose every newer version is wanted. */
  readonly newerThan: (entry: BatchEntry) => string | undefined;
  readonly runJob: RunJob;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onLine: (entry: BatchEntry, line: string) => void;
}

const PLAN_MINUTES = 30;
const NO_ROOM: Room = { diskMiB: 0, memoryMiB: 0 };

interface Planning extends Work {
  readonly entry: BatchEntry;
  readonly asked: BatchEntry;
  readonly newerThan: string | undefined;
}

/** In the order of the list; versions that came between stand before the newest. */
export async function planEntries(
  entries: readonly BatchEntry[],
  options: PreflightOptions,
): Promise<readonly PlannedEntry[]> {
  const { out, recipes, jobs, runJob, clock, signal, onLine, newerThan } = options;
  const planned = new Map<BatchEntry, PlannedEntry>();
  const plan = async (all: readonly Planning[]): Promise<void> =>
    await schedule(all, {
      slots: jobs,
      room: NO_ROOM,
      clock,
      signal,
      run: async ({ entry, asked, newerThan: since }) => {
        const result = await runJob(
          {
            kind: 'plan',
            target: targetOf(entry),
            out,
            ...(since === undefined ? {} : { newerThan: since }),
            ...(recipes === undefined ? {} : { recipes }),
          },
          { signal, minutes: PLAN_MINUTES, onLine: (line) => onLine(entry, line) },
        );
        planned.set(entry, { entry, asked, result: result.kind === 'verdict' ? NO_ANSWER : result });
        return undefined;
      },
    });
  const work = (asked: BatchEntry, entry = asked, since?: string): Planning => ({
    entry,
    asked,
    newerThan: since,
    room: NO_ROOM,
    group: entry.app,
  });
  await plan(entries.map((entry) => work(entry, entry, newerThan(entry))));
  const between = new Map<BatchEntry, readonly BatchEntry[]>();
  for (const { entry, result } of planned.values())
    if (result.kind === 'planned')
      between.set(
        entry,
        result.newer
          .filter((version) => version !== result.version)
          .map((version) => ({ ...entry, version })),
      );
  await plan([...between].flatMap(([asked, more]) => more.map((entry) => work(asked, entry))));
  return entries.flatMap((entry) =>
    [...(between.get(entry) ?? []).toReversed(), entry].flatMap((one) => planned.get(one) ?? []),
  );
}

const NO_ANSWER: JobFailure = { kind: 'failed', failure: 'crashed', message: 'a bug of samesource: no plan' };

export const targetOf = ({ app, version, channel, engine, published }: BatchEntry): JobTarget => ({
  app,
  version,
  channel,
  ...(engine === undefined ? {} : { engine }),
  ...(published === undefined ? {} : { published }),
});

export interface PreflightRow {
  readonly app: string;
  readonly version: string;
  readonly channel: string;
  /** `known`: only looked at again, unless its published file changed; `done`: before this batch was killed. */
  readonly what: Planned['what'] | 'known' | 'done' | 'failed-here' | 'refused';
  readonly room: Room;
  readonly minutes: number;
  /** What runs its build; absent where nothing is built. */
  readonly engine?: ExecutorKind;
  /** Why it will not get far. */
  readonly problem?: string;
}

export type EngineStates = Readonly<Record<'docker' | 'podman', string | undefined>>;

/** What each engine lacks; nothing for one that answers. */
export async function engineTroubles(signal: AbortSignal): Promise<EngineStates> {
  const ask = async (description: typeof DOCKER): Promise<string | undefined> => {
    const state = await engineState(new Engine(description), signal);
    return state.kind === 'reachable' ? undefined : `${description.kind} ${state.kind}`;
  };
  const [docker, podman] = await Promise.all([ask(DOCKER), ask(PODMAN)]);
  return { docker, podman };
}

export function preflightRow(
  { entry, result }: PlannedEntry,
  { done, room, engines }: { readonly done: boolean; readonly room: Room; readonly engines: EngineStates },
): PreflightRow {
  const { app, channel } = entry;
  if (result.kind !== 'planned')
    return {
      app,
      version: entry.version,
      channel,
      what: done ? 'done' : result.kind === 'failed' ? 'failed-here' : 'refused',
      room: NO_ROOM,
      minutes: 0,
      problem: `${result.kind === 'failed' ? result.failure : result.code}: ${result.message}`,
    };
  const { version, what, samePlan, minutes, local } = result;
  const engine =
    what !== 'build'
      ? undefined
      : (entry.engine ?? (local ? 'local' : engines.docker === undefined ? 'docker' : 'podman'));
  const problem = problemOf(result, engine, room, engines);
  return {
    app,
    version,
    channel,
    what: done ? 'done' : samePlan ? 'known' : what,
    room: result.room,
    minutes,
    ...(engine === undefined ? {} : { engine }),
    ...(problem === undefined ? {} : { problem }),
  };
}

function problemOf(
  planned: Planned,
  engine: ExecutorKind | undefined,
  room: Room,
  engines: EngineStates,
): string | undefined {
  const [unresolved] = planned.unresolved;
  if (unresolved !== undefined) return `plan-unresolved: ${unresolved}`;
  for (const [of, what] of [
    ['diskMiB', 'disk-full'],
    ['memoryMiB', 'out-of-memory'],
  ] as const)
    if (planned.room[of] > room[of])
      return `${what}: needs ${planned.room[of]} MiB, ${room[of]} MiB are there`;
  if (engine === undefined || engine === 'local' || engine === 'ssh' || engines[engine] === undefined)
    return undefined;
  return `no-engine: ${engines[engine]}`;
}
