// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import fc from 'fast-check';
import { isWorse, LedgerBuilder, worst, worstOf } from '../../src/compare/ledger.js';
import { OWNERS, type Owner } from '../../src/compare/types.js';

const owner = fc.constantFrom(...OWNERS);
const pieces = fc.array(
  fc.record({ length: fc.integer({ min: 1, max: 50 }), owner, region: fc.constantFrom('a', 'b') }),
  {
    minLength: 1,
    maxLength: 60,
  },
);

/** Pieces with offsets, in a random order of arrival. */
const scattered = pieces.chain((list) => {
  let offset = 0;
  const placed = list.map((piece) => {
    const at = { ...piece, offset };
    offset += piece.length;
    return at;
  });
  return fc.record({
    size: fc.constant(offset),
    placed: fc.constant(placed),
    arrival: fc.shuffledSubarray(placed, { minLength: placed.length, maxLength: placed.length }),
  });
});

test('sums add up to the size and runs tell every byte, whatever the order of arrival', (t) => {
  fc.assert(
    fc.property(scattered, ({ size, placed, arrival }) => {
      const builder = new LedgerBuilder(size);
      for (const piece of arrival) builder.add(piece.offset, piece.length, piece.owner, piece.region);
      const ledger = builder.finish();
      t.is(
        Object.values(ledger.sums).reduce((a, b) => a + b, 0),
        size,
      );
      const owners: Owner[] = Array.from({ length: size }, () => 'identical');
      for (const run of ledger.runs) owners.fill(run.owner, run.offset, run.offset + run.length);
      const expected = placed.flatMap((piece) => Array.from({ length: piece.length }, () => piece.owner));
      t.deepEqual(owners, expected);
    }),
    { numRuns: 200 },
  );
});

test('neighbouring runs of one owner and region are one run', (t) => {
  fc.assert(
    fc.property(scattered, ({ size, arrival }) => {
      const builder = new LedgerBuilder(size);
      for (const piece of arrival) builder.add(piece.offset, piece.length, piece.owner, piece.region);
      const { runs } = builder.finish();
      for (const [index, run] of runs.entries()) {
        const next = runs[index + 1];
        if (next !== undefined && run.offset + run.length === next.offset)
          t.false(run.owner === next.owner && run.region === next.region);
      }
      t.pass();
    }),
  );
});

test('a byte without an owner is a bug, and so is one with two', (t) => {
  const gap = new LedgerBuilder(10);
  gap.add(0, 4, 'identical', '');
  gap.add(5, 5, 'identical', '');
  t.throws(() => gap.finish(), { message: /does not tile/ });
  const twice = new LedgerBuilder(10);
  twice.add(0, 6, 'identical', '');
  twice.add(5, 5, 'different', 'x');
  t.throws(() => twice.finish(), { message: /does not tile/ });
  const short = new LedgerBuilder(10);
  short.add(0, 9, 'identical', '');
  t.throws(() => short.finish(), { message: /9 of 10/ });
});

test('a run outside the file is refused at once', (t) => {
  const builder = new LedgerBuilder(10);
  t.throws(() => builder.add(8, 3, 'identical', ''), { instanceOf: RangeError });
  t.throws(() => builder.add(-1, 3, 'identical', ''), { instanceOf: RangeError });
});

test('the rank is that of the design: different and missing weigh the same, identical is best', (t) => {
  t.is(worst('identical', 'signature'), 'signature');
  t.is(worst('reencoded', 'excluded'), 'excluded');
  t.is(worst('encrypted', 'unread'), 'unread');
  t.is(worst('unread', 'missing'), 'missing');
  t.is(worst('missing', 'different'), 'missing');
  t.is(worst('different', 'missing'), 'different');
  t.false(isWorse('different', 'missing'));
  t.false(isWorse('missing', 'different'));
  t.is(worst(), 'identical');
});

test('the worst owner of a ledger is the worst that has a byte', (t) => {
  const builder = new LedgerBuilder(3);
  builder.add(0, 1, 'identical', '');
  builder.add(1, 1, 'unread', 'x');
  builder.add(2, 1, 'signature', 'y');
  t.is(worstOf(builder.finish()), 'unread');
});
