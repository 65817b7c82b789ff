// SPDX-License-Identifier: Apache-2.0
/** The short form of `npm run bench:kill`. */
import { execFileSync } from 'node:child_process';
import test from 'ava';
import { killRounds } from '../helpers/kill-rounds.js';
import { hasTool, without } from '../helpers/need.js';

function dockerRuns(): boolean {
  try {
    if (!hasTool('docker')) return false;
    execFileSync('docker', ['ps', '--quiet'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

test('a batch on Docker, killed at seeded moments: nothing lost, half there, twice there or left over', async (t) => {
  if (!dockerRuns()) return void without(t, 'a running docker');
  t.timeout(20 * 60_000);
  let rounds = 0;
  for await (const { whom, afterMs, problems } of killRounds(t, { rounds: 5, seed: 5 })) {
    t.deepEqual(problems, [], `${whom} killed after ${afterMs} ms`);
    rounds++;
  }
  t.is(rounds, 5);
});
