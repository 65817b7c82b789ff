// SPDX-License-Identifier: Apache-2.0
/** What is told of signers beside the verdict, from whole files. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { inspectPublished } from '../../src/compare/inspect-published.js';
import { describeDebugKey } from '../../src/compare/signer-notes.js';
import type { SignerPin } from '../../src/model.js';
import { makeKey, signWithApksigner, type SigningKey } from '../helpers/apksigner.js';
import { buildManifest } from '../helpers/build-axml.js';
import { buildZip } from '../helpers/build-zip.js';
import { need } from '../helpers/need.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const pin = (sha256: string, range: Partial<SignerPin> = {}): SignerPin => ({
  sha256,
  statedBy: 'publisher',
  source: 'https://example.org/fingerprint',
  ...range,
});

const digestOf = ({ certificate }: SigningKey): string =>
  new X509Certificate(readFileSync(certificate)).fingerprint256.replaceAll(':', '').toLowerCase();

/** Signed with v2 by the first key and with v3 by the last, whose lineage leads from one to the other. */
function rotatedApk(t: ExecutionContext): { file: string; keys: string[] } {
  const directory = temporaryDirectory(t);
  const keys = [makeKey(directory, 'old'), makeKey(directory, 'new')];
  const lineage = path.join(directory, 'lineage');
  const side = (flag: string, at: number): string[] => [
    flag,
    '--key',
    keys[at]?.key ?? '',
    '--cert',
    keys[at]?.certificate ?? '',
  ];
  execFileSync(
    'apksigner',
    ['rotate', '--out', lineage, ...side('--old-signer', 0), ...side('--new-signer', 1)],
    { stdio: 'pipe' },
  );
  const plain = buildZip([
    { name: 'AndroidManifest.xml', data: buildManifest({ minSdk: 24, targetSdk: 33 }) },
  ]);
  const apk = signWithApksigner(directory, plain, {
    keys,
    v2: true,
    v3: true,
    extra: ['--lineage', lineage],
  });
  const file = path.join(directory, 'rotated.apk');
  writeFileSync(file, apk);
  return { file, keys: keys.map(digestOf) };
}

test('a rotated key is accepted from a pinned one on, and told with the place that states it', async (t) => {
  if (!need(t, 'apksigner', 'openssl')) return;
  const { file, keys } = rotatedApk(t);
  const [old = '', next = ''] = keys;
  const found = await inspectPublished(file, { signers: [pin(old, { statedBy: 'third-party' })] });
  t.deepEqual(found.notAuthentic, []);
  t.deepEqual(found.notes, [
    { code: 'signer-pinned', detail: `${old}, stated by a third party: https://example.org/fingerprint` },
    {
      code: 'signer-rotated',
      detail: `signed by ${next} (v3) for SDK 28 and later, whose lineage leads back to ${old}, stated by a third party: https://example.org/fingerprint`,
    },
  ]);
  t.deepEqual(
    found.signature.bySdk?.map(({ minSdk, maxSdk, scheme, status, signers }) => [
      minSdk,
      maxSdk,
      scheme,
      status,
      signers,
    ]),
    [
      [24, 27, 'v2', 'verified', [old]],
      [28, undefined, 'v3', 'verified', [next]],
    ],
  );
});

test('a rotated key is another signer for versions for which a pin names the one that comes next', async (t) => {
  if (!need(t, 'apksigner', 'openssl')) return;
  const { file, keys } = rotatedApk(t);
  const [old = ''] = keys;
  const other = '0'.repeat(64);
  const found = await inspectPublished(file, {
    signers: [pin(old, { maxSdk: 32 }), pin(other, { minSdk: 33 })],
  });
  t.deepEqual(
    found.notAuthentic.map(({ code }) => code),
    ['signer-not-pinned'],
  );
  const none = await inspectPublished(file, { signers: [pin(other)] });
  t.deepEqual(
    none.notAuthentic.map(({ code }) => code),
    ['signer-not-pinned', 'signer-not-pinned'],
  );
});

test('a lineage with one changed byte leads nowhere', async (t) => {
  if (!need(t, 'apksigner', 'openssl')) return;
  const { file, keys } = rotatedApk(t);
  const apk = readFileSync(file);
  const attribute = apk.indexOf(Buffer.from('8c6fa03b', 'hex'));
  for (const at of [attribute + 4, attribute + 40, attribute + 700]) {
    const changed = Buffer.from(apk);
    changed[at] = (changed[at] ?? 0) ^ 1;
    writeFileSync(file, changed);
    const found = await inspectPublished(file, { signers: [pin(keys[0] ?? '')] });
    t.true(found.notAuthentic.some(({ code }) => code === 'signature-invalid'));
    t.false(found.notes.some(({ code }) => code === 'signer-rotated' && found.notAuthentic.length === 0));
  }
});

test('the keys of Android’s source are told, and that nothing was pinned', async (t) => {
  const found = await inspectPublished(
    'node_modules/appium-uiautomator2-server/apks/appium-uiautomator2-server-debug-androidTest.apk',
  );
  t.deepEqual(
    found.notes.map(({ code, detail }) => [code, /testkey/.test(detail)]),
    [
      ['debug-key', true],
      ['signer-unpinned', false],
    ],
  );
  t.deepEqual(found.notAuthentic, []);
});

test('a debug certificate is known by all of its subject', (t) => {
  const certificateSha256 = '0'.repeat(64);
  const told = (subject: string): boolean => describeDebugKey({ certificateSha256, subject }) !== undefined;
  t.true(told('C=US, O=Android, CN=Android Debug'));
  t.true(told('CN=Android Debug, O=Android, C=US'));
  for (const subject of [
    'CN=Android Debug',
    'CN=Android Debug, O=Android, C=US, OU=x',
    'CN=Android Debug2, O=Android, C=US',
    'CN=Android, O=Android, C=US',
    '',
  ])
    t.false(told(subject), subject);
});

test('an unsigned file has no signer to be told of', async (t) => {
  const file = path.join(temporaryDirectory(t), 'plain.apk');
  writeFileSync(file, buildZip([{ name: 'AndroidManifest.xml', data: buildManifest() }]));
  const found = await inspectPublished(file);
  t.deepEqual([found.notes, found.signature.bySdk], [[], undefined]);
});
