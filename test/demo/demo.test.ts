// SPDX-License-Identifier: Apache-2.0
/** The demo app: built from its source, it is the published one; anything tampered with is named. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { deflateSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { BufferSource } from '../../src/bytes.js';
import { comparePair, type CompareOptions } from '../../src/compare/compare.js';
import type { PairComparison } from '../../src/compare/types.js';
import { allocatedSectionsDigest } from '../../src/formats/elf-digest.js';
import { readElf } from '../../src/formats/elf.js';
import { verdictOf } from '../helpers/compare-buffers.js';
import { need } from '../helpers/need.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const demo = path.resolve(import.meta.dirname, '../../../demo');
const published = (name: string): string => path.join(demo, 'published', name);
const signer = readFileSync(published('signer.txt'), 'utf8').trim();
const pinned: CompareOptions = {
  signers: [{ sha256: signer, statedBy: 'publisher', source: 'demo/published/signer.txt' }],
};

/** The path of the APK that a copy of the source, changed or not, is built to. */
function build(t: ExecutionContext, change: (source: string) => void = () => {}): string {
  const source = path.join(temporaryDirectory(t), 'source');
  cpSync(path.join(demo, 'source'), source, { recursive: true });
  change(source);
  execFileSync(process.execPath, ['build.mjs'], { cwd: source, env: {} });
  return path.join(source, 'build', 'app-unsigned.apk');
}

/** What differs in the published file itself: region, member, offset + length. */
function differentRuns(pair: PairComparison): string[] {
  const root = pair.nodes[0];
  return (root?.published.runs ?? [])
    .filter((run) => run.owner === 'different')
    .map((run) => {
      const member = run.member === undefined ? undefined : root?.members[run.member]?.name;
      return `${run.region} of ${member ?? 'no entry'}: ${run.offset}+${run.length}`;
    });
}

const FILES = ['app.apk', 'tampered-dex.apk', 'tampered-hidden.apk'];

test('two builds in two directories give the same bytes', (t) => {
  t.deepEqual(readFileSync(build(t)), readFileSync(build(t)));
});

test('the library that the source brings along is the one that our script writes', async (t) => {
  const script: unknown = await import(pathToFileURL(path.join(demo, 'make-prebuilt.mjs')).href);
  const { prebuiltLibrary } = script as { readonly prebuiltLibrary: () => Buffer };
  const library = readFileSync(path.join(demo, 'source/lib/arm64-v8a/libcrypto-prebuilt.so'));
  t.deepEqual(library, prebuiltLibrary());
  const elf = readElf(new BufferSource(library));
  t.true(elf.sections.some((section) => section.name === '.text'));
  t.truthy(allocatedSectionsDigest(new BufferSource(library)));
});

test('readelf accepts the library without a warning', (t) => {
  if (!need(t, 'readelf')) return;
  const library = path.join(demo, 'source/lib/arm64-v8a/libcrypto-prebuilt.so');
  const said = spawnSync('readelf', ['--all', '--wide', library], { encoding: 'utf8' });
  t.is(said.status, 0);
  t.is(said.stderr.replace(/^.*unwind sections.*$/gm, '').trim(), '');
  t.regex(said.stdout, /demo_crypto_version/);
});

test('the published app is made again from its source', async (t) => {
  const pair = await comparePair(published('app.apk'), build(t), pinned);
  t.deepEqual(pair.differences, []);
  t.is(pair.worst, 'signature');
  t.like(pair.proof, { kind: 'transplant', equal: true, sha256: pair.published.sha256 });
  t.is(pair.signature.status, 'verified');
  t.deepEqual([...new Set(pair.signature.signers.map((one) => one.certificateSha256))], [signer]);
  t.deepEqual(verdictOf(pair), { kind: 'reproducible' });
});

test('the recipe pins the signer, the file and the version of the published app', (t) => {
  const recipe = readFileSync(path.join(demo, '../recipes/demo.yaml'), 'utf8');
  t.true(recipe.includes(`sha256: ${signer}`));
  t.true(recipe.includes('files: [demo/published/app.apk]'));
  const version = readFileSync(path.join(demo, 'source/version.txt'), 'utf8');
  t.is(version, 'versionName=1.0.0\nversionCode=1\n');
});

test('one changed byte in classes.dex is named with its entry, offset and length', async (t) => {
  const rebuilt = build(t);
  const pair = await comparePair(published('tampered-dex.apk'), rebuilt, pinned);
  t.is(verdictOf(pair).kind, 'unreproducible');
  t.is(pair.signature.status, 'verified');
  const found = pair.differences.filter((difference) => difference.kind === 'bytes');
  t.is(found.length, 1);
  t.like(found[0], { path: ['classes.dex'], publishedLength: 1, rebuiltLength: 1 });
  t.like(found[0], { publishedHex: hex('i'), rebuiltHex: hex('y') });

  const byte = readFileSync(published('tampered-dex.apk')).indexOf('every bite') + 'every b'.length;
  const data = pair.nodes[0]?.members.find((member) => member.name === 'classes.dex')?.published?.offset ?? 0;
  t.true(differentRuns(pair).includes(`data of classes.dex: ${byte}+1`));
  t.like(found[0], { publishedOffset: byte - data, rebuiltOffset: byte - data });
});

test('bytes hidden between two entries are named with their place, offset and length', async (t) => {
  const pair = await comparePair(published('tampered-hidden.apk'), build(t), pinned);
  t.deepEqual(verdictOf(pair), {
    kind: 'unreproducible',
    differentBytes: 64,
    missingBytes: 0,
    unpaired: [],
  });
  t.is(pair.signature.status, 'verified');
  const offset = readFileSync(published('tampered-hidden.apk')).indexOf('Sixty-four bytes');
  t.true(offset > 0);
  const found = pair.differences.filter((difference) => difference.kind === 'hidden');
  t.is(found.length, 1);
  t.like(found[0], { side: 'published', region: 'zip/gap-before-entry', offset, length: 64 });
  t.deepEqual(differentRuns(pair), [`zip/gap-before-entry of no entry: ${offset}+64`]);
});

const changedSource = test.macro({
  title: (_title, file: string, from: string) =>
    `one changed character in ${file} (${JSON.stringify(from)}) is seen`,
  exec: async (t: ExecutionContext, file: string, from: string, to: string, entry: string) => {
    const rebuilt = build(t, (source) => {
      const text = readFileSync(path.join(source, file), 'latin1');
      t.true(text.includes(from));
      writeFileSync(path.join(source, file), text.replace(from, to), 'latin1');
    });
    const pair = await comparePair(published('app.apk'), rebuilt, pinned);
    t.is(verdictOf(pair).kind, 'unreproducible');
    t.deepEqual([...new Set(pair.differences.map((difference) => difference.path[0]))], [entry]);
  },
});

test(changedSource, 'src/Texts.txt', 'yourself', 'yourselF', 'classes.dex');
test(changedSource, 'src/Texts.txt', 'farewell', 'farewelk', 'classes.dex');
test(changedSource, 'version.txt', 'Name=1.0.0', 'Name=1.0.1', 'AndroidManifest.xml');
test(changedSource, 'version.txt', 'Code=1', 'Code=2', 'AndroidManifest.xml');
test(changedSource, 'app.json', 'Demo Chat', 'Demo chat', 'AndroidManifest.xml');
test(changedSource, 'assets/conversation.txt', 'Bob', 'Rob', 'assets/conversation.txt');
test(
  changedSource,
  'lib/arm64-v8a/libcrypto-prebuilt.so',
  'crypto_version',
  'crypto_versioN',
  'lib/arm64-v8a/libcrypto-prebuilt.so',
);

test('a published file takes few bytes of the package', (t) => {
  for (const name of FILES) t.true(statSync(published(name)).size < 20_000, name);
});

test('apksigner accepts all three, signed by the pinned key with v2 and v3', (t) => {
  if (!need(t, 'apksigner')) return;
  for (const name of FILES) {
    const said = tool('apksigner', 'verify', '--verbose', '--print-certs', published(name));
    t.regex(said, /v2 scheme \(APK Signature Scheme v2\): true/);
    t.regex(said, /v3 scheme \(APK Signature Scheme v3\): true/);
    t.true(said.includes(`certificate SHA-256 digest: ${signer}`), name);
  }
});

test('zipalign finds every entry of the published app in its place', (t) => {
  if (!need(t, 'zipalign')) return;
  for (const file of [published('app.apk'), build(t)])
    t.notThrows(() => tool('zipalign', '-c', '-p', '4', file));
});

test('aapt2 reads the manifest as an app that can be started', (t) => {
  if (!need(t, 'aapt2')) return;
  const said = tool('aapt2', 'dump', 'badging', published('app.apk'));
  t.regex(said, /^package: name='org\.samesource\.demo' versionCode='1' versionName='1\.0\.0'/m);
  t.regex(said, /^(min)?sdkVersion:'24'/im);
  t.regex(said, /^launchable-activity: name='org\.samesource\.demo\.MainActivity'/m);
  t.regex(said, /^native-code: 'arm64-v8a'/m);
});

test('dexdump disassembles the code, and shows the texts of the source', (t) => {
  if (!need(t, 'dexdump')) return;
  const said = tool('dexdump', '-d', published('app.apk'));
  t.regex(said, /const-string v0, "Bob: Build it yourself and compare every byte\./);
  t.regex(said, /invoke-super \{v2, v3\}, Landroid\/app\/Activity;\.onCreate/);
});

test('the DEX carries the checksum and the SHA-1 of its own bytes', (t) => {
  const apk = readFileSync(build(t));
  const start = apk.indexOf('dex\n035\0');
  const dex = apk.subarray(start, start + apk.readUInt32LE(start + 32));
  t.is(dex.toString('hex', 12, 32), createHash('sha1').update(dex.subarray(32)).digest('hex'));
  // zlib ends its format with the Adler-32 of what it holds (RFC 1950 section 2.2)
  const deflated = deflateSync(dex.subarray(12));
  t.is(dex.readUInt32LE(8), deflated.readUInt32BE(deflated.length - 4));
});

function tool(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function hex(text: string): string {
  return Buffer.from(text, 'latin1').toString('hex');
}
