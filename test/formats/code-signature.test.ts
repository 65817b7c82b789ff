// SPDX-License-Identifier: Apache-2.0
/** Signatures in Mach-O files: hashes against the file, slots against what they are about, CMS, bytes of nobody. */
import { readFileSync } from 'node:fs';
import test from 'ava';
import { BufferSource } from '../../src/bytes.js';
import { FormatError } from '../../src/errors.js';
import { derFromBer } from '../../src/formats/ber.js';
import { checkCodeSignature, type SlotContent } from '../../src/formats/code-signature-check.js';
import { readMachO } from '../../src/formats/macho.js';
import { buildMachO } from '../helpers/build-macho.js';
import { jarIdentity, signatureBlock } from '../helpers/sign-jar.js';
import { blob, NO_REQUIREMENTS, signatureRange, signMachO } from '../helpers/sign-macho.js';

const identity = jarIdentity('rsa');
const unsigned = buildMachO({ uuid: Buffer.alloc(16, 1) });

function check(bytes: Buffer, content?: SlotContent) {
  const source = new BufferSource(bytes);
  const found = checkCodeSignature(source, readMachO(source), content);
  if (found === undefined) throw new Error('no signature');
  return found;
}
const codes = (bytes: Buffer, content?: SlotContent): string[] =>
  check(bytes, content).issues.map(({ code }) => code);

test('a signature of every hash holds, with all parts', (t) => {
  for (const hashes of [['sha1'], ['sha256'], ['sha384'], ['sha1', 'sha256']] as const)
    for (const pageShift of [12, 14, 0]) {
      const found = check(
        signMachO(unsigned, {
          hashes,
          pageShift: pageShift === 0 ? 16 : pageShift,
          identifier: 'org.example',
          teamId: 'TEAM123456',
          entitlements: '<plist/>',
          entitlementsDer: Buffer.from([0x70, 0]),
          requirements: NO_REQUIREMENTS,
          identity,
          room: 16384,
        }),
      );
      t.deepEqual(found.issues, []);
      t.is(found.cms.status, 'unrooted');
      t.deepEqual(
        found.signature.directories.map(({ directory }) => [directory.hash, directory.teamId]),
        hashes.map((hash) => [hash, 'TEAM123456']),
      );
      t.true(found.pages.checked > 0);
      t.is(found.pages.failed, 0);
    }
});

test('a changed page fails, in any directory', (t) => {
  const bytes = signMachO(unsigned, { hashes: ['sha1', 'sha256'] });
  bytes[0x1234] = (bytes[0x1234] ?? 0) ^ 1;
  t.deepEqual(codes(bytes), ['page-hash', 'page-hash']);
  t.is(check(bytes).pages.failed, 2);
});

test('pages that were hashed as they were encrypted are told apart', (t) => {
  const [plain, cipher] = ['plain', 'cipher'].map((text) =>
    buildMachO({ text: Buffer.alloc(0x2800, text), encryption: { id: 0 } }),
  ) as [Buffer, Buffer];
  const found = check(signMachO(plain, { hashed: cipher }));
  t.deepEqual(
    found.issues.map(({ code, effect }) => [code, effect]),
    [['hash-of-ciphertext', 'ciphertext']],
  );
  t.deepEqual(found.pages, { checked: 6, failed: 0, ciphertext: 3 });
  // an encrypted file is hashed as it is
  const encrypted = buildMachO({ encryption: { id: 1 } });
  t.deepEqual(codes(signMachO(encrypted)), []);
});

test('slots are checked against what they are about', (t) => {
  const files = { 1: Buffer.from('info'), 3: Buffer.from('resources') };
  const bytes = signMachO(unsigned, { files });
  const content =
    (found: Readonly<Record<number, Buffer | 'absent'>>): SlotContent =>
    (slot) =>
      found[slot];
  t.deepEqual(check(bytes).unchecked, [1, 3]);
  t.deepEqual(check(bytes, content(files)).unchecked, []);
  t.deepEqual(codes(bytes, content(files)), []);
  t.deepEqual(codes(bytes, content({ ...files, 1: Buffer.from('other') })), ['slot-hash']);
  t.deepEqual(codes(bytes, content({ ...files, 3: 'absent' })), ['slot-missing']);
  t.deepEqual(codes(signMachO(unsigned), content(files)), ['slot-uncovered', 'slot-uncovered']);
});

test('bytes of no part are told', (t) => {
  const range = signatureRange(signMachO(unsigned, { room: 8192 }));
  t.deepEqual(codes(signMachO(unsigned, { room: 8192 })), []);
  t.deepEqual(codes(signMachO(unsigned, { room: 8192, parked: Buffer.from('x') })), ['signature-trailing']);
  t.is(range.size, 8192);
  const extra = blob(0xfade1234, Buffer.from('payload'));
  t.deepEqual(codes(signMachO(unsigned, { moreBlobs: [{ slot: 0x4242, bytes: extra }] })), ['unknown-blob']);
  // entitlements that no directory hashes
  const bytes = signMachO(unsigned, {
    moreBlobs: [{ slot: 0x10007, bytes: blob(0xfade7171, Buffer.alloc(4)) }],
  });
  t.deepEqual(codes(bytes), ['unknown-blob']);
});

test('an entitlement that was changed afterwards does not hold', (t) => {
  const bytes = signMachO(unsigned, { entitlements: '<plist><dict><key>a</key><true/></dict></plist>' });
  const at = bytes.lastIndexOf('<key>a');
  bytes.write('b', at + 5);
  t.deepEqual(codes(bytes), ['slot-hash']);
});

test('a CMS signature of other content, by another key or over another directory', (t) => {
  const other = jarIdentity('rsa');
  const status = (options: Parameters<typeof signMachO>[1]) => check(signMachO(unsigned, options)).cms;
  t.is(status({}).status, 'ad-hoc');
  t.is(
    status({ identity, cms: { signature: (value) => Buffer.from(value).fill(0, 0, 4) } }).status,
    'invalid',
  );
  t.like(status({ rawCms: signatureBlock(Buffer.from('x'), identity, { signedAttributes: [] }) }), {
    status: 'invalid',
    issues: [{ code: 'cms-digest' }],
  });
  t.like(status({ identity, cms: { certificates: [other.certificate] } }), { status: 'invalid' });
  t.like(status({ identity, cms: { certificates: [] } }), {
    status: 'unread',
    issues: [{ code: 'cms-signer-unknown' }],
  });
  t.like(status({ identity, hashes: ['sha1', 'sha256'], cms: { signedAttributes: [] } }), {
    status: 'invalid',
    issues: [{ code: 'cms-directory-uncovered' }],
  });
  t.like(status({ rawCms: Buffer.from('no CMS at all') }), {
    status: 'unread',
    issues: [{ code: 'cms-unread' }],
  });
  t.true(
    status({
      identity,
      cms: { signedAttributes: [], unsignedAttributes: Buffer.from('3000', 'hex') },
    }).loose.some(({ code }) => code === 'cms-unsigned-attributes'),
  );
});

test('every length and offset of a signature is checked', (t) => {
  const plain = signMachO(unsigned, { entitlements: '<plist/>', identity, teamId: 'T' });
  const { offset, size } = signatureRange(plain);
  let refused = 0;
  for (let at = offset; at < offset + Math.min(size, 220); at++)
    for (const value of [0, 0x7f, 0xff]) {
      const bytes = Buffer.from(plain);
      if (bytes[at] === value) continue;
      bytes[at] = value;
      try {
        const found = check(bytes);
        t.true(found.issues.length > 0 || found.cms.status === 'invalid', `byte ${at - offset} = ${value}`);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        refused++;
      }
    }
  t.true(refused > 50);
});

test('lengths that are not stated become stated ones', (t) => {
  // SEQUENCE of unknown length, octet string in two pieces
  const ber = Buffer.from('3080020105248004014104014200000000', 'hex');
  const { der, consumed, wasDer } = derFromBer(Buffer.concat([ber, Buffer.from('00', 'hex')]));
  t.is(der.toString('hex'), '300702010504024142');
  t.is(consumed, ber.length);
  t.false(wasDer);
  t.true(derFromBer(der).wasDer);
  const deep = Buffer.alloc(200, Buffer.from('3080', 'hex'));
  t.throws(() => derFromBer(deep), { instanceOf: FormatError, message: /inside of one another/ });
  for (let cut = 0; cut < ber.length; cut++)
    t.throws(() => derFromBer(ber.subarray(0, cut)), { instanceOf: FormatError });
});

test('page hashes of real signed files hold', (t) => {
  for (const name of ['darwin-arm64', 'ios-arm64-simulator']) {
    const found = check(readFileSync(`node_modules/bare-os/prebuilds/${name}/bare-os.bare`));
    t.deepEqual(found.issues, []);
    t.is(found.cms.status, 'ad-hoc');
    t.is(found.pages.checked, 18);
  }
});
