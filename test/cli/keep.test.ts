// SPDX-License-Identifier: Apache-2.0
/** Runs that are kept: what stays, what goes, and what a kill, a full disk or a hand in the folder makes of them. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { hasEngine, held, type EngineName } from '../helpers/engines.js';
import { contained, folder, keptIn, runs } from '../helpers/kept.js';
import { appRecipe, scratchPackage } from '../helpers/scratch-package.js';

for (const engine of ['docker', 'podman'] as const satisfies readonly EngineName[]) {
  const asked = ['contained', '1.0.0', '--engine', engine] as const;

  test.serial(`${engine}: what failed is kept, and removed when it is told to go`, async (t) => {
    if (!hasEngine(t, engine)) return;
    const scratch = contained(t, { prepare: 'echo made > made.txt', build: 'echo half > half.o\nexit 3' });
    const failed = await scratch.run(['build', ...asked, '--keep', 'failed']);
    t.is(failed.code, 2, failed.stderr);
    const [run = '', ...others] = keptIn(scratch);
    t.deepEqual(others, []);
    t.regex(failed.stderr, new RegExp(`^ *kept as ${run}: `, 'm'));
    t.deepEqual(held(engine, [run]).toSorted(), [
      `localhost/samesource-${run}-prepared`,
      `samesource-${run}-build-1`,
    ]);
    t.deepEqual(scratch.left(), []);
    const [listed] = await runs(scratch);
    t.like(listed, { run, assisted: false, end: { outcome: 'unbuildable' } });
    t.deepEqual(
      listed?.phases.map(({ phase, outcome }) => [phase, outcome]),
      [
        ['prepare', 'succeeded'],
        ['build', 'failed'],
      ],
    );
    const label = execFileSync(
      engine,
      ['inspect', '--format', '{{index .Config.Labels "org.samesource.run"}}', `samesource-${run}-build-1`],
      { encoding: 'utf8' },
    );
    t.is(label.trim(), run);
    // the next run leaves it alone
    t.is((await scratch.run(['demo', '--quiet'])).code, 0);
    t.is(held(engine, [run]).length, 2);
    t.is((await scratch.run(['runs', '--remove', run])).code, 0);
    t.deepEqual([held(engine, [run]), keptIn(scratch), scratch.left()], [[], [], []]);
  });

  test.serial(`${engine}: what ended well goes, but with --keep always`, async (t) => {
    if (!hasEngine(t, engine)) return;
    const scratch = contained(t, { build: 'echo built > result.txt' });
    const file = path.join(scratch.root, 'result.txt');
    writeFileSync(file, 'built\n');
    const verify = [...asked, '--published', file];
    t.is((await scratch.run([...verify, '--keep', 'failed'])).code, 0);
    t.deepEqual([keptIn(scratch), scratch.left()], [[], []]);
    t.is((await scratch.run([...verify, '--keep', 'always'])).code, 0);
    const [run = ''] = keptIn(scratch);
    t.like((await runs(scratch))[0], { run, end: { outcome: 'reproducible' } });
    t.is(readFileSync(path.join(folder(scratch, run), 'outputs/1/result.txt'), 'utf8'), 'built\n');
    t.false(existsSync(path.join(folder(scratch, run), 'source')));
    // what does not match is what one wants to look into
    writeFileSync(file, 'other\n');
    t.is((await scratch.run([...verify, '--keep', 'failed', '--no-confirm'])).code, 1);
    t.deepEqual(
      (await runs(scratch)).map(({ end }) => end?.outcome),
      ['reproducible', 'unreproducible'],
    );
  });

  test.serial(
    `${engine}: killed by the signal that nobody can catch, a run stays and nothing of it runs`,
    async (t) => {
      if (!hasEngine(t, engine)) return;
      const scratch = contained(t, { prepare: 'true', build: 'echo half > half.o\nsleep 987' });
      const running = scratch.start(['build', ...asked, '--keep', 'failed']);
      await running.said(/… build 1/);
      await sleep(500);
      running.child.kill('SIGKILL');
      t.is((await running.ended).code, null);
      const [run = ''] = keptIn(scratch);
      const until = Date.now() + 30_000;
      while (existsSync(path.join(folder(scratch, run), 'owner.json')) && Date.now() < until)
        await sleep(100);
      const [listed] = await runs(scratch);
      t.like(listed, { run, end: { outcome: 'killed' } });
      t.deepEqual(
        listed?.phases.map(({ phase, outcome }) => [phase, outcome]),
        [
          ['prepare', 'succeeded'],
          ['build', 'killed'],
        ],
      );
      t.deepEqual(held(engine, [run]).toSorted(), [
        `localhost/samesource-${run}-prepared`,
        `samesource-${run}-build-1`,
      ]);
      const args = ['ps', '--quiet', '--filter', `label=org.samesource.run=${run}`];
      t.is(execFileSync(engine, args, { encoding: 'utf8' }), '');
      t.deepEqual(scratch.left(), []);
    },
  );
}

test('a run that fails before there is anything to keep is not kept', async (t) => {
  if (!hasEngine(t, 'docker')) return;
  const scratch = contained(t, { build: 'true' });
  const verify = ['contained', '1.0.0', '--engine', 'docker', '--keep', 'always'];
  const { code, stderr } = await scratch.run(verify);
  t.is(code, 2, stderr);
  t.deepEqual([keptIn(scratch), scratch.left()], [[], []]);
});

test('a build without a container is not kept, and is told so before it begins', async (t) => {
  const scratch = scratchPackage(t, { bare: appRecipe({ app: 'bare', build: 'true' }) });
  for (const args of [['build'], []]) {
    const { code, stderr } = await scratch.run([...args, 'bare', '1.0.0', '--keep', 'failed']);
    t.is(code, 64);
    t.regex(stderr, /^error \[keep-needs-container\]/m);
  }
  t.deepEqual(scratch.left(), []);
});

test('folders that are cut off, unknown or in use', async (t) => {
  if (!hasEngine(t, 'docker')) return;
  const scratch = contained(t, { build: 'exit 3' });
  const build = ['build', 'contained', '1.0.0', '--engine', 'docker', '--keep', 'failed'];
  await scratch.run(build);
  const [run = ''] = keptIn(scratch);
  const owner = path.join(folder(scratch, run), 'owner.json');
  const { pid } = process;
  // the fields of proc_pid_stat(5) after the name: the 20th is the start
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const place = {
    boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    namespace: execFileSync('readlink', ['/proc/self/ns/pid'], { encoding: 'utf8' }).trim(),
  };
  const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  writeFileSync(owner, JSON.stringify({ pid, started, ...place }));
  const used = await scratch.run(['runs', '--remove', run]);
  t.is(used.code, 75);
  t.regex(used.stderr, /^error \[run-in-use\]/m);
  // its process is gone
  writeFileSync(owner, JSON.stringify({ pid, started: '1', ...place }));
  truncateSync(path.join(folder(scratch, run), 'run.json'), 40);
  t.regex((await runs(scratch))[0]?.damaged ?? '', /cut off/);
  for (const unknown of ['20200101t000000-000000', '../runs', '']) {
    const { code, stderr } = await scratch.run(['runs', '--remove', unknown]);
    t.is(code, 64);
    t.regex(stderr, /^error \[unknown-run\]/m);
  }
  t.is((await scratch.run(['runs', '--remove', run])).code, 0);
  t.deepEqual([held('docker', [run]), keptIn(scratch), scratch.left()], [[], [], []]);
});
