// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { BufferSource } from '../../src/bytes.js';
import { readSigningBlock } from '../../src/formats/apk-signing-block.js';
import { checkIdsig, type IdsigCheck, type IdsigIssueCode } from '../../src/formats/idsig.js';
import { readZip } from '../../src/formats/zip.js';
import { apksig35 } from '../helpers/apksig-35.js';
import { makeKey } from '../helpers/apksigner.js';
import { buildManifest } from '../helpers/build-axml.js';
import { buildZip } from '../helpers/build-zip.js';
import { need } from '../helpers/need.js';
import { contentDigest, newIdentity, signedApk, type Identity } from '../helpers/sign-apk.js';
import { buildIdsig, type IdsigSpec } from '../helpers/sign-idsig.js';
import { runStamps } from '../helpers/stamp-driver.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const APKSIG = '/usr/share/java/apksig.jar';
const unsigned = buildZip([
  { name: 'AndroidManifest.xml', data: buildManifest() },
  // two levels of the tree: more than 128 blocks
  { name: 'big.bin', data: Buffer.alloc(700_000, 7), method: 0 },
]);
const identity = newIdentity();
const apk = signedApk(unsigned, { identity });
const digest = contentDigest(unsigned);

function check(idsig: Buffer, of = apk): IdsigCheck {
  const source = new BufferSource(of);
  const block = readSigningBlock(source, readZip(source).centralDirectory.offset);
  return checkIdsig(new BufferSource(idsig), source, block);
}

const build = (more: Partial<IdsigSpec> = {}, by: Identity = identity): Buffer =>
  buildIdsig(apk, { signers: [{ identity: by, digest }], ...more });

test('with and without tree: verified', (t) => {
  for (const tree of [true, false]) {
    const { status, issues, ...found } = check(build({ tree }));
    t.deepEqual([status, issues, found.tree], ['verified', [], tree]);
    t.deepEqual(
      found.signers.map(({ scheme }) => scheme),
      ['v2'],
    );
  }
});

const REFUSED: readonly (readonly [string, Partial<IdsigSpec>, IdsigIssueCode, 'invalid' | 'unchecked'])[] = [
  ['another version', { version: 3 }, 'idsig-version', 'unchecked'],
  ['another hash', { hashAlgorithm: 2 }, 'idsig-hash-algorithm', 'unchecked'],
  ['other blocks', { log2BlockSize: 14 }, 'idsig-hash-algorithm', 'unchecked'],
  ['a salt', { salt: Buffer.alloc(8) }, 'idsig-salt', 'unchecked'],
  ['another root', { rootHash: Buffer.alloc(32) }, 'idsig-root-hash', 'invalid'],
  ['another tree', { treeBytes: Buffer.alloc(8192) }, 'idsig-tree', 'invalid'],
  ['a shorter tree', { treeBytes: Buffer.alloc(4096) }, 'idsig-tree', 'invalid'],
  [
    'a digest of something else',
    { signers: [{ identity, digest: Buffer.alloc(32) }] },
    'idsig-digest',
    'invalid',
  ],
  ['another signer', { signers: [{ identity: newIdentity(), digest }] }, 'idsig-signer', 'invalid'],
  [
    'a key that is not the certificate’s',
    { signers: [{ identity, digest, publicKey: newIdentity().publicKey }] },
    'idsig-public-key',
    'invalid',
  ],
  ['an unknown algorithm', { signers: [{ identity, digest, algorithm: 7 }] }, 'idsig-algorithm', 'unchecked'],
  ['another algorithm', { signers: [{ identity, digest, algorithm: 0x0103 }] }, 'idsig-signature', 'invalid'],
  ['a signature of another size', { size: apk.length + 1 }, 'idsig-signature', 'invalid'],
  [
    'additional data',
    { signers: [{ identity, digest, additionalData: Buffer.alloc(4) }] },
    'idsig-additional-data',
    'unchecked',
  ],
  [
    'a block for a pair that is not there',
    {
      signers: [
        { identity, digest },
        { identity, digest, block: 0x1b93ad61 },
      ],
    },
    'idsig-block',
    'invalid',
  ],
  ['bytes behind it', { tree: true, after: Buffer.alloc(1) }, 'idsig-trailing-bytes', 'unchecked'],
  ['bytes behind the hashing info', { afterHashing: Buffer.alloc(1) }, 'idsig-trailing-bytes', 'unchecked'],
  ['bytes behind the signing info', { afterInfo: Buffer.alloc(1) }, 'idsig-malformed', 'invalid'],
];

for (const [title, spec, code, expected] of REFUSED)
  test(`${expected}: ${title}`, (t) => {
    const { status, issues } = check(build(spec));
    t.true(
      issues.some((issue) => issue.code === code),
      issues.map((issue) => `${issue.code} ${issue.message}`).join(),
    );
    t.is(status, expected);
  });

test('that of another file, and of a file without signature', (t) => {
  const idsig = build({ tree: true });
  const other = signedApk(buildZip([{ name: 'other', data: 'x' }]), { identity });
  t.deepEqual(
    check(idsig, other).issues.map(({ code }) => code),
    ['idsig-root-hash', 'idsig-tree', 'idsig-digest', 'idsig-signature'],
  );
  t.true(
    check(buildIdsig(unsigned, { signers: [{ identity, digest }] }), unsigned).issues.some(
      ({ code }) => code === 'idsig-no-block',
    ),
  );
});

test('cut at each length, and each bit of its head flipped: never verified, never an error', (t) => {
  const idsig = build({ tree: true });
  const head = idsig.length - 3 * 4096;
  for (let size = 0; size < idsig.length; size += size < head ? 1 : 997)
    // without tree it is a whole one
    if (size !== head - 4 && check(idsig.subarray(0, size)).status === 'verified')
      return t.fail(`cut at ${size}`);
  for (let bit = 0; bit < head * 8; bit += 3) {
    const changed = Buffer.from(idsig);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    if (check(changed).status === 'verified') return t.fail(`bit ${bit}`);
  }
  t.pass();
});

test('files of real releases are verified, and not with each other’s', (t) => {
  const directory = path.join(
    path.dirname(createRequire(import.meta.url).resolve('appium-uiautomator2-server/package.json')),
    'apks',
  );
  const read = (name: string): Buffer => readFileSync(path.join(directory, name));
  const names = [
    'appium-uiautomator2-server-v10.6.6.apk',
    'appium-uiautomator2-server-debug-androidTest.apk',
  ];
  const [first = '', second = ''] = names;
  for (const name of names) t.is(check(read(`${name}.idsig`), read(name)).status, 'verified');
  t.is(check(read(`${first}.idsig`), read(second)).status, 'invalid');
});

async function byApksig(t: ExecutionContext, jar: string, rotated: boolean): Promise<void> {
  const directory = temporaryDirectory(t);
  const file = (name: string): string => path.join(directory, name);
  writeFileSync(file('unsigned.apk'), unsigned);
  const keys = [makeKey(directory, 'app'), ...(rotated ? [makeKey(directory, 'newer', 'rsa2048')] : [])];
  const [signed] = runStamps(jar, directory, [
    {
      kind: 'sign',
      from: file('unsigned.apk'),
      to: file('a.apk'),
      minSdk: 24,
      schemes: [2, 3],
      keys,
      idsig: file('a.idsig'),
    },
  ]);
  t.is(signed, 'true');
  const { status, issues, signers } = check(readFileSync(file('a.idsig')), readFileSync(file('a.apk')));
  t.deepEqual([status, issues], ['verified', []]);
  t.deepEqual(
    signers.map(({ scheme }) => scheme),
    rotated ? ['v3', 'v3.1'] : ['v3'],
  );
  if (!rotated) return;
  // without the second signer it is one of v4, not of v4.1
  const idsig = readFileSync(file('a.idsig'));
  const changed = Buffer.from(idsig);
  const at = idsig.indexOf(Buffer.from([0x61, 0xad, 0x93, 0x1b]));
  changed[at] = 0x62;
  t.true(check(changed, readFileSync(file('a.apk'))).issues.some(({ code }) => code === 'idsig-block'));
}

test('those of apksig 31 are verified', async (t) => {
  if (need(t, 'java', 'openssl', 'apksigner')) await byApksig(t, APKSIG, false);
});

test('those of apksig 35 are verified, with two signers too (v4.1)', async (t) => {
  const jar = await apksig35(t);
  if (jar === undefined || !need(t, 'openssl')) return;
  await byApksig(t, jar, false);
  await byApksig(t, jar, true);
});

test('apksig takes what is verified here, and refuses what is invalid', (t) => {
  if (!need(t, 'java', 'apksigner')) return;
  const directory = temporaryDirectory(t);
  const file = path.join(directory, 'a.apk');
  writeFileSync(file, apk);
  const cases = [
    build(),
    build({ tree: true }),
    ...REFUSED.filter(([, , , status]) => status === 'invalid').map(([, spec]) => build(spec)),
  ];
  const answers = runStamps(
    APKSIG,
    directory,
    cases.map((bytes, index) => {
      const idsig = path.join(directory, `${index}.idsig`);
      writeFileSync(idsig, bytes);
      return { kind: 'verify', file, idsig };
    }),
  );
  for (const [index, bytes] of cases.entries()) {
    const theirs = answers[index]?.endsWith('\ttrue') === true;
    const ours = check(bytes);
    // apksig 31 reads one signer and leaves what follows it alone
    const moreThanOne = ours.issues.some(({ code }) => code === 'idsig-block' || code === 'idsig-malformed');
    t.is(theirs, ours.status === 'verified' || moreThanOne, `${index}: ${answers[index] ?? ''}`);
  }
});
