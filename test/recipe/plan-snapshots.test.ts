// SPDX-License-Identifier: Apache-2.0
/** Whole plans: a change of a recipe shows here in full. Renew with `npx ava --update-snapshots`. */
import test from 'ava';
import { debianFacts, planOf, readRecipe } from '../helpers/recipes.js';

for (const [app, version] of [
  ['weechat', '3.8-1'],
  ['bitlbee', '3.6-1.3'],
] as const)
  test(`the plan for ${app} ${version}, from a signed index`, (t) => {
    t.snapshot(planOf(readRecipe(app), '3.x', { facts: debianFacts(app, version) }));
  });
