// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import fc from 'fast-check';
import { outsideCommonOrder, pairMembers, withOccurrences } from '../../src/compare/align.js';

const names = fc
  .array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 20 })
  .map((list) => list.map((name) => Buffer.from(name)));

test('pairing is one-to-one, by name and occurrence, and leaves nobody out', (t) => {
  fc.assert(
    fc.property(names, names, (published, rebuilt) => {
      const p = withOccurrences(published);
      const r = withOccurrences(rebuilt);
      const { pairs, onlyPublished, onlyRebuilt } = pairMembers(p, r);
      for (const pair of pairs) t.deepEqual(p[pair.published], r[pair.rebuilt]);
      t.deepEqual([...pairs.map((pair) => pair.published), ...onlyPublished].sort(), [...p.keys()].sort());
      t.deepEqual([...pairs.map((pair) => pair.rebuilt), ...onlyRebuilt].sort(), [...r.keys()].sort());
      const count = (list: readonly Buffer[], name: string): number =>
        list.filter((raw) => raw.toString() === name).length;
      const expected = ['a', 'b', 'c', 'd'].reduce(
        (sum, name) => sum + Math.min(count(published, name), count(rebuilt, name)),
        0,
      );
      t.is(pairs.length, expected);
    }),
  );
});

test('names that differ in one invalid byte do not pair', (t) => {
  const p = withOccurrences([Buffer.from([0x61, 0xff])]);
  const r = withOccurrences([Buffer.from([0x61, 0xfe])]);
  t.is(pairMembers(p, r).pairs.length, 0);
});

test('__proto__ and numbers are names like any other', (t) => {
  const list = ['__proto__', '10', '9', 'constructor'].map((name) => Buffer.from(name));
  t.is(pairMembers(withOccurrences(list), withOccurrences([...list].reverse())).pairs.length, 4);
});

test('what stays inside is a longest increasing subsequence', (t) => {
  const permutation = fc.integer({ min: 0, max: 9 }).chain((n) => {
    const all = Array.from({ length: n }, (_, index) => index);
    return fc.shuffledSubarray(all, { minLength: n, maxLength: n });
  });
  fc.assert(
    fc.property(permutation, (ranks) => {
      const outside = outsideCommonOrder(ranks);
      const inside = ranks.filter((_, position) => !outside.has(position));
      t.deepEqual(
        inside,
        [...inside].sort((a, b) => a - b),
      );
      t.is(inside.length, longest(ranks));
    }),
    { numRuns: 300 },
  );
});

/** By trying every subset: slow and sure. */
function longest(ranks: readonly number[]): number {
  let best = 0;
  for (let mask = 0; mask < 1 << ranks.length; mask++) {
    const chosen = ranks.filter((_, index) => (mask >> index) & 1);
    if (chosen.every((rank, index) => index === 0 || rank > (chosen[index - 1] ?? 0)))
      best = Math.max(best, chosen.length);
  }
  return best;
}
