// SPDX-License-Identifier: Apache-2.0
/** Bits of a small app, turned on one side or the other: exit 0 only at bytes that a rule declares. */
import test from 'ava';
import { RULE_SETS } from '../../src/model.js';
import { APP, buildIpa, type Program } from '../helpers/build-ipa.js';
import { jarIdentity } from '../helpers/sign-jar.js';
import { mixed, sweep } from './sweep.js';

const SEED = 20261129;
const SHARE = 4096;

const programs = (sign: Partial<Program>): Program[] => [
  {
    directory: APP,
    executable: 'Example',
    spec: {
      text: Buffer.alloc(64, 'main'),
      data: Buffer.alloc(32, 'data'),
      uuid: Buffer.alloc(16, 1),
      encryption: {},
    },
    bundle: { CFBundleIdentifier: 'org.example', CFBundleVersion: '1' },
    ...sign,
  },
];
const sign = { identity: jarIdentity('ec'), identifier: 'org.example', teamId: 'TEAM' };

for (const method of [0, 8] as const)
  for (const mutated of ['published', 'rebuilt'] as const)
    test(`one bit turned in an app, ${method === 0 ? 'stored' : 'deflated'}, ${mutated}`, async (t) => {
      const count = await sweep(
        {
          name: `app, method ${method}`,
          published: buildIpa({ programs: programs({ sign }), member: { method } }),
          rebuilt: buildIpa({ programs: programs({}), member: { method } }),
          options: { rules: RULE_SETS.appstore },
        },
        mutated,
        (bit) => mixed(SEED, bit) % (method === 0 ? SHARE : SHARE / 32) === 0,
      );
      t.deepEqual(count.violations, []);
      t.true(count.bits > 10);
      t.true(count.byLedger + count.bySignature + count.repacked > 0);
      // what a rule leaves out: the signature, times and permissions
      for (const rule of Object.keys(count.accepted))
        t.true(
          ['macho-code-signature', 'appstore-entry-records', 'identical', 'reencoded'].includes(rule),
          rule,
        );
      t.log(JSON.stringify({ ...count, violations: count.violations.length }));
    });
