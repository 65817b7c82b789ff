// SPDX-License-Identifier: Apache-2.0
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import test from 'ava';
import {
  checkApkCode,
  checkBundleCode,
  readCodeTransparency,
  type SignedCode,
} from '../../src/formats/code-transparency.js';
import { certificateFor } from '../helpers/sign-apk.js';

const pair = generateKeyPairSync('rsa', { modulusLength: 3072 });
const certificate = certificateFor(pair.publicKey.export({ type: 'spki', format: 'der' }));
const SHA = createHash('sha256').update('code').digest('hex');
const OTHER = createHash('sha256').update('other').digest('hex');

const DEX: SignedCode = { path: 'base/dex/classes.dex', type: 'DEX', sha256: SHA };
const LIB: SignedCode = {
  path: 'base/lib/x86_64/liba.so',
  type: 'NATIVE_LIBRARY',
  apkPath: 'lib/x86_64/liba.so',
  sha256: OTHER,
};

/** As bundletool prints it. */
const PAYLOAD = `{
  "codeRelatedFile": [{
    "path": "base/dex/classes.dex",
    "type": "DEX",
    "sha256": "${SHA}"
  }, {
    "path": "base/lib/x86_64/liba.so",
    "type": "NATIVE_LIBRARY",
    "apkPath": "lib/x86_64/liba.so",
    "sha256": "${OTHER}"
  }],
  "version": 1
}`;
const HEADER = JSON.stringify({ alg: 'RS256', x5c: [certificate.toString('base64')] });

function jwt(payload = PAYLOAD, header = HEADER, change = (text: string): string => text): Buffer {
  const encode = (text: string): string => Buffer.from(text).toString('base64url');
  const signed = `${encode(header)}.${encode(payload)}`;
  const signature = sign('sha256', Buffer.from(signed), pair.privateKey).toString('base64url');
  return Buffer.from(change(`${signed}.${signature}`));
}

const codes = (bytes: Buffer): string[] => readCodeTransparency(bytes).issues.map(({ code }) => code);

test('what bundletool writes: verified, with its files', (t) => {
  const { files, issues } = readCodeTransparency(jwt());
  t.deepEqual(issues, []);
  t.deepEqual(files, [DEX, LIB]);
});

const withOtherDigest = (text: string): string => {
  const [header, , signature] = text.split('.');
  return `${header}.${Buffer.from(PAYLOAD.replace(SHA, OTHER)).toString('base64url')}.${signature}`;
};
const DEEP = '['.repeat(100_000) + ']'.repeat(100_000);
const second = certificate.toString('base64');
const CASES: readonly (readonly [string, () => Buffer, readonly string[]])[] = [
  [
    'another digest under the same signature',
    () => jwt(PAYLOAD, HEADER, withOtherDigest),
    ['transparency-signature'],
  ],
  ['a space more', () => jwt(PAYLOAD.replace('{\n  "code', '{\n   "code')), ['transparency-free-bytes']],
  [
    'a field more',
    () => jwt(PAYLOAD.replace('"version"', '"note": "hidden",\n  "version"')),
    ['transparency-free-bytes'],
  ],
  [
    'a field of a file more',
    () => jwt(PAYLOAD.replace('"type": "DEX"', '"note": "x",\n    "type": "DEX"')),
    ['transparency-free-bytes'],
  ],
  [
    'a key twice',
    () => jwt(PAYLOAD.replace('"version": 1', '"version": 1,\n  "version": 1')),
    ['transparency-free-bytes'],
  ],
  ['an escaped letter', () => jwt(PAYLOAD.replace('"DEX"', '"D\\u0045X"')), ['transparency-free-bytes']],
  ['a byte order mark', () => jwt(`\ufeff${PAYLOAD}`), ['transparency-malformed']],
  ['another version', () => jwt(PAYLOAD.replace('"version": 1', '"version": 2')), ['transparency-version']],
  ['no version', () => jwt(PAYLOAD.replace(',\n  "version": 1', '')), ['transparency-version']],
  [
    'a header field more',
    () => jwt(PAYLOAD, HEADER.replace('{', '{"typ":"JWT",')),
    ['transparency-free-bytes'],
  ],
  ['a chain', () => jwt(PAYLOAD, HEADER.replace('"]', `","${second}"]`)), ['transparency-chain']],
  ['no certificate', () => jwt(PAYLOAD, '{"alg":"RS256","x5c":[]}'), ['transparency-malformed']],
  ['no signature at all', () => jwt(PAYLOAD, HEADER.replace('RS256', 'none')), ['transparency-algorithm']],
  ['a shorter digest', () => jwt(PAYLOAD.replace(SHA, SHA.slice(1))), ['transparency-malformed']],
  [
    'a list of numbers',
    () => jwt('{\n  "codeRelatedFile": [1],\n  "version": 1\n}'),
    ['transparency-malformed'],
  ],
  ['a line feed behind it', () => jwt(PAYLOAD, HEADER, (text) => `${text}\n`), ['transparency-malformed']],
  [
    'two parts',
    () => jwt(PAYLOAD, HEADER, (text) => text.split('.').slice(0, 2).join('.')),
    ['transparency-malformed'],
  ],
  [
    'an algorithm that is an object without text',
    () => jwt(PAYLOAD, HEADER.replace('"RS256"', '{"toString":1,"valueOf":1}')),
    ['transparency-algorithm'],
  ],
  [
    'an algorithm 100,000 lists deep',
    () => jwt(PAYLOAD, HEADER.replace('"RS256"', DEEP)),
    ['transparency-algorithm'],
  ],
  [
    'a version that is an object without text',
    () => jwt(PAYLOAD.replace(': 1\n', ': {"toString":1,"valueOf":1}\n')),
    ['transparency-version'],
  ],
  [
    'a version 100,000 lists deep',
    () => jwt(PAYLOAD.replace(': 1\n', `: ${DEEP}\n`)),
    ['transparency-version'],
  ],
  ['nothing', () => Buffer.alloc(0), ['transparency-malformed']],
  ['noise', () => Buffer.alloc(1000, 0xff), ['transparency-malformed']],
];

for (const [title, bytes, expected] of CASES)
  test(`refused: ${title}`, (t) => t.deepEqual(codes(bytes()), expected));

test('10,000 certificates beside the signer’s: none of them is read', (t) => {
  const more = HEADER.replace('"]', `"${`,"${second}"`.repeat(10_000)}]`);
  const started = performance.now();
  t.deepEqual(codes(jwt(PAYLOAD, more)), ['transparency-chain']);
  t.true(performance.now() - started < 5000);
});

test('each bit flipped: something is found', (t) => {
  const whole = jwt();
  for (let bit = 0; bit < whole.length * 8; bit += 7) {
    const changed = Buffer.from(whole);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    if (codes(changed).length === 0) return t.fail(`bit ${bit}`);
  }
  t.pass();
});

const transparency = readCodeTransparency(jwt());

test('APKs: a part of the bundle, DEX files under any name, libraries under theirs', (t) => {
  const of = (...found: readonly (readonly [string, string?])[]): string[] =>
    checkApkCode(
      transparency,
      found.map(([name, sha256]) => ({ name, ...(sha256 === undefined ? {} : { sha256 }) })),
    ).map(({ code, message }) => `${code} ${message.split(':')[0] ?? ''}`);
  t.deepEqual(of(), []);
  t.deepEqual(of(['classes2.dex', SHA]), []);
  t.deepEqual(of(['classes.dex', OTHER]), ['transparency-code-added classes.dex']);
  t.deepEqual(of(['lib/x86_64/liba.so', OTHER]), []);
  t.deepEqual(of(['lib/x86_64/liba.so', SHA]), ['transparency-code-changed lib/x86_64/liba.so']);
  t.deepEqual(of(['lib/x86_64/libb.so', OTHER]), ['transparency-code-added lib/x86_64/libb.so']);
  t.deepEqual(of(['lib/x86_64/liba.so']), ['transparency-unread lib/x86_64/liba.so']);
});

test('a bundle: exactly what is signed', (t) => {
  const of = (...found: readonly (readonly [string, string])[]): string[] =>
    checkBundleCode(
      transparency,
      found.map(([name, sha256]) => ({ name, sha256 })),
    ).map(({ code }) => code);
  t.deepEqual(of(['base/dex/classes.dex', SHA], ['base/lib/x86_64/liba.so', OTHER]), []);
  t.deepEqual(of(['base/dex/classes.dex', SHA]), ['transparency-code-missing']);
  t.deepEqual(of(['base/dex/classes.dex', OTHER], ['base/lib/x86_64/liba.so', OTHER]), [
    'transparency-code-changed',
  ]);
  t.deepEqual(
    of(['base/dex/classes.dex', SHA], ['base/dex/classes2.dex', SHA], ['base/lib/x86_64/liba.so', OTHER]),
    ['transparency-code-added'],
  );
});
