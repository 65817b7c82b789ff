// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import type { Difference } from '../../../src/compare/types.js';
import { binaryOf, binaryPlist, collection, xmlPlist, type Plain } from '../../helpers/build-plist.js';
import { buildZip } from '../../helpers/build-zip.js';
import { compareBuffers } from '../../helpers/compare-buffers.js';

async function told(published: Buffer, rebuilt: Buffer): Promise<readonly Difference[]> {
  const zip = (data: Buffer): Buffer => buildZip([{ name: 'Info.plist', data }]);
  const { pair, verdict } = await compareBuffers(zip(published), zip(rebuilt));
  // an explanation moves no verdict
  if (verdict.kind !== 'unreproducible') throw new Error(verdict.kind);
  return pair.differences.filter(({ path }) => path.at(-1) === 'Info.plist' && path.length === 1);
}
const fields = (found: readonly Difference[]): string[] =>
  found.flatMap((one) =>
    one.kind === 'field' && one.field.startsWith('plist/')
      ? [
          `${one.field}: ${one.published} / ${one.rebuilt}${one.cause === undefined ? '' : ` (${one.cause.kind})`}`,
        ]
      : [],
  );

const VALUES: Record<string, Plain> = { CFBundleVersion: '7', DTXcode: '2600', list: ['a', 'b'] };

test('each key path that differs is told, in both forms', async (t) => {
  const other = { ...VALUES, CFBundleVersion: '8', DTXcode: '2610', list: ['a'], 'evil\u202e': true };
  for (const write of [binaryPlist, xmlPlist]) {
    const found = fields(await told(write(VALUES), write(other)));
    t.deepEqual(found.slice(0, 3), [
      'plist/CFBundleVersion: "7" / "8"',
      'plist/DTXcode: "2600" / "2610" (toolchain-version)',
      'plist/list[1]: "b" / absent',
    ]);
    // what turns the direction of text is not shown as it is
    t.regex(found[3] ?? '', /^plist\/"evil[^\u202e]*": absent \/ true$/);
  }
});

test('the same values in another form are a difference all the same', async (t) => {
  t.deepEqual(fields(await told(binaryPlist(VALUES), xmlPlist(VALUES))), ['plist/form: binary / xml']);
  const { list, ...rest } = VALUES;
  t.deepEqual(fields(await told(binaryPlist(VALUES), binaryPlist({ list: list ?? '', ...rest }))), [
    'plist/order of keys: another one in 1 dictionaries / ',
  ]);
  const text = Buffer.from('\x51a', 'latin1');
  t.deepEqual(
    fields(
      await told(
        binaryOf([collection(0xa0, 2, [1, 1]), text]),
        binaryOf([collection(0xa0, 2, [1, 2]), text, text]),
      ),
    ),
    ['plist/encoding: the same values / stored in another way'],
  );
});

test('bytes that no value shows are told with their place', async (t) => {
  const text = Buffer.from('\x51a', 'latin1');
  const found = await told(binaryOf([text, Buffer.from('\x54evil', 'latin1')]), binaryOf([text]));
  t.like(
    found.find(({ kind }) => kind === 'hidden'),
    { side: 'published', region: 'plist/unreferenced', offset: 10, length: 5 },
  );
});

test('a comment, and what is no property list, are told as text or bytes', async (t) => {
  const plain = xmlPlist(VALUES).toString('latin1');
  const commented = Buffer.from(plain.replace('<dict>', '<!-- x --><dict>'), 'latin1');
  t.true((await told(commented, Buffer.from(plain, 'latin1'))).some(({ kind }) => kind === 'text'));
  const broken = Buffer.from('bplist00 no more');
  t.true((await told(broken, binaryPlist(VALUES))).some(({ kind }) => kind === 'bytes'));
});
