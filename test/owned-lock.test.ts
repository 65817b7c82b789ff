// SPDX-License-Identifier: Apache-2.0
/** One process at a time, whatever happens to the others; with processes of their own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { tryLock, waitForLock, withLock } from '../src/owned-lock.js';
import { temporaryDirectory } from './helpers/temp-directory.js';

const HOLDER = path.join(import.meta.dirname, 'helpers/lock-holder.js');

const start = (...args: readonly string[]) =>
  spawn(process.execPath, [HOLDER, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });

/** Held by a process that is then killed by the signal that nobody can catch. */
async function deadLock(t: ExecutionContext): Promise<{ readonly file: string; readonly directory: string }> {
  const directory = temporaryDirectory(t);
  const file = path.join(directory, 'some.lock');
  const child = start(file, '', 'hold');
  await once(child.stdout, 'data');
  t.deepEqual(await tryLock(file), { kind: 'busy', holder: { pid: child.pid ?? 0 } });
  child.kill('SIGKILL');
  await once(child, 'exit');
  return { file, directory };
}

test('processes that take turns never lose what another one wrote', async (t) => {
  const directory = temporaryDirectory(t);
  const counter = path.join(directory, 'counter');
  writeFileSync(counter, '0');
  const children = [1, 2, 3, 4].map(() => start(path.join(directory, 'some.lock'), counter, '25'));
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as unknown));
  t.deepEqual(codes, [0, 0, 0, 0]);
  t.is(readFileSync(counter, 'utf8'), '100');
  t.deepEqual(readdirSync(directory), ['counter']);
});

test('what a killed process held is free at once, and one of many gets it', async (t) => {
  const { file, directory } = await deadLock(t);
  const taken = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(() => tryLock(file)));
  const held = taken.flatMap((one) => (one.kind === 'held' ? [one.lock] : []));
  t.is(held.length, 1);
  await held[0]?.release();
  t.deepEqual(readdirSync(directory), []);
});

test('processes that all find the lock of a dead one take turns', async (t) => {
  const { file, directory } = await deadLock(t);
  const counter = path.join(directory, 'counter');
  writeFileSync(counter, '0');
  const children = [1, 2, 3, 4].map(() => start(file, counter, '10'));
  await Promise.all(children.map((child) => once(child, 'exit')));
  t.is(readFileSync(counter, 'utf8'), '40');
});

test('also when the one that took it away was killed over it', async (t) => {
  const { file, directory } = await deadLock(t);
  writeFileSync(`${file}.taking`, readFileSync(file));
  const taken = await tryLock(file);
  t.is(taken.kind, 'held');
  if (taken.kind === 'held') await taken.lock.release();
  t.deepEqual(readdirSync(directory), []);
});

test('of a holder that cannot be seen from here the time of the file decides', async (t) => {
  const file = path.join(temporaryDirectory(t), 'some.lock');
  const lock = await waitForLock(file);
  const owner = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  const elsewhere = JSON.stringify({ ...owner, namespace: 'pid:[1]', started: '1' });
  writeFileSync(file, elsewhere);
  t.is((await tryLock(file)).kind, 'busy');
  const age = (minutes: number): void => {
    const then = Date.now() / 1000 - minutes * 60;
    utimesSync(file, then, then);
  };
  age(14);
  t.is((await tryLock(file)).kind, 'busy');
  // no longer ours: it stays
  await lock.release();
  t.is(readFileSync(file, 'utf8'), elsewhere);
  age(16);
  t.is((await tryLock(file)).kind, 'held');
});

test('a file without words is held for a minute, then nobody’s', async (t) => {
  const file = path.join(temporaryDirectory(t), 'some.lock');
  for (const text of ['', '{', 'null', '[]', '{"pid":0}', '{"pid":"1"}']) {
    writeFileSync(file, text);
    t.deepEqual(await tryLock(file), { kind: 'busy', holder: {} }, text);
    const then = Date.now() / 1000 - 61;
    utimesSync(file, then, then);
    const taken = await tryLock(file);
    t.is(taken.kind, 'held', text);
    if (taken.kind === 'held') await taken.lock.release();
  }
});

test('waiting ends at a time limit and at an abort, and says once for whom it waits', async (t) => {
  const file = path.join(temporaryDirectory(t), 'some.lock');
  const waited: (number | undefined)[] = [];
  await withLock(file, async () => {
    const onWait = ({ pid }: { readonly pid?: number }): void => void waited.push(pid);
    await t.throwsAsync(waitForLock(file, { timeoutMs: 200, onWait }), { code: 'time-limit' });
    const controller = new AbortController();
    const waiting = waitForLock(file, { signal: controller.signal, onWait });
    setTimeout(() => controller.abort(), 50);
    await t.throwsAsync(waiting, { code: 'interrupted' });
  });
  t.deepEqual(waited, [process.pid, process.pid]);
  await t.throwsAsync(
    withLock(file, () => Promise.reject(new Error('its own'))),
    { message: 'its own' },
  );
  t.is((await tryLock(file)).kind, 'held');
});
