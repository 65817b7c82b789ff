// SPDX-License-Identifier: Apache-2.0
/** Processes that want the same build at once: one makes it, the others wait for it, and nobody waits for the dead. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { Report } from '../../src/report/types.js';
import { appRecipe, scratchPackage, type ScratchPackage } from '../helpers/scratch-package.js';

interface Slow {
  readonly scratch: ScratchPackage;
  /** How many builds have begun. */
  readonly begun: () => number;
  /** Until one more has. */
  readonly begins: (count: number) => Promise<void>;
  /** Those that have begun go on, and those that come do not wait. */
  readonly open: () => void;
}

const VERIFY = ['one', '1.0.0', '--published', 'same.txt'];
const WAITING = /waiting for process (\d+), which makes this very build/;

/** Nothing keeps a build without a container from this machine: it counts itself, and waits at a gate. */
function slow(t: ExecutionContext, end = 'echo built > result.txt'): Slow {
  const scratch = scratchPackage(t, {});
  const [counter, gate] = ['begun', 'gate'].map((name) => path.join(scratch.work, '..', name));
  if (counter === undefined || gate === undefined) throw new Error('no place');
  const build = `echo >> '${counter}'\nwhile test ! -e '${gate}'; do sleep 0.1; done\n${end}`;
  writeFileSync(path.join(scratch.root, 'recipes/one.yaml'), appRecipe({ app: 'one', build }));
  writeFileSync(path.join(scratch.work, 'same.txt'), 'built\n');
  const begun = (): number => (existsSync(counter) ? readFileSync(counter, 'utf8').length : 0);
  return {
    scratch,
    begun,
    begins: async (count) => {
      for (const until = Date.now() + 30_000; begun() < count && Date.now() < until;) await sleep(50);
      if (begun() < count) throw new Error(`${begun()} builds began, not ${count}`);
    },
    open: () => writeFileSync(gate, ''),
  };
}

/** Of each build that a report used, whether another process made it. */
const reused = (stdout: string): readonly boolean[] =>
  ((JSON.parse(stdout) as Report).run.usedBuilds ?? []).map((use) => use.reused);

test('the second waits for the first, says for whom, and uses what it kept', async (t) => {
  const { scratch, begun, begins, open } = slow(t);
  const first = scratch.start([...VERIFY, '--json']);
  await begins(1);
  const second = scratch.start([...VERIFY, '--json']);
  await second.said(WAITING);
  const third = scratch.start(['build', 'one', '1.0.0', '--json']);
  await third.said(WAITING);
  open();
  const [one, two, three] = [await first.ended, await second.ended, await third.ended];
  t.deepEqual([one.code, two.code, three.code], [0, 0, 0], two.stderr);
  t.is(WAITING.exec(two.stderr)?.[1], String(first.child.pid));
  t.is(two.stderr.match(/waiting for/g)?.length, 1);
  t.is(begun(), 1);
  t.deepEqual([reused(one.stdout), reused(two.stdout)], [[false], [true]]);
  t.deepEqual(scratch.left(), []);
});

test('a first one that is killed, or stopped, lets the second go on at once', async (t) => {
  for (const signal of ['SIGKILL', 'SIGINT'] as const) {
    const { scratch, begun, begins, open } = slow(t);
    const first = scratch.start(VERIFY);
    await begins(1);
    const second = scratch.start([...VERIFY, '--json']);
    await second.said(WAITING);
    first.child.kill(signal);
    await first.ended;
    await begins(2);
    open();
    const { code, stdout, stderr } = await second.ended;
    t.is(code, 0, stderr);
    t.deepEqual(reused(stdout), [false]);
    t.is(begun(), 2);
  }
});

test('Ctrl-C ends the waiting and not the build', async (t) => {
  const { scratch, begun, begins, open } = slow(t);
  const first = scratch.start(VERIFY);
  await begins(1);
  const second = scratch.start(VERIFY);
  await second.said(WAITING);
  second.child.kill('SIGINT');
  const stopped = await second.ended;
  t.is(stopped.code, 130, stopped.stderr);
  t.regex(stopped.stderr, /^error \[interrupted\] interrupted while another process made this build$/m);
  open();
  t.is((await first.ended).code, 0);
  t.is(begun(), 1);
});

test('what is not kept or used by others waits for nobody, and nobody waits for it', async (t) => {
  const { scratch, begins, open } = slow(t);
  const running = [scratch.start([...VERIFY, '--fresh'])];
  await begins(1);
  running.push(scratch.start(VERIFY));
  await begins(2);
  running.push(scratch.start([...VERIFY, '--fresh']));
  await begins(3);
  // who asks for an engine has no use for what another one makes
  running.push(scratch.start([...VERIFY, '--engine', 'local']));
  await begins(4);
  open();
  for (const { ended } of running) {
    const { code, stderr } = await ended;
    t.is(code, 0, stderr);
    t.notRegex(stderr, WAITING);
  }
});

test('a source that does not build is told by both, and built once', async (t) => {
  const { scratch, begun, begins, open } = slow(t, 'exit 3');
  const first = scratch.start(VERIFY);
  await begins(1);
  const second = scratch.start([...VERIFY, '--json']);
  await second.said(WAITING);
  open();
  t.is((await first.ended).code, 2);
  const { code, stdout } = await second.ended;
  t.is(code, 2);
  t.deepEqual(reused(stdout), [true]);
  t.is(begun(), 1);
});

test('a first one whose build could not be kept leaves the second to build for itself', async (t) => {
  const { scratch, begun, begins, open } = slow(t);
  const builds = path.join(scratch.cacheHome, 'samesource/builds');
  const first = scratch.start(VERIFY);
  await begins(1);
  const second = scratch.start(VERIFY);
  await second.said(WAITING);
  // where the first one puts its parts
  writeFileSync(path.join(builds, '.partial'), '');
  open();
  const one = await first.ended;
  t.regex(one.stderr, /this build could not be kept for later/);
  const two = await second.ended;
  t.deepEqual([one.code, two.code], [0, 0], two.stderr);
  t.is(begun(), 2);
});

test('two that do not match: each confirms with a build of the other, and neither waits for ever', async (t) => {
  const { scratch, begun, begins, open } = slow(t);
  writeFileSync(path.join(scratch.work, 'same.txt'), 'other\n');
  const first = scratch.start([...VERIFY, '--json']);
  await begins(1);
  const second = scratch.start([...VERIFY, '--json']);
  await second.said(WAITING);
  open();
  for (const { ended } of [first, second]) {
    const { code, stdout, stderr } = await ended;
    t.is(code, 1, stderr);
    const { run } = JSON.parse(stdout) as Report;
    t.is(run.standing, 'confirmed');
    t.is(run.usedBuilds?.length, 2);
  }
  t.is(begun(), 2);
});

test('a batch of one app in two channels builds once, with two jobs at a time', async (t) => {
  const { scratch, begun, open } = slow(t);
  const file = path.join(scratch.root, 'recipes/one.yaml');
  const recipe = readFileSync(file, 'utf8');
  const channel = /^ {2}own:\n(?: {4}.*\n)+/m.exec(recipe)?.[0] ?? '';
  writeFileSync(file, recipe.replace(channel, channel + channel.replace('own:', 'other:')));
  writeFileSync(
    path.join(scratch.work, 'apps.yaml'),
    `apps:\n${['own', 'other'].map((name) => `  - { app: one, channel: ${name}, published: same.txt }\n`).join('')}`,
  );
  open();
  const { code, stderr } = await scratch.run(['batch', 'apps.yaml', '-j', '2', '--json']);
  t.is(code, 0, stderr);
  t.is(begun(), 1);
});
