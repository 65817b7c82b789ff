// SPDX-License-Identifier: Apache-2.0
/**
 * Directories that say whose they are, so that another process can tell what a killed one left behind from what a living
 * one still needs. A process is named by its number and its start (proc_pid_stat(5)), within one boot and one PID
 * namespace; where that cannot be compared, only age decides.
 */
import {
  promises as fs,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const OWNER_FILE = 'owner.json';
/** Longer than any run takes: for owners that cannot be seen from here (a home directory on a network, another container). */
const UNSEEN_MS = 7 * 24 * 60 * 60_000;
/** A directory gets its owner at once; an empty one without was made by a process that was killed in between. */
const NAMELESS_MS = 2000;
const REMOVALS = 10;

interface Owner {
  readonly pid: number;
  /** Clock ticks after the boot; absent where the system does not tell. */
  readonly started?: string;
  readonly boot?: string;
  readonly namespace?: string;
  readonly machine?: string;
}

/** `prefix` as in `mkdtemp`. */
export async function makeOwnedDirectory(parent: string, prefix: string): Promise<string> {
  const [owner, place] = [await describeOwner(), path.join(await fs.realpath(parent), prefix)];
  // in one go: whoever sees an empty one without an owner for long takes it away
  const directory = mkdtempSync(place);
  writeFileSync(path.join(directory, OWNER_FILE), owner, { flag: 'wx' });
  return directory;
}

/** The same with a name of the caller's, which nobody has yet. */
export async function makeOwned(directory: string): Promise<void> {
  const owner = await describeOwner();
  mkdirSync(directory);
  writeFileSync(path.join(directory, OWNER_FILE), owner, { flag: 'wx' });
}

/**
 * With its owner last and in one go with the directory: killed in between, it still says whose it was. Fails when
 * something in it cannot be removed.
 */
export async function removeOwned(directory: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    const names = await fs.readdir(directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (names === undefined) return;
    for (const name of names)
      if (name !== OWNER_FILE)
        await fs.rm(path.join(directory, name), {
          recursive: true,
          force: true,
          maxRetries: 10,
          retryDelay: 100,
        });
    try {
      removeEmpty(directory);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
      // a name that is no text
      if (tries === REMOVALS) return rmSync(directory, { recursive: true, force: true });
      // what was told to end may write for a moment after
      await sleep(tries * 20);
    }
  }
}

/** Of what is in it only the owner is left. */
function removeEmpty(directory: string): void {
  const file = path.join(directory, OWNER_FILE);
  const owner = ownerIn(file);
  rmSync(file, { recursive: true, force: true });
  try {
    rmdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    if (owner !== undefined) writeFileSync(file, owner);
    throw error;
  }
}

function ownerIn(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** This process, so that another one can ask `ownerIsGone`. */
export async function describeOwner(): Promise<string> {
  const [processHere, place] = [await processOf(process.pid), await placeHere()];
  const owner: Owner = {
    pid: process.pid,
    ...(processHere === undefined ? {} : { started: processHere.started }),
    ...place,
  };
  return JSON.stringify(owner);
}

/** Who this machine says it is, across its boots. */
export async function machineHere(): Promise<string | undefined> {
  return (await placeHere()).machine;
}

/** True when the process that made it is no more. In doubt: false. */
export async function isAbandoned(directory: string): Promise<boolean> {
  const stat = await fs.lstat(directory).catch(() => undefined);
  // in a directory for all, somebody else's is none of our business
  if (stat?.isDirectory() !== true || stat.uid !== process.getuid?.()) return false;
  const file = path.join(directory, OWNER_FILE);
  const text = await fs.readFile(file, 'utf8').catch(() => undefined);
  const gone = text === undefined ? undefined : await ownerIsGone(text, stat.mtimeMs);
  return gone ?? (Date.now() - stat.mtimeMs > NAMELESS_MS && (await fs.readdir(directory)).length === 0);
}

/** Nothing for a text that names no process. Of an owner that cannot be seen from here the age decides. */
export async function ownerIsGone(
  text: string,
  sinceMs: number,
  unseenMs = UNSEEN_MS,
): Promise<boolean | undefined> {
  const owner = parseOwner(text);
  if (owner === undefined) return undefined;
  const here = await placeHere();
  if (owner.boot !== here.boot && owner.machine !== undefined && owner.machine === here.machine) return true;
  if (owner.boot !== here.boot || owner.namespace !== here.namespace) return Date.now() - sinceMs > unseenMs;
  if (owner.started === undefined) return !answers(owner.pid);
  const now = await processOf(owner.pid);
  return now === undefined || now.ended || now.started !== owner.started;
}

export const ownersPid = (text: string): number | undefined => parseOwner(text)?.pid;

function parseOwner(text: string): Owner | undefined {
  try {
    const owner = JSON.parse(text) as Partial<Owner>;
    return typeof owner.pid === 'number' && owner.pid > 0 ? { ...owner, pid: owner.pid } : undefined;
  } catch {
    return undefined;
  }
}

function answers(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function processOf(
  pid: number,
): Promise<{ readonly started: string; readonly ended: boolean } | undefined> {
  const text = await fs.readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // the second field, a name in brackets, may hold anything
  const [state, ...fields] = text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? [];
  const started = fields[18];
  if (state === undefined || started === undefined) return undefined;
  return { started, ended: state === 'Z' || state === 'X' };
}

async function placeHere(): Promise<Pick<Owner, 'boot' | 'namespace' | 'machine'>> {
  const text = async (file: string): Promise<string | undefined> => {
    const read = (await fs.readFile(file, 'utf8').catch(() => '')).trim();
    return read === '' ? undefined : read;
  };
  const boot = await text('/proc/sys/kernel/random/boot_id');
  const machine = await text('/etc/machine-id');
  const namespace = await fs.readlink('/proc/self/ns/pid').catch(() => undefined);
  return {
    ...(boot === undefined ? {} : { boot }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(machine === undefined ? {} : { machine }),
  };
}
