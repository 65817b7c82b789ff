// SPDX-License-Identifier: Apache-2.0
/** What hides in a signature: everything accepted has a tampered twin that is not. */
import test from 'ava';
import type { CompareOptions } from '../../../src/compare/compare.js';
import type { VerdictKind } from '../../../src/model.js';
import { buildZip, type ZipMember } from '../../helpers/build-zip.js';
import { compareBuffers } from '../../helpers/compare-buffers.js';
import {
  certificateFor,
  der,
  insertBlock,
  nameOf,
  newIdentity,
  PAIR,
  signedApk,
  signerPair,
  signingBlock,
  withPageFill,
  type Identity,
  type SignerSpec,
} from '../../helpers/sign-apk.js';

const text = 'the quick brown fox jumps over the lazy dog, '.repeat(40);
const members: readonly ZipMember[] = [
  { name: 'AndroidManifest.xml', data: text },
  { name: 'classes.dex', data: text.toUpperCase() },
  { name: 'resources.arsc', data: text, method: 0, align: 4 },
];
const unsigned = buildZip(members);
const identity = newIdentity();
const other = newIdentity();

const NOTHING = Buffer.alloc(0);
const payload = Buffer.from('payload!');

/** Published against the unsigned rebuilt file. */
async function judged(
  published: Buffer,
  options: CompareOptions = {},
  rebuilt = unsigned,
): Promise<readonly [VerdictKind, readonly string[]]> {
  const { verdict, pair } = await compareBuffers(published, rebuilt, options);
  return [verdict.kind, pair.signature.issues.map(({ code }) => code)];
}

const v2 = (spec: Partial<SignerSpec>, apk = unsigned): Buffer => signedApk(apk, { identity, ...spec });
const v3 = (...signers: readonly SignerSpec[]): Buffer =>
  insertBlock(unsigned, signingBlock([signerPair('v3', unsigned, signers)]));
const both = (first: Identity, second: Identity): Buffer =>
  insertBlock(
    unsigned,
    signingBlock([
      signerPair('v2', unsigned, [{ identity: first }]),
      signerPair('v3', unsigned, [{ identity: second }]),
    ]),
  );
const pairs = (more: readonly { id: number; value: Buffer }[], pad = true): Buffer =>
  insertBlock(unsigned, signingBlock([signerPair('v2', unsigned, [{ identity }]), ...more], pad));

for (const [what, apk] of [
  ['v2', v2({})],
  ['v3', v3({ identity })],
  ['v2 and v3 by one signer', both(identity, identity)],
  ['v2 after page fill', v2({}, withPageFill(unsigned))],
  ['v2 without verity padding', pairs([], false)],
  [
    'two v2 signers',
    insertBlock(unsigned, signingBlock([signerPair('v2', unsigned, [{ identity }, { identity: other }])])),
  ],
] as const)
  test(`accepted: ${what}`, async (t) => {
    t.deepEqual(await judged(apk), ['reproducible', []]);
  });

type Refused = readonly [what: string, apk: Buffer, code: string | readonly string[], kind?: VerdictKind];
const refused: readonly Refused[] = [
  ['an unknown pair', pairs([{ id: 0x12345678, value: payload }]), 'unknown-pair'],
  ['a pair without value', pairs([{ id: 0x12345678, value: NOTHING }]), 'unknown-pair'],
  [
    'a pair of a known kind that is not checked',
    pairs([{ id: 0x70e1c89f, value: payload }]),
    'unchecked-pair',
  ],
  ['the signature a second time', pairs([signerPair('v2', unsigned, [{ identity }])]), 'duplicate-pair'],
  [
    'padding with a payload',
    pairs([{ id: PAIR.padding, value: Buffer.alloc(3000, 1) }], false),
    'padding-not-zero',
  ],
  [
    'padding of a length of its own',
    pairs([{ id: PAIR.padding, value: Buffer.alloc(3000) }], false),
    'padding-size',
  ],
  ['empty padding where some is due', pairs([{ id: PAIR.padding, value: NOTHING }], false), 'padding-size'],
  [
    'bytes after the signers',
    insertBlock(unsigned, signingBlock([signerPair('v2', unsigned, [{ identity }], payload)])),
    'unowned-bytes',
  ],
  ['bytes after the signed data', v2({ afterSignedData: payload }), 'unowned-bytes'],
  ['bytes after the signer', v2({ afterSigner: payload }), 'unowned-bytes'],
  ['bytes after a signature', v2({ afterSignature: payload }), 'unowned-bytes'],
  ['an attribute', v2({ attributes: [payload] }), 'unchecked-attribute'],
  ['an attribute of v3', v3({ identity, attributes: [payload] }), 'unchecked-attribute'],
  ['a second certificate', v2({ chain: [other.certificate] }), 'certificate-chain'],
  [
    'v3 signers for the same versions',
    v3({ identity }, { identity: other }),
    ['several-v3-signers', 'signers-differ'],
    'not-authentic',
  ],
  [
    'a v3 signer for versions without v3',
    v3({ identity }, { identity: other, sdk: [1, 2] }),
    ['sdk-ranges', 'signers-differ'],
  ],
  [
    'v3 signers of one key that take turns',
    v3({ identity, sdk: [28, 30] }, { identity, sdk: [31, 0x7fffffff] }),
    'signer-again',
  ],
  [
    'v3 signers of several keys that take turns without a lineage',
    v3({ identity, sdk: [28, 30] }, { identity: other, sdk: [31, 0x7fffffff] }),
    'signers-differ',
  ],
  ['one signer for v2, another for v3', both(identity, other), 'signers-differ'],
  [
    'a certificate as large as a payload',
    v2({ identity: newIdentity((key) => certificateFor(key, { extra: [der(0xa3, Buffer.alloc(20_000))] })) }),
    'malformed-certificate',
    'not-authentic',
  ],
  [
    'bytes after the certificate',
    v2({ identity: newIdentity((key) => Buffer.concat([certificateFor(key), payload])) }),
    'malformed-certificate',
    'not-authentic',
  ],
  [
    'half a character in a name',
    v2({
      identity: newIdentity((key) => certificateFor(key, { name: nameOf(der(0x1e, Buffer.from('odd'))) })),
    }),
    'malformed-certificate',
    'not-authentic',
  ],
  [
    'the signature of another archive',
    insertBlock(unsigned, signingBlock([signerPair('v2', buildZip([]), [{ identity }])])),
    'content-digest',
    'not-authentic',
  ],
];

for (const [what, apk, code, kind = 'unverifiable'] of refused)
  test(`refused: ${what}`, async (t) => {
    t.deepEqual(await judged(apk), [kind, [code].flat()]);
  });

for (const [what, fill] of [
  ['other bytes than zero', withPageFill(unsigned, 1)],
  ['not up to a page', insertBlock(unsigned, Buffer.alloc(100))],
  ['more than a page', insertBlock(withPageFill(unsigned), Buffer.alloc(4096))],
] as const)
  test(`refused: page fill of ${what}`, async (t) => {
    t.deepEqual(await judged(v2({}, fill)), ['unreproducible', []]);
  });

test('a signature is no excuse for what is in front of it or behind it', async (t) => {
  const hidden = buildZip(members, { beforeDirectory: payload });
  t.is((await judged(v2({}, hidden)))[0], 'unreproducible');
  t.is((await judged(Buffer.concat([v2({}), payload])))[0], 'not-authentic');
  const changed = buildZip(members.map((member) => ({ ...member, data: 'evil' })));
  t.deepEqual(await judged(v2({}, changed)), ['unreproducible', []]);
});

test('every signer must be pinned', async (t) => {
  const { pair } = await compareBuffers(v2({}), unsigned);
  const [mine = ''] = pair.signature.signers.map(({ certificateSha256 }) => certificateSha256);
  const options: CompareOptions = { signers: [{ sha256: mine, statedBy: 'publisher', source: 'test' }] };
  t.is((await judged(v2({}), options))[0], 'reproducible');
  t.is((await judged(v2({ identity: other }), options))[0], 'not-authentic');
  const two = insertBlock(
    unsigned,
    signingBlock([signerPair('v2', unsigned, [{ identity }, { identity: other }])]),
  );
  t.is((await judged(two, options))[0], 'not-authentic');
  t.is((await judged(unsigned, options))[0], 'not-authentic');
  // equal bytes do not make it the publisher's
  const stranger = v2({ identity: other });
  t.is((await judged(stranger, options, Buffer.from(stranger)))[0], 'not-authentic');
  t.is((await judged(stranger, {}, Buffer.from(stranger)))[0], 'reproducible');
  const unchecked = v2({ attributes: [payload] });
  t.is((await judged(unchecked, {}, Buffer.from(unchecked)))[0], 'reproducible');
  t.is((await judged(unchecked, options, Buffer.from(unchecked)))[0], 'unverifiable');
  const garbage = Buffer.from('not an archive at all');
  t.is((await judged(garbage, options, Buffer.from(garbage)))[0], 'not-authentic');
});

for (const method of [0, 8])
  test(`anyone can sign an archive inside: nothing there is signature, method ${method}`, async (t) => {
    const roomy = newIdentity((key) =>
      certificateFor(key, { extra: [der(0xa3, der(0x04, Buffer.alloc(15_000, 'payload')))] }),
    );
    const around = (inner: Buffer): Buffer => buildZip([{ name: 'assets/plugin.apk', data: inner, method }]);
    for (const outer of [
      around(v2({ identity: roomy })),
      signedApk(around(v2({ identity: roomy })), { identity }),
    ]) {
      const { verdict, pair } = await compareBuffers(outer, around(unsigned));
      t.is(verdict.kind, 'unverifiable');
      t.true(pair.unverifiable.some(({ code }) => code === 'signature-unchecked'));
    }
    const equal = v2({ identity: roomy });
    t.is((await compareBuffers(around(equal), around(Buffer.from(equal)))).verdict.kind, 'reproducible');
    const filled = around(v2({ identity: roomy }, withPageFill(unsigned)));
    t.is((await compareBuffers(filled, around(unsigned))).verdict.kind, 'unverifiable');
  });

/** A file whose last entry's data are its signing block, which is then not covered by the signature in it. */
function blockAsEntry(fill: (signed: Buffer) => Buffer): Buffer {
  const size = 4096;
  const withEntry = (data: Buffer): Buffer =>
    buildZip([...members, { name: 'z', data, method: 0, crc32: 1 }]);
  const empty = withEntry(Buffer.alloc(size));
  const at = empty.indexOf(Buffer.alloc(size));
  const carved = Buffer.concat([empty.subarray(0, at), empty.subarray(at + size)]);
  carved.writeUInt32LE(at, carved.length - 6);
  return withEntry(fill(signingBlock([signerPair('v2', carved, [{ identity }])])));
}

test('a signing block that is also the data of an entry is no signing block', async (t) => {
  const published = blockAsEntry((block) => block);
  for (const rebuilt of [unsigned, blockAsEntry(() => Buffer.alloc(4096, 7))]) {
    const { verdict, pair } = await compareBuffers(published, rebuilt);
    t.is(verdict.kind, 'unreproducible');
    t.deepEqual(
      pair.signature.issues.map(({ code }) => code),
      ['block-overlaps-entry'],
    );
    t.is((await compareBuffers(rebuilt, published)).verdict.kind, 'unreproducible');
  }
});

const RSA = '2a864886f70d010101';
const spki = (algorithm: string, parameters: Buffer, key: Buffer): Buffer =>
  der(
    0x30,
    der(0x30, der(0x06, Buffer.from(algorithm, 'hex')), parameters),
    der(0x03, Buffer.from([0]), key),
  );
const rsa = (modulus: number, exponent = Buffer.from([1, 0, 1])): Buffer =>
  spki(
    RSA,
    Buffer.from('0500', 'hex'),
    der(0x30, der(0x02, Buffer.from([0]), Buffer.alloc(modulus, 0xff)), der(0x02, exponent)),
  );

for (const [what, key] of [
  ['RSA of 32,000 bits', rsa(4000)],
  ['RSA of 64 bits', rsa(8)],
  ['RSA with a huge exponent', rsa(256, Buffer.alloc(200, 0x7f))],
  ['RSA without modulus', rsa(0)],
  ['Ed25519', spki('2b6570', NOTHING, Buffer.alloc(32, 3))],
  [
    'a point that is on no curve',
    spki('2a8648ce3d0201', der(0x06, Buffer.from('2a8648ce3d030107', 'hex')), Buffer.alloc(65, 4)),
  ],
  ['nothing', der(0x30, Buffer.from('0500', 'hex'))],
] as const)
  test(`a key that is ${what} verifies nothing, and nothing breaks`, async (t) => {
    for (const algorithm of [0x0101, 0x0102, 0x0103, 0x0104, 0x0201, 0x0202]) {
      const signer = { privateKey: identity.privateKey, publicKey: key, certificate: certificateFor(key) };
      const { id, value } = signerPair('v2', unsigned, [{ identity: signer }]);
      for (
        let at = value.indexOf('01020000', 0, 'hex');
        at !== -1;
        at = value.indexOf('01020000', at + 4, 'hex')
      )
        value.writeUInt32LE(algorithm, at);
      t.is((await judged(insertBlock(unsigned, signingBlock([{ id, value }]))))[0], 'not-authentic');
    }
  });

const jar = (manifest: string, level = 6): Buffer =>
  buildZip([
    { name: 'META-INF/MANIFEST.MF', data: manifest, level },
    { name: 'META-INF/A.SF', data: text, level },
    { name: 'META-INF/A.RSA', data: 'signature', level },
    { name: 'A.class', data: text, level },
  ]);

test('entries of a JAR signature are nobody’s word for the file itself, and content in an archive inside', async (t) => {
  for (const [published, rebuilt] of [
    [jar('one'), jar('two')],
    [jar('one', 1), jar('one', 9)],
  ] as const) {
    const { verdict, pair } = await compareBuffers(published, rebuilt);
    t.is(verdict.kind, 'not-authentic');
    t.true(pair.signature.issues.some(({ code }) => code === 'cms-malformed'));
  }
  const around = (inner: Buffer): Buffer => buildZip([{ name: 'lib.jar', data: inner, method: 0 }]);
  t.is((await compareBuffers(around(jar('one')), around(jar('two')))).verdict.kind, 'unreproducible');
  t.is((await compareBuffers(around(jar('one', 1)), around(jar('one', 9)))).verdict.kind, 'equivalent');
  const added = buildZip([
    { name: 'A.class', data: text },
    { name: 'META-INF/B.SF', data: '' },
    { name: 'META-INF/B.RSA', data: 'payload' },
  ]);
  const plain = buildZip([{ name: 'A.class', data: text }]);
  t.is((await compareBuffers(around(added), around(plain))).verdict.kind, 'unreproducible');
  t.is((await compareBuffers(added, plain)).verdict.kind, 'not-authentic');
});

test('adding signature files does not turn a changed manifest into something unread', async (t) => {
  const without = (manifest: string, ...more: readonly ZipMember[]): Buffer =>
    buildZip([{ name: 'META-INF/MANIFEST.MF', data: manifest }, { name: 'A.class', data: text }, ...more]);
  const rebuilt = without('one');
  t.is((await compareBuffers(without('two'), rebuilt)).verdict.kind, 'unreproducible');
  const signedNow = without('two', { name: 'META-INF/A.SF', data: '' });
  const { verdict, pair } = await compareBuffers(signedNow, rebuilt);
  t.is(verdict.kind, 'not-authentic');
  t.true((pair.nodes[0]?.rebuilt.sums.missing ?? 0) > 0);
});
