// SPDX-License-Identifier: Apache-2.0
/** Bits of a small app, turned on one side or the other, and before it is signed: exit 0 only at bytes that a rule declares. */
import test from 'ava';
import { appSweepCase } from './app-sweep-cases.js';
import { mixed, sweep } from './sweep.js';

const SEED = 20261129;
const SHARE = 4096;
/** What a rule leaves out: the signature, times and permissions. */
const DECLARED = ['macho-code-signature', 'appstore-entry-records', 'identical', 'reencoded'];

for (const method of [0, 8] as const)
  for (const mutated of ['published', 'rebuilt', 're-signed'] as const) {
    const one = appSweepCase(method);
    if (mutated === 're-signed' && one.resign === undefined) continue;
    test(`one bit turned in an ${one.name}, ${mutated}`, async (t) => {
      const count = await sweep(
        one,
        mutated,
        (bit) => mixed(SEED, bit) % (method === 0 ? SHARE : SHARE / 32) === 0,
      );
      t.deepEqual(count.violations, []);
      t.true(count.bits > 10);
      t.true(count.byLedger + count.bySignature + count.repacked > 0);
      for (const rule of Object.keys(count.accepted)) t.true(DECLARED.includes(rule), rule);
      t.log(JSON.stringify({ ...count, violations: count.violations.length }));
    });
  }
