// SPDX-License-Identifier: Apache-2.0
/** A program: the keeper of a run starts it when the run's process is gone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sweep } from './sweep.js';

// the process may take a moment to end after its pipes are closed, an engine to finish what it was told
for (const seconds of [0, 1, 6]) {
  await sleep(seconds * 1000);
  await sweep();
}
