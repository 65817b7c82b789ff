// SPDX-License-Identifier: Apache-2.0
/**
 * What a run left on the other machine when it could not remove it: a note in the cache says where, until a later run that
 * reaches the machine has removed it.
 */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { isAbandoned } from '../../owned-directory.js';
import type { PrepareRequest } from '../executor.js';
import { REMOVE } from './remote-place.js';
import { SshClient } from './ssh-client.js';
import type { SshHost } from './ssh-host.js';

/** A machine that cannot be reached for so long is not asked any more. */
const GIVE_UP_MS = 7 * 24 * 60 * 60_000;

interface Noted {
  readonly host: SshHost;
  /** Options of ssh that say which key the machine must show. */
  readonly pinned: readonly string[];
  /** The tree, where the plan puts it outside of the run's own directory. */
  readonly outside: string;
}

interface Note extends Noted {
  readonly run: string;
  readonly directory: string;
  /** What our own file of keys says: it goes with the run. */
  readonly knownHosts: string;
}

type OfRun = Pick<PrepareRequest, 'cache' | 'run' | 'directory'>;

const notes = (cache: string): string => path.join(cache, 'remotes');
const noteOf = ({ cache, run }: OfRun): string => path.join(notes(cache), `${run}.json`);

/** Before anything is made there. */
export async function noteRemote(request: OfRun, noted: Noted): Promise<void> {
  const { run, directory } = request;
  const knownHosts = await fs.readFile(path.join(directory, 'known_hosts'), 'utf8').catch(() => '');
  const note: Note = { ...noted, run, directory, knownHosts };
  await fs.mkdir(notes(request.cache), { recursive: true, mode: 0o700 });
  await fs.writeFile(noteOf(request), JSON.stringify(note), { mode: 0o600 });
}

/** Nothing of the run is there any more. */
export async function forgetRemote(request: OfRun): Promise<void> {
  await fs.rm(noteOf(request), { force: true });
}

/** Removes what runs left whose process is no more. Never throws: what cannot be reached now is left for the next time. */
export async function sweepRemotes(cache: string): Promise<void> {
  const names = await fs.readdir(notes(cache)).catch(() => []);
  for (const name of names.filter((one) => one.endsWith('.json')).sort()) {
    const file = path.join(notes(cache), name);
    await sweepNote(file).catch(() => undefined);
  }
}

async function sweepNote(file: string): Promise<void> {
  const stat = await fs.stat(file);
  const { host, run, pinned, outside, directory, knownHosts } = JSON.parse(
    await fs.readFile(file, 'utf8'),
  ) as Note;
  const there = await fs.stat(directory).then(
    () => true,
    () => false,
  );
  if (there && !(await isAbandoned(directory))) return;
  const keys = path.join(path.dirname(file), `${run}.known_hosts`);
  const moved = pinned.map((option) => option.replaceAll(path.join(directory, 'known_hosts'), keys));
  if (knownHosts !== '') await fs.writeFile(keys, knownHosts, { mode: 0o600 });
  const done = await new SshClient(host, run, moved, { connectSeconds: 5 })
    .call({ outside }, REMOVE, { tries: 1, timeoutMs: 5 * 60_000 })
    .then(
      ({ code }) => code === 0,
      () => false,
    );
  await fs.rm(keys, { force: true });
  if (done || Date.now() - stat.mtimeMs > GIVE_UP_MS) await fs.rm(file, { force: true });
}
