// SPDX-License-Identifier: Apache-2.0
/** Real APKs from packages, re-signed and re-aligned by the real tools. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { sha256, BufferSource } from '../../src/bytes.js';
import { makeKey, signWithApksigner } from '../helpers/apksigner.js';
import { compareBuffers } from '../helpers/compare-buffers.js';
import { need } from '../helpers/need.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const require = createRequire(import.meta.url);
const apk = (name: string): Buffer =>
  readFileSync(
    path.join(path.dirname(require.resolve(`${name}/package.json`)), 'apks/settings_apk-debug.apk'),
  );
const current = apk('settings-apk');
const previous = apk('settings-apk-previous');

function resigned(t: ExecutionContext, unsigned: Buffer): Buffer {
  const directory = temporaryDirectory(t);
  return signWithApksigner(directory, unsigned, { keys: [makeKey(directory, 'other')], v2: true, v3: true });
}

test('a real APK equals a copy of itself', async (t) => {
  const { verdict, pair } = await compareBuffers(current, Buffer.from(current));
  t.is(verdict.kind, 'reproducible');
  t.is(pair.coverage.ratio, 1);
  t.is(pair.proof.kind, 'equal-bytes');
});

test('a real APK against its re-signed twin: every byte but both signatures, and the file is made again', async (t) => {
  if (!need(t, 'apksigner', 'openssl')) return;
  const twin = resigned(t, current);
  for (const [published, rebuilt] of [
    [current, twin],
    [twin, current],
  ] as const) {
    const { verdict, pair } = await compareBuffers(published, rebuilt);
    t.is(verdict.kind, 'reproducible');
    t.is(pair.worst, 'signature');
    t.like(pair.proof, { kind: 'transplant', equal: true, sha256: sha256(new BufferSource(published)) });
  }
});

test('a real APK against its neighbouring release is another app', async (t) => {
  const { verdict, pair } = await compareBuffers(current, previous);
  t.is(verdict.kind, 'unreproducible');
  t.true(pair.differences.some((found) => found.path[0]?.endsWith('.dex')));
  t.true(pair.coverage.ratio < 1);
});

test('a changed byte in a re-signed real APK is found with its entry and offset', async (t) => {
  if (!need(t, 'apksigner', 'openssl', 'zip', 'unzip')) return;
  const directory = temporaryDirectory(t);
  const file = path.join(directory, 'app.apk');
  writeFileSync(file, current);
  execFileSync('unzip', ['-q', file, 'classes.dex', '-d', directory]);
  const dex = readFileSync(path.join(directory, 'classes.dex'));
  const at = dex.length >> 1;
  dex[at] = (dex[at] ?? 0) ^ 1;
  writeFileSync(path.join(directory, 'classes.dex'), dex);
  execFileSync('zip', ['-q', '-X', file, 'classes.dex'], { cwd: directory });
  const { verdict, pair } = await compareBuffers(resigned(t, readFileSync(file)), current);
  t.is(verdict.kind, 'unreproducible');
  const found = pair.differences.find((entry) => entry.kind === 'bytes' && entry.path[0] === 'classes.dex');
  t.like(found, { publishedOffset: at, publishedLength: 1, rebuiltOffset: at, rebuiltLength: 1 });
});

test('what zipalign does to a real APK is packing, unless alignment is lost', async (t) => {
  if (!need(t, 'zipalign', 'apksigner', 'openssl')) return;
  const directory = temporaryDirectory(t);
  const input = path.join(directory, 'in.apk');
  const output = path.join(directory, 'out.apk');
  writeFileSync(input, current);
  execFileSync('zipalign', ['-f', '-p', '4', input, output]);
  const aligned = readFileSync(output);
  const signed = resigned(t, aligned);
  const { verdict } = await compareBuffers(signed, aligned);
  t.is(verdict.kind, 'reproducible');
  t.true(['reproducible', 'equivalent'].includes((await compareBuffers(signed, current)).verdict.kind));
});

for (const scheme of ['v2', 'v3'] as const)
  test(`signed with ${scheme} alone against unsigned`, async (t) => {
    if (!need(t, 'apksigner', 'openssl')) return;
    const directory = temporaryDirectory(t);
    const keys = [makeKey(directory, 'key', 'rsa2048')];
    const signed = signWithApksigner(directory, current, {
      keys,
      v2: scheme === 'v2',
      v3: scheme === 'v3',
      minSdk: 28,
    });
    const { verdict } = await compareBuffers(signed, current);
    t.is(verdict.kind, 'reproducible');
  });
