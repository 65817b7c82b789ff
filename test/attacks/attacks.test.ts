// SPDX-License-Identifier: Apache-2.0
/** Every attack of the catalogue gets exactly its verdict. */
import test from 'ava';
import { attacks } from './index.js';
import { judge } from './attack-verdict.js';
import { makeBase } from './base.js';

const base = makeBase();

for (const { name, manner, make, expected } of attacks)
  test(`${name}, ${manner}`, async (t) => {
    const { verdict, exit, codes } = await judge(make(base));
    const said = [...codes].sort().join(' ');
    t.is(verdict.kind, expected.kind, said);
    t.is(exit, expected.exit);
    if (expected.code !== undefined) t.true(codes.has(expected.code), said);
  });
