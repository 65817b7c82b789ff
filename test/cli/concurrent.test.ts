// SPDX-License-Identifier: Apache-2.0
/** Several `verify` processes on one cache and one place for reports, at once. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { describeOwner } from '../../src/owned-directory.js';
import { appRecipe, scratchPackage } from '../helpers/scratch-package.js';

test('three that check the same version at once: three whole reports, nothing is left', async (t) => {
  const scratch = scratchPackage(t, {
    one: appRecipe({ app: 'one', build: 'sleep 1; echo built > result.txt' }),
  });
  writeFileSync(path.join(scratch.work, 'same.txt'), 'built\n');
  const running = [1, 2, 3].map(() => scratch.start(['one', '1.0.0', '--published', 'same.txt', '--quiet']));
  for (const { ended } of running) {
    const { code, stderr } = await ended;
    t.is(code, 0, stderr);
  }
  const place = path.join(scratch.work, 'reports/one/1.0.0/own');
  const names = readdirSync(place).sort();
  const [first = ''] = names;
  const digest = first.slice(0, 12);
  t.deepEqual(names, [`${digest}-1`, `${digest}-2`, `${digest}-3`]);
  const indexing = [1, 2, 3].map(() => scratch.start(['reports', 'index', 'reports', '--quiet']));
  for (const { ended } of indexing) t.is((await ended).code, 0);
  const checked = await scratch.run(['report', path.join(place, first), '--check']);
  t.is(checked.code, 0, checked.stderr);
  t.deepEqual(readdirSync(path.join(scratch.work, 'reports')).sort(), ['index.json', 'one']);
  t.deepEqual(scratch.left(), []);
});

test('doctor --repair removes what belongs to nobody that lives, and says so', async (t) => {
  const scratch = scratchPackage(t, {});
  const here = await describeOwner();
  const dead = JSON.stringify({ ...(JSON.parse(here) as object), pid: 2 ** 22 + 1, started: '1' });
  const cache = path.join(scratch.cacheHome, 'samesource');
  for (const [directory, owner] of [
    [path.join(cache, 'runs/dead'), dead],
    [path.join(cache, 'runs/living'), here],
    [path.join(scratch.work, 'reports/demo/1.0.0/demo/.0123456789abcdef.tmp'), dead],
    [path.join(scratch.work, 'attempts/.fedcba9876543210.tmp'), here],
  ] as const) {
    mkdirSync(path.join(directory, 'whole'), { recursive: true });
    writeFileSync(path.join(directory, 'owner.json'), owner);
  }
  mkdirSync(path.join(cache, 'git'));
  writeFileSync(path.join(cache, 'git/some.lock'), dead);
  writeFileSync(path.join(cache, 'git/held.lock'), here);
  const first = await scratch.run(['doctor', '--repair', '--json']);
  t.is(first.code, 0, first.stderr);
  const { removed, left } = JSON.parse(first.stdout) as { removed: string[]; left: unknown[] };
  t.deepEqual(left, []);
  t.deepEqual(removed.map((file) => path.basename(file)).sort(), [
    '.0123456789abcdef.tmp',
    'dead',
    'some.lock',
  ]);
  t.deepEqual(readdirSync(path.join(cache, 'git')), ['held.lock']);
  t.deepEqual(readdirSync(path.join(scratch.work, 'attempts')), ['.fedcba9876543210.tmp']);
  const again = await scratch.run(['doctor', '--repair']);
  t.is(again.stdout, 'nothing was left by killed runs\n');
});
