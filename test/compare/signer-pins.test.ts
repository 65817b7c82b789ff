// SPDX-License-Identifier: Apache-2.0
/** Which signer an Android version looks at, and which pins allow it. */
import test from 'ava';
import fc from 'fast-check';
import { checkPins, describeRange, signersInUse } from '../../src/compare/signer-pins.js';
import type { SignerRecord } from '../../src/compare/types.js';
import type { SignerPin } from '../../src/model.js';

const LAST = 0x7fffffff;
const signer = (
  scheme: string,
  certificateSha256: string,
  minSdk?: number,
  maxSdk?: number,
): SignerRecord => ({
  scheme,
  certificateSha256,
  subject: `CN=${certificateSha256}`,
  keyType: 'rsa',
  keyBits: 2048,
  ...(minSdk === undefined ? {} : { minSdk }),
  ...(maxSdk === undefined ? {} : { maxSdk }),
});
const pin = (sha256: string, minSdk?: number, maxSdk?: number): SignerPin => ({
  sha256,
  statedBy: 'publisher',
  source: 'test',
  ...(minSdk === undefined ? {} : { minSdk }),
  ...(maxSdk === undefined ? {} : { maxSdk }),
});
const unpinned = (signers: readonly SignerRecord[], pins: readonly SignerPin[], minSdk = 24) =>
  checkPins(signers, pins, minSdk).unpinned.map(
    (found) => `${found.signer.scheme} ${found.signer.certificateSha256} ${describeRange(found.range)}`,
  );

const BOTH = [signer('v2', 'old'), signer('v3', 'new', 28, LAST)];
const ROTATED = [signer('v2', 'old'), signer('v3', 'old', 24, 32), signer('v3.1', 'new', 33, LAST)];

test('a version looks at the newest scheme that it knows and the file has', (t) => {
  const seen = (signers: readonly SignerRecord[], sdk: number): string =>
    signersInUse(signers, sdk)
      .map((one) => `${one.scheme} ${one.certificateSha256}`)
      .join();
  t.is(seen(BOTH, 23), '');
  t.is(seen(BOTH, 24), 'v2 old');
  t.is(seen(BOTH, 27), 'v2 old');
  t.is(seen(BOTH, 28), 'v3 new');
  t.is(seen(ROTATED, 32), 'v3 old');
  t.is(seen(ROTATED, 33), 'v3.1 new');
  t.is(seen([signer('v1', 'a'), signer('v2', 'b')], 23), 'v1 a');
  t.is(seen([signer('v1', 'a'), signer('v2', 'b')], 24), 'v2 b');
  t.is(seen([signer('v1', 'a')], 34), 'v1 a');
});

test('one pin without range allows its certificate everywhere', (t) => {
  t.deepEqual(unpinned([signer('v2', 'old')], [pin('old')]), []);
  t.deepEqual(unpinned(BOTH, [pin('old'), pin('new')]), []);
  t.deepEqual(unpinned(BOTH, [pin('new')]), ['v2 old SDK 24 to 27']);
  t.deepEqual(unpinned(BOTH, [pin('old')]), ['v3 new SDK 28 and later']);
});

test('a pin up to SDK 32 does not accept the signer that SDK 33 uses', (t) => {
  t.deepEqual(unpinned([signer('v2', 'old')], [pin('old', undefined, 32), pin('new', 33)]), [
    'v2 old SDK 33 and later',
  ]);
  t.deepEqual(unpinned([signer('v3', 'old', 24, LAST)], [pin('old', undefined, 32), pin('new', 33)]), [
    'v3 old SDK 33 and later',
  ]);
  t.deepEqual(unpinned(ROTATED, [pin('old', undefined, 32), pin('new', 33)]), []);
  t.deepEqual(unpinned(ROTATED, [pin('old', undefined, 30), pin('new', 33)]), ['v3 old SDK 31 to 32']);
  t.deepEqual(unpinned(ROTATED, [pin('new')]), ['v2 old SDK 24 to 27', 'v3 old SDK 28 to 32']);
});

test('a signer that no supported version uses needs no pin', (t) => {
  t.deepEqual(unpinned(BOTH, [pin('new')], 28), []);
  t.deepEqual(unpinned(BOTH, [pin('new')], 27), ['v2 old SDK 27']);
  t.true(checkPins([signer('v3', 'new', 1, 20)], [pin('new')], 24).unused);
  t.false(checkPins(BOTH, [pin('new')], 24).unused);
});

test('an added v3 signer for a future version is seen', (t) => {
  t.deepEqual(unpinned([...BOTH, signer('v3', 'evil', 90, 91)], [pin('old'), pin('new')]), [
    'v3 evil SDK 90 to 91',
  ]);
});

const rotatedBy = (...certificates: readonly string[]): SignerRecord => ({
  ...signer('v3', certificates.at(-1) ?? '', 28, LAST),
  lineage: certificates.map((certificateSha256) => ({
    certificateSha256,
    subject: `CN=${certificateSha256}`,
    capabilities: [],
  })),
});
const rotated = (signers: readonly SignerRecord[], pins: readonly SignerPin[]): string[] =>
  checkPins(signers, pins, 24).rotated.map(
    (found) => `${found.signer.certificateSha256} from ${found.pin.sha256} ${describeRange(found.range)}`,
  );

test('a key that a pinned one signed for is accepted, and told', (t) => {
  const signers = [signer('v2', 'old'), rotatedBy('old', 'middle', 'new')];
  t.deepEqual(unpinned(signers, [pin('old')]), []);
  t.deepEqual(rotated(signers, [pin('old')]), ['new from old SDK 28 and later']);
  t.deepEqual(rotated(signers, [pin('old'), pin('middle')]), ['new from middle SDK 28 and later']);
  // pinned itself, it needs no lineage
  t.deepEqual(rotated(signers, [pin('old'), pin('new')]), []);
});

test('a lineage from another key, or from one that is pinned for other versions, allows nothing', (t) => {
  t.deepEqual(unpinned([rotatedBy('other', 'new')], [pin('old')]), ['v3 new SDK 28 and later']);
  t.deepEqual(unpinned([rotatedBy('old', 'evil')], [pin('old', undefined, 32), pin('new', 33)]), [
    'v3 evil SDK 33 and later',
  ]);
  t.deepEqual(rotated([rotatedBy('old', 'evil')], [pin('old', undefined, 32), pin('new', 33)]), [
    'evil from old SDK 28 to 32',
  ]);
});

test('a pinned key that is newer than the signer says nothing for it', (t) => {
  t.deepEqual(unpinned([rotatedBy('old')], [pin('new')]), ['v3 old SDK 28 and later']);
});

test('the first version of a signer for the release after it may see both signers', (t) => {
  const signers = [signer('v3', 'old', 28, 34), { ...signer('v3.1', 'new', 34, LAST), development: true }];
  t.deepEqual(unpinned(signers, [pin('new')], 33), ['v3 old SDK 33 to 34']);
  t.deepEqual(unpinned(signers, [pin('old')], 34), ['v3.1 new SDK 34 and later']);
  t.deepEqual(unpinned(signers, [pin('old', undefined, 33), pin('new', 34)], 33), ['v3 old SDK 34']);
});

test('an unknown or lower SDK never accepts more', (t) => {
  const certificate = fc.constantFrom('a', 'b', 'c');
  const sdk = fc.integer({ min: 1, max: 40 });
  const signers = fc.array(
    fc
      .tuple(fc.constantFrom('v1', 'v2', 'v3', 'v3.1'), certificate, sdk, sdk)
      .map(([scheme, who, x, y]) =>
        scheme === 'v1' || scheme === 'v2'
          ? signer(scheme, who)
          : signer(scheme, who, Math.min(x, y), Math.max(x, y)),
      ),
    { maxLength: 5 },
  );
  const pins = fc.array(
    fc.tuple(certificate, sdk, sdk).map(([who, x, y]) => pin(who, Math.min(x, y), Math.max(x, y))),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(signers, pins, sdk, sdk, (all, allowed, x, y) => {
      const [low, high] = [Math.min(x, y), Math.max(x, y)];
      const atHigh = checkPins(all, allowed, high).unpinned;
      // against a model that asks each version by itself
      const model = new Set<string>();
      for (let at = low; at <= 60; at++)
        for (const one of signersInUse(all, at))
          if (
            !allowed.some(
              (p) => p.sha256 === one.certificateSha256 && (p.minSdk ?? 1) <= at && at <= (p.maxSdk ?? LAST),
            )
          )
            model.add(`${all.indexOf(one)} ${at}`);
      const found = new Set<string>();
      for (const { signer: one, range } of checkPins(all, allowed, low).unpinned)
        for (let at = range.from; at <= Math.min(60, range.to); at++) found.add(`${all.indexOf(one)} ${at}`);
      return (
        [...model].every((key) => found.has(key)) &&
        found.size === model.size &&
        (atHigh.length === 0 || found.size > 0)
      );
    }),
    { numRuns: 2000 },
  );
  t.pass();
});
