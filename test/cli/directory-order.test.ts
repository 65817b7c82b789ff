// SPDX-License-Identifier: Apache-2.0
/** A build that depends on the order of its directories, found by real engines; and killed while it is looked for. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { Report } from '../../src/report/types.js';
import { hasEngine, held } from '../helpers/engines.js';
import { addTinyImage, appRecipe, scratchPackage, type ScratchPackage } from '../helpers/scratch-package.js';

const PATIENCE_MS = 30_000;
const VARY = '[host-name, directory-order]';
const MANY =
  'mkdir many; for i in 0 1 2 3 4 5 6 7 8 9; do for j in 0 1 2 3 4; do echo $i > many/$i$j; done; done';

function scratchWith(t: ExecutionContext, builds: Readonly<Record<string, string>>): ScratchPackage {
  const recipes = Object.entries(builds).map(([app, build]) => [
    app,
    appRecipe({ app, image: '{ kind: lock, name: tiny }', prepare: MANY, build, vary: VARY }),
  ]);
  const scratch = scratchPackage(t, Object.fromEntries(recipes) as Record<string, string>);
  addTinyImage(scratch);
  mkdirSync(path.join(scratch.work, 'theirs'));
  writeFileSync(path.join(scratch.work, 'theirs/result.txt'), 'theirs\n');
  return scratch;
}

async function verified(
  t: ExecutionContext,
  scratch: ScratchPackage,
  engine: string,
  app: string,
  ...more: readonly string[]
): Promise<Report> {
  const args = [app, '1.0.0', '--published', 'theirs', '--engine', engine, '--out', app, ...more];
  const { code, stderr } = await scratch.run(args);
  t.is(code, 1, stderr);
  const place = path.join(scratch.work, app, 'reports', app, '1.0.0/own');
  const name = readdirSync(place).sort().at(-1) ?? '';
  return JSON.parse(readFileSync(path.join(place, name, 'report.json'), 'utf8')) as Report;
}

const runsOf = ({ cacheHome }: ScratchPackage, where: 'runs' | 'kept'): readonly string[] => {
  try {
    return readdirSync(path.join(cacheHome, 'samesource', where)).map((run) => run.toLowerCase());
  } catch {
    return [];
  }
};

async function eventually(t: ExecutionContext, what: () => readonly string[]): Promise<void> {
  const until = Date.now() + PATIENCE_MS;
  while (what().length > 0 && Date.now() < until) await sleep(200);
  t.deepEqual(what(), []);
}

for (const engine of ['docker', 'podman'] as const) {
  test.serial(
    `${engine}: the order of a directory is to blame where it is, and not where it is not`,
    async (t) => {
      if (!hasEngine(t, engine)) return;
      t.timeout(5 * 60_000);
      const scratch = scratchWith(t, {
        unsorted: 'ls -U many > result.txt',
        sorted: 'ls many > result.txt',
      });
      const unsorted = await verified(t, scratch, engine, 'unsorted');
      t.is(unsorted.run.standing, 'confirmed');
      t.deepEqual(unsorted.run.variations, [
        { varied: ['host-name', 'directory-order'], outcome: 'differs', members: ['result.txt'] },
        { varied: ['host-name'], outcome: 'same' },
        { varied: ['directory-order'], outcome: 'differs', members: ['result.txt'] },
      ]);
      const sorted = await verified(t, scratch, engine, 'sorted');
      t.is(sorted.run.standing, 'confirmed');
      t.deepEqual(sorted.run.variations, [{ varied: ['host-name', 'directory-order'], outcome: 'same' }]);
      // what held is noted beside the kept build
      const again = await verified(t, scratch, engine, 'sorted');
      t.deepEqual(again.run.variations, sorted.run.variations);
      t.like(again.run, { standing: 'confirmed' });
      t.deepEqual(scratch.left(), []);
    },
  );

  // what an engine does when its client is gone is another one for each, and what is kept of a run is not
  const keep = engine === 'docker';
  test.serial(
    `${engine}: killed in such a build, ${keep ? 'of a run that is kept' : 'nothing is left'}`,
    async (t) => {
      if (!hasEngine(t, engine)) return;
      t.timeout(5 * 60_000);
      const scratch = scratchWith(t, {
        slow: 'ls > result.txt; sleep 3',
      });
      const args = ['slow', '1.0.0', '--published', 'theirs', '--engine', engine];
      const running = scratch.start(keep ? [...args, '--keep', 'always'] : args);
      await running.said(/other conditions/);
      const runs = [...runsOf(scratch, 'runs'), ...runsOf(scratch, 'kept')];
      t.is(runs.length, 1);
      const varied = (): readonly string[] =>
        held(engine, runs).filter((name) => /-varied-|-tree-/.test(name));
      while (!varied().some((name) => name.includes('-varied-'))) await sleep(50);
      t.true(varied().length >= 3, 'container, holder and volume');
      running.child.kill('SIGKILL');
      await running.ended;
      await eventually(t, keep ? varied : () => held(engine, runs));
      if (!keep) {
        await eventually(t, () => scratch.left());
        return;
      }
      t.true(held(engine, runs).length > 0, 'what was kept');
      const { code, stderr } = await scratch.run(['clean', 'runs', '--yes']);
      t.is(code, 0, stderr);
      await eventually(t, () => held(engine, runs));
    },
  );
}
