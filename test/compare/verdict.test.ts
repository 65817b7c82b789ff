// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import fc from 'fast-check';
import { LedgerBuilder, worst, worstOf } from '../../src/compare/ledger.js';
import {
  OWNERS,
  type Owner,
  type PairComparison,
  type Proof,
  type VerdictInput,
} from '../../src/compare/types.js';
import { decideVerdict } from '../../src/compare/verdict.js';
import type { VerdictKind } from '../../src/model.js';

const PRECEDENCE: readonly VerdictKind[] = [
  'reproducible',
  'equivalent',
  'unverifiable',
  'unbuildable',
  'unreproducible',
  'not-authentic',
];
const rank = (kind: VerdictKind): number => PRECEDENCE.indexOf(kind);

/** A pair whose root holds one byte of each given owner on both sides. */
function pairOf(
  owners: readonly Owner[],
  proof: Proof = { kind: 'equal-bytes' },
  extra: Partial<PairComparison> = {},
): PairComparison {
  const builder = new LedgerBuilder(owners.length);
  for (const [offset, owner] of owners.entries()) builder.add(offset, 1, owner, 'x');
  const ledger = builder.finish();
  return {
    published: { name: 'app.apk', size: owners.length, sha256: 'p' },
    rebuilt: { name: 'app.apk', size: owners.length, sha256: 'r' },
    nodes: [{ path: [], format: 'zip', published: ledger, rebuilt: ledger, members: [] }],
    worst: worst(worstOf(ledger)),
    proof,
    signature: { status: 'verified', signers: [], issues: [] },
    identity: {},
    coverage: { matched: 0, total: 0, ratio: 0, rootMatched: 0, rootTotal: 0 },
    differences: [],
    differencesCut: 0,
    rules: [],
    unverifiable: [],
    notAuthentic: [],
    decoders: [],
    ...extra,
  };
}

function input(pairs: readonly PairComparison[], extra: Partial<VerdictInput> = {}): VerdictInput {
  return {
    comparison: { pairs, unpairedPublished: [], notObtained: [], unpairedRebuilt: [], notPublished: [] },
    unverifiable: [],
    notAuthentic: [],
    ...extra,
  };
}

const OF_OWNER = {
  identical: 'reproducible',
  signature: 'reproducible',
  reencoded: 'equivalent',
  excluded: 'equivalent',
  encrypted: 'unverifiable',
  unread: 'unverifiable',
  missing: 'unreproducible',
  different: 'unreproducible',
} as const satisfies Record<Owner, VerdictKind>;

test('every combination of owners gives the verdict of its worst', (t) => {
  for (let mask = 1; mask < 1 << OWNERS.length; mask++) {
    const owners = OWNERS.filter((_, index) => (mask >> index) & 1);
    const expected = PRECEDENCE[Math.max(...owners.map((owner) => rank(OF_OWNER[owner])))];
    t.is(decideVerdict(input([pairOf(owners)])).kind, expected ?? 'not-authentic', owners.join('+'));
  }
});

test('precedence over every combination of circumstances', (t) => {
  for (const authentic of [true, false])
    for (const built of [true, false])
      for (const reason of [true, false])
        for (const owner of OWNERS) {
          const verdict = decideVerdict(
            input([pairOf([owner])], {
              ...(built ? {} : { buildFailure: { phase: 'build' as const, exitCode: 2 } }),
              unverifiable: reason ? [{ code: 'artifact-in-inputs', detail: 'x' }] : [],
              notAuthentic: authentic ? [] : [{ code: 'signature-invalid', detail: 'x' }],
            }),
          ).kind;
          const candidates: VerdictKind[] = [OF_OWNER[owner]];
          if (!authentic) candidates.push('not-authentic');
          if (!built) candidates.push('unbuildable');
          if (reason) candidates.push('unverifiable');
          t.is(verdict, PRECEDENCE[Math.max(...candidates.map(rank))] ?? 'not-authentic');
        }
});

test('a set is as bad as its worst member, and adding a member never helps', (t) => {
  const pair = fc
    .array(fc.constantFrom(...OWNERS), { minLength: 1, maxLength: 4 })
    .map((owners) => pairOf(owners));
  fc.assert(
    fc.property(fc.array(pair, { minLength: 1, maxLength: 4 }), pair, (pairs, added) => {
      const before = rank(decideVerdict(input(pairs)).kind);
      const after = rank(decideVerdict(input([...pairs, added])).kind);
      t.true(after >= before);
      t.is(before, Math.max(...pairs.map((one) => rank(decideVerdict(input([one])).kind))));
    }),
  );
});

test('clean ledgers without a proof are not enough', (t) => {
  const unproven = decideVerdict(
    input([pairOf(['identical', 'signature'], { kind: 'none', why: 'no layout' })]),
  );
  t.deepEqual(unproven, {
    kind: 'unverifiable',
    reasons: [{ code: 'transplant-unsupported', detail: 'app.apk: no layout' }],
  });
  const failed: Proof = { kind: 'transplant', profile: 'plain', sha256: 'x', equal: false, takenBytes: 1 };
  t.is(decideVerdict(input([pairOf(['signature'], failed)])).kind, 'unverifiable');
  t.is(decideVerdict(input([pairOf(['signature'], { ...failed, equal: true })])).kind, 'reproducible');
});

test('a published file without a twin is not reproduced; one that was not obtained leaves the set incomplete', (t) => {
  const file = { name: 'split.apk', size: 1, sha256: 'x' };
  const set = {
    pairs: [pairOf(['identical'])],
    unpairedPublished: [],
    notObtained: [],
    unpairedRebuilt: [],
    notPublished: [],
  };
  t.deepEqual(decideVerdict({ ...input([]), comparison: { ...set, unpairedPublished: [file] } }), {
    kind: 'unreproducible',
    differentBytes: 0,
    missingBytes: 0,
    unpaired: ['split.apk'],
  });
  t.is(decideVerdict({ ...input([]), comparison: { ...set, notObtained: ['x.deb'] } }).kind, 'unverifiable');
  t.is(decideVerdict({ ...input([]), comparison: { ...set, unpairedRebuilt: [file] } }).kind, 'unverifiable');
  t.is(
    decideVerdict({
      ...input([]),
      comparison: { ...set, notPublished: [{ name: file.name, reason: 'symbols' }] },
    }).kind,
    'reproducible',
  );
});

test('nothing compared is never a success', (t) => {
  t.is(decideVerdict(input([])).kind, 'unverifiable');
  t.is(
    decideVerdict({ unverifiable: [{ code: 'no-source', detail: 'closed' }], notAuthentic: [] }).kind,
    'unverifiable',
  );
});

test('two empty files are equal, and that is no success; an empty one beside others is one', (t) => {
  const empty = pairOf([]);
  t.deepEqual(decideVerdict(input([empty])), {
    kind: 'unverifiable',
    reasons: [{ code: 'no-published-artifact', detail: 'what was compared is empty' }],
  });
  t.is(decideVerdict(input([empty, pairOf(['identical'])])).kind, 'reproducible');
});

test('reasons come sorted and once', (t) => {
  const verdict = decideVerdict({
    unverifiable: [
      { code: 'no-source', detail: 'b' },
      { code: 'encrypted', detail: 'a' },
      { code: 'no-source', detail: 'b' },
    ],
    notAuthentic: [],
  });
  t.deepEqual(verdict, {
    kind: 'unverifiable',
    reasons: [
      { code: 'encrypted', detail: 'a' },
      { code: 'no-source', detail: 'b' },
    ],
  });
});
