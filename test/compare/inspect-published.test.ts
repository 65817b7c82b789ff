// SPDX-License-Identifier: Apache-2.0
/** A published file by itself, before anything is built, and the same answers from a comparison. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { inspectPublished, type InspectOptions } from '../../src/compare/inspect-published.js';
import type { SignerPin } from '../../src/model.js';
import { makeKey, signWithApksigner } from '../helpers/apksigner.js';
import { buildManifest } from '../helpers/build-axml.js';
import { buildZip } from '../helpers/build-zip.js';
import { compareBuffers } from '../helpers/compare-buffers.js';
import { need } from '../helpers/need.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const DEMO = 'demo/published/app.apk';
const SIGNER = '4760d8f6a5fc8591475df14786fef53f278277cb577a646840c2dd344b248185';
const pin = (sha256: string, range: Partial<SignerPin> = {}): SignerPin => ({
  sha256,
  statedBy: 'publisher',
  source: 'test',
  ...range,
});

async function reasons(file: string, options: InspectOptions): Promise<string[]> {
  const { notAuthentic, unverifiable } = await inspectPublished(file, options);
  return [...notAuthentic, ...unverifiable].map((reason) => reason.code);
}

function fileOf(t: ExecutionContext, bytes: Buffer): string {
  const file = path.join(temporaryDirectory(t), 'published.apk');
  writeFileSync(file, bytes);
  return file;
}

test('the published demo is its signer, package and version', async (t) => {
  const found = await inspectPublished(DEMO, { signers: [pin(SIGNER)], packageId: 'org.samesource.demo' });
  t.is(found.signature.status, 'verified');
  t.deepEqual(found.identity, {
    package: 'org.samesource.demo',
    versionCode: '1',
    versionName: '1.0.0',
    minSdk: '24',
    targetSdk: '34',
  });
  t.deepEqual([found.notAuthentic, found.unverifiable, found.issues], [[], [], []]);
});

test('another signer, another package, a signer outside of the pin’s versions', async (t) => {
  t.deepEqual(await reasons(DEMO, { signers: [pin('0'.repeat(64))] }), [
    'signer-not-pinned',
    'signer-not-pinned',
  ]);
  t.deepEqual(await reasons(DEMO, { packageId: 'org.samesource' }), ['other-package']);
  t.deepEqual(await reasons(DEMO, { signers: [pin(SIGNER, { maxSdk: 32 })] }), ['signer-not-pinned']);
  t.deepEqual(
    await reasons(DEMO, { signers: [pin(SIGNER, { maxSdk: 32 }), pin(SIGNER, { minSdk: 33 })] }),
    [],
  );
});

test('a changed byte is a signature that does not hold, and an unsigned file has none', async (t) => {
  const plain = buildZip([{ name: 'AndroidManifest.xml', data: buildManifest(), method: 0 }]);
  const file = fileOf(t, plain);
  t.deepEqual(await reasons(file, {}), []);
  t.deepEqual(await reasons(file, { signers: [pin(SIGNER)] }), ['unsigned']);
  if (!need(t, 'apksigner', 'openssl')) return;
  const directory = temporaryDirectory(t);
  const signed = signWithApksigner(directory, plain, { keys: [makeKey(directory, 'key')], v3: true });
  const at = signed.indexOf('AndroidManifest.xml') + 40;
  signed[at] = (signed[at] ?? 0) ^ 1;
  t.true((await reasons(fileOf(t, signed), {})).includes('signature-invalid'));
});

test('a package that cannot be read is not taken for another one', async (t) => {
  const two = buildZip([
    { name: 'AndroidManifest.xml', data: buildManifest() },
    { name: 'AndroidManifest.xml', data: buildManifest({ package: 'org.other' }) },
  ]);
  t.deepEqual(await reasons(fileOf(t, two), { packageId: 'org.example.chat' }), ['unread']);
  const { pair, verdict } = await compareBuffers(two, Buffer.from(two), { packageId: 'org.example.chat' });
  t.deepEqual(pair.identity, {});
  t.deepEqual(pair.notAuthentic, []);
  t.is(verdict.kind, 'unverifiable');
  // the worse verdict stands: a file that differs is not excused by a manifest that nobody reads
  const other = buildZip([{ name: 'AndroidManifest.xml', data: 'x' }]);
  t.is((await compareBuffers(two, other, { packageId: 'org.example.chat' })).verdict.kind, 'unreproducible');
  t.deepEqual(await reasons(fileOf(t, Buffer.from('text')), { packageId: 'a' }), ['unread']);
  t.deepEqual(await reasons(fileOf(t, Buffer.alloc(0)), { packageId: 'a', signers: [pin(SIGNER)] }), [
    'unsigned',
    'unread',
  ]);
});

test('a comparison says the same: identity, other package, pins by version', async (t) => {
  const app = buildZip([{ name: 'AndroidManifest.xml', data: buildManifest() }]);
  const same = await compareBuffers(app, Buffer.from(app), { packageId: 'org.example.chat' });
  t.is(same.verdict.kind, 'reproducible');
  t.is(same.pair.identity['versionName'], '1.2');
  const other = await compareBuffers(app, Buffer.from(app), { packageId: 'org.example' });
  t.is(other.verdict.kind, 'not-authentic');
  t.deepEqual(other.pair.notAuthentic, [
    { code: 'other-package', detail: 'package org.example.chat, expected org.example' },
  ]);
});
