// SPDX-License-Identifier: Apache-2.0
/** Code that the store adds is a cause that is told; it moves no verdict. */
import test from 'ava';
import { buildZip, type ZipMember } from '../../helpers/build-zip.js';
import { compareBuffers } from '../../helpers/compare-buffers.js';

const dex = (text: string): string => `dex\n035\0${text}`.padEnd(400, '.');
const apk = (code: string, ...more: readonly ZipMember[]): Buffer =>
  buildZip([{ name: 'classes.dex', data: dex(code) }, ...more]);
const library: ZipMember = { name: 'lib/arm64-v8a/libpairipcore.so', data: '\x7fELF', method: 0 };

test('classes of com.pairip that only the published DEX names', async (t) => {
  const { pair, verdict } = await compareBuffers(apk('Lcom/pairip/VMRunner;'), apk('Lorg/example/Main;'));
  t.is(verdict.kind, 'unreproducible');
  t.like(
    pair.differences.find(({ kind }) => kind === 'bytes'),
    { path: ['classes.dex'], cause: { kind: 'store-protection' } },
  );
});

test('such names on both sides, on the rebuilt side alone, or outside of a DEX explain nothing', async (t) => {
  const other = (text: string): Buffer => buildZip([{ name: 'classes.dex', data: Buffer.from(`\0${text}`) }]);
  for (const [published, rebuilt] of [
    [apk('Lcom/pairip/VMRunner;'), apk('Lcom/pairip/VMRunner;x')],
    [apk('Lorg/example/Main;'), apk('Lcom/pairip/VMRunner;')],
    [apk('Lcom/pairipX/VMRunner;'), apk('Lorg/example/Main;')],
    [other('Lcom/pairip/VMRunner;'), other('Lorg/example/Main;;;;')],
  ] as const) {
    const { pair, verdict } = await compareBuffers(published, rebuilt, { rules: ['play-stamp-cert'] });
    t.is(verdict.kind, 'unreproducible');
    t.true(pair.differences.every((one) => !('cause' in one) || one.cause?.kind !== 'store-protection'));
  }
});

test('its library, in the published file only', async (t) => {
  const { pair, verdict } = await compareBuffers(apk('x', library), apk('x'));
  t.is(verdict.kind, 'unreproducible');
  t.like(
    pair.differences.find(({ kind }) => kind === 'only-published'),
    { path: [library.name], cause: { kind: 'store-protection' } },
  );
  for (const name of [
    'lib/arm64-v8a/libpairipcore.so.1',
    'lib/libpairipcore.so',
    'x/lib/a/libpairipcore.so',
  ]) {
    const found = await compareBuffers(apk('x', { ...library, name }), apk('x'));
    t.true(
      found.pair.differences.every((one) => !('cause' in one) || one.cause === undefined),
      name,
    );
  }
  const { pair: turned } = await compareBuffers(apk('x'), apk('x', library));
  t.true(turned.differences.every((one) => !('cause' in one) || one.cause === undefined));
});
