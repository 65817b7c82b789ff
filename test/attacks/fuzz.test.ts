// SPDX-License-Identifier: Apache-2.0
/** Less than a minute of the fuzzing; `npm run bench:fuzz` goes on for ten. */
import test from 'ava';
import { fuzz, FUZZ_TARGETS, MAX_BYTES } from './fuzz.js';

const MILLISECONDS = 2_300;

for (const target of FUZZ_TARGETS)
  test.serial(`nothing breaks: ${target.name}`, async (t) => {
    const count = await fuzz(target, 0, MILLISECONDS);
    t.deepEqual(count.failures, []);
    // neither all refused nor all accepted: the inputs are nearly right
    t.true(count.inputs > 20);
    t.true(count.refused < count.inputs);
    t.true(process.resourceUsage().maxRSS * 1024 < MAX_BYTES);
    t.log(`${count.inputs} inputs, ${count.refused} refused, the slowest ${count.slowest.toFixed(3)} s`);
  });
