// SPDX-License-Identifier: Apache-2.0
/** A program: takes a lock so many times, and each time adds one to a number in a file, slowly; or holds it until it is killed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { withLock } from '../../src/owned-lock.js';

const [, , file = '', counter = '', times = '0'] = process.argv;

if (times === 'hold')
  await withLock(file, async () => {
    process.stdout.write('held\n');
    await sleep(60_000);
  });
else
  for (let n = 0; n < Number(times); n++)
    await withLock(file, async () => {
      const value = Number(readFileSync(counter, 'utf8'));
      await sleep(1);
      writeFileSync(counter, String(value + 1));
    });
