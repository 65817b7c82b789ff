// SPDX-License-Identifier: Apache-2.0
/** Every attack of the catalogue gets exactly its verdict. */
import test from 'ava';
import { attacks } from './index.js';
import { judge } from './attack-verdict.js';
import { makeBase } from './base.js';
import { legitimate } from './legitimate.js';

const base = makeBase();

test('each attack has a name, a family and one line of explanation', (t) => {
  const names = attacks.map(({ name, manner }) => `${name}, ${manner}`);
  t.is(new Set(names).size, names.length);
  for (const { explanation, source } of attacks)
    t.true(explanation.length > 0 && !/\n/.test(explanation) && source.length > 0);
  // nothing that is done to a file ends with exit 0
  for (const { expected } of attacks) t.true(expected.exit > 0);
});

for (const { name, make, expected } of legitimate)
  test(`accepted: ${name}`, async (t) => {
    const { verdict, exit, codes } = await judge(make(base));
    t.is(verdict.kind, expected, [...codes].sort().join(' '));
    t.is(exit, 0);
  });

for (const { name, manner, make, expected } of attacks)
  test(`${name}, ${manner}`, async (t) => {
    const { verdict, exit, codes } = await judge(make(base));
    const said = [...codes].sort().join(' ');
    t.is(verdict.kind, expected.kind, said);
    t.is(exit, expected.exit);
    if (expected.code !== undefined) t.true(codes.has(expected.code), said);
  });
