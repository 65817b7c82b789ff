// SPDX-License-Identifier: Apache-2.0
/** The clone that runs share: many at once, and some of them killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { bareClone } from '../../../src/inputs/source/git-cache.js';
import { run } from '../../../src/process.js';
import { GitRepository } from '../../helpers/git-repository.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

const FETCHER = path.join(import.meta.dirname, '../../helpers/git-fetcher.js');

test('processes that fetch one repository at once while it grows: all succeed, the clone stays the same one', async (t) => {
  const directory = temporaryDirectory(t);
  const upstream = new GitRepository(path.join(directory, 'upstream'));
  upstream.commit('first', { a: '1\n' });
  const cache = path.join(directory, 'cache');
  const clone = await bareClone(upstream.directory, { cache });
  const mark = path.join(clone, 'mark-of-this-test');
  writeFileSync(mark, '');
  const children = [1, 2, 3].map(() =>
    spawn(process.execPath, [FETCHER, upstream.directory, cache, '4'], { stdio: 'inherit' }),
  );
  const ended = Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as unknown));
  for (let n = 0; n < 12; n++) {
    upstream.commit(`more ${n}`, { a: `${n}\n` });
    upstream.git('tag', `v${n}`);
    upstream.git('branch', `b${n}`);
    await sleep(50);
  }
  t.deepEqual(await ended, [0, 0, 0]);
  // one that believed the clone to be broken would have made it anew
  t.true(existsSync(mark));
  t.deepEqual(readdirSync(path.dirname(clone)), [path.basename(clone)]);
  const head = upstream.git('rev-parse', 'HEAD');
  await bareClone(upstream.directory, { cache });
  const found = await run('git', ['-C', clone, 'cat-file', '-t', head]);
  t.is(found.stdout.toString().trim(), 'commit');
});

test('what a killed run was cloning goes with the next one', async (t) => {
  const directory = temporaryDirectory(t);
  const upstream = new GitRepository(path.join(directory, 'upstream'));
  upstream.commit('first', { a: '1\n' });
  const cache = path.join(directory, 'cache');
  const clone = await bareClone(upstream.directory, { cache });
  mkdirSync(`${clone}.0123456789ab/objects`, { recursive: true });
  mkdirSync(`${clone}.another`);
  await bareClone(upstream.directory, { cache });
  t.deepEqual(readdirSync(path.dirname(clone)).sort(), [
    path.basename(clone),
    `${path.basename(clone)}.another`,
  ]);
});
