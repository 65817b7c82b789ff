// SPDX-License-Identifier: Apache-2.0
/** Killed at any moment: by Ctrl-C, by whoever may say why, and by the signal that nobody can catch. Nothing stays. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { hasEngine, held, type EngineName } from '../helpers/engines.js';
import { localServer } from '../helpers/http-server.js';
import {
  addTinyImage,
  appRecipe,
  scratchPackage,
  type Ended,
  type RunOptions,
  type ScratchPackage,
} from '../helpers/scratch-package.js';

type Signal = 'SIGINT' | 'SIGTERM' | 'SIGKILL';

const PATIENCE_MS = 30_000;

async function eventually(t: ExecutionContext, what: () => readonly string[]): Promise<void> {
  const until = Date.now() + PATIENCE_MS;
  while (what().length > 0 && Date.now() < until) await sleep(100);
  t.deepEqual(what(), []);
}

/** Processes that were started for a run: its scripts hold this text. */
function processesWith(mark: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return command.includes(mark) && !command.includes('cli/main.js') ? [command.slice(0, 200)] : [];
      } catch {
        return [];
      }
    });
}

interface Moment {
  readonly args: readonly string[];
  readonly when: RegExp;
  readonly afterMs?: number;
  readonly signal: Signal;
}

async function killAt(
  scratch: ScratchPackage,
  { args, when, afterMs = 0, signal }: Moment,
  options?: RunOptions,
): Promise<Ended> {
  const running = scratch.start(args, options);
  await running.said(when);
  await sleep(afterMs);
  running.child.kill(signal);
  return await running.ended;
}

function isInterrupted(t: ExecutionContext, { code, stderr }: Ended): void {
  t.is(code, 130, stderr);
  t.regex(stderr, /^error \[interrupted\]/m);
  t.notRegex(stderr, /^\s+at |\[bug\]/m);
}

/** Exactly one run is kept, whole, and is no report. */
function isKept(t: ExecutionContext, scratch: ScratchPackage): void {
  const written = scratch.written();
  const [attempt] = written.filter((name) => name.endsWith('failure.json'));
  t.deepEqual(
    written.filter((name) => !/^attempts\/[^./]+\//.test(name)),
    [],
  );
  const { failure } = JSON.parse(readFileSync(path.join(scratch.work, attempt ?? ''), 'utf8')) as {
    readonly failure: { readonly class: string };
  };
  t.is(failure.class, 'interrupted');
}

let marks = 0;
/** A number of seconds to sleep that no other process has. */
const mark = (): string => `${1000 + marks++}.${String(process.pid).padStart(7, '0')}`;

const published = (scratch: ScratchPackage): string => {
  const file = path.join(scratch.root, 'result.txt');
  writeFileSync(file, 'built\n');
  return file;
};

// ---------------------------------------------------------------- without a container

for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const)
  test(`${signal} while a local build runs: its whole group ends, its directories go`, async (t) => {
    const seconds = mark();
    const build = `(trap '' TERM INT; sleep ${seconds}) &\nsleep ${seconds}`;
    const scratch = scratchPackage(t, { slow: appRecipe({ app: 'slow', build }) });
    const args = ['slow', '1.0.0', '--published', published(scratch)];
    const ended = await killAt(scratch, { args, when: /… build/, afterMs: 300, signal });
    if (signal !== 'SIGKILL') {
      isInterrupted(t, ended);
      isKept(t, scratch);
      t.deepEqual(scratch.left(), []);
      await eventually(t, () => processesWith(seconds));
    } else {
      t.is(ended.code, null);
      t.deepEqual(scratch.written(), []);
      await eventually(t, () => processesWith(seconds));
      await eventually(t, () => scratch.left());
    }
  });

test('the demo, killed at every moment: a whole report or none, and the next run is as if nothing had been', async (t) => {
  const scratch = scratchPackage(t, {});
  const moments = [/^plan /m, /… build/, /✓ build/, /… compare/, /✓ compare/];
  for (const [at, when] of moments.entries()) {
    const signal = (['SIGKILL', 'SIGTERM'] as const)[at % 2] ?? 'SIGINT';
    const { code, stderr } = await killAt(scratch, { args: ['demo'], when, signal });
    // the last moments may be too late to stop it
    t.true(code === (signal === 'SIGKILL' ? null : 130) || code === 0, `${String(code)} ${stderr}`);
    await eventually(t, () => scratch.left());
  }
  const reports = path.join(scratch.work, 'reports/demo/1.0.0/demo');
  t.is((await scratch.run(['demo', '--quiet'])).code, 0);
  for (const name of readdirSync(reports).filter((one) => !one.startsWith('.')))
    t.is((await scratch.run(['report', path.join(reports, name), '--check'])).code, 0, name);
});

test('Ctrl-C while an archive keeps us waiting for its index: 130, nothing is left', async (t) => {
  const scratch = scratchPackage(t, {});
  const { url, requests } = await localServer(t, () => undefined);
  const running = scratch.start(['bitlbee', '3.x'], { env: { SAMESOURCE_DEBIAN_MIRROR: url } });
  while (requests.length === 0) await sleep(20);
  running.child.kill('SIGINT');
  isInterrupted(t, await running.ended);
  isKept(t, scratch);
  t.deepEqual(scratch.left(), []);
});

test('twice Ctrl-C is at once, and what that leaves is tidied up', async (t) => {
  const seconds = mark();
  const build = `trap '' TERM INT\nsleep ${seconds} & wait`;
  const scratch = scratchPackage(t, { slow: appRecipe({ app: 'slow', build }) });
  const running = scratch.start(['slow', '1.0.0', '--published', published(scratch)]);
  await running.said(/… build/);
  await sleep(300);
  running.child.kill('SIGINT');
  await running.said(/once more to stop at once/);
  running.child.kill('SIGINT');
  t.is((await running.ended).code, 130);
  await eventually(t, () => processesWith(seconds));
  await eventually(t, () => scratch.left());
});

test('what a run and its keeper left, both killed, the next run removes; a living run is not touched', async (t) => {
  const seconds = mark();
  const recipes = { slow: appRecipe({ app: 'slow', build: `sleep ${seconds}` }) };
  const scratch = scratchPackage(t, recipes);
  const living = scratch.start(['slow', '1.0.0', '--published', published(scratch)]);
  await living.said(/… build/);
  const before = scratch.left();
  const dead = path.join(scratch.cacheHome, 'samesource/runs/dead');
  mkdirSync(dead);
  const [run = ''] = before.filter((name) => name.startsWith('runs/'));
  const owner = JSON.parse(
    readFileSync(path.join(scratch.cacheHome, 'samesource', run, 'owner.json'), 'utf8'),
  ) as object;
  // the number of a living process, which began at another time
  writeFileSync(path.join(dead, 'owner.json'), JSON.stringify({ ...owner, started: '1' }));
  t.is((await scratch.run(['demo', '--quiet'])).code, 0);
  t.deepEqual(scratch.left(), before);
  living.child.kill('SIGTERM');
  t.is((await living.ended).code, 130);
  t.deepEqual(scratch.left(), []);
});

// ---------------------------------------------------------------- in containers

const runsOf = (scratch: ScratchPackage): readonly string[] =>
  scratch.left().flatMap((name) => (name.startsWith('runs/') ? [path.basename(name)] : []));

const CONTAINED: readonly (readonly [EngineName, Signal, 'prepare' | 'build', number])[] = [
  ['docker', 'SIGINT', 'prepare', 300],
  ['docker', 'SIGTERM', 'build', 300],
  ['docker', 'SIGKILL', 'prepare', 300],
  ['docker', 'SIGKILL', 'build', 0],
  ['podman', 'SIGKILL', 'build', 500],
];

for (const [engine, signal, phase, afterMs] of CONTAINED)
  test.serial(`${engine}: ${signal} while the ${phase} phase runs`, async (t) => {
    if (!hasEngine(t, engine)) return;
    const seconds = mark();
    const slow = `sleep ${seconds}`;
    const scratch = scratchPackage(t, {
      contained: appRecipe({
        app: 'contained',
        image: '{ kind: lock, name: tiny }',
        prepare: phase === 'prepare' ? slow : 'true',
        build: slow,
      }),
    });
    addTinyImage(scratch);
    const when = phase === 'prepare' ? /… preparing/ : /… build 1/;
    const running = scratch.start(['build', 'contained', '1.0.0', '--engine', engine]);
    await running.said(when);
    await sleep(afterMs);
    const runs = runsOf(scratch);
    t.is(runs.length, 1);
    t.true(held(engine, runs).length > 0);
    running.child.kill(signal);
    const ended = await running.ended;
    if (signal === 'SIGKILL') await eventually(t, () => [...held(engine, runs), ...scratch.left()]);
    else {
      isInterrupted(t, ended);
      isKept(t, scratch);
    }
    t.deepEqual([held(engine, runs), scratch.left()], [[], []]);
    await eventually(t, () => processesWith(seconds));
  });

test.serial('docker: what a run left whose keeper was killed too, the next run removes', async (t) => {
  if (!hasEngine(t, 'docker')) return;
  const seconds = mark();
  const slow = appRecipe({ app: 'slow', image: '{ kind: lock, name: tiny }', build: `sleep ${seconds}` });
  const scratch = scratchPackage(t, { slow });
  addTinyImage(scratch);
  const running = scratch.start(['build', 'slow', '1.0.0', '--engine', 'docker']);
  await running.said(/… build 1/);
  const runs = runsOf(scratch);
  for (const pid of keepersOf(scratch)) process.kill(pid, 'SIGKILL');
  running.child.kill('SIGKILL');
  t.is((await running.ended).code, null);
  t.true(held('docker', runs).length >= 2);
  t.deepEqual(runsOf(scratch), runs);
  // without its engine it stays known
  const away = { DOCKER_HOST: 'unix:///nonexistent/docker.sock' };
  t.is((await scratch.run(['demo', '--quiet'], { env: away })).code, 0);
  t.deepEqual(runsOf(scratch), runs);
  t.is((await scratch.run(['demo', '--quiet'])).code, 0);
  t.deepEqual([held('docker', runs), scratch.left()], [[], []]);
  await eventually(t, () => processesWith(seconds));
});

/** The process that stays beside a run of this package. */
function keepersOf({ root }: ScratchPackage): readonly number[] {
  const keepers = readdirSync('/proc').filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) &&
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${root}/dist/bin/sweeper.js`)
      );
    } catch {
      return false;
    }
  });
  return keepers.map(Number);
}
