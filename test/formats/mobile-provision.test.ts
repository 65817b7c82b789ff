// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { BufferSource } from '../../src/bytes.js';
import { FormatError } from '../../src/errors.js';
import {
  MAX_PROFILE,
  readProvisioningProfile,
  type ProvisioningProfile,
} from '../../src/formats/mobile-provision.js';
import { xmlPlist } from '../helpers/build-plist.js';
import {
  buildProfile as profile,
  PROFILE_VALUES as VALUES,
  profileIdentity as identity,
} from '../helpers/build-profile.js';
import { der } from '../helpers/sign-apk.js';
import { attribute, MESSAGE_DIGEST, signatureBlock, type BlockOptions } from '../helpers/sign-jar.js';

const read = (bytes: Buffer): ProvisioningProfile => readProvisioningProfile(new BufferSource(bytes));

test('what a profile says', (t) => {
  const found = read(profile());
  t.like(found, {
    kind: 'development',
    name: 'iOS Team Provisioning Profile',
    uuid: '01234567-89ab-cdef-0123-456789abcdef',
    appId: 'ABCDE12345.org.example.app',
    teamName: 'Example',
    teams: ['ABCDE12345'],
    platforms: ['iOS'],
    devices: 2,
  });
  t.is((found.expires ?? 0) - (found.created ?? 0), 365 * 86_400);
  t.is(found.entitlements?.kind, 'dict');
  t.is(found.developers.length, 1);
  // the signature holds, and nobody says for whom
  t.is(found.signature.status, 'unrooted');
  t.is(found.signature.issue, undefined);
});

test('kinds of profiles', (t) => {
  const { ProvisionedDevices: devices, ...store } = VALUES;
  t.is(read(profile(store)).kind, 'app-store');
  t.is(read(profile(store)).devices, undefined);
  t.is(read(profile({ ...store, ProvisionsAllDevices: true })).kind, 'enterprise');
  t.is(read(profile({ ...VALUES, Entitlements: {} })).kind, 'ad-hoc');
  t.is(read(profile({ ...VALUES, ProvisionedDevices: devices ?? [] })).kind, 'development');
});

test('a signature that does not hold', (t) => {
  const other = xmlPlist({ ...VALUES, TeamName: 'Evil' });
  const status = (options: BlockOptions): readonly unknown[] => {
    const { signature } = read(profile(VALUES, options));
    return [signature.status, signature.issue];
  };
  t.deepEqual(status({ content: other }), ['invalid', 'digest']);
  t.deepEqual(
    status({ signature: (value) => Buffer.from(value.map((byte, at) => (at === 12 ? byte ^ 1 : byte))) }),
    ['invalid', 'signature'],
  );
  t.deepEqual(status({ allAttributes: [attribute(MESSAGE_DIGEST, der(0x04, Buffer.alloc(32)))] }), [
    'invalid',
    'attributes',
  ]);
  t.deepEqual(status({ allAttributes: [] }), ['invalid', 'attributes']);
  t.deepEqual(status({ certificates: [] }), ['unread', 'signer-unknown']);
});

const refuses = test.macro({
  exec(t, code: string, bytes: Buffer) {
    t.throws(() => read(bytes), { instanceOf: FormatError, code });
  },
  title: (title) => `refused: ${title ?? ''}`,
});
test(
  'bytes behind it',
  refuses,
  'mobileprovision/trailing-bytes',
  Buffer.concat([profile(), Buffer.from('evil')]),
);
test(
  'no content',
  refuses,
  'mobileprovision/no-content',
  signatureBlock(Buffer.from('x'), identity, { signedAttributes: [] }),
);
test('a list', refuses, 'mobileprovision/content', profile([]));
test(
  'no property list',
  refuses,
  'plist/root',
  signatureBlock(Buffer.from('x'), identity, {
    content: Buffer.from('x'),
    signedAttributes: [],
  }),
);
test('no CMS', refuses, 'ber/truncated', Buffer.from('x'));
test(
  '201 certificates',
  refuses,
  'mobileprovision/too-many-certificates',
  profile({ DeveloperCertificates: Array.from({ length: 201 }, () => Buffer.alloc(1)) }),
);
test(
  'a certificate that is none',
  refuses,
  'der/truncated',
  profile({ DeveloperCertificates: [Buffer.alloc(1)] }),
);
test('a large file', refuses, 'mobileprovision/too-large', Buffer.alloc(MAX_PROFILE + 1));

test('cut anywhere, it is refused', (t) => {
  const whole = profile();
  for (let size = 0; size < whole.length; size += 3)
    t.throws(() => read(whole.subarray(0, size)), { instanceOf: FormatError }, `${size}`);
});
