// SPDX-License-Identifier: Apache-2.0
/** The sweep, now and in words: what killed processes left is removed, what cannot be removed is named with its reason. */
import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { FailedHere } from '../errors.js';
import { cacheDirectory } from '../inputs/cache.js';
import { isAbandoned } from '../owned-directory.js';
import { tryLock } from '../owned-lock.js';
import { run } from '../process.js';
import { runsDirectory } from './run-directories.js';
import { below, sweep, TEMPORARY } from './sweep.js';
import { removeHalfReports } from './store.js';

export interface Repaired {
  readonly removed: readonly string[];
  readonly left: readonly { readonly what: string; readonly why: string }[];
}

/** A download writes all the time. */
const QUIET_MS = 60_000;

/** `out`: where reports go; without it only what belongs to the cache and to temporary files is looked at. */
export async function repair({ out }: { readonly out?: string } = {}): Promise<Repaired> {
  const cache = cacheDirectory();
  const removed: string[] = [];
  const left: { what: string; why: string }[] = [];
  const abandoned: string[] = [];
  for (const directory of [
    ...(await below(runsDirectory(cache), /^/)),
    ...(await below(os.tmpdir(), TEMPORARY)),
  ])
    if (await isAbandoned(directory)) abandoned.push(directory);
  for (const directory of abandoned) await unmountBelow(directory);
  await sweep();
  for (const what of abandoned) {
    const why = await whyLeft(what);
    if (why === undefined) removed.push(what);
    else left.push({ what, why });
  }
  removed.push(...(await removeParts(cache)), ...(await freeLocks(cache)));
  if (out !== undefined) {
    removed.push(...(await removeHalfReports(out)));
    removed.push(...(await freeLocks(out)));
  }
  return { removed, left };
}

async function whyLeft(directory: string): Promise<string | undefined> {
  if ((await fs.lstat(directory).catch(() => undefined)) === undefined) return undefined;
  const [mount] = await mountsBelow(directory);
  if (mount !== undefined) return `${mount} is mounted in it: umount ${mount}`;
  const kept = await fs.readdir(directory).catch(() => [] as string[]);
  if (kept.includes('engine.json'))
    return 'its container engine does not answer, or does not let go: start it, and repair again';
  return 'it cannot be removed by this user';
}

/** Octal escapes of proc_pid_mountinfo(5). The deepest first. */
async function mountsBelow(directory: string): Promise<readonly string[]> {
  const text = await fs.readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  return text
    .split('\n')
    .map((line) =>
      (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
    )
    .filter((place) => place.startsWith(`${directory}/`))
    .toSorted((a, b) => b.length - a.length);
}

async function unmountBelow(directory: string): Promise<void> {
  for (const place of await mountsBelow(directory))
    try {
      await run('umount', ['--', place], { timeoutMs: 60_000 });
    } catch (error) {
      if (!(error instanceof FailedHere)) throw error;
      // told as what is left
      return;
    }
}

/** Pieces of files and clones that a killed process was writing. */
async function removeParts(cache: string): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const room of ['incoming', 'texts', 'origins', 'images'])
    for (const file of await below(path.join(cache, room), /\.part-\d+/)) {
      const pid = /\.part-(\d+)/.exec(path.basename(file))?.[1] ?? '';
      const stat = await fs.lstat(file).catch(() => undefined);
      const living = (await fs.stat(`/proc/${pid}`).catch(() => undefined)) !== undefined;
      if (stat === undefined || living || Date.now() - stat.mtimeMs < QUIET_MS) continue;
      await fs.rm(file, { recursive: true, force: true });
      removed.push(file);
    }
  for (const aside of await below(path.join(cache, 'git'), /^[0-9a-f]{32}\.git\.[0-9a-f]{12}$/)) {
    const taken = await tryLock(`${aside.replace(/\.[0-9a-f]{12}$/, '')}.lock`);
    if (taken.kind === 'busy') continue;
    await fs.rm(aside, { recursive: true, force: true });
    await taken.lock.release();
    removed.push(aside);
  }
  return removed;
}

/** Locks whose holder is no more, one level down. */
async function freeLocks(parent: string): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const room of await below(parent, /^[a-z]+$/))
    for (const file of await below(room, /\.lock$/)) {
      const taken = await tryLock(file);
      if (taken.kind === 'busy') continue;
      await taken.lock.release();
      removed.push(file);
    }
  return removed;
}
