// SPDX-License-Identifier: Apache-2.0
/**
 * Real APKs, signed by apksig 31 and 35 with each set of schemes, made again from what was signed. apksigcopier has to make
 * the same bytes where it knows the case; every tampered twin is refused.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { BufferSource, sha256 } from '../../src/bytes.js';
import { transplantFiles, type TransplantOutcome } from '../../src/compare/transplant-files.js';
import type { Verdict } from '../../src/model.js';
import { apksig35 } from '../helpers/apksig-35.js';
import { runApksig, type SignJob } from '../helpers/apksig-driver.js';
import { makeKey, type SigningKey } from '../helpers/apksigner.js';
import { compareBuffers } from '../helpers/compare-buffers.js';
import { need } from '../helpers/need.js';
import { isSignatureName, layoutOf, stripApk, type ApkRecord } from '../helpers/strip-apk.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const require = createRequire(import.meta.url);
const apkOf = (name: string, file: string): Buffer =>
  readFileSync(path.join(path.dirname(require.resolve(`${name}/package.json`)), 'apks', file));

const server = 'appium-uiautomator2-server';
/** As their publishers have signed them. */
const RELEASES: Readonly<Record<string, Buffer>> = {
  settings: apkOf('settings-apk', 'settings_apk-debug.apk'),
  'settings, the release before': apkOf('settings-apk-previous', 'settings_apk-debug.apk'),
  server: apkOf(
    server,
    `${server}-v${(require(`${server}/package.json`) as { version: string }).version}.apk`,
  ),
  'androidTest of server': apkOf(server, `${server}-debug-androidTest.apk`),
};
const SMALL = stripApk(RELEASES['androidTest of server'] ?? Buffer.alloc(0));

const SCHEMES = [[1], [2], [3], [1, 2], [1, 2, 3]] as const;
type Schemes = (typeof SCHEMES)[number];
const APKSIG_31 = '/usr/share/java/apksig.jar';

const attempt = (published: Buffer, rebuilt: Buffer): TransplantOutcome =>
  transplantFiles(new BufferSource(published), new BufferSource(rebuilt));

/** What was made, after its bytes have been put together and held against the published ones. */
function made(t: ExecutionContext, published: Buffer, rebuilt: Buffer, what: string): string | undefined {
  const outcome = attempt(published, rebuilt);
  if (outcome.kind !== 'equal') {
    t.fail(`${what}: ${JSON.stringify(outcome)}`);
    return undefined;
  }
  const parts: Buffer[] = [];
  outcome.each((bytes) => parts.push(Buffer.from(bytes)));
  t.true(Buffer.concat(parts).equals(published), what);
  t.is(outcome.sha256, sha256(new BufferSource(published)), what);
  return outcome.profile;
}

interface Signing {
  readonly unsigned: Buffer;
  readonly schemes: Schemes;
  readonly key: SigningKey;
}

/** One process for all of them. */
function signAll(t: ExecutionContext, jar: string, signings: readonly Signing[]): Buffer[] {
  const directory = temporaryDirectory(t);
  const jobs = signings.map(({ unsigned, schemes, key }, index): SignJob => {
    const from = path.join(directory, `${index}-unsigned.apk`);
    writeFileSync(from, unsigned);
    const minSdk = schemes[0] === 3 ? 28 : 21;
    return { kind: 'sign', from, to: path.join(directory, `${index}.apk`), minSdk, schemes, keys: [key] };
  });
  const answers = runApksig(jar, directory, jobs);
  t.deepEqual(
    answers.flatMap(({ errors }) => errors),
    [],
  );
  return jobs.map(({ to }) => readFileSync(to));
}

function apksigcopier(t: ExecutionContext, published: Buffer, rebuilt: Buffer): Buffer {
  const directory = temporaryDirectory(t);
  const [signed, unsigned, output] = ['signed', 'unsigned', 'output'].map((name) =>
    path.join(directory, `${name}.apk`),
  ) as [string, string, string];
  writeFileSync(signed, published);
  writeFileSync(unsigned, rebuilt);
  execFileSync('apksigcopier', ['copy', '--v1-only=auto', signed, unsigned, output], {
    stdio: 'pipe',
    // takes the v1 entries off a signed second file as well
    env: { ...process.env, APKSIGCOPIER_EXCLUDE_ALL_META: 'yes' },
  });
  return readFileSync(output);
}

for (const [name, release] of Object.entries(RELEASES)) {
  test(`${name}: as it was published, from its stripped twin`, (t) => {
    const stripped = stripApk(release);
    t.true(stripped.length < release.length);
    t.is(made(t, release, stripped, name), 'plain');
    if (need(t, 'apksigcopier')) t.true(apksigcopier(t, release, stripped).equals(release));
  });

  test(`${name}: signed with each set of schemes`, async (t) => {
    t.timeout(300_000);
    if (!need(t, 'apksigner', 'java', 'openssl', 'apksigcopier')) return;
    const newer = await apksig35(t);
    if (newer === undefined) return;
    const directory = temporaryDirectory(t);
    const key = makeKey(directory, 'key');
    const other = makeKey(directory, 'other', 'rsa2048');
    const unsigned = stripApk(release);
    for (const [version, jar] of [
      ['31', APKSIG_31],
      ['35', newer],
    ] as const) {
      const signings = [
        ...SCHEMES.map((schemes): Signing => ({ unsigned, schemes, key })),
        { unsigned, schemes: [1, 2, 3], key: other } as const,
      ];
      const files = signAll(t, jar, signings);
      const signedByOther = files.at(-1) ?? Buffer.alloc(0);
      for (const [index, schemes] of SCHEMES.entries()) {
        const published = files[index] ?? Buffer.alloc(0);
        const what = `apksig ${version}, v${schemes.join('+v')}`;
        const profile = made(t, published, unsigned, what);
        t.true(
          profile === 'plain' || (version === '35' && profile === 'apksigner-35'),
          `${what}: ${profile}`,
        );
        t.is(made(t, published, stripApk(published), `${what}, stripped`), 'plain');
        t.is(made(t, published, signedByOther, `${what}, from a signed one`), 'plain');
        // it knows nothing of what build-tools 35 do to padding
        if (profile === 'plain') t.true(apksigcopier(t, published, unsigned).equals(published), what);
      }
    }
  });
}

test('the proof of a comparison is that transplant, and a JAR signature alone is left out', async (t) => {
  if (!need(t, 'apksigner', 'java', 'openssl')) return;
  const key = makeKey(temporaryDirectory(t), 'key');
  const files = signAll(
    t,
    APKSIG_31,
    SCHEMES.map((schemes) => ({ unsigned: SMALL, schemes, key })),
  );
  for (const [index, schemes] of SCHEMES.entries()) {
    const published = files[index] ?? Buffer.alloc(0);
    const { verdict, pair } = await compareBuffers(published, SMALL);
    const digest = sha256(new BufferSource(published));
    t.is(verdict.kind, schemes.join() === '1' ? 'equivalent' : 'reproducible', schemes.join());
    t.like(pair.proof, { kind: 'transplant', profile: 'plain', equal: true, sha256: digest });
    // block and whole records of the JAR signature, and not the fill
    const { records, block, directory } = layoutOf(published);
    const own = records.filter(({ name }) => isSignatureName(name));
    const taken = own.reduce(
      (sum, record) => sum + record.data + record.dataLength - record.offset + record.recordLength,
      directory - block,
    );
    t.is(pair.proof.kind === 'transplant' ? pair.proof.takenBytes : 0, taken);
  }
});

/** `bytes` in place of `length` bytes at `at`, and all offsets that have to follow. */
function spliced(apk: Buffer, at: number, length: number, bytes: Buffer): Buffer {
  const grown = bytes.length - length;
  const { records, directory, end } = layoutOf(apk);
  const copy = Buffer.concat([apk.subarray(0, at), bytes, apk.subarray(at + length)]);
  const shift = (offset: number): number => (offset >= at ? offset + grown : offset);
  for (const { record, offset } of records) copy.writeUInt32LE(shift(offset), shift(record) + 42);
  copy.writeUInt32LE(shift(directory), shift(end) + 16);
  return copy;
}

function changed(apk: Buffer, ...changes: readonly (readonly [at: number, value: number])[]): Buffer {
  const copy = Buffer.from(apk);
  for (const [at, value] of changes) copy.writeUInt8((copy[at] ?? 0) ^ value, at);
  return copy;
}

const at = (apk: Buffer, pick: (record: ApkRecord) => boolean): ApkRecord => {
  const found = layoutOf(apk).records.find(pick);
  if (found === undefined) throw new Error('the APK has no such entry');
  return found;
};
const dex = (apk: Buffer): ApkRecord => at(apk, ({ name }) => name === 'classes.dex');
const stored = (apk: Buffer): ApkRecord => at(apk, ({ stored: own, extraLength }) => own && extraLength > 0);

/** One more empty entry that nobody reads, in front of another one. */
function withEntry(apk: Buffer, before: ApkRecord, name: string): Buffer {
  const header = Buffer.alloc(30 + name.length);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(0x0221, 12);
  header.writeUInt16LE(name.length, 26);
  header.write(name, 30, 'latin1');
  const grown = spliced(apk, before.offset, 0, header);
  const { directory, end } = layoutOf(grown);
  const record = Buffer.alloc(46);
  record.writeUInt32LE(0x02014b50, 0);
  record.writeUInt16LE(20, 4);
  header.copy(record, 6, 4, 30);
  record.writeUInt32LE(before.offset, 42);
  const result = Buffer.concat([
    grown.subarray(0, directory),
    record,
    Buffer.from(name, 'latin1'),
    grown.subarray(directory),
  ]);
  const last = end + 46 + name.length;
  for (const field of [8, 10]) result.writeUInt16LE(result.readUInt16LE(last + field) + 1, last + field);
  result.writeUInt32LE(end - directory + 46 + name.length, last + 12);
  return result;
}

/** The first two entries in the other order. */
function swapped(apk: Buffer): Buffer {
  const { records } = layoutOf(apk);
  const [first, second, third] = [...records].sort((a, b) => a.offset - b.offset);
  if (first === undefined || second === undefined || third === undefined) throw new Error('too few entries');
  const copy = Buffer.from(apk);
  apk.copy(copy, first.offset, second.offset, third.offset);
  const length = third.offset - second.offset;
  apk.copy(copy, first.offset + length, first.offset, second.offset);
  copy.writeUInt32LE(first.offset, second.record + 42);
  copy.writeUInt32LE(first.offset + length, first.record + 42);
  return copy;
}

/** Done to what is then signed, so that every signature is valid: by a publisher with something to hide. */
const BEFORE_SIGNING: Readonly<Record<string, (apk: Buffer) => Buffer>> = {
  'a byte in a gap': (apk) => spliced(apk, dex(apk).offset, 0, Buffer.from('x')),
  'zeros in a gap': (apk) => spliced(apk, at(apk, (entry) => entry.offset > 0).offset, 0, Buffer.alloc(4)),
  'an empty entry between': (apk) =>
    withEntry(
      apk,
      at(apk, (entry) => entry.offset > 0),
      'x',
    ),
  'another order': swapped,
  'another time': (apk) => changed(apk, [dex(apk).offset + 10, 1], [dex(apk).record + 12, 1]),
  'another time in the local header alone': (apk) => changed(apk, [dex(apk).offset + 10, 1]),
  'a byte in padding': (apk) => changed(apk, [stored(apk).data - 1, 1]),
  'a byte of the content': (apk) => changed(apk, [stored(apk).data, 1]),
  'other attributes': (apk) => changed(apk, [dex(apk).record + 38, 1]),
  'a comment of the archive': (apk) => {
    const copy = Buffer.concat([apk, Buffer.from('x')]);
    copy.writeUInt16LE(1, apk.length - 2);
    return copy;
  },
};

const GOOD: readonly Verdict['kind'][] = ['reproducible', 'equivalent'];

for (const [name, tamper] of Object.entries(BEFORE_SIGNING))
  test(`tampered before it was signed: ${name}`, async (t) => {
    if (!need(t, 'apksigner', 'java', 'openssl')) return;
    const key = makeKey(temporaryDirectory(t), 'key');
    const files = signAll(
      t,
      APKSIG_31,
      SCHEMES.map((schemes) => ({ unsigned: tamper(SMALL), schemes, key })),
    );
    for (const published of files) {
      const outcome = attempt(published, SMALL);
      t.not(outcome.kind, 'equal');
      t.true(outcome.kind === 'departs' || (outcome.kind === 'impossible' && outcome.offset !== undefined));
      const { verdict, pair } = await compareBuffers(published, SMALL);
      // an order is packing, and is told; it is not made again
      t.is(verdict.kind, name === 'another order' ? 'equivalent' : 'unreproducible');
      t.is(pair.notAuthentic.length, 0);
      // the other way round it is no match either
      t.not(attempt(stripApk(published), SMALL).kind, 'equal');
    }
  });

/** Done to the signed file. `v1`: to what only its signer can have written, which is taken, and so has to be owned. */
const AFTER_SIGNING: Readonly<
  Record<string, { readonly v1: boolean; readonly to: (apk: Buffer) => Buffer }>
> = {
  'a byte in the fill': { v1: false, to: (apk) => changed(apk, [layoutOf(apk).block - 1, 1]) },
  'a longer fill': {
    v1: false,
    to: (apk) => spliced(apk, layoutOf(apk).block, 0, Buffer.alloc(4096)),
  },
  'a shorter fill': { v1: false, to: (apk) => spliced(apk, layoutOf(apk).block - 1, 1, Buffer.alloc(0)) },
  'a byte between block and directory': {
    v1: false,
    to: (apk) => spliced(apk, layoutOf(apk).directory, 0, Buffer.from('x')),
  },
  'an entry between those of the signature': {
    v1: false,
    to: (apk) =>
      withEntry(
        apk,
        at(apk, ({ name }) => name.endsWith('.EC')),
        'META-INF/x',
      ),
  },
  'time of a signature entry': {
    v1: true,
    to(apk) {
      const entry = at(apk, ({ name }) => name.endsWith('.SF'));
      return changed(apk, [entry.offset + 10, 1], [entry.record + 12, 1]);
    },
  },
  'a flag in the local header of a signature entry': {
    v1: true,
    to: (apk) => changed(apk, [at(apk, ({ name }) => name.endsWith('.SF')).offset + 6, 2]),
  },
  'attributes of a signature entry': {
    v1: true,
    to: (apk) => changed(apk, [at(apk, ({ name }) => name.endsWith('.MF')).record + 38, 1]),
  },
  'one more signature file': {
    v1: true,
    to: (apk) =>
      withEntry(
        apk,
        at(apk, ({ name }) => name.endsWith('.EC')),
        'META-INF/X.SF',
      ),
  },
};

for (const [name, { v1, to }] of Object.entries(AFTER_SIGNING))
  test(`tampered after it was signed: ${name}`, async (t) => {
    if (!need(t, 'apksigner', 'java', 'openssl')) return;
    const key = makeKey(temporaryDirectory(t), 'key');
    const schemes = v1
      ? ([[1], [1, 2, 3]] as const)
      : ([
          [1, 2],
          [1, 2, 3],
        ] as const);
    const files = signAll(
      t,
      APKSIG_31,
      schemes.map((own) => ({ unsigned: SMALL, schemes: own, key })),
    );
    for (const file of files) {
      const published = to(file);
      if (!v1) t.not(attempt(published, SMALL).kind, 'equal');
      const { verdict } = await compareBuffers(published, SMALL);
      t.false(GOOD.includes(verdict.kind), verdict.kind);
      t.is((await compareBuffers(file, SMALL)).pair.proof.kind, 'transplant');
    }
  });
