// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { BufferSource, FileSource, type ByteSource } from '../../src/bytes.js';
import {
  checkApkSignature,
  parseApkSignature,
  type ApkSections,
  type ApkSignatureCheck,
} from '../../src/formats/apk-signature.js';
import { readZip } from '../../src/formats/zip.js';
import {
  apksignerAccepts,
  makeKey,
  signWithApksigner,
  type KeyKind,
  type SignOptions,
} from '../helpers/apksigner.js';
import { buildZip } from '../helpers/build-zip.js';
import { need } from '../helpers/need.js';
import {
  insertBlock,
  newIdentity,
  signerPair,
  signingBlock,
  type Identity,
  type SignerSpec,
} from '../helpers/sign-apk.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const unsigned = buildZip([
  { name: 'AndroidManifest.xml', data: 'manifest' },
  { name: 'classes.dex', data: 'code'.repeat(100) },
  { name: 'lib/arm64-v8a/libx.so', data: 'library', method: 0, align: 4096 },
]);

function sectionsOf(source: ByteSource): ApkSections {
  const zip = readZip(source);
  return {
    centralDirectoryOffset: zip.centralDirectory.offset,
    centralDirectorySize: zip.centralDirectory.size,
    endOffset: zip.zip64?.offset ?? zip.end.offset,
  };
}

function check(apk: Buffer): ApkSignatureCheck {
  const source = new BufferSource(apk);
  return checkApkSignature(source, sectionsOf(source));
}

function sign(
  t: ExecutionContext,
  kinds: readonly KeyKind[],
  options: Omit<SignOptions, 'keys'>,
): { apk: Buffer; directory: string; certificates: string[] } {
  const directory = temporaryDirectory(t);
  const keys = kinds.map((kind, index) => makeKey(directory, `signer ${index}`, kind));
  const apk = signWithApksigner(directory, unsigned, { keys, ...options });
  const certificates = keys.map(({ certificate }) =>
    new X509Certificate(readFileSync(certificate)).fingerprint256.replaceAll(':', '').toLowerCase(),
  );
  return { apk, directory, certificates };
}

const verifies = test.macro({
  exec(t, kinds: readonly KeyKind[], options: Omit<SignOptions, 'keys'>, schemes: readonly string[]) {
    if (!need(t, 'apksigner', 'openssl')) return;
    const { apk, directory, certificates } = sign(t, kinds, options);
    const result = check(apk);
    t.deepEqual(result.issues, []);
    t.is(result.status, 'verified');
    t.deepEqual(
      result.signers.map((signer) => signer.scheme),
      schemes,
    );
    t.deepEqual(new Set(result.signers.map((signer) => signer.certificateSha256)), new Set(certificates));
    t.true(apksignerAccepts(directory, apk));
    const source = new BufferSource(apk);
    t.is(parseApkSignature(source, sectionsOf(source)).status, 'parsed');
  },
  title: (given) => `what apksigner signs verifies: ${given ?? ''}`,
});

test('v2, RSA 2048', verifies, ['rsa2048'], { v2: true }, ['v2']);
test('v2, RSA 4096', verifies, ['rsa4096'], { v2: true }, ['v2']);
test('v2, P-256', verifies, ['p256'], { v2: true }, ['v2']);
test('v2, P-384', verifies, ['p384'], { v2: true }, ['v2']);
test('v2, three signers', verifies, ['p256', 'rsa2048', 'p384'], { v2: true }, ['v2', 'v2', 'v2']);
test('v2 and v3', verifies, ['p256'], { v2: true, v3: true }, ['v2', 'v3']);
test('v3 alone', verifies, ['rsa2048'], { v2: false, v3: true, minSdk: 28 }, ['v3']);

test('every changed byte of a signed file is noticed, and never by us alone being lax', (t) => {
  if (!need(t, 'apksigner', 'openssl')) return;
  const { apk } = sign(t, ['p256'], { v2: true, v3: true });
  const { block } = check(apk);
  for (let at = 0; at < apk.length; at++) {
    const corrupt = Buffer.from(apk);
    corrupt[at] = (corrupt[at] ?? 0) ^ 0x01;
    let status: string;
    try {
      status = check(corrupt).status;
    } catch {
      continue; // no longer an archive
    }
    const inside = block !== undefined && at >= block.offset && at < block.offset + block.size;
    if (status === 'verified') t.fail(`byte ${at} (${inside ? 'signing block' : 'contents'}) may be changed`);
  }
  t.pass();
});

/** The signed APK with another value for its signing block's pairs. */
function withPairs(
  apk: Buffer,
  change: (pairs: { id: number; value: Buffer }[]) => { id: number; value: Buffer }[],
  pad = true,
): Buffer {
  const zip = readZip(new BufferSource(apk));
  const { block } = check(apk);
  if (block === undefined) throw new Error('not signed');
  const pairs = change(
    block.pairs.map(({ id, offset, size }) => ({ id, value: apk.subarray(offset, offset + size) })),
  );
  const encode = (list: typeof pairs): Buffer =>
    Buffer.concat(
      list.map(({ id, value }) => {
        const head = Buffer.alloc(12);
        head.writeBigUInt64LE(BigInt(value.length + 4), 0);
        head.writeUInt32LE(id, 8);
        return Buffer.concat([head, value]);
      }),
    );
  const rest = pad ? pairs.filter(({ id }) => id !== 0x42726577) : pairs;
  let body = encode(rest);
  if (pad) {
    let missing = 4096 - ((body.length + 32) % 4096);
    if (missing < 12) missing += 4096;
    body = Buffer.concat([body, encode([{ id: 0x42726577, value: Buffer.alloc(missing - 12) }])]);
  }
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(body.length + 24));
  const newBlock = Buffer.concat([size, body, size, Buffer.from('APK Sig Block 42')]);
  const end = Buffer.from(apk.subarray(zip.end.offset));
  end.writeUInt32LE(block.offset + newBlock.length, 16);
  const { offset } = zip.centralDirectory;
  return Buffer.concat([apk.subarray(0, block.offset), newBlock, apk.subarray(offset, zip.end.offset), end]);
}

interface Tampered {
  readonly code: string;
  readonly status: 'invalid' | 'unchecked';
  readonly change: (pairs: { id: number; value: Buffer }[]) => { id: number; value: Buffer }[];
  readonly pad?: false;
}

const V2 = 0x7109871a;
const V3 = 0xf05368c0;
const isPadding = ({ id }: { id: number }): boolean => id === 0x42726577;

const TAMPERED: Readonly<Record<string, Tampered>> = {
  'an unknown pair': {
    code: 'unknown-pair',
    status: 'unchecked',
    change: (pairs) => [...pairs, { id: 0x12345678, value: Buffer.from('payload') }],
  },
  'a source stamp': {
    code: 'stamp-malformed',
    status: 'unchecked',
    change: (pairs) => [...pairs, { id: 0x6dff800d, value: Buffer.from('payload') }],
  },
  'a second v2 pair': {
    code: 'duplicate-pair',
    status: 'unchecked',
    change: (pairs) => [...pairs, pairs[0] as { id: number; value: Buffer }],
  },
  'a payload in the padding': {
    code: 'padding-not-zero',
    status: 'unchecked',
    pad: false,
    change: (pairs) =>
      pairs.map((pair) => (isPadding(pair) ? { ...pair, value: Buffer.alloc(pair.value.length, 1) } : pair)),
  },
  'padding of another length': {
    code: 'padding-size',
    status: 'unchecked',
    pad: false,
    change: (pairs) =>
      pairs.map((pair) =>
        isPadding(pair) ? { ...pair, value: Buffer.alloc(pair.value.length + 4096) } : pair,
      ),
  },
  'padding in front': {
    code: 'padding-size',
    status: 'unchecked',
    pad: false,
    change: (pairs) => [...pairs].sort((a) => (isPadding(a) ? -1 : 1)),
  },
  'bytes after the signers': {
    code: 'unowned-bytes',
    status: 'unchecked',
    change: (pairs) =>
      pairs.map((pair) =>
        pair.id === V2 ? { ...pair, value: Buffer.concat([pair.value, Buffer.from('payload')]) } : pair,
      ),
  },
  'v3 stripped': {
    code: 'scheme-stripped',
    status: 'invalid',
    change: (pairs) => pairs.filter(({ id }) => id !== V3),
  },
  'v3 made v2': {
    code: 'duplicate-pair',
    status: 'invalid',
    change: (pairs) => pairs.map((pair) => (pair.id === V3 ? { ...pair, id: V2 } : pair)),
  },
  'no signature left': {
    code: 'no-known-scheme',
    status: 'unchecked',
    change: () => [{ id: 1, value: Buffer.alloc(0) }],
  },
};

for (const [what, { code, status, change, pad }] of Object.entries(TAMPERED))
  test(`tampered: ${what}`, (t) => {
    if (!need(t, 'apksigner', 'openssl')) return;
    const { apk } = sign(t, ['p256'], { v2: true, v3: true });
    t.is(check(withPairs(apk, (pairs) => pairs)).status, 'verified');
    const result = check(withPairs(apk, change, pad));
    t.is(result.status, status);
    t.true(
      result.issues.some((issue) => issue.code === code),
      JSON.stringify(result.issues),
    );
  });

test('a rotated key is verified by its lineage', (t) => {
  if (!need(t, 'apksigner', 'openssl')) return;
  const directory = temporaryDirectory(t);
  const keys = [makeKey(directory, 'old'), makeKey(directory, 'new')];
  const lineage = `${directory}/lineage`;
  const { execFileSync } = process.getBuiltinModule('node:child_process');
  const side = (flag: string, { key, certificate }: (typeof keys)[number]): string[] => [
    flag,
    '--key',
    key,
    '--cert',
    certificate,
  ];
  const [old, next] = keys as [(typeof keys)[number], (typeof keys)[number]];
  execFileSync(
    'apksigner',
    ['rotate', '--out', lineage, ...side('--old-signer', old), ...side('--new-signer', next)],
    { stdio: 'pipe' },
  );
  const apk = signWithApksigner(directory, unsigned, {
    keys,
    v2: true,
    v3: true,
    extra: ['--lineage', lineage],
  });
  const result = check(apk);
  t.is(result.status, 'verified');
  const [before, after] = keys.map(({ certificate }) =>
    new X509Certificate(readFileSync(certificate)).fingerprint256.replaceAll(':', '').toLowerCase(),
  );
  t.deepEqual(
    result.signers.map(({ scheme, certificateSha256 }) => [scheme, certificateSha256]),
    [
      ['v2', before],
      ['v3', after],
    ],
  );
  t.deepEqual(
    result.signers[1]?.lineage?.map(({ certificateSha256, capabilities }) => [
      certificateSha256,
      capabilities,
    ]),
    [
      [before, ['installed-data', 'shared-uid', 'permission', 'auth']],
      [after, ['installed-data', 'shared-uid', 'permission', 'auth']],
    ],
  );
});

test('one certificate that signs more than once: apksig takes it, and it is more than a signature', (t) => {
  const [one, two] = [newIdentity(), newIdentity()];
  const by = (scheme: 'v2' | 'v3', ...signers: readonly SignerSpec[]): Buffer =>
    insertBlock(unsigned, signingBlock([signerPair(scheme, unsigned, signers)]));
  const turns = (identity: Identity): Buffer =>
    by('v3', { identity: one, sdk: [28, 30] }, { identity, sdk: [31, 0x7fffffff] });
  const ten = Array.from({ length: 10 }, () => ({ identity: one }));
  const cases: readonly (readonly [Buffer, number])[] = [
    [by('v2', { identity: one }), 0],
    [by('v2', { identity: one }, { identity: two }), 0],
    [by('v2', { identity: one }, { identity: one }), 1],
    [by('v2', { identity: one }, { identity: two }, { identity: one }), 1],
    [by('v2', ...ten), 9],
    [turns(one), 1],
  ];
  for (const [apk, times] of cases) {
    const { status, issues } = check(apk);
    t.is(status, times === 0 ? 'verified' : 'unchecked');
    t.deepEqual(
      issues.map(({ code }) => code),
      Array.from({ length: times }, () => 'signer-again'),
    );
  }
  // the rebuilt side is ours: no key is used, and it may be as it likes
  const source = new BufferSource(by('v2', { identity: one }));
  t.is(parseApkSignature(source, sectionsOf(source)).status, 'parsed');
  if (!need(t, 'apksigner')) return;
  const directory = temporaryDirectory(t);
  for (const [at, [apk]] of cases.entries())
    t.true(apksignerAccepts(directory, apk, at === 5 ? 28 : 24), String(at));
});

test('an unsigned APK is unsigned', (t) => {
  t.is(check(unsigned).status, 'unsigned');
});

test('the real settings APK verifies, with the certificate that apksigner prints', (t) => {
  const source = FileSource.open('node_modules/settings-apk/apks/settings_apk-debug.apk');
  t.teardown(() => source.close());
  const result = checkApkSignature(source, sectionsOf(source));
  t.is(result.status, 'verified');
  t.is(
    result.signers[0]?.certificateSha256,
    '680dbbc39ab0944796c811b636ace510c8e551317087036cebab0751b0a6190c',
  );
});
