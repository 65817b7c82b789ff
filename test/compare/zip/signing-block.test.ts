// SPDX-License-Identifier: Apache-2.0
/** Pairs that only their writer can read: left out by a rule of their own, and no byte beside them. */
import test from 'ava';
import type { CompareOptions } from '../../../src/compare/compare.js';
import type { RuleName } from '../../../src/model.js';
import { buildZip } from '../../helpers/build-zip.js';
import { compareBuffers } from '../../helpers/compare-buffers.js';
import { insertBlock, newIdentity, signerPair, signingBlock, type Pair } from '../../helpers/sign-apk.js';

const DEPENDENCY_INFO = 0x504b4453;
const FROSTING = 0x2146444e;
const identity = newIdentity();
const unsigned = buildZip([{ name: 'classes.dex', data: 'code'.repeat(100) }]);
const v2 = signerPair('v2', unsigned, [{ identity }]);
const signed = (...pairs: readonly Pair[]): Buffer => insertBlock(unsigned, signingBlock([v2, ...pairs]));
const play: CompareOptions = { rules: ['play-frosting'] };

const CASES = [
  ['dependency info', DEPENDENCY_INFO, 'apk-dependency-info', {}, 256 << 10],
  ['Play frosting', FROSTING, 'play-frosting', play, 16 << 10],
] as const satisfies readonly (readonly [string, number, RuleName, CompareOptions, number])[];

for (const [what, id, rule, options, limit] of CASES) {
  test(`${what}: exactly the bytes of the pair are left out`, async (t) => {
    for (const size of [0, 1, 300, limit]) {
      const { verdict, pair } = await compareBuffers(
        signed({ id, value: Buffer.alloc(size, 7) }),
        unsigned,
        options,
      );
      t.deepEqual(verdict, {
        kind: 'equivalent',
        excludedBytes: size + 12,
        reencodedBytes: 0,
        rules: [rule],
      });
      t.is(pair.signature.status, 'verified');
      const { runs, sums } = pair.nodes[0]?.published ?? { runs: [], sums: undefined };
      const left = runs.filter(({ owner }) => owner === 'excluded');
      t.deepEqual(
        left.map((run) => [run.length, run.rule]),
        [[size + 12, rule]],
      );
      t.is(sums?.unread, 0);
    }
  });

  test(`${what}: one byte more than its bound is not left out`, async (t) => {
    const { verdict, pair } = await compareBuffers(
      signed({ id, value: Buffer.alloc(limit + 1) }),
      unsigned,
      options,
    );
    t.is(verdict.kind, 'unverifiable');
    t.deepEqual(
      pair.signature.issues.map(({ code }) => code),
      ['pair-too-large'],
    );
  });

  test(`${what}: a second one is not left out`, async (t) => {
    const one = { id, value: Buffer.from('one') };
    const { verdict, pair } = await compareBuffers(
      signed(one, { id, value: Buffer.from('two') }),
      unsigned,
      options,
    );
    t.is(verdict.kind, 'unverifiable');
    t.deepEqual(
      pair.signature.issues.map(({ code }) => code),
      ['duplicate-pair'],
    );
  });

  test(`${what}: nothing beside it is left out`, async (t) => {
    const published = signed({ id, value: Buffer.from('one') });
    const other = buildZip([{ name: 'classes.dex', data: 'c0de'.repeat(100) }]);
    t.is((await compareBuffers(published, other, options)).verdict.kind, 'unreproducible');
    const unknown = await compareBuffers(
      signed({ id, value: Buffer.from('one') }, { id: 0x12345678, value: Buffer.from('two') }),
      unsigned,
      options,
    );
    t.is(unknown.verdict.kind, 'unverifiable');
    t.is(unknown.pair.nodes[0]?.published.sums.excluded, 0);
  });

  test(`${what}: no signature without a signer`, async (t) => {
    const block = insertBlock(unsigned, signingBlock([{ id, value: Buffer.from('one') }]));
    const { verdict, pair } = await compareBuffers(block, unsigned, options);
    t.is(verdict.kind, 'unverifiable');
    t.deepEqual(
      pair.signature.issues.map(({ code }) => code),
      ['no-known-scheme'],
    );
  });

  test(`${what}: on both sides`, async (t) => {
    const [one, two] = [signed({ id, value: Buffer.from('one') }), signed({ id, value: Buffer.from('two') })];
    const differ = await compareBuffers(one, two, options);
    t.is(differ.verdict.kind, 'equivalent');
    t.is(differ.pair.rules.find((applied) => applied.rule === rule)?.rebuiltBytes, 15);
    // equal bytes need no rule
    t.is((await compareBuffers(one, one, options)).verdict.kind, 'reproducible');
    t.is((await compareBuffers(unsigned, one, options)).verdict.kind, 'equivalent');
  });
}

test('without its rule, what Play adds is unread, and the rest of the block is still a signature', async (t) => {
  const { verdict, pair } = await compareBuffers(
    signed({ id: FROSTING, value: Buffer.from('one') }),
    unsigned,
  );
  t.is(verdict.kind, 'unverifiable');
  t.deepEqual(
    pair.unverifiable.map(({ code }) => code),
    ['unread'],
  );
  const sums = pair.nodes[0]?.published.sums;
  t.is(sums?.unread, 15);
  t.true((sums?.signature ?? 0) >= 4096 - 15);
});
