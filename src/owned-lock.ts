// SPDX-License-Identifier: Apache-2.0
/**
 * A file that one process at a time holds. It says who (`owned-directory.ts`): what a killed process held is free at once.
 * Of a holder that cannot be seen from here (another machine or container on the same directory) the time of the file
 * tells whether it lives, which the holder renews.
 */
import { randomBytes } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FailedHere } from './errors.js';
import { describeOwner, ownerIsGone, ownersPid } from './owned-directory.js';

const RENEW_MS = 30_000;
/** Of a holder that cannot be seen: many renewals that did not come. */
const UNSEEN_MS = 15 * 60_000;
/** Between the making of the file and its first words. */
const NAMELESS_MS = 60_000;
const POLL_MS = [20, 50, 100, 200, 500];

export interface Lock {
  release(): Promise<void>;
}

export interface Holder {
  /** Absent where the file does not tell. */
  readonly pid?: number;
}

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  /** Once, when another process holds it. */
  readonly onWait?: ((holder: Holder) => void) | undefined;
  readonly timeoutMs?: number;
}

/** Does the work while this process holds `file`. @throws FailedHere `interrupted`, `time-limit` */
export async function withLock<T>(
  file: string,
  work: () => Promise<T>,
  options: WaitOptions = {},
): Promise<T> {
  const lock = await waitForLock(file, options);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

export async function waitForLock(
  file: string,
  { signal, onWait, timeoutMs = Number.POSITIVE_INFINITY }: WaitOptions = {},
): Promise<Lock> {
  const started = performance.now();
  for (let tries = 0; ; tries++) {
    if (signal?.aborted === true)
      throw new FailedHere('interrupted', `interrupted while waiting for ${path.basename(file)}`);
    const taken = await tryLock(file);
    if (taken.kind === 'held') return taken.lock;
    if (tries === 0) onWait?.(taken.holder);
    if (performance.now() - started > timeoutMs)
      throw new FailedHere(
        'time-limit',
        `process ${taken.holder.pid ?? 'unknown'} holds ${file} for more than ${Math.round(timeoutMs / 1000)} s`,
        { hint: 'if no such process runs, remove the file' },
      );
    await sleep(POLL_MS[Math.min(tries, POLL_MS.length - 1)]);
  }
}

export type Taken =
  { readonly kind: 'held'; readonly lock: Lock } | { readonly kind: 'busy'; readonly holder: Holder };

/** At once, or who holds it. */
export async function tryLock(file: string, depth = 0): Promise<Taken> {
  await fs.mkdir(path.dirname(file), { recursive: true });
  for (;;) {
    const made = await create(file);
    if (made !== undefined) return { kind: 'held', lock: made };
    const found = await read(file);
    if (found === undefined) continue;
    if (!(await isFree(found))) return busy(found);
    // only one process may take away what a dead one holds, or a second one would take it from the first
    const taking = depth < 2 ? await tryLock(`${file}.taking`, depth + 1) : busy(found);
    if (taking.kind === 'busy') return busy(found);
    try {
      const still = await read(file);
      if (still !== undefined && (await isFree(still))) await fs.rm(file, { force: true });
    } finally {
      await taking.lock.release();
    }
  }
}

interface Found {
  readonly text: string;
  readonly mtimeMs: number;
}

function busy({ text }: Found): Taken {
  const pid = ownersPid(text);
  return { kind: 'busy', holder: pid === undefined ? {} : { pid } };
}

async function isFree({ text, mtimeMs }: Found): Promise<boolean> {
  return (await ownerIsGone(text, mtimeMs, UNSEEN_MS)) ?? Date.now() - mtimeMs > NAMELESS_MS;
}

async function read(file: string): Promise<Found | undefined> {
  try {
    const [text, { mtimeMs }] = [await fs.readFile(file, 'utf8'), await fs.stat(file)];
    return { text, mtimeMs };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function create(file: string): Promise<Lock | undefined> {
  let handle: fs.FileHandle;
  try {
    handle = await fs.open(file, 'wx', 0o644);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw error;
  }
  const token = randomBytes(8).toString('hex');
  const text = JSON.stringify({ ...JSON.parse(await describeOwner()), token });
  try {
    await handle.writeFile(text);
  } catch (error) {
    await fs.rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  const renewing = setInterval(() => {
    const now = new Date();
    fs.utimes(file, now, now).catch(() => undefined);
  }, RENEW_MS);
  renewing.unref();
  return {
    release: async () => {
      clearInterval(renewing);
      // never somebody else's
      if ((await read(file).catch(() => undefined))?.text === text) await fs.rm(file, { force: true });
    },
  };
}
