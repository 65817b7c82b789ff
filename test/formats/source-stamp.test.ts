// SPDX-License-Identifier: Apache-2.0
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { BufferSource } from '../../src/bytes.js';
import { checkApkSignature, type ApkSignatureCheck } from '../../src/formats/apk-signature.js';
import { readZip } from '../../src/formats/zip.js';
import { apksig35 } from '../helpers/apksig-35.js';
import { makeKey, type SigningKey } from '../helpers/apksigner.js';
import { buildManifest } from '../helpers/build-axml.js';
import { buildZip } from '../helpers/build-zip.js';
import { need } from '../helpers/need.js';
import {
  contentDigest,
  insertBlock,
  newIdentity,
  signerPair,
  signingBlock,
  type Identity,
  type Pair,
} from '../helpers/sign-apk.js';
import { seconds, stampPairV1, stampPairV2, type StampSpec } from '../helpers/sign-stamp.js';
import { runStamps, type StampVerifyJob } from '../helpers/stamp-driver.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const APKSIG = '/usr/share/java/apksig.jar';
const app = newIdentity();
const stamper = newIdentity();
const TIME = 0xe43c5946;
const LINEAGE = 0x9d6303f7;

const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();

function unsignedWith(stampEntry: Buffer | undefined): Buffer {
  return buildZip([
    { name: 'AndroidManifest.xml', data: buildManifest() },
    { name: 'classes.dex', data: 'code'.repeat(100) },
    ...(stampEntry === undefined
      ? []
      : [{ name: 'stamp-cert-sha256', data: stampEntry, method: 0 as const }]),
  ]);
}

const unsigned = unsignedWith(sha256(stamper.certificate));

function check(apk: Buffer): ApkSignatureCheck {
  const source = new BufferSource(apk);
  const zip = readZip(source);
  return checkApkSignature(source, {
    centralDirectoryOffset: zip.centralDirectory.offset,
    centralDirectorySize: zip.centralDirectory.size,
    endOffset: zip.end.offset,
  });
}

function stamped(stamp: Pair, from = unsigned): Buffer {
  return insertBlock(from, signingBlock([signerPair('v2', from, [{ identity: app }]), stamp]));
}

const spec = (more: Partial<StampSpec> = {}): StampSpec => ({
  identity: stamper,
  schemes: [[2, contentDigest(unsigned)]],
  ...more,
});

test('both versions: verified, with who stamped what and when', (t) => {
  const first = check(stamped(stampPairV1(spec())));
  t.deepEqual([first.status, first.issues], ['verified', []]);
  t.is(first.stamps[0]?.certificateSha256, sha256(stamper.certificate).toString('hex'));
  const second = check(stamped(stampPairV2(spec({ attributes: [[TIME, seconds(1_700_000_000n)]] }))));
  t.deepEqual([second.status, second.issues], ['verified', []]);
  t.like(second.stamps[0], { version: 2, schemes: [2], time: 1_700_000_000, verified: true, keyType: 'ec' });
});

const zeros = Buffer.alloc(3);
const REFUSED: readonly (readonly [string, () => Buffer, string])[] = [
  [
    'another digest',
    () => stamped(stampPairV2(spec({ schemes: [[2, Buffer.alloc(32)]] }))),
    'stamp-signature',
  ],
  [
    'another digest, version 1',
    () => stamped(stampPairV1(spec({ schemes: [[2, Buffer.alloc(32)]] }))),
    'stamp-signature',
  ],
  ['another file', () => stamped(stampPairV2(spec()), unsignedWith(Buffer.alloc(32, 1))), 'stamp-entry'],
  ['no entry', () => stamped(stampPairV2(spec()), unsignedWith(undefined)), 'stamp-entry'],
  [
    'an entry that is longer',
    () => stamped(stampPairV2(spec()), unsignedWith(Buffer.concat([sha256(stamper.certificate), zeros]))),
    'stamp-entry',
  ],
  ['nothing signed', () => stamped(stampPairV2(spec({ signatures: Buffer.alloc(0) }))), 'stamp-no-signature'],
  [
    'nothing signed, version 1',
    () => stamped(stampPairV1(spec({ signatures: Buffer.alloc(0) }))),
    'stamp-no-signature',
  ],
  ['an unknown algorithm', () => stamped(stampPairV2(spec({ algorithm: 0x0777 }))), 'stamp-algorithm'],
  [
    'an algorithm for another key',
    () => stamped(stampPairV2(spec({ algorithm: 0x0103 }))),
    'stamp-signature',
  ],
  ['an algorithm twice', () => stamped(stampPairV2(spec({ twice: true }))), 'stamp-algorithm'],
  [
    'a scheme that the file does not have',
    () =>
      stamped(
        stampPairV2(
          spec({
            schemes: [
              [2, contentDigest(unsigned)],
              [3, contentDigest(unsigned)],
            ],
          }),
        ),
      ),
    'stamp-scheme',
  ],
  ['no scheme', () => stamped(stampPairV2(spec({ schemes: [] }))), 'stamp-scheme'],
  [
    'a scheme twice',
    () =>
      stamped(
        stampPairV2(
          spec({
            schemes: [
              [2, contentDigest(unsigned)],
              [2, contentDigest(unsigned)],
            ],
          }),
        ),
      ),
    'stamp-scheme',
  ],
  ['an unknown attribute', () => stamped(stampPairV2(spec({ attributes: [[7, zeros]] }))), 'stamp-attribute'],
  [
    'a long time',
    () => stamped(stampPairV2(spec({ attributes: [[TIME, Buffer.alloc(9)]] }))),
    'stamp-attribute',
  ],
  [
    'a time twice',
    () =>
      stamped(
        stampPairV2(
          spec({
            attributes: [
              [TIME, seconds(1_700_000_000n)],
              [TIME, seconds(1_700_000_001n)],
            ],
          }),
        ),
      ),
    'stamp-attribute',
  ],
  [
    'a time that is none',
    () => stamped(stampPairV2(spec({ attributes: [[TIME, seconds(1n << 60n)]] }))),
    'stamp-time',
  ],
  [
    'a lineage that is none',
    () => stamped(stampPairV2(spec({ attributes: [[LINEAGE, zeros]] }))),
    'stamp-malformed',
  ],
  ['bytes behind the stamp', () => stamped(stampPairV2(spec({ afterStamp: zeros }))), 'stamp-unowned-bytes'],
  [
    'bytes behind the stamp, version 1',
    () => stamped(stampPairV1(spec({ afterStamp: zeros }))),
    'stamp-unowned-bytes',
  ],
  ['bytes behind the block', () => stamped(stampPairV2(spec({ afterBlock: zeros }))), 'stamp-unowned-bytes'],
  [
    'bytes behind a signature',
    () => stamped(stampPairV2(spec({ afterSignature: zeros }))),
    'stamp-unowned-bytes',
  ],
  ['an empty pair', () => stamped({ id: 0x6dff800d, value: Buffer.alloc(0) }), 'stamp-malformed'],
  [
    'a certificate of a gigabyte',
    () => stamped({ id: 0x6dff800d, value: Buffer.alloc(64, 0x3f) }),
    'stamp-malformed',
  ],
];

for (const [title, apk, code] of REFUSED)
  test(`not verified: ${title}`, (t) => {
    const { status, issues, stamps } = check(apk());
    t.is(status, 'unchecked');
    t.true(
      issues.some((issue) => issue.code === code),
      issues.map((issue) => `${issue.code} ${issue.message}`).join(),
    );
    t.true(stamps.every(({ verified }) => !verified));
  });

test('each bit of a stamp, flipped: it is not verified', (t) => {
  const pair = stampPairV2(spec({ attributes: [[TIME, seconds(1_700_000_000n)]] }));
  for (let bit = 0; bit < pair.value.length * 8; bit++) {
    const value = Buffer.from(pair.value);
    value[bit >> 3] = (value[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const { status } = check(stamped({ id: pair.id, value }));
    if (status === 'verified') return t.fail(`bit ${bit}`);
  }
  t.pass();
});

async function signedByApksig(
  t: ExecutionContext,
  jar: string,
  schemes: readonly number[],
  rotated: boolean,
): Promise<void> {
  const directory = temporaryDirectory(t);
  const file = (name: string): string => path.join(directory, name);
  writeFileSync(file('unsigned.apk'), unsignedWith(undefined));
  const keys = [makeKey(directory, 'app'), ...(rotated ? [makeKey(directory, 'newer')] : [])];
  const stamp = [
    makeKey(directory, 'stamp', 'rsa2048'),
    ...(rotated ? [makeKey(directory, 'newer stamp', 'rsa2048')] : []),
  ];
  const [signed] = runStamps(jar, directory, [
    { kind: 'sign', from: file('unsigned.apk'), to: file('signed.apk'), minSdk: 23, schemes, keys, stamp },
  ]);
  t.is(signed, 'true');
  const apk = readFileSync(file('signed.apk'));
  const { status, stamps, issues } = check(apk);
  t.deepEqual([status, issues], ['verified', []]);
  const fingerprint = (key: { readonly certificate: string } | undefined): string =>
    new X509Certificate(readFileSync(key?.certificate ?? '')).fingerprint256
      .replaceAll(':', '')
      .toLowerCase();
  t.like(stamps[0], { version: 2, schemes, verified: true, certificateSha256: fingerprint(stamp.at(-1)) });
  if (rotated) t.deepEqual(stamps[0]?.lineage, [fingerprint(stamp[0])]);
}

for (const schemes of [[2], [3], [2, 3], [1, 2, 3]])
  test(`stamps by apksig 31 are verified: schemes ${schemes.join()}`, async (t) => {
    if (!need(t, 'java', 'openssl', 'apksigner')) return;
    await signedByApksig(t, APKSIG, schemes, false);
  });

test('stamps by apksig 35 are verified: a time, a lineage of the stamp, another key from SDK 33 on', async (t) => {
  const jar = await apksig35(t);
  if (jar === undefined || !need(t, 'openssl')) return;
  await signedByApksig(t, jar, [1, 2, 3], false);
  await signedByApksig(t, jar, [2, 3], true);
});

const stampEntryOf = (key: SigningKey): Buffer =>
  sha256(new X509Certificate(readFileSync(key.certificate)).raw);

const identityOf = ({ key, certificate }: SigningKey): Identity => ({
  privateKey: createPrivateKey({ key: readFileSync(key), format: 'der', type: 'pkcs8' }),
  publicKey: new X509Certificate(readFileSync(certificate)).publicKey.export({ type: 'spki', format: 'der' }),
  certificate: new X509Certificate(readFileSync(certificate)).raw,
});

test('apksig takes what is verified here, and refuses what does not hold', (t) => {
  if (!need(t, 'java', 'openssl', 'apksigner')) return;
  const directory = temporaryDirectory(t);
  const key = makeKey(directory, 'stamp', 'rsa2048');
  const from = unsignedWith(stampEntryOf(key));
  const [block = ''] = runStamps(APKSIG, directory, [
    { kind: 'block', stamp: key, digest: contentDigest(from) },
  ]);
  const theirs = stamped({ id: 0x2b09189e, value: Buffer.from(block, 'hex') }, from);
  t.is(check(theirs).status, 'verified');
  // Java reads no certificate that only has a key
  const real = identityOf(makeKey(directory, 'other stamp'));
  const entry = sha256(real.certificate);
  const own = unsignedWith(entry);
  const digest = contentDigest(own);
  const wrong = Buffer.alloc(32);
  const by = (more: Partial<StampSpec> = {}): StampSpec => ({
    identity: real,
    schemes: [[2, digest]],
    ...more,
  });
  const badly = stampPairV1(by({ schemes: [[2, wrong]] }));
  const well = stampPairV1(by());
  const files: readonly (readonly [Buffer, boolean, StampVerifyJob['first']?])[] = [
    [
      theirs,
      true,
      { entry: stampEntryOf(key), digest: contentDigest(from), block: Buffer.from(block, 'hex') },
    ],
    [stamped(well, own), true, { entry, digest, block: well.value }],
    [stamped(badly, own), false, { entry, digest, block: badly.value }],
    [stamped(well, unsignedWith(wrong)), false, { entry: wrong, digest, block: well.value }],
    [stamped(stampPairV2(by()), own), true],
    [stamped(stampPairV2(by({ schemes: [[2, wrong]] })), own), false],
    [stamped(stampPairV2(by()), unsignedWith(wrong)), false],
  ];
  const answers = runStamps(
    APKSIG,
    directory,
    files.map(([apk, , first], index) => {
      const file = path.join(directory, `${index}.apk`);
      writeFileSync(file, apk);
      return { kind: 'verify', file, ...(first === undefined ? {} : { first }) };
    }),
  );
  for (const [index, [apk, expected]] of files.entries()) {
    t.is(answers[index], `${expected}\tfalse`, `file ${index}`);
    t.is(check(apk).stamps[0]?.verified, expected, `file ${index}`);
  }
});
