// SPDX-License-Identifier: Apache-2.0
/** Real APKs with JAR signatures, against themselves without. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import test from 'ava';
import { BufferSource } from '../../../src/bytes.js';
import { comparePair } from '../../../src/compare/compare.js';
import type { PairComparison } from '../../../src/compare/types.js';
import { readZip } from '../../../src/formats/zip.js';
import { makeKey, signWithApksigner } from '../../helpers/apksigner.js';
import { buildZip } from '../../helpers/build-zip.js';
import { compareBuffers, verdictOf } from '../../helpers/compare-buffers.js';
import { need } from '../../helpers/need.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

const SIGNATURE = /^META-INF\/(?:MANIFEST\.MF|[^/]+\.(?:SF|RSA|DSA|EC))$/;
const require = createRequire(import.meta.url);
const server = readFileSync(
  path.join(
    path.dirname(require.resolve('appium-uiautomator2-server/package.json')),
    'apks/appium-uiautomator2-server-v10.6.6.apk',
  ),
);

/** Without signing block and without signature entries, which lie behind all others. */
function stripped(apk: Buffer): Buffer {
  const zip = readZip(new BufferSource(apk));
  const kept = zip.entries.filter(({ rawName }) => !SIGNATURE.test(rawName.toString('latin1')));
  const end = Math.max(...kept.map((entry) => entry.end));
  const directory = Buffer.concat(
    kept.map(({ cdOffset, cdSize }) => apk.subarray(cdOffset, cdOffset + cdSize)),
  );
  const record = Buffer.from(apk.subarray(zip.end.offset));
  record.writeUInt16LE(kept.length, 8);
  record.writeUInt16LE(kept.length, 10);
  record.writeUInt32LE(directory.length, 12);
  record.writeUInt32LE(end, 16);
  return Buffer.concat([apk.subarray(0, end), directory, record]);
}

const owners = (pair: PairComparison): string[] =>
  Object.entries(pair.nodes[0]?.published.sums ?? {}).flatMap(([owner, bytes]) => (bytes > 0 ? [owner] : []));

test('every byte of a real signature with 3,838 entries is verified or what apksigner writes', async (t) => {
  const { pair, verdict } = await compareBuffers(server, stripped(server));
  t.is(verdict.kind, 'reproducible');
  t.is(pair.signature.status, 'verified');
  t.deepEqual(pair.signature.issues, []);
  t.deepEqual(
    pair.signature.signers.map(({ scheme }) => scheme),
    ['v2', 'v3', 'v1'],
  );
  t.is(new Set(pair.signature.signers.map(({ certificateSha256 }) => certificateSha256)).size, 1);
  t.deepEqual(owners(pair), ['identical', 'signature']);
  t.true(
    pair.rules.some(({ rule, publishedBytes }) => rule === 'jar-signature' && publishedBytes === 250_425),
  );
});

test('signed anew with JAR signing alone, by apksigner', async (t) => {
  if (!need(t, 'apksigner', 'openssl')) return;
  const directory = temporaryDirectory(t);
  const unsigned = stripped(server);
  const files = {
    published: path.join(directory, 'published.apk'),
    rebuilt: path.join(directory, 'rebuilt.apk'),
  };
  const keys = [makeKey(directory, 'other', 'rsa2048')];
  writeFileSync(
    files.published,
    signWithApksigner(directory, unsigned, { keys, v1: true, v2: false, minSdk: 19 }),
  );
  writeFileSync(files.rebuilt, unsigned);
  const pair = await comparePair(files.published, files.rebuilt);
  t.is(verdictOf(pair).kind, 'equivalent');
  t.deepEqual(owners(pair), ['identical', 'signature', 'excluded']);
  t.deepEqual(
    pair.rules.map(({ rule }) => rule),
    ['jar-signature-only'],
  );
});

const withManifest = buildZip([
  {
    name: 'META-INF/MANIFEST.MF',
    data: 'Manifest-Version: 1.0\r\nBuilt-By: us\r\nX-Own: of the build\r\n\r\n',
  },
  { name: 'AndroidManifest.xml', data: 'manifest' },
  { name: 'classes.dex', data: 'code'.repeat(100) },
]);

test('apksigner takes over the main attributes of a manifest that the build wrote', async (t) => {
  if (!need(t, 'apksigner', 'openssl')) return;
  const directory = temporaryDirectory(t);
  const keys = [makeKey(directory, 'some')];
  for (const [v2, expected] of [
    [true, 'reproducible'],
    [false, 'equivalent'],
  ] as const) {
    const signed = signWithApksigner(directory, withManifest, { keys, v1: true, v2, minSdk: 21 });
    t.is((await compareBuffers(signed, withManifest)).verdict.kind, expected);
  }
});

test('a rotated key: JAR signature by the old one, v3 by the new one, a lineage between them', async (t) => {
  if (!need(t, 'apksigner', 'openssl')) return;
  const directory = temporaryDirectory(t);
  const [old, recent] = [makeKey(directory, 'old'), makeKey(directory, 'new')];
  const lineage = path.join(directory, 'lineage');
  const signer = (kind: string, { key, certificate }: typeof old): string[] => [
    kind,
    '--key',
    key,
    '--cert',
    certificate,
  ];
  const rotate = [
    'rotate',
    '--out',
    lineage,
    ...signer('--old-signer', old),
    ...signer('--new-signer', recent),
  ];
  execFileSync('apksigner', rotate, { stdio: 'pipe' });
  const unsigned = buildZip([{ name: 'AndroidManifest.xml', data: 'manifest' }]);
  for (const v2 of [true, false]) {
    const options = {
      keys: [old, recent],
      v1: true,
      v2,
      v3: true,
      minSdk: 21,
      extra: ['--lineage', lineage],
    };
    const { pair, verdict } = await compareBuffers(signWithApksigner(directory, unsigned, options), unsigned);
    t.deepEqual(pair.signature.issues, []);
    t.is(verdict.kind, 'reproducible');
    const signers = pair.signature.signers.map(
      ({ scheme, certificateSha256 }) => `${scheme} ${certificateSha256}`,
    );
    t.is(new Set(signers.map((text) => text.split(' ')[1])).size, 2);
  }
});

test('zipalign after signing leaves a JAR signature what it is', async (t) => {
  if (!need(t, 'apksigner', 'openssl', 'zipalign')) return;
  const directory = temporaryDirectory(t);
  const [input, output] = [path.join(directory, 'in.apk'), path.join(directory, 'out.apk')];
  const unsigned = stripped(server);
  const keys = [makeKey(directory, 'other')];
  writeFileSync(input, signWithApksigner(directory, unsigned, { keys, v1: true, v2: false, minSdk: 19 }));
  execFileSync('zipalign', ['-f', '4', input, output]);
  const { pair, verdict } = await compareBuffers(readFileSync(output), unsigned);
  t.is(pair.signature.status, 'verified');
  t.is(verdict.kind, 'equivalent');
});
