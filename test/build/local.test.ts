// SPDX-License-Identifier: Apache-2.0
/** Builds without a container: a clean environment, a directory of their own, nothing left behind. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { PreparedBuild } from '../../src/build/executor.js';
import { LocalExecutor } from '../../src/build/local.js';
import { FailedHere } from '../../src/errors.js';
import type { BuildPlan } from '../../src/model.js';
import { requestFor, smallPlan, TEST_DEPENDENCIES, type SmallPlan } from '../helpers/build-request.js';

const plain = (plan: SmallPlan): BuildPlan =>
  smallPlan({ ...plan, environment: { image: { kind: 'none' }, ...plan.environment } });

async function prepare(t: ExecutionContext, plan: BuildPlan, signal?: AbortSignal) {
  const request = requestFor(t, plan, { 'hello.txt': 'hello\n', 'run.sh': 'echo ran\n' });
  const outcome = await new LocalExecutor(TEST_DEPENDENCIES).prepare({
    ...request,
    ...(signal === undefined ? {} : { signal }),
  });
  if (outcome.kind !== 'prepared') throw new Error(outcome.kind);
  t.teardown(() => outcome.prepared.close());
  return { build: outcome.prepared, outputs: path.join(request.directory, 'outputs') };
}

async function codeOf(t: ExecutionContext, build: PreparedBuild): Promise<string | undefined> {
  return (await t.throwsAsync(build.build(1), { instanceOf: FailedHere }))?.code;
}

test('without a container only the time zone can be another one', async (t) => {
  const { build, outputs } = await prepare(t, plain({ build: 'date +%Z > out.txt', outputs: ['out.txt'] }));
  const asked = ['cpus', 'host-name', 'time-zone', 'directory-order'] as const;
  t.deepEqual(await build.variable?.(asked), {
    possible: ['time-zone'],
    why: 'the build ran without a container',
  });
  await build.build(1);
  await build.build(1, undefined, ['time-zone']);
  t.is(readFileSync(path.join(outputs, '1/out.txt'), 'utf8'), 'UTC\n');
  t.is(readFileSync(path.join(outputs, 'varied-1/out.txt'), 'utf8'), '+14\n');
});

test('a clean environment in a directory of its own; attempts do not see each other', async (t) => {
  process.env['SAMESOURCE_TEST_SECRET'] = 'leaks';
  const { build, outputs } = await prepare(
    t,
    plain({
      build: `
        test ! -e left; touch left "$HOME/left" "$TMPDIR/left"
        env | cut -d= -f1 | sort > out.txt
        pwd > where.txt; stat -c '%Y %a' hello.txt >> out.txt; ln -s /etc/passwd link.txt`,
      outputs: ['out.txt', 'link.txt', 'none.txt'],
    }),
  );
  const [one, two] = [await build.build(1), await build.build(2)];
  if (one.kind !== 'succeeded' || two.kind !== 'succeeded') throw new Error(JSON.stringify([one, two]));
  t.deepEqual(one.absent, ['link.txt', 'none.txt']);
  t.deepEqual(
    one.extra.map(({ name }) => name),
    ['left', 'where.txt'],
  );
  t.deepEqual(
    [...one.outputs, ...one.extra].map(({ sha256 }) => sha256),
    [...two.outputs, ...two.extra].map(({ sha256 }) => sha256),
  );
  t.deepEqual(
    readFileSync(path.join(outputs, '1/out.txt'), 'utf8')
      .split('\n')
      .filter((name) => name !== '_'),
    ['HOME', 'LANG', 'LC_ALL', 'PATH', 'PWD', 'SOURCE_DATE_EPOCH', 'TMPDIR', 'TZ', '1700000000 644', ''],
  );
  // the plan asks for no container: the report says that there was none, and that is no departure
  t.deepEqual(build.deviations, []);
  const where = readFileSync(path.join(outputs, '1/where.txt'), 'utf8').trim();
  t.is(path.basename(where), 'app');
  t.true(existsSync(where));
  await build.close();
  t.false(existsSync(where));
  t.true(where.startsWith(tmpdir()));
});

test.serial('a directory is an output of all its files, by their paths', async (t) => {
  const { build, outputs } = await prepare(
    t,
    plain({
      build:
        'mkdir -p dist/js empty file; echo a > dist/a; echo b > dist/js/b; ln -s dist link; rmdir file; touch file',
      outputs: ['dist/', 'empty/', 'link/', 'file/', 'none/'],
    }),
  );
  const result = await build.build(1);
  if (result.kind !== 'succeeded') throw new Error(JSON.stringify(result));
  t.deepEqual(
    result.outputs.map(({ output, name, member, size }) => [output, name, member, size]),
    [
      ['dist', 'dist/a', 'a', 2],
      ['dist', 'dist/js/b', 'js/b', 2],
    ],
  );
  t.is(readFileSync(path.join(outputs, '1/dist/js/b'), 'utf8'), 'b\n');
  t.deepEqual(result.absent, ['empty', 'link', 'file', 'none']);
  t.deepEqual(result.extra, []);
});

test.serial(
  'a directory with a link or a pipe in it, or a name that no report can show, is refused',
  async (t) => {
    for (const make of ['ln -s /etc/passwd dist/x', 'mkfifo dist/x', 'touch "$(printf \'dist/a\\nb\')"']) {
      const { build } = await prepare(t, plain({ build: `mkdir dist; ${make}`, outputs: ['dist/'] }));
      t.is(await codeOf(t, build), 'output-refused', make);
    }
  },
);

test('a build that fails, with its lines', async (t) => {
  const { build } = await prepare(t, plain({ build: 'echo "main.c:1:1: error: no" >&2; exit 3' }));
  t.like(await build.build(1), { kind: 'failed', exitCode: 3, firstError: ['main.c:1:1: error: no'] });
});

/** A number that no other sleep on this machine has. */
const odd = (): string => `300.${process.pid}${Math.floor(Math.random() * 1e6)}`;

function sleeping(seconds: string): boolean {
  return readdirSync('/proc').some((pid) => {
    try {
      return readFileSync(path.join('/proc', pid, 'cmdline'), 'utf8').includes(seconds);
    } catch {
      return false;
    }
  });
}

/** A killed process may take a moment to be gone. */
async function endsSoon(t: ExecutionContext, seconds: string): Promise<void> {
  for (let tries = 0; sleeping(seconds) && tries < 50; tries++) await sleep(100);
  t.false(sleeping(seconds));
}

test('the time limit and Ctrl-C reach grandchildren, the end of the script what it left', async (t) => {
  const seconds = odd();
  const limited = await prepare(
    t,
    plain({ build: `sh -c 'sleep ${seconds} & sleep ${seconds}'`, environment: { minutes: 0.02 } }),
  );
  t.is(await codeOf(t, limited.build), 'time-limit');
  await endsSoon(t, seconds);

  const stop = new AbortController();
  const stopped = await prepare(
    t,
    plain({ build: `sh -c 'sleep ${seconds} & sleep ${seconds}'` }),
    stop.signal,
  );
  setTimeout(() => stop.abort(), 300);
  t.is(await codeOf(t, stopped.build), 'interrupted');
  await endsSoon(t, seconds);

  const left = await prepare(t, plain({ build: `sleep ${seconds} >/dev/null 2>&1 &` }));
  t.is((await left.build.build(1)).kind, 'succeeded');
  await endsSoon(t, seconds);
});

test('a Debian source needs a container', async (t) => {
  const before = readdirSync(tmpdir()).filter((name) => /^samesource-[A-Za-z0-9]{6}$/.test(name));
  const { source: _, ...request } = requestFor(t, plain({}));
  const error = await t.throwsAsync(new LocalExecutor(TEST_DEPENDENCIES).prepare(request), {
    instanceOf: FailedHere,
  });
  t.is(error?.code, 'plan-unresolved');
  const after = readdirSync(tmpdir()).filter((name) => /^samesource-[A-Za-z0-9]{6}$/.test(name));
  t.true(after.length <= before.length + 4, 'other tests of this file run beside this one');
});
