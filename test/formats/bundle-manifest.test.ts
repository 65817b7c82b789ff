// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { FormatError } from '../../src/errors.js';
import { readBundleManifest } from '../../src/formats/bundle-manifest.js';
import { ATTRIBUTE } from '../helpers/build-axml.js';
import {
  buildBundleManifest,
  item,
  permission,
  protoAttribute,
  protoElement,
} from '../helpers/build-bundle-manifest.js';
import { field, varint } from '../helpers/build-protobuf.js';

test('a manifest by hand', (t) => {
  const maxSdk = protoAttribute('maxSdkVersion', 0x01010271, '28', item.decimal(28));
  const bytes = buildBundleManifest({
    children: [
      permission('android.permission.INTERNET'),
      permission('android.permission.CAMERA', 'uses-permission', maxSdk),
      permission('android.permission.CALL_PHONE', 'uses-permission-sdk-23'),
      protoElement('uses-permission', []),
    ],
    attributes: [protoAttribute('isFeatureSplit', 0x0101055b, 'true', item.boolean(true))],
  });
  t.deepEqual(readBundleManifest(bytes), {
    manifest: {
      package: 'org.example.chat',
      versionCode: { kind: 'integer', value: 7 },
      versionName: { kind: 'string', value: '1.7' },
      isFeatureSplit: { kind: 'integer', value: 1 },
      minSdk: { kind: 'integer', value: 21 },
      targetSdk: { kind: 'integer', value: 34 },
    },
    permissions: [
      { name: 'android.permission.INTERNET' },
      { name: 'android.permission.CAMERA', maxSdk: 28 },
      { name: 'android.permission.CALL_PHONE', minSdk: 23 },
    ],
  });
});

test('values of every kind', (t) => {
  const major = (compiled?: Buffer): unknown =>
    readBundleManifest(
      buildBundleManifest({
        attributes: [protoAttribute('versionCodeMajor', ATTRIBUTE.versionCodeMajor, '9', compiled)],
      }),
    ).manifest.versionCodeMajor;
  t.deepEqual(major(), { kind: 'string', value: '9' });
  t.deepEqual(major(item.hexadecimal(0xffffffff)), { kind: 'integer', value: -1 });
  t.deepEqual(major(item.string('nine')), { kind: 'string', value: 'nine' });
  t.deepEqual(major(item.reference(0x7f010001)), { kind: 'reference', id: 0x7f010001 });
  t.deepEqual(major(field(7, field(9, 1))), { kind: 'other', type: 9, data: 0 });
  t.deepEqual(major(field(5, '')), { kind: 'other', type: 0, data: 0 });
});

const twice = protoAttribute('versionCode', ATTRIBUTE.versionCode, '8', item.decimal(8));
const HOSTILE: Readonly<Record<string, readonly [code: string, bytes: Buffer]>> = {
  empty: ['bundle-manifest/no-manifest', Buffer.alloc(0)],
  'text alone': ['bundle-manifest/no-manifest', field(2, 'manifest')],
  'another root': ['bundle-manifest/no-manifest', protoElement('application', [])],
  'a root of another namespace': [
    'bundle-manifest/no-manifest',
    field(1, Buffer.concat([field(2, 'urn:x'), field(3, 'manifest')])),
  ],
  'two roots': ['bundle-manifest/field-twice', Buffer.concat([buildBundleManifest(), buildBundleManifest()])],
  'no package': ['bundle-manifest/no-package', protoElement('manifest', [])],
  'two packages': [
    'bundle-manifest/duplicate-attribute',
    buildBundleManifest({ attributes: [protoAttribute('package', 0, 'org.example.other')] }),
  ],
  'a package that is a number': [
    'bundle-manifest/package-type',
    buildBundleManifest({ package: protoAttribute('package', 0, 'org.example.chat', item.decimal(3)) }),
  ],
  'two version codes': ['bundle-manifest/duplicate-attribute', buildBundleManifest({ attributes: [twice] })],
  'a name twice': [
    'bundle-manifest/field-twice',
    field(1, Buffer.concat([field(3, 'manifest'), field(3, 'manifest')])),
  ],
  'a value of two kinds': [
    'bundle-manifest/several-values',
    buildBundleManifest({
      attributes: [protoAttribute('a', 1, '', Buffer.concat([item.decimal(1), item.string('2')]))],
    }),
  ],
  'a primitive of two values': [
    'bundle-manifest/several-values',
    buildBundleManifest({
      attributes: [protoAttribute('a', 1, '', field(7, Buffer.concat([field(6, 1), field(7, 2)])))],
    }),
  ],
  'a second uses-sdk': [
    'bundle-manifest/second-uses-sdk',
    buildBundleManifest({ children: [protoElement('uses-sdk', [])] }),
  ],
  'a name that is a number': ['bundle-manifest/wire-type', field(1, field(3, 5))],
  'a resource id that is a text': [
    'bundle-manifest/wire-type',
    protoElement('manifest', [Buffer.concat([field(2, 'a'), field(5, 'x')])]),
  ],
  'a child that is a number': [
    'bundle-manifest/wire-type',
    field(1, Buffer.concat([field(3, 'manifest'), field(5, 5)])),
  ],
  'a name that is no UTF-8': ['bundle-manifest/text', field(1, field(3, Buffer.from([0xff])))],
  'more permissions than anybody asks for': [
    'bundle-manifest/too-many-permissions',
    buildBundleManifest({ children: Array.from({ length: 10_001 }, () => permission('p')) }),
  ],
  'more fields than are read': [
    'protobuf/too-many-fields',
    field(1, Buffer.concat(Array.from({ length: 100_001 }, () => field(9, 1)))),
  ],
  'a length beyond the end': ['protobuf/past-end', Buffer.concat([varint(10), varint(2 ** 40)])],
  'a group': ['protobuf/wire-type', Buffer.from([0x0b])],
  'more bytes than are read': ['bundle-manifest/too-large', Buffer.alloc((8 << 20) + 1)],
};
for (const [what, [code, bytes]] of Object.entries(HOSTILE))
  test(`refused: ${what}`, (t) => {
    const error = t.throws(() => readBundleManifest(bytes), { instanceOf: FormatError });
    t.is(error?.code, code);
  });

test('elements in elements: only the first two levels are looked at', (t) => {
  let deep = protoElement('meta-data', []);
  for (let level = 0; level < 2000; level++) deep = protoElement('x', [], [deep]);
  t.is(readBundleManifest(buildBundleManifest({ children: [deep] })).manifest.package, 'org.example.chat');
});

test('every bit and every length: read, or refused with a code', (t) => {
  const bytes = buildBundleManifest({ children: [permission('android.permission.INTERNET')] });
  const read = (changed: Buffer): boolean => {
    try {
      readBundleManifest(changed);
      return true;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      return false;
    }
  };
  let refused = 0;
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    if (!read(changed)) refused++;
  }
  t.true(refused > bytes.length);
  for (let length = 0; length < bytes.length; length++) t.false(read(bytes.subarray(0, length)), `${length}`);
});
