// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import {
  bestDensity,
  languageOf,
  readDeviceSpecification,
  selects,
  targetingOf,
  type DeviceSpecification,
} from '../../src/compare/device-specification.js';

const NOWHERE: DeviceSpecification = { abis: [], languages: [], density: 0, sdk: 0 };

test('what bundletool writes of a device', (t) => {
  const text = JSON.stringify({
    supportedAbis: ['arm64-v8a', 'armeabi-v7a'],
    supportedLocales: ['de-DE', 'de-AT', 'iw-IL'],
    deviceFeatures: ['android.hardware.camera'],
    screenDensity: 440,
    sdkVersion: 34,
  });
  t.deepEqual(readDeviceSpecification(text, 'device.json'), {
    abis: ['arm64-v8a', 'armeabi-v7a'],
    languages: ['de', 'he'],
    density: 440,
    sdk: 34,
  });
});

test('old and new codes are one language', (t) => {
  for (const [locale, language] of [
    ['iw', 'he'],
    ['he-IL', 'he'],
    ['in_ID', 'id'],
    ['ji', 'yi'],
    ['zh-Hans-CN', 'zh'],
    ['PT-br', 'pt'],
  ] as const)
    t.is(languageOf(locale), language);
});

test('configurations by their names', (t) => {
  t.like(targetingOf('arm64_v8a'), { abis: ['arm64-v8a'], otherDimensions: false });
  t.like(targetingOf('x86_64'), { abis: ['x86_64'] });
  t.like(targetingOf('tvdpi'), { densities: [213] });
  t.like(targetingOf('fil'), { languages: ['fil'] });
  t.true(targetingOf('astc').otherDimensions);
  t.true(targetingOf('constructor').otherDimensions);
});

test('densities as Android chooses them: larger ones are better than smaller ones, not at any price', (t) => {
  const all = [120, 160, 240, 320, 480, 640];
  for (const [wanted, best] of [
    [100, 120],
    [160, 160],
    [213, 240],
    [263, 240],
    [264, 320],
    [421, 480],
    [560, 640],
    [1000, 640],
  ] as const)
    t.is(bestDensity(all, wanted), best, String(wanted));
  // the positive root of d² + 640 d - 2 · 120 · 640 is 185.96
  t.is(bestDensity([640, 120], 185), 120);
  t.is(bestDensity([640, 120], 186), 640);
  t.is(bestDensity([], 160), undefined);
});

test('in doubt a device gets a split', (t) => {
  const arm = targetingOf('arm64_v8a');
  const intel = targetingOf('x86_64');
  const unknown = targetingOf('tier_1');
  t.true(selects(undefined, arm, [arm, intel], []).selected);
  t.false(selects(undefined, arm, [arm, intel], [intel]).selected);
  t.true(selects({ ...NOWHERE, sdk: 34 }, arm, [arm, intel], []).selected);
  t.false(selects({ ...NOWHERE, abis: ['x86_64', 'arm64-v8a'] }, arm, [arm, intel], []).selected);
  // what the device prefers is not there
  t.true(selects({ ...NOWHERE, abis: ['x86_64', 'arm64-v8a'] }, arm, [arm], []).selected);
  t.true(selects({ ...NOWHERE, abis: ['x86_64'] }, unknown, [unknown], [unknown]).selected);
  t.deepEqual(selects({ ...NOWHERE, sdk: 28 }, { ...arm, minSdk: 29 }, [arm], []), {
    selected: false,
    why: 'other-sdk',
  });
});
