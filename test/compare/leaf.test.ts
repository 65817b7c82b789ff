// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import fc from 'fast-check';
import { BufferSource } from '../../src/bytes.js';
import { compareLeaf, PositionScanner } from '../../src/compare/leaf.js';
import { LedgerBuilder } from '../../src/compare/ledger.js';
import type { SideLedger } from '../../src/compare/types.js';

function ledgers(p: Uint8Array, r: Uint8Array): readonly [SideLedger, SideLedger] {
  const sides = { published: new LedgerBuilder(p.length), rebuilt: new LedgerBuilder(r.length) };
  compareLeaf(new BufferSource(p), new BufferSource(r), (side, offset, length, owner) =>
    sides[side].add(offset, length, owner, 'data'),
  );
  return [sides.published.finish(), sides.rebuilt.finish()];
}

const smallBytes = fc.uint8Array({ maxLength: 40, max: 3 });

test('both sides tile; identical bytes are as many on both sides; all identical means equal', (t) => {
  fc.assert(
    fc.property(smallBytes, smallBytes, (p, r) => {
      const [a, b] = ledgers(p, r);
      t.is(a.sums.identical, b.sums.identical);
      t.is(
        a.sums.identical === p.length && b.sums.identical === r.length,
        Buffer.from(p).equals(Buffer.from(r)),
      );
    }),
    { numRuns: 500 },
  );
});

test('of equal length, exactly the unequal positions are different', (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 60, max: 2 }),
      fc.infiniteStream(fc.integer({ min: 0, max: 2 })),
      (p, noise) => {
        const r = p.map((byte) => ((noise.next().value ?? 0) === 0 ? byte ^ 1 : byte));
        const [a] = ledgers(p, r);
        const expected = p.reduce((count, byte, index) => count + (byte === r[index] ? 0 : 1), 0);
        t.is(a.sums.different, expected);
      },
    ),
  );
});

test('a published file that is a prefix leaves missing bytes; a longer one different bytes', (t) => {
  const [a, b] = ledgers(Buffer.from('abc'), Buffer.from('abcdef'));
  t.is(a.sums.different + a.sums.missing, 0);
  t.is(b.sums.missing, 3);
  const [c, d] = ledgers(Buffer.from('abcdef'), Buffer.from('abc'));
  t.is(c.sums.different, 3);
  t.is(d.sums.identical, 3);
});

test('the scanner gives the same runs however the streams are cut', (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 80, max: 1 }),
      fc.integer({ min: 1, max: 13 }),
      (p, cut) => {
        const r = p.map((byte, index) => (index % 7 === 0 ? byte ^ 1 : byte));
        const seen: string[] = [];
        const scanner = new PositionScanner((side, offset, length, owner) => {
          if (owner !== 'identical') seen.push(`${side} ${offset} ${length}`);
        });
        for (let at = 0; at < p.length; at += cut)
          scanner.push(Buffer.from(p.subarray(at, at + cut)), Buffer.from(r.subarray(at, at + cut)));
        scanner.finish();
        t.deepEqual(seen.length, 2 * Math.ceil(p.length / 7));
      },
    ),
  );
});

test('a leaf of a million scattered differences keeps its runs bounded', (t) => {
  const p = Buffer.alloc(2_000_000);
  const r = Buffer.alloc(2_000_000);
  for (let i = 0; i < r.length; i += 2) r[i] = 1;
  const [a] = ledgers(p, r);
  t.true(a.runs.length <= 10_001);
  t.true(a.sums.different >= 1_000_000);
});
