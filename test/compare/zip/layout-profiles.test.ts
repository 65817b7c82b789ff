// SPDX-License-Identifier: Apache-2.0
/** Each profile on what the real tool makes; by hand where there is none here, and then with apksigcopier as a witness. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { BufferSource } from '../../../src/bytes.js';
import { transplantFiles, type TransplantOutcome } from '../../../src/compare/transplant-files.js';
import { virtualEntry } from '../../../src/compare/zip/virtual-entry.js';
import { apksig35 } from '../../helpers/apksig-35.js';
import { runApksig, type SignJob } from '../../helpers/apksig-driver.js';
import { makeKey, signWithApksigner } from '../../helpers/apksigner.js';
import { buildZip, type ZipMember } from '../../helpers/build-zip.js';
import { compareBuffers } from '../../helpers/compare-buffers.js';
import { need } from '../../helpers/need.js';
import { jarEntries, jarIdentity } from '../../helpers/sign-jar.js';
import { layoutOf } from '../../helpers/strip-apk.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

const stored = (name: string, align?: number, localExtra?: Buffer): ZipMember => ({
  name,
  data: name.repeat(7),
  method: 0,
  ...(align === undefined ? {} : { align }),
  ...(localExtra === undefined ? {} : { localExtra }),
});

/** Names and contents of odd lengths, so that little is aligned by chance. */
const members = (aligned: boolean, libraries = 4096): ZipMember[] => [
  { name: 'AndroidManifest.xml', data: 'manifest' },
  stored('res/a.png', aligned ? 4 : undefined),
  { name: 'classes.dex', data: 'code'.repeat(99) },
  stored('resources.arsc', aligned ? 4 : undefined),
  stored('lib/x86/liba.so', aligned ? libraries : undefined),
  stored('assets/b', aligned ? 4 : undefined),
  stored('lib/x86/libbc.so', aligned ? libraries : undefined),
];

const attempt = (published: Buffer, rebuilt: Buffer): TransplantOutcome =>
  transplantFiles(new BufferSource(published), new BufferSource(rebuilt));

function zipaligned(t: ExecutionContext, apk: Buffer, ...options: readonly string[]): Buffer {
  const directory = temporaryDirectory(t);
  const [input, output] = [path.join(directory, 'in.apk'), path.join(directory, 'out.apk')];
  writeFileSync(input, apk);
  execFileSync('zipalign', [...options, '4', input, output], { stdio: 'pipe' });
  return readFileSync(output);
}

function signed(t: ExecutionContext, apk: Buffer, v1 = true): Buffer {
  const directory = temporaryDirectory(t);
  return signWithApksigner(directory, apk, { keys: [makeKey(directory, 'key')], v1, v2: true, minSdk: 21 });
}

function signedBy35(t: ExecutionContext, jar: string, apk: Buffer, libraryAlignment?: number): Buffer {
  const directory = temporaryDirectory(t);
  const [from, to] = [path.join(directory, 'in.apk'), path.join(directory, 'out.apk')];
  writeFileSync(from, apk);
  const keys = [makeKey(directory, 'key')];
  const job: SignJob = { kind: 'sign', from, to, minSdk: 24, schemes: [1, 2, 3], keys };
  const answers = runApksig(jar, directory, [
    { ...job, ...(libraryAlignment === undefined ? {} : { libraryAlignment }) },
  ]);
  t.deepEqual(answers[0]?.errors, []);
  return readFileSync(to);
}

function apksigcopier(t: ExecutionContext, published: Buffer, rebuilt: Buffer): Buffer {
  const directory = temporaryDirectory(t);
  const at = (name: string): string => path.join(directory, name);
  writeFileSync(at('signed'), published);
  writeFileSync(at('unsigned'), rebuilt);
  execFileSync('apksigcopier', ['copy', at('signed'), at('unsigned'), at('output')], {
    stdio: 'pipe',
    env: { ...process.env, APKSIGCOPIER_EXCLUDE_ALL_META: 'yes' },
  });
  return readFileSync(at('output'));
}

/**
 * The comparison says the same, padding belongs to the signature, and no single byte of the padding of a stored entry can
 * be another one.
 */
async function holds(
  t: ExecutionContext,
  published: Buffer,
  rebuilt: Buffer,
  profile: string,
): Promise<void> {
  t.like(attempt(published, rebuilt), { kind: 'equal', profile });
  const { verdict, pair } = await compareBuffers(published, rebuilt);
  t.is(verdict.kind, 'reproducible');
  t.like(pair.proof, { kind: 'transplant', profile, equal: true });
  for (const { name, data, nameLength, offset, extraLength } of layoutOf(published).records) {
    const first = offset + 30 + nameLength;
    for (const at of new Set(extraLength === 0 ? [] : [first, data - 1])) {
      const tampered = Buffer.from(published);
      tampered.writeUInt8((tampered[at] ?? 0) ^ 0x40, at);
      const outcome = attempt(tampered, rebuilt);
      t.is(outcome.kind, 'impossible', `${name} at ${at}`);
      // where the extra field begins, or in it
      if (outcome.kind === 'impossible') t.true(outcome.place?.endsWith(name), outcome.place);
    }
  }
}

test('plain: aligned before it was signed, and not aligned at all', async (t) => {
  if (!need(t, 'apksigner', 'openssl', 'apksigcopier')) return;
  for (const rebuilt of [buildZip(members(true)), buildZip(members(false)), buildZip(members(true, 16384))]) {
    const published = signed(t, rebuilt);
    await holds(t, published, rebuilt, 'plain');
    t.true(apksigcopier(t, published, rebuilt).equals(published));
  }
});

for (const [profile, ...options] of [['zipalign 4'], ['zipalign -p 4', '-p']] as const)
  test(`${profile}, before it was signed`, async (t) => {
    if (!need(t, 'apksigner', 'openssl', 'zipalign')) return;
    const rebuilt = buildZip(members(false));
    const aligned = zipaligned(t, rebuilt, ...options);
    t.false(aligned.equals(rebuilt));
    await holds(t, signed(t, aligned), rebuilt, profile);
  });

test('zipalign -P 16, as its rule says; no zipalign here has it', async (t) => {
  if (!need(t, 'apksigner', 'openssl')) return;
  await holds(t, signed(t, buildZip(members(true, 16384))), buildZip(members(false)), 'zipalign -P 16 4');
});

test('apksigner-35: all padding is replaced, with pages of 16 or 4 KiB or what the entry asks for', async (t) => {
  if (!need(t, 'apksigner', 'java', 'openssl')) return;
  const jar = await apksig35(t);
  if (jar === undefined) return;
  const asked = Buffer.from([0x35, 0xd9, 4, 0, 0, 16, 0, 0]);
  // fields that apksigner means to keep or does keep, and padding of which it keeps some: what is lost of them is told
  const fields = [
    '9999030001020399',
    '9999000201',
    '99990000',
    '00010001aa',
    `35d9000104${'00'.repeat(255)}`,
  ];
  const odd: ZipMember[] = [
    ...members(true),
    stored('lib/x86/libasks.so', undefined, asked),
    ...fields.map((hex, index) => stored(`other${index}`, undefined, Buffer.from(hex, 'hex'))),
  ];
  for (const rebuilt of [buildZip(members(true)), buildZip(members(false))]) {
    await holds(t, signedBy35(t, jar, rebuilt), rebuilt, 'apksigner-35');
    await holds(t, signedBy35(t, jar, rebuilt, 4096), rebuilt, 'apksigner-35 --lib-page-alignment 4096');
  }
  const rebuilt = buildZip(odd);
  const published = signedBy35(t, jar, rebuilt);
  t.like(attempt(published, rebuilt), { kind: 'equal', profile: 'apksigner-35' });
  const { verdict, pair } = await compareBuffers(published, rebuilt);
  t.is(verdict.kind, 'unreproducible');
  t.deepEqual(
    [...new Set(pair.differences.map((found) => (found.kind === 'field' ? found.field : found.kind)))],
    ['zip/local-extra-length', 'zip/local-extra'],
  );
});

/** A JAR signature in front, which apksigner takes out: all that follows has to move. */
function signedInFront(own: readonly ZipMember[]): Buffer {
  const entries = jarEntries(own, jarIdentity());
  return buildZip([...entries.slice(-1), ...entries.slice(0, -1), ...own]);
}

test('apksigner-31: what was aligned and has moved is aligned again, by a field', async (t) => {
  if (!need(t, 'apksigner', 'openssl', 'apksigcopier')) return;
  const mixed = [...members(true), stored('assets/unaligned1'), stored('assets/unaligned23')];
  for (const own of [members(true), mixed]) {
    const rebuilt = signedInFront(own);
    const published = signed(t, rebuilt);
    await holds(t, published, rebuilt, 'apksigner-31');
    t.true(apksigcopier(t, published, rebuilt).equals(published));
  }
});

test('zipflinger: the virtual entry in front, and zeros that follow from it', async (t) => {
  if (!need(t, 'apksigner', 'openssl', 'apksigcopier')) return;
  // as long as the manifest entry that was there: apksigner copies what it finds in front
  const main = 'Manifest-Version: 1.0\r\n\r\n';
  const size = 30 + 'META-INF/MANIFEST.MF'.length + main.length;
  const virtual = Buffer.alloc(size);
  virtual.writeUInt32LE(0x04034b50, 0);
  virtual.writeUInt16LE(0x0821, 10);
  virtual.writeUInt16LE(0x0221, 12);
  virtual.writeUInt16LE(size - 30, 28);
  for (const [libraries, profile] of [
    [4096, 'zipflinger 4, zipflinger'],
    [16384, 'zipflinger 16, zipflinger'],
  ] as const) {
    const published = signed(t, buildZip(members(true, libraries), { prefix: virtual }));
    t.true(published.subarray(0, size).equals(virtual));
    const rebuilt = buildZip(members(true, libraries));
    t.like(attempt(published, rebuilt), { kind: 'equal', profile });
    t.is((await compareBuffers(published, rebuilt)).pair.proof.kind, 'transplant');
    // it knows pages of 4 KiB only
    if (libraries === 4096) t.true(apksigcopier(t, published, rebuilt).equals(published));
    // any other byte, any other length, and none without a manifest that it was in the place of
    for (let at = 0; at < size; at++) {
      const tampered = Buffer.from(published);
      tampered.writeUInt8((tampered[at] ?? 0) ^ 1, at);
      t.is(attempt(tampered, rebuilt).kind, 'impossible', String(at));
    }
    const longer = buildZip(members(true, libraries), { prefix: Buffer.concat([virtual, Buffer.alloc(4)]) });
    t.is(attempt(signed(t, longer), rebuilt).kind, 'impossible');
    const unnamed = signed(t, buildZip(members(true, libraries), { prefix: virtual }), false);
    t.is(attempt(unnamed, rebuilt).kind, 'impossible');
  }
});

test('a virtual entry, a source stamp, both JAR and v3 signatures and 16 KiB pages in one file', async (t) => {
  if (!need(t, 'apksigner', 'openssl')) return;
  const directory = temporaryDirectory(t);
  const [app, stamp] = [makeKey(directory, 'app'), makeKey(directory, 'stamp', 'rsa2048')];
  const virtual = virtualEntry(30 + 'META-INF/MANIFEST.MF'.length + 'Manifest-Version: 1.0\r\n\r\n'.length);
  const dated = members(true, 16384).map((member) => ({ ...member, time: 0x0821, date: 0x0221 }));
  const rebuilt = buildZip(dated);
  const published = signWithApksigner(directory, buildZip(dated, { prefix: virtual }), {
    keys: [app],
    v1: true,
    v3: true,
    minSdk: 21,
    extra: ['--stamp-signer', '--key', stamp.key, '--cert', stamp.certificate],
  });
  t.true(published.subarray(0, virtual.length).equals(virtual));
  const { verdict, pair } = await compareBuffers(published, rebuilt);
  t.is(verdict.kind, 'reproducible');
  t.like(pair.proof, { kind: 'transplant', profile: 'zipflinger 16, zipflinger', equal: true });
  t.true(pair.nodes[0]?.published.runs.some(({ rule }) => rule === 'source-stamp'));
  // the stamp does not cover the first bytes, the signatures do: with a byte in there, nobody's file
  for (const at of [0, 10, 29, virtual.length - 1]) {
    const tampered = Buffer.from(published);
    tampered.writeUInt8((tampered[at] ?? 0) ^ 1, at);
    t.is((await compareBuffers(tampered, rebuilt)).verdict.kind, 'not-authentic', String(at));
  }
});

test('one profile for the whole file: two of them are none', (t) => {
  const rebuilt = buildZip(members(false));
  const mixed = members(false).map((member) => {
    const library = String(member.name).endsWith('.so');
    return member.method === 0
      ? { ...member, align: library && String(member.name).includes('bc') ? 16384 : 4 }
      : member;
  });
  const outcome = attempt(buildZip(mixed), rebuilt);
  t.is(outcome.kind, 'impossible');
  if (outcome.kind === 'impossible')
    t.regex(outcome.why, /zipalign 4 comes as far as offset \d+: an extra field of/);
});
