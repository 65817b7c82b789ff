// SPDX-License-Identifier: Apache-2.0
/** Whose a directory is: what a dead process left is told from what a living one needs, and doubt is in favour of the living. */
import { existsSync, promises as fs, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import {
  makeOwned,
  isAbandoned,
  makeOwnedDirectory,
  OWNER_FILE,
  removeOwned,
} from '../src/owned-directory.js';
import { run } from '../src/process.js';
import { temporaryDirectory } from './helpers/temp-directory.js';

const WEEK_S = 7 * 24 * 60 * 60;

interface Owner {
  readonly pid?: number;
  readonly started?: string;
  readonly boot?: string;
  readonly namespace?: string;
  readonly machine?: string;
}

/** A directory of this process, but for what is changed; aged by that many seconds. */
async function owned(t: ExecutionContext, change: Owner, age = 0): Promise<string> {
  const directory = await makeOwnedDirectory(temporaryDirectory(t), 'samesource-');
  const file = path.join(directory, OWNER_FILE);
  const owner = JSON.parse(readFileSync(file, 'utf8')) as Owner;
  writeFileSync(file, JSON.stringify({ ...owner, ...change }));
  const then = Date.now() / 1000 - age;
  utimesSync(directory, then, then);
  return directory;
}

test('of a living process, of one that has ended, of one whose number another has now', async (t) => {
  t.false(await isAbandoned(await owned(t, {})));
  t.false(await isAbandoned(await owned(t, {}, 99 * WEEK_S)));
  t.true(await isAbandoned(await owned(t, { started: '1' })));
  const ended = await run(process.execPath, ['-e', 'console.log(process.pid)']);
  t.true(await isAbandoned(await owned(t, { pid: Number(ended.stdout.toString()) })));
});

test('a process that has ended and was not yet fetched by its parent', async (t) => {
  const controller = new AbortController();
  let parent: Promise<unknown> = Promise.resolve();
  const pid = await new Promise<string>((resolve) => {
    parent = run('sh', ['-c', 'sleep 0 & echo $!; exec sleep 60'], {
      onLine: resolve,
      signal: controller.signal,
    });
  });
  let stat = '';
  do {
    await sleep(50);
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } while (!stat.includes(') Z '));
  const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  t.true(await isAbandoned(await owned(t, { pid: Number(pid), started })));
  controller.abort();
  await parent;
});

test('after the machine went down', async (t) => {
  const machine = 'one';
  const directory = await owned(t, { machine, boot: 'before' });
  t.false(await isAbandoned(directory));
  const here = JSON.parse(readFileSync(path.join(await owned(t, {}), OWNER_FILE), 'utf8')) as Owner;
  t.is(await isAbandoned(await owned(t, { boot: 'before' })), here.machine !== undefined);
});

test('of a process that cannot be seen from here: only after a week', async (t) => {
  for (const change of [
    { namespace: 'pid:[1]' },
    { boot: 'another', machine: 'another' },
    { boot: 'another', namespace: 'pid:[1]', machine: 'another' },
  ]) {
    t.false(await isAbandoned(await owned(t, { ...change, started: '1' }, WEEK_S - 60)));
    t.true(await isAbandoned(await owned(t, { ...change, started: '1' }, WEEK_S + 60)));
  }
});

test('without an owner: only what is empty, and not at once', async (t) => {
  const directory = path.join(temporaryDirectory(t), 'nameless');
  mkdirSync(directory);
  t.false(await isAbandoned(directory));
  // the next start, right after a kill, finds it
  const before = Date.now() / 1000 - 3;
  utimesSync(directory, before, before);
  t.true(await isAbandoned(directory));
  writeFileSync(path.join(directory, 'file'), '');
  utimesSync(directory, 1, 1);
  t.false(await isAbandoned(directory));
  writeFileSync(path.join(directory, OWNER_FILE), 'not JSON');
  utimesSync(directory, 1, 1);
  t.false(await isAbandoned(directory));
});

test('what is no directory is nobody’s, and nobody makes one twice', async (t) => {
  const file = path.join(temporaryDirectory(t), 'file');
  t.false(await isAbandoned(file));
  writeFileSync(file, '');
  t.false(await isAbandoned(file));
  const directory = await owned(t, {});
  await t.throwsAsync(makeOwned(directory), { code: 'EEXIST' });
});

test.serial(
  'removed whole, and the owner last: whoever is killed in between leaves what a sweep knows',
  async (t) => {
    const directory = await owned(t, { started: '1' });
    mkdirSync(path.join(directory, 'tree'));
    writeFileSync(path.join(directory, 'tree', 'file'), '');
    writeFileSync(path.join(directory, 'another'), '');
    const { rm } = fs;
    fs.rm = async () => await Promise.reject(new Error('stopped here'));
    try {
      await t.throwsAsync(removeOwned(directory), { message: 'stopped here' });
    } finally {
      fs.rm = rm;
    }
    t.true(await isAbandoned(directory));
    await removeOwned(directory);
    t.false(existsSync(directory));
    await t.notThrowsAsync(removeOwned(directory));
  },
);

test('what something still writes into goes all the same, and so does a name that is no text', async (t) => {
  for (let round = 0; round < 10; round++) {
    const directory = await owned(t, {});
    for (let count = 0; count < 200; count++)
      mkdirSync(path.join(directory, 'many', String(count)), { recursive: true });
    const script = 'i=0; while test $i -lt 400; do : > "$1/$i"; i=$((i+1)); done';
    const writing = run('sh', ['-c', script, 'sh', directory]);
    await sleep(3 + round);
    await removeOwned(directory);
    await writing;
    t.false(existsSync(directory));
  }
  const directory = await owned(t, {});
  writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0x61, 0xff])]), '');
  await removeOwned(directory);
  t.false(existsSync(directory));
});
