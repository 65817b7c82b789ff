// SPDX-License-Identifier: Apache-2.0
/** One bit in 64 of the sweep; `npm run bench:sweep` turns them all. */
import test from 'ava';
import { mixed, sweep, type Mutated } from './sweep.js';
import { sweepCases } from './sweep-cases.js';

const SEED = 20261125;
const SHARE = 64;

for (const one of sweepCases())
  for (const mutated of ['published', 'rebuilt', 're-signed'] as const satisfies readonly Mutated[]) {
    if (mutated === 're-signed' && one.resign === undefined) continue;
    test(`one bit turned, ${one.name}, ${mutated}`, async (t) => {
      t.true(one.published.length <= 12_288);
      const count = await sweep(one, mutated, (bit) => mixed(SEED, bit) % SHARE === 0);
      t.deepEqual(count.violations, []);
      // nothing is left out but what only Google can read
      if (one.name === 'dependency info' && mutated === 'published')
        t.deepEqual(Object.keys(count.accepted), ['apk-dependency-info']);
      else if (one.name !== 'v2, packed otherwise') t.deepEqual(count.accepted, {});
      t.true(count.byLedger > 0);
      t.is(count.bySignature > 0, mutated === 'published');
      const accepted = Object.values(count.accepted).reduce((sum, bits) => sum + bits, 0);
      t.is(count.byLedger + count.bySignature + count.repacked + accepted, count.bits);
      t.log(JSON.stringify({ ...count, violations: count.violations.length }));
    });
  }
