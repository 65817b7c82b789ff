// SPDX-License-Identifier: Apache-2.0
/** Runs that were kept: which there are, one of them for oneself alone, and away with one. */
import { promises as fs, type Dirent } from 'node:fs';
import path from 'node:path';
import { stopInEngine } from '../build/abandoned.js';
import { FailedHere, UsageError, VerifyError } from '../errors.js';
import { cacheDirectory } from '../inputs/cache.js';
import { bytesBelow } from '../inputs/store-rooms.js';
import { isAbandoned, machineHere, OWNER_FILE } from '../owned-directory.js';
import { tryLock } from '../owned-lock.js';
import { leaveOnlyKept } from './keep-run.js';
import { readKeptRun, RUN_FILE, writeKeptRun, type KeptRun } from './kept-run.js';
import { keptDirectory, removeRun, runsDirectory } from './run-directories.js';

export interface ListedRun {
  readonly run: string;
  /** Of its folder; what the engine holds of it is not counted. */
  readonly bytes: number;
  /** In milliseconds since 1970: when it was written to. */
  readonly usedMs: number;
  /** Another process that lives has it. */
  readonly inUse: boolean;
  readonly state:
    | { readonly kind: 'readable'; readonly kept: KeptRun; readonly assisted: boolean }
    | { readonly kind: 'damaged'; readonly detail: string };
}

/** The oldest first. */
export async function listKeptRuns(): Promise<readonly ListedRun[]> {
  const parent = keptDirectory(cacheDirectory());
  const entries = await fs.readdir(parent, { withFileTypes: true }).catch(() => [] as Dirent[]);
  const listed: ListedRun[] = [];
  for (const run of entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort())
    listed.push(await listedRun(path.join(parent, run)));
  return listed;
}

async function listedRun(directory: string): Promise<ListedRun> {
  const owned = await fs.lstat(path.join(directory, OWNER_FILE)).catch(() => undefined);
  const about = {
    run: path.basename(directory),
    bytes: await bytesBelow(directory),
    usedMs: (await fs.stat(directory)).mtimeMs,
    inUse: owned !== undefined && !(await isAbandoned(directory)),
  };
  try {
    const kept = await readKeptRun(directory);
    return { ...about, state: { kind: 'readable', kept, assisted: isAssisted(kept) } };
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    return { ...about, state: { kind: 'damaged', detail: error.message } };
  }
}

export const isAssisted = ({ touched }: KeptRun): boolean => touched.length > 0;

export interface OpenedRun {
  readonly directory: string;
  readonly kept: KeptRun;
}

/**
 * The run for this process alone while `work` lasts.
 * @throws UsageError `unknown-run`; FailedHere `run-in-use`, `kept-run-damaged`, `kept-state-gone`
 */
export async function withKeptRun<T>(run: string, work: (opened: OpenedRun) => Promise<T>): Promise<T> {
  return await claimedRun(run, async (directory) => {
    const kept = await readKeptRun(directory);
    const here = await machineHere();
    if (kept.machine !== undefined && here !== undefined && kept.machine !== here)
      throw new FailedHere('kept-state-gone', `run ${run} was kept on another machine`, {
        hint: 'its containers and images are there; look inside on that machine, or start anew here with verify',
      });
    return await work({ directory, kept });
  });
}

/**
 * The folder, and what the engine holds of the run. False: the engine does not answer now, and the next run removes the
 * rest.
 * @throws UsageError `unknown-run`; FailedHere `run-in-use`
 */
export async function removeKeptRun(run: string): Promise<{ readonly gone: boolean }> {
  return await claimedRun(run, async (directory) => {
    const gone = await discard(directory);
    return { gone };
  });
}

/** From where it is kept to where what is there goes: a kill in between leaves nothing that stays. */
export async function discard(directory: string): Promise<boolean> {
  const runs = runsDirectory(cacheDirectory());
  await fs.mkdir(runs, { recursive: true });
  const doomed = path.join(runs, path.basename(directory));
  await fs.rename(directory, doomed);
  return await removeRun(doomed);
}

/** What a killed process was doing with a kept run: its containers end, and the run says that it was killed. */
export async function settle(directory: string): Promise<void> {
  const taken = await tryLock(path.join(directory, OWNER_FILE));
  if (taken.kind === 'busy') return;
  const begun = await fs.lstat(path.join(directory, RUN_FILE)).catch(() => undefined);
  const kept = await readKeptRun(directory).catch(() => undefined);
  if (begun === undefined || kept?.phases.length === 0) {
    await discard(directory);
    return;
  }
  // its mark stays until the engine answers: the next time
  if (!(await stopInEngine(directory))) return;
  if (kept === undefined) {
    await taken.lock.release();
    return;
  }
  const at = new Date().toISOString();
  const outcome = 'killed';
  const phases = kept.phases.map((phase) => ({ ...phase, ended: phase.ended ?? { at, outcome } }));
  await writeKeptRun(directory, { ...kept, phases, end: kept.end ?? { at, outcome } });
  await leaveOnlyKept(directory);
  await taken.lock.release();
}

async function claimedRun<T>(run: string, work: (directory: string) => Promise<T>): Promise<T> {
  const directory = path.join(keptDirectory(cacheDirectory()), run);
  const known = /^[A-Za-z0-9-]+$/.test(run) && (await fs.stat(directory).catch(() => undefined));
  if (known === undefined || known === false)
    throw new UsageError('unknown-run', `no run ${JSON.stringify(run)} is kept`, {
      hint: '`verify runs` lists those that are',
    });
  const taken = await tryLock(path.join(directory, OWNER_FILE));
  if (taken.kind === 'busy')
    throw new FailedHere(
      'run-in-use',
      `${taken.holder.pid === undefined ? 'another process' : `process ${taken.holder.pid}`} works with run ${run}`,
      { hint: 'wait for it, or end it' },
    );
  try {
    return await work(directory);
  } finally {
    await taken.lock.release();
  }
}
