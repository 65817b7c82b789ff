// SPDX-License-Identifier: Apache-2.0
/** One published name with several possible twins, and several published names for one kind of file. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { PairPlan } from '../../src/model.js';
import { choosePairs, namesThatFit } from '../../src/pipeline/choose-pairs.js';
import { buildManifest } from '../helpers/build-axml.js';
import { buildZip } from '../helpers/build-zip.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const flavour = (output: string, remainder: number): PairPlan => ({
  published: 'play.apk',
  output,
  when: { versionCode: { modulus: 10, remainder } },
});
const ofAbi = (abi: string): PairPlan => ({ published: `${abi}.apk`, output: abi, when: { abi } });

function apk(
  t: ExecutionContext,
  versionCode: number,
  abis: readonly string[] = [],
): { readonly name: string; readonly path: string } {
  const file = path.join(temporaryDirectory(t), 'any.apk');
  writeFileSync(
    file,
    buildZip([
      { name: 'AndroidManifest.xml', data: buildManifest({ versionCode }) },
      ...abis.map((abi) => ({ name: `lib/${abi}/libchat.so`, data: 'code' })),
    ]),
  );
  return { name: 'play.apk', path: file };
}

test('the last digit of the version code chooses the flavour', async (t) => {
  const pairs = [flavour('plain', 1), flavour('sdk23', 2)];
  for (const [code, output] of [
    [70991, 'plain'],
    [70992, 'sdk23'],
  ] as const)
    t.deepEqual(
      (await choosePairs({ pairs }, [apk(t, code)])).pairs.map((pair) => pair.output),
      [output],
    );
});

test('a version code of no flavour has no twin, and both are named', async (t) => {
  const { pairs, unfit } = await choosePairs({ pairs: [flavour('plain', 1)] }, [apk(t, 70999)]);
  t.deepEqual(pairs, []);
  t.deepEqual(unfit, [
    'play.apk has versionCode 70999 and code for no ABI, expected plain (versionCode mod 10 = 1)',
  ]);
});

test('a file that is no APK fits nothing', async (t) => {
  const file = path.join(temporaryDirectory(t), 'x.apk');
  writeFileSync(file, 'no archive');
  const { pairs, unfit } = await choosePairs({ pairs: [flavour('plain', 1)] }, [
    { name: 'play.apk', path: file },
  ]);
  t.deepEqual(pairs, []);
  t.is(unfit.length, 1);
});

test('pairs without condition are left as they are, and no file is read', async (t) => {
  const pairs = [{ published: 'a', output: 'a' }];
  t.deepEqual(await choosePairs({ pairs }, [{ name: 'a', path: '/nonexistent' }]), { pairs, unfit: [] });
});

test('a file of any name is recognised by its native code', async (t) => {
  const pairs = ['arm64-v8a', 'x86_64'].map(ofAbi);
  t.deepEqual(await namesThatFit(pairs, apk(t, 1, ['arm64-v8a']).path), ['arm64-v8a.apk']);
  // one that serves both is neither
  t.deepEqual(await namesThatFit(pairs, apk(t, 1, ['arm64-v8a', 'x86_64']).path), []);
  t.deepEqual(await namesThatFit(pairs, apk(t, 1).path), []);
});

test('pairs of names that nobody has stay: they are told as not obtained', async (t) => {
  const pairs = ['arm64-v8a', 'x86_64'].map(ofAbi);
  const published = [{ ...apk(t, 1, ['x86_64']), name: 'x86_64.apk' }];
  const chosen = await choosePairs({ pairs }, published);
  t.deepEqual(chosen, { pairs, unfit: [] });
});
