// SPDX-License-Identifier: Apache-2.0
/** What a JAR signature means for a comparison: who owns its entries, and that nothing else can lie in them. */
import { deflateRawSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import type { PairComparison, Owner } from '../../../src/compare/types.js';
import type { Verdict } from '../../../src/model.js';
import { buildManifest } from '../../helpers/build-axml.js';
import { buildZip, type ZipMember } from '../../helpers/build-zip.js';
import { compareBuffers } from '../../helpers/compare-buffers.js';
import { der, insertBlock, signerPair, signingBlock, nameOf } from '../../helpers/sign-apk.js';
import {
  attribute,
  jarEntries,
  jarIdentity,
  signatureBlock,
  signJar,
  SIGNING_TIME,
  type JarIdentity,
  type JarOptions,
} from '../../helpers/sign-jar.js';

const APP: readonly ZipMember[] = [
  { name: 'AndroidManifest.xml', data: 'manifest' },
  { name: 'classes.dex', data: 'code'.repeat(500) },
  { name: 'META-INF/services/a.B', data: 'c.D' },
  ...Array.from({ length: 60 }, (_, at) => ({
    name: `res/drawable/icon_${(at * 7919) % 997}.xml`,
    data: `icon ${at}`,
  })),
];
const unsigned = buildZip(APP);
const owner = jarIdentity();
const other = jarIdentity('ec', { serial: Buffer.from([9]) });

function withV2(jar: Buffer, { privateKey, certificate }: JarIdentity = owner): Buffer {
  const publicKey = privateKeyInfo(certificate);
  return insertBlock(
    jar,
    signingBlock([signerPair('v2', jar, [{ identity: { privateKey, publicKey, certificate } }])]),
  );
}

/** The public key as it stands in a certificate of ours: 91 bytes for P-256. */
function privateKeyInfo(certificate: Buffer): Buffer {
  const at = certificate.indexOf(Buffer.from('3059301306072a8648ce3d0201', 'hex'));
  return certificate.subarray(at, at + 91);
}

const sums = (pair: PairComparison): Readonly<Record<Owner, number>> | undefined =>
  pair.nodes[0]?.published.sums;
const codes = (pair: PairComparison): string[] =>
  [...new Set(pair.signature.issues.map(({ code }) => code))].sort();
const isMatch = ({ kind }: Verdict): boolean => kind === 'reproducible' || kind === 'equivalent';

// ---------------------------------------------------------------- as tools write it

test('a JAR signature alone is left out by a rule of its own', async (t) => {
  const { pair, verdict } = await compareBuffers(signJar(APP, owner), unsigned);
  t.is(verdict.kind, 'equivalent');
  t.is(pair.signature.status, 'verified');
  t.deepEqual(codes(pair), []);
  t.deepEqual(
    pair.signature.signers.map(({ scheme, keyType, keyBits }) => ({ scheme, keyType, keyBits })),
    [{ scheme: 'v1', keyType: 'ec', keyBits: 256 }],
  );
  t.deepEqual(
    pair.rules.map(({ rule, needed }) => ({ rule, needed })),
    [{ rule: 'jar-signature-only', needed: true }],
  );
  t.is(pair.worst, 'excluded');
  t.true(pair.coverage.ratio < 1);
});

test('beside a newer signature its entries belong to the signature', async (t) => {
  const { pair, verdict } = await compareBuffers(withV2(signJar(APP, owner, { schemes: '2' })), unsigned);
  t.is(verdict.kind, 'reproducible');
  t.is(pair.proof.kind, 'transplant');
  t.is(pair.signature.status, 'verified');
  t.is(pair.worst, 'signature');
  t.true(pair.rules.some(({ rule, publishedBytes }) => rule === 'jar-signature' && publishedBytes > 2000));
  t.is(sums(pair)?.excluded, 0);
});

test('a rebuilt file that is signed too, with another key or not at all with v1', async (t) => {
  const published = withV2(signJar(APP, owner, { schemes: '2' }));
  t.is((await compareBuffers(published, signJar(APP, other))).verdict.kind, 'reproducible');
  const only = await compareBuffers(signJar(APP, owner), signJar(APP, other, { signerName: 'DEBUG' }));
  t.is(only.verdict.kind, 'equivalent');
  // nothing signed is published: the rebuilt signature does no harm
  t.is((await compareBuffers(unsigned, signJar(APP, other))).pair.worst, 'signature');
  t.is(
    (await compareBuffers(signJar(APP, owner), signJar(APP, other, { content: Buffer.from('x') }))).verdict
      .kind,
    'equivalent',
  );
  const broken = buildZip([
    ...APP,
    { name: 'META-INF/A.SF', data: 'x' },
    { name: 'META-INF/A.EC', data: 'x' },
  ]);
  t.is((await compareBuffers(signJar(APP, owner), broken)).verdict.kind, 'unverifiable');
});

const TAKEN_OVER = 'Manifest-Version: 1.0\r\nBuilt-By: somebody\r\nX-Anything: from the build\r\n\r\n';

test('signing replaces a manifest of the rebuilt file by one with the same main attributes, and by no other', async (t) => {
  const lines = 'Manifest-Version: 1.0\r\nBuilt-By: somebody\r\nX-Anything: from the build\r\n\r\n';
  const options: JarOptions = { manifest: (text) => text.replace('Manifest-Version: 1.0\r\n\r\n', lines) };
  const rebuilt = (manifest: string): Buffer =>
    buildZip([{ name: 'META-INF/MANIFEST.MF', data: manifest }, ...APP]);
  const published = signJar(APP, owner, options);
  t.is((await compareBuffers(published, rebuilt(TAKEN_OVER))).verdict.kind, 'equivalent');
  const { pair, verdict } = await compareBuffers(published, rebuilt(TAKEN_OVER.replace('somebody', 'us')));
  t.is(verdict.kind, 'unreproducible');
  t.true(codes(pair).includes('v1-attribute'));
  // the signed manifest lacks one of its attributes
  const more = TAKEN_OVER.replace('\r\n\r\n', '\r\nY: z\r\n\r\n');
  t.is((await compareBuffers(published, rebuilt(more))).verdict.kind, 'unreproducible');
  t.is((await compareBuffers(signJar(APP, owner), rebuilt(TAKEN_OVER))).verdict.kind, 'unreproducible');
});

// ---------------------------------------------------------------- what the owner of the key could say by it

const time = attribute(SIGNING_TIME, der(0x17, Buffer.from('260101000000Z')));
const NULL = der(0x05);
const TEXT = 'attack at dawn';
const replaceIn =
  (from: string | RegExp, to: string) =>
  (text: string): string => {
    const changed = text.replace(from, to);
    if (changed === text) throw new Error(`no ${String(from)}`);
    return changed;
  };
const swapSections = (text: string): string => {
  const [main = '', first = '', second = '', ...rest] = text.split(/(?<=\r\n\r\n)/);
  return [main, second, first, ...rest].join('');
};

interface Hidden {
  readonly options: JarOptions;
  readonly code: string;
  /** What the comparison without and with a newer signature comes to. */
  readonly verdict?: Verdict['kind'];
}

const HIDDEN: Readonly<Record<string, Hidden>> = {
  'a text in the main attributes': {
    options: { manifest: replaceIn('1.0\r\n', `1.0\r\nCreated-By: ${TEXT}\r\n`) },
    code: 'v1-attribute',
  },
  'an attribute that no tool writes': {
    options: { manifest: replaceIn('1.0\r\n', `1.0\r\nX-Note: ${TEXT}\r\n`) },
    code: 'v1-attribute',
  },
  'another version of the manifest': { options: { manifest: replaceIn('1.0', '1.7') }, code: 'v1-attribute' },
  'a text in the signature file': { options: { createdBy: TEXT }, code: 'v1-attribute' },
  'a scheme that nobody knows': { options: { schemes: '77' }, code: 'v1-unknown-scheme' },
  'the order of sections': { options: { manifest: swapSections }, code: 'v1-section-order' },
  'the order of sections in the signature file': { options: { file: swapSections }, code: 'v1-section-set' },
  'sections left out of the signature file': {
    options: {
      file: replaceIn(/Name: META-INF\/services\/a\.B\r\n.*\r\n\r\n/, ''),
    },
    code: 'v1-section-set',
  },
  'the order of attributes': {
    options: { file: replaceIn(/(Signature-Version: .*\r\n)(Created-By: .*\r\n)/, '$2$1') },
    code: 'v1-attribute-order',
  },
  'where lines are broken': {
    options: { manifest: replaceIn('Name: classes.dex', 'Name: class\r\n es.dex') },
    code: 'v1-lines',
  },
  'the case of an attribute': {
    options: { manifest: replaceIn('Name: classes', 'name: classes') },
    code: 'v1-digest-algorithms',
  },
  'ends of lines': { options: { manifest: replaceIn('.xml\r\n', '.xml\n') }, code: 'v1-lines' },
  'more empty lines': { options: { manifest: (text) => `${text}\r\n` }, code: 'v1-ambiguous-lines' },
  'one more digest': {
    options: {
      manifest: replaceIn('SHA-256-Digest: ', 'SHA-224-Digest: YXR0YWNrIGF0IGRhd24=\r\nSHA-256-Digest: '),
    },
    code: 'v1-digest-algorithms',
  },
  'an attribute in a section': {
    options: { manifest: replaceIn('SHA-256-Digest: ', `Magic: ${TEXT}\r\nSHA-256-Digest: `) },
    code: 'v1-digest-algorithms',
  },
  'a long name': { options: { signerName: 'ATTACK-AT-DAWN' }, code: 'v1-signer-name' },
  'a name in small letters': { options: { signerName: 'dawn' }, code: 'v1-signer-name' },
  'made by': { options: { header: { madeBy: 0x0314 } }, code: 'v1-entry-header' },
  attributes: { options: { header: { externalAttributes: 0x1234 } }, code: 'v1-entry-header' },
  flags: { options: { header: { flags: 0x0802 } }, code: 'v1-entry-header' },
  'an extra field': {
    options: { header: { extra: Buffer.from('aaaa0100ff', 'hex') } },
    code: 'v1-entry-header',
  },
  'a comment': { options: { header: { comment: Buffer.from(TEXT) } }, code: 'v1-entry-header' },
  'a time': { options: { header: { time: 0x1234 } }, code: 'v1-entry-header' },
  'a way of packing': {
    options: { pack: (data) => deflateRawSync(data, { level: 0 }) },
    code: 'v1-entry-packing',
  },
  'content of the block': { options: { content: Buffer.from(TEXT) }, code: 'cms-content' },
  'another type of content': {
    options: { contentType: der(0x06, Buffer.from('2a0304', 'hex')) },
    code: 'v1-content-type',
  },
  'revocation lists': { options: { crls: der(0x30, der(0x0c, Buffer.from(TEXT))) }, code: 'cms-crls' },
  'unsigned attributes': {
    options: { unsignedAttributes: attribute('2a0304', der(0x0c, Buffer.from(TEXT))) },
    code: 'cms-unsigned-attributes',
  },
  'a signed attribute that nobody reads': {
    options: { signedAttributes: [attribute('2a0304', der(0x0c, Buffer.from(TEXT)))] },
    code: 'cms-unknown-attribute',
  },
  'a time that is none': {
    options: { signedAttributes: [attribute(SIGNING_TIME, der(0x17, Buffer.from(TEXT)))] },
    code: 'cms-unknown-attribute',
  },
  'one more certificate': {
    options: { certificates: [owner.certificate, other.certificate] },
    code: 'cms-extra-certificate',
  },
  'the certificate twice': {
    options: { certificates: [owner.certificate, owner.certificate] },
    code: 'cms-extra-certificate',
  },
  'something else than a certificate': {
    options: { certificates: [owner.certificate, der(0xa3, Buffer.from(TEXT))] },
    code: 'cms-unknown-certificate',
  },
  'a digest that is not used': {
    options: {
      digestAlgorithms: [
        der(0x30, der(0x06, Buffer.from('2b0e03021a', 'hex')), NULL),
        der(0x30, der(0x06, Buffer.from('608648016503040201', 'hex')), NULL),
      ],
    },
    code: 'cms-unused-digest',
  },
  parameters: {
    options: {
      digestAlgorithm: der(
        0x30,
        der(0x06, Buffer.from('608648016503040201', 'hex')),
        der(0x0c, Buffer.from(TEXT)),
      ),
    },
    code: 'cms-parameters',
  },
  'a version': { options: { version: 3 }, code: 'cms-version' },
  'a version of the signer': { options: { signerVersion: 3 }, code: 'cms-version' },
  'another encoding of the issuer': {
    options: { issuer: nameOf(der(0x0c, Buffer.from('JAR  TEST'))) },
    code: 'cms-issuer-encoding',
  },
};

const leavesOpen = test.macro({
  async exec(t: ExecutionContext, hidden: Hidden) {
    const alone = await compareBuffers(signJar(APP, owner, hidden.options), unsigned);
    t.true(codes(alone.pair).includes(hidden.code), codes(alone.pair).join());
    t.false(isMatch(alone.verdict), alone.verdict.kind);
    const beside = await compareBuffers(
      withV2(signJar(APP, owner, { schemes: '2', ...hidden.options })),
      unsigned,
    );
    t.true(codes(beside.pair).includes(hidden.code), codes(beside.pair).join());
    t.false(isMatch(beside.verdict), beside.verdict.kind);
    t.is(sums(beside.pair)?.different, 0);
    t.true((sums(beside.pair)?.unread ?? 0) > 0);
  },
  title: (given) => `the owner of the key hides nothing in: ${given ?? ''}`,
});
for (const [title, hidden] of Object.entries(HIDDEN)) test(title, leavesOpen, hidden);

test('what is said with a few bits is left out and named: the time of signing', async (t) => {
  const options: JarOptions = { signedAttributes: [time] };
  const alone = await compareBuffers(signJar(APP, owner, options), unsigned);
  t.is(alone.verdict.kind, 'equivalent');
  const beside = await compareBuffers(withV2(signJar(APP, owner, { ...options, schemes: '2' })), unsigned);
  t.is(beside.verdict.kind, 'equivalent');
  t.is(beside.pair.worst, 'excluded');
  t.true(
    beside.pair.rules.some(({ rule, publishedBytes }) => rule === 'jar-signature' && publishedBytes > 2000),
  );
});

const nameAt = (members: readonly ZipMember[], at: number): Buffer => Buffer.from(members[at]?.name ?? '');

test('what is said with a few bits is left out and named: where the entries lie', async (t) => {
  const [file, block, manifest] = jarEntries(APP, owner, { schemes: '2' });
  if (file === undefined || block === undefined || manifest === undefined) return t.fail();
  for (const members of [
    [...APP.slice(0, 9), file, block, manifest, ...APP.slice(9)],
    [...APP, block, file, manifest],
    [manifest, ...APP, file, block],
  ]) {
    const { pair } = await compareBuffers(withV2(buildZip(members)), unsigned);
    t.is(pair.worst, 'excluded');
    t.is(sums(pair)?.different, 0);
  }
  // as apkzlib: the directory sorted, the data at the end
  const members = [...APP, manifest, file, block];
  const sorted = members
    .map((_, at) => at)
    .sort((a, b) => Buffer.compare(nameAt(members, a), nameAt(members, b)));
  const zlib = await compareBuffers(withV2(buildZip(members, { directoryOrder: sorted })), unsigned);
  t.is(sums(zlib.pair)?.excluded, 0);
  const first = await compareBuffers(withV2(buildZip([manifest, file, block, ...APP])), unsigned);
  t.is(sums(first.pair)?.excluded, 0);
});

// ---------------------------------------------------------------- who signed

test('a certificate that nobody vouches for needs a pin', async (t) => {
  const issued = jarIdentity('ec', { issuer: nameOf(der(0x0c, Buffer.from('an authority'))), signer: other });
  const published = signJar(APP, issued);
  const { pair, verdict } = await compareBuffers(published, unsigned);
  t.is(verdict.kind, 'unverifiable');
  const sha256 = pair.signature.signers[0]?.certificateSha256 ?? '';
  const pinned = await compareBuffers(published, unsigned, {
    signers: [{ sha256, source: 'test', statedBy: 'publisher' }],
  });
  t.is(pinned.verdict.kind, 'equivalent');
  const elsewhere = await compareBuffers(published, unsigned, {
    signers: [{ sha256: '0'.repeat(64), source: 'test', statedBy: 'publisher' }],
  });
  t.is(elsewhere.verdict.kind, 'not-authentic');
});

test('a changed byte of the certificate is never a match', async (t) => {
  const jar = jarEntries(APP, owner);
  const [file, block, manifest] = jar;
  if (file === undefined || block === undefined || manifest === undefined) return t.fail();
  const bytes = block.data as Buffer;
  const start = bytes.indexOf(owner.certificate);
  for (let at = start + 8; at < start + owner.certificate.length; at += 5) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    const entry: ZipMember = { ...block, data: changed, raw: deflateRawSync(changed, { level: 9 }) };
    const { verdict } = await compareBuffers(buildZip([...APP, file, entry, manifest]), unsigned);
    t.false(isMatch(verdict), `byte ${at - start}`);
  }
});

test('one key signs once', async (t) => {
  const [file, block, manifest] = jarEntries(APP, owner, { schemes: '2' });
  const again = jarEntries(APP, owner, { schemes: '2', signerName: 'DAWN' }).slice(0, 2);
  if (file === undefined || block === undefined || manifest === undefined) return t.fail();
  const published = withV2(buildZip([...APP, file, block, ...again, manifest]));
  const { pair, verdict } = await compareBuffers(published, unsigned);
  t.is(verdict.kind, 'unverifiable');
  t.true(codes(pair).includes('v1-signer-again'));
});

test('the newer signature is by somebody else', async (t) => {
  const { pair, verdict } = await compareBuffers(withV2(signJar(APP, other, { schemes: '2' })), unsigned);
  t.is(verdict.kind, 'unverifiable');
  t.true(codes(pair).includes('v1-signers-differ'));
  t.true((sums(pair)?.unread ?? 0) > 0);
});

test('a second signer is another publisher', async (t) => {
  const first = jarEntries(APP, owner);
  const second = jarEntries(APP, other, { signerName: 'EVIL' });
  const { pair, verdict } = await compareBuffers(
    buildZip([...APP, ...first, ...second.slice(0, 2)]),
    unsigned,
  );
  t.is(verdict.kind, 'equivalent');
  t.is(pair.signature.signers.length, 2);
  const [signer] = pair.signature.signers;
  const pinned = await compareBuffers(buildZip([...APP, ...first, ...second.slice(0, 2)]), unsigned, {
    signers: [{ sha256: signer?.certificateSha256 ?? '', source: 'test', statedBy: 'publisher' }],
  });
  t.is(pinned.verdict.kind, 'not-authentic');
  const twice = [...first, { ...(second[1] ?? { name: '' }), name: 'META-INF/CERT.RSA' }];
  const blocks = await compareBuffers(buildZip([...APP, ...twice]), unsigned);
  t.false(isMatch(blocks.verdict));
  t.true(codes(blocks.pair).includes('v1-several-blocks'));
});

// ---------------------------------------------------------------- what does not hold

test('a changed, an added and a removed entry; a manifest that lists one that is not there', async (t) => {
  const entries = jarEntries(APP, owner);
  const changed = APP.map((member) => (member.name === 'classes.dex' ? { ...member, data: 'evil' } : member));
  for (const [members, code] of [
    [changed, 'v1-entry-digest'],
    [[...APP, { name: 'assets/evil', data: 'x' }], 'v1-entry-not-listed'],
    [APP.filter(({ name }) => name !== 'classes.dex'), 'v1-missing-entry'],
  ] as const) {
    const { pair, verdict } = await compareBuffers(buildZip([...members, ...entries]), unsigned);
    t.is(verdict.kind, 'not-authentic');
    t.true(codes(pair).includes(code), codes(pair).join());
    // even if the rebuilt file has the same
    const same = await compareBuffers(buildZip([...members, ...entries]), buildZip(members));
    t.is(same.verdict.kind, 'not-authentic');
  }
});

test('a newer signature that was taken away', async (t) => {
  for (const schemes of ['2', '2, 3', '3']) {
    const { pair, verdict } = await compareBuffers(signJar(APP, owner, { schemes }), unsigned);
    t.is(verdict.kind, 'not-authentic');
    t.true(codes(pair).includes('v1-scheme-stripped'));
  }
});

test('a broken JAR signature beside a newer one: a question of which versions of Android the file is for', async (t) => {
  const signed = (minSdk: number): { published: Buffer; rebuilt: Buffer } => {
    const manifest = { name: 'AndroidManifest.xml', data: buildManifest({ minSdk }) };
    const members = [manifest, ...APP.slice(1)];
    const entries = jarEntries([...members, { name: 'gone', data: '' }], owner, { schemes: '2' });
    return { published: withV2(buildZip([...members, ...entries])), rebuilt: buildZip(members) };
  };
  const old = signed(21);
  const used = await compareBuffers(old.published, old.rebuilt);
  t.is(used.verdict.kind, 'not-authentic');
  const recent = signed(24);
  const unused = await compareBuffers(recent.published, recent.rebuilt);
  t.is(unused.verdict.kind, 'unverifiable');
  t.is(unused.pair.signature.status, 'verified');
  t.true(
    unused.pair.differences.some((found) => found.kind === 'unread' && found.code === 'v1-missing-entry'),
  );
});

test('an app for versions that do not look at JAR signatures', async (t) => {
  const members = [{ name: 'AndroidManifest.xml', data: buildManifest({ minSdk: 30 }) }, ...APP.slice(1)];
  const { pair, verdict } = await compareBuffers(signJar(members, owner), buildZip(members));
  t.is(verdict.kind, 'unverifiable');
  t.true(codes(pair).includes('v1-unused'));
});

// ---------------------------------------------------------------- what a JAR signature does not protect

test('a file that only has a JAR signature: what that does not protect is compared', async (t) => {
  const entries = jarEntries(APP, owner);
  const signed = [...APP, ...entries];
  const services = signed.map((member) =>
    member.name === 'META-INF/services/a.B' ? { ...member, data: 'evil.D' } : member,
  );
  const cases: Readonly<Record<string, Buffer>> = {
    prefix: buildZip(signed, { prefix: Buffer.from('evil') }),
    'DEX in front': buildZip(signed, { prefix: Buffer.from('dex\n035\0evil') }),
    gap: buildZip(
      signed.map((member, at) => (at === 3 ? { ...member, gapBefore: Buffer.from('evil') } : member)),
    ),
    'in front of the directory': buildZip(signed, { beforeDirectory: Buffer.from('evil') }),
    'in front of a signature file': buildZip([
      ...APP,
      ...entries.map((entry) => ({ ...entry, gapBefore: Buffer.from('e') })),
    ]),
    comment: buildZip(signed, { comment: Buffer.from('evil') }),
    services: buildZip(services),
    'one more in META-INF': buildZip([...signed, { name: 'META-INF/services/e.F', data: 'evil' }]),
    'a directory': buildZip([...signed, { name: 'evil/', data: 'evil', method: 0 }]),
  };
  for (const [title, published] of Object.entries(cases)) {
    const { verdict } = await compareBuffers(published, unsigned);
    t.false(isMatch(verdict), `${title}: ${verdict.kind}`);
  }
  const dex = await compareBuffers(cases['DEX in front'] ?? Buffer.alloc(0), unsigned);
  t.is(dex.verdict.kind, 'not-authentic');
  t.true(codes(dex.pair).includes('v1-starts-with-dex'));
});

test('names that some readers take for signature files, and blocks of nobody', async (t) => {
  for (const [name, code] of [
    ['META-INF/sub/EVIL.RSA', 'v1-file-place'],
    ['META-INF/evil.rsa', 'v1-file-place'],
    ['META-INF/EVIL.RSA', 'v1-block-without-file'],
    ['META-INF/EVIL.SF', 'v1-file-without-block'],
  ] as const) {
    const published = buildZip([...APP, ...jarEntries(APP, owner), { name, data: TEXT }]);
    const { pair, verdict } = await compareBuffers(published, unsigned);
    t.false(isMatch(verdict), name);
    t.true(codes(pair).includes(code), codes(pair).join());
  }
});

test('names with line breaks or NUL cannot be signed', async (t) => {
  for (const name of ['META-INF/a\nb', 'META-INF/MANIFEST.MF\0', 'res/a\rb']) {
    const published = buildZip([...APP, { name, data: TEXT }, ...jarEntries(APP, owner)]);
    const { pair, verdict } = await compareBuffers(published, buildZip([...APP, { name, data: TEXT }]));
    t.is(verdict.kind, 'not-authentic');
    t.true(codes(pair).includes('v1-name-control-character'));
  }
});

test('a signature block is read to its last byte', async (t) => {
  const [file, block, manifest] = jarEntries(APP, owner);
  if (file === undefined || block === undefined || manifest === undefined) return t.fail();
  const good = signatureBlock(file.data as Buffer, owner);
  const cases: readonly (readonly [Buffer, string])[] = [
    [Buffer.concat([good, Buffer.from(TEXT)]), 'cms-not-canonical'],
    [
      Buffer.concat([good.subarray(0, 1), Buffer.from('83', 'hex'), Buffer.alloc(1), good.subarray(2)]),
      'cms-not-canonical',
    ],
    [good.subarray(0, -1), 'cms-malformed'],
    [Buffer.alloc(0), 'cms-malformed'],
    [Buffer.from('3080', 'hex'), 'cms-not-canonical'],
    [der(0x30, der(0x06, Buffer.from('2a864886f70d010701', 'hex'))), 'cms-malformed'],
  ];
  for (const [bytes, code] of cases) {
    const entry: ZipMember = { ...block, data: bytes, raw: deflateRawSync(bytes, { level: 9 }) };
    const { pair, verdict } = await compareBuffers(buildZip([...APP, file, entry, manifest]), unsigned);
    t.false(isMatch(verdict));
    t.true(codes(pair).includes(code), `${code}: ${codes(pair).join()}`);
  }
});

test('a contested entry is owned by no signature', async (t) => {
  // the same orphan on both sides: a reader of local headers meets another manifest than the one that is signed
  const orphan = buildZip([{ name: 'META-INF/MANIFEST.MF', data: 'Manifest-Version: 1.0\r\n\r\n' }]);
  const gapBefore = orphan.subarray(0, orphan.indexOf('PK\x01\x02', 0, 'latin1'));
  const app = APP.map((member, at) => (at === 1 ? { ...member, gapBefore } : member));
  const jar = buildZip([...app, ...jarEntries(APP, owner)]);
  for (const published of [jar, withV2(jar)]) {
    const { pair, verdict } = await compareBuffers(published, buildZip(app));
    t.is(verdict.kind, 'unverifiable');
    const members = pair.nodes[0]?.members ?? [];
    t.is(members.find(({ name }) => name === 'META-INF/MANIFEST.MF')?.data, 'unread');
  }
});
