// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { FailedHere, UsageError } from '../../../src/errors.js';
import { fetchFromFdroid, type FdroidTarget } from '../../../src/inputs/channels/fdroid.js';
import type { RepositoryOutcome } from '../../../src/inputs/channels/repository-outcome.js';
import type { FdroidAcquisition } from '../../../src/model.js';
import { buildZip } from '../../helpers/build-zip.js';
import { serveDirectory, sha256 } from '../../helpers/debian-archive.js';
import { SIGNER, writeFdroid, type FdroidApk, type FdroidOptions } from '../../helpers/fdroid-repository.js';
import { localServer } from '../../helpers/http-server.js';
import { need } from '../../helpers/need.js';
import { jarEntries, jarIdentity, signJar, type JarIdentity } from '../../helpers/sign-jar.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

interface Scene {
  readonly directory: string;
  readonly identity: JarIdentity;
  readonly url: string;
  readonly requests: readonly string[];
  readonly write: (options: FdroidOptions) => void;
  readonly fetch: (more?: Partial<FdroidAcquisition & FdroidTarget>) => Promise<RepositoryOutcome>;
}

async function scene(t: ExecutionContext, options: FdroidOptions = {}): Promise<Scene> {
  const directory = temporaryDirectory(t);
  const repo = path.join(directory, 'repo');
  const identity = jarIdentity();
  const write = (given: FdroidOptions): void => writeFdroid(repo, identity, given);
  write(options);
  const { url, requests } = await localServer(t, serveDirectory(directory));
  const cache = temporaryDirectory(t);
  return {
    directory: repo,
    identity,
    url,
    requests,
    write,
    fetch: ({ versionName = '1.0', versionCodes, ...more } = {}) =>
      fetchFromFdroid(
        {
          kind: 'fdroid',
          repository: `${url}/repo`,
          fingerprint: sha256(identity.certificate),
          package: 'org.example.chat',
          ...more,
        },
        { versionName, versionCodes },
        { cache },
      ),
  };
}

test('a file is led to by the signed entry, the index and its digest; the report can tell all of it', async (t) => {
  const timestamp = Date.UTC(2026, 0, 2);
  const { fetch, directory, identity, url, requests } = await scene(t, { timestamp });
  const outcome = await fetch();
  if (outcome.kind !== 'done') throw new Error(outcome.kind);
  t.is(readFileSync(outcome.path, 'utf8'), 'chat 1.0');
  t.is(outcome.fetched?.url, `${url}/repo/org.example.chat_10.apk`);
  t.deepEqual(outcome.index, {
    url: `${url}/repo/entry.jar`,
    sha256: sha256(readFileSync(path.join(directory, 'entry.jar'))),
    date: '2026-01-02T00:00:00.000Z',
    signedBy: [sha256(identity.certificate)],
    listedSigners: [SIGNER],
  });
  t.deepEqual(requests, ['/repo/entry.jar', '/repo/index-v2.json', '/repo/org.example.chat_10.apk']);
  // what did not change is not fetched again
  t.is((await fetch()).kind, 'done');
  t.is(requests.length, 4);
});

for (const keyAlgorithm of ['RSA', 'EC'])
  test(`what jarsigner signs with ${keyAlgorithm} is taken, and one byte of it changed is refused`, async (t) => {
    if (!need(t, 'jarsigner', 'keytool')) return;
    const work = temporaryDirectory(t);
    const store = path.join(work, 'keys.p12');
    const key = ['-keystore', store, '-storetype', 'PKCS12', '-storepass', 'secret'];
    const run = (tool: string, ...args: readonly string[]): Buffer =>
      execFileSync(tool, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    run('keytool', '-genkeypair', '-alias', 'repo', '-dname', 'CN=repo', '-keyalg', keyAlgorithm, ...key);
    const fingerprint = sha256(run('keytool', '-exportcert', '-alias', 'repo', ...key));
    const jar = path.join(work, 'entry.jar');
    const { fetch, directory } = await scene(t, {
      sign: (entry) => {
        writeFileSync(jar, buildZip([{ name: 'entry.json', data: entry, method: 0 }]));
        run('jarsigner', ...key, jar, 'repo');
        return readFileSync(jar);
      },
    });
    t.like(await fetch({ fingerprint }), { kind: 'done' });
    await t.throwsAsync(fetch(), {
      instanceOf: FailedHere,
      code: 'index-signature',
      message: /signed by certificate/,
    });
    const bytes = readFileSync(jar);
    // the time of the index, stored: another index than the one that was signed
    const at = bytes.indexOf('"timestamp":') + 13;
    bytes[at] = bytes[at] === 0x37 ? 0x36 : 0x37;
    writeFileSync(path.join(directory, 'entry.jar'), bytes);
    await t.throwsAsync(fetch({ fingerprint }), { instanceOf: FailedHere, code: 'index-signature' });
  });

const entryJar = (entry: Buffer): { readonly name: string; readonly data: Buffer } => ({
  name: 'entry.json',
  data: entry,
});

const forged = test.macro({
  async exec(t, reason: RegExp, sign: (entry: Buffer, identity: JarIdentity, other: JarIdentity) => Buffer) {
    const { fetch, identity, write, requests } = await scene(t);
    t.is((await fetch()).kind, 'done');
    const before = requests.length;
    write({ sign: (entry) => sign(entry, identity, jarIdentity()) });
    await t.throwsAsync(fetch(), { instanceOf: FailedHere, code: 'index-signature', message: reason });
    // nothing that it names is asked for
    t.is(requests.length, before + 1);
  },
  title: (given) => `refused: ${given}`,
});
test('an unsigned entry', forged, /signed-jar\/unsigned/, (entry) => buildZip([entryJar(entry)]));
test('an entry signed by another key', forged, /signed by certificate/, (entry, _, other) =>
  signJar([entryJar(entry)], other),
);
test(
  'an entry signed by the pinned key and another one',
  forged,
  /signed-jar\/several-signers/,
  (entry, identity, other) => {
    const own = jarEntries([entryJar(entry)], identity);
    const [file, block] = jarEntries([entryJar(entry)], other, { signerName: 'OTHER' });
    if (file === undefined || block === undefined) throw new Error('no signature');
    return buildZip([entryJar(entry), ...own, file, block]);
  },
);
test('the signature of another entry', forged, /v1-entry-digest/, (entry, identity) =>
  buildZip([entryJar(Buffer.from(`${entry.toString()} `)), ...jarEntries([entryJar(entry)], identity)]),
);
test('a second entry.json behind the signed one', forged, /v1-duplicate-entry/, (entry, identity) =>
  buildZip([entryJar(entry), ...jarEntries([entryJar(entry)], identity), entryJar(Buffer.from('{}'))]),
);
test('an entry that the signature does not cover', forged, /v1-entry-not-listed/, (entry, identity) =>
  buildZip([entryJar(entry), ...jarEntries([entryJar(entry)], identity), { name: 'more.json', data: '{}' }]),
);
test('a file beside the signature', forged, /signed-jar\/unprotected-entry/, (entry, identity) =>
  buildZip([
    entryJar(entry),
    ...jarEntries([entryJar(entry)], identity),
    { name: 'META-INF/note', data: 'x' },
  ]),
);
test('the block of another file', forged, /cms-/, (entry, identity) => {
  const [file, , manifest] = jarEntries([entryJar(entry)], identity);
  const [, block] = jarEntries([entryJar(Buffer.from('{}'))], identity);
  if (file === undefined || block === undefined || manifest === undefined) throw new Error('no signature');
  return buildZip([entryJar(entry), file, block, manifest]);
});
test('SHA-1 where SHA-256 should be', forged, /signed-jar\/weak-digest/, (entry, identity) => {
  const digest = (bytes: Buffer): string =>
    execFileSync('openssl', ['dgst', '-sha1', '-binary'], { input: bytes }).toString('base64');
  return signJar([entryJar(entry)], identity, {
    manifest: (text) => text.replace(/SHA-256-Digest: .*/, `SHA1-Digest: ${digest(entry)}`),
  });
});
test('sixteen megabytes of zeros in some kilobytes', forged, /signed-jar\/too-large/, (entry, identity) =>
  signJar([entryJar(entry), { name: 'zeros', data: Buffer.alloc((16 << 20) + 1) }], identity),
);
test('no ZIP at all', forged, /zip\//, () => Buffer.from('<html>404</html>'));

test('an older index than the one seen before is refused, and a newer one is taken', async (t) => {
  const now = Date.now();
  const { fetch, write } = await scene(t, { timestamp: now - 2000 });
  t.is((await fetch()).kind, 'done');
  write({ timestamp: now - 3000 });
  const error = await t.throwsAsync(fetch(), { instanceOf: FailedHere, code: 'index-stale' });
  t.regex(error.message, new RegExp(new Date(now - 2000).toISOString().replace('.000Z', 'Z')));
  write({ timestamp: now - 1000 });
  t.is((await fetch()).kind, 'done');
});

test('an index of the day after tomorrow is refused, and does not make the real one old', async (t) => {
  const { fetch, write } = await scene(t, { timestamp: Date.now() + 2 * 86_400_000 });
  await t.throwsAsync(fetch(), { instanceOf: FailedHere, code: 'index-stale', message: /clock/ });
  write({});
  t.is((await fetch()).kind, 'done');
});

test('an index beyond its own maximal age is taken and told', async (t) => {
  const { fetch } = await scene(t, { timestamp: Date.now() - 20 * 86_400_000, maxAge: 14 });
  const outcome = await fetch();
  t.regex(outcome.kind === 'done' ? (outcome.index.overdue ?? '') : '', /after 14 days/);
  t.true(outcome.kind === 'done' && outcome.notes.some((detail) => detail.includes('overdue')));
  const fresh = await scene(t, { timestamp: Date.now() - 10 * 86_400_000, maxAge: 14 });
  const other = await fresh.fetch();
  t.true(other.kind === 'done' && other.index.overdue === undefined);
});

test('a file with other bytes than its digest is refused', async (t) => {
  const { fetch, directory } = await scene(t);
  writeFileSync(path.join(directory, 'org.example.chat_10.apk'), 'chat 1.1');
  await t.throwsAsync(fetch(), { instanceOf: FailedHere, code: 'mirror-incomplete', message: /other bytes/ });
});

test('an index with other bytes than its digest is refused, and one that is not there', async (t) => {
  const { fetch, directory } = await scene(t);
  const index = path.join(directory, 'index-v2.json');
  writeFileSync(index, readFileSync(index, 'utf8').replace('Test', 'Tost'));
  await t.throwsAsync(fetch(), { instanceOf: FailedHere, code: 'mirror-incomplete', message: /other bytes/ });
  rmSync(index);
  await t.throwsAsync(fetch(), { instanceOf: FailedHere, code: 'mirror-incomplete', message: /404/ });
});

test('a repository that is not there is an outcome, not a failure', async (t) => {
  const { fetch, url } = await scene(t);
  t.like(await fetch({ repository: `${url}/none` }), { kind: 'not-there', code: 'index-gone' });
});

const MISSING = { kind: 'not-there', code: 'version-not-in-index' } as const;

test('a version that the signed index does not list is an outcome of its own, with those that it lists', async (t) => {
  const { fetch } = await scene(t);
  const outcome = await fetch({ versionName: '1.1' });
  t.like(outcome, MISSING);
  t.regex('detail' in outcome ? outcome.detail : '', /no org\.example\.chat 1\.1: .*lists 1\.0 \(10\)/);
  const other = await fetch({ package: 'org.example.none' });
  t.regex('detail' in other ? other.detail : '', /lists nothing of org\.example\.none/);
  t.like(await fetch({ package: '__proto__' }), MISSING);
  t.like(await fetch({ versionCodes: [11] }), MISSING);
});

test('what left the index is found in its archive, which has a state of its own', async (t) => {
  const { fetch, url, identity, directory } = await scene(t, {
    apks: [{ versionName: '2.0', versionCode: 20, content: 'chat 2.0' }],
  });
  const archive = `${url}/archive`;
  const place = path.join(path.dirname(directory), 'archive');
  t.regex(
    JSON.stringify(await fetch({ archive })),
    /version-not-in-index.*lists 2\.0 \(20\); .*archive.*404/,
  );
  writeFdroid(place, identity, { timestamp: Date.now() - 100_000 });
  const outcome = await fetch({ archive });
  t.true(outcome.kind === 'done' && outcome.fetched?.url === `${archive}/org.example.chat_10.apk`);
  writeFdroid(place, jarIdentity());
  await t.throwsAsync(fetch({ archive }), { code: 'index-signature' });
});

const TWO: readonly FdroidApk[] = [
  { versionName: '1.0', versionCode: 11, content: 'arm', abis: ['armeabi-v7a'] },
  { versionName: '1.0', versionCode: 12, content: 'arm64', abis: ['arm64-v8a'] },
];

test('of several files of one version the ABI or the version code says which', async (t) => {
  const { fetch } = await scene(t, { apks: TWO });
  const error = await t.throwsAsync(fetch(), { instanceOf: UsageError, code: 'version-ambiguous' });
  t.regex(error.message, /1\.0 \(12, arm64-v8a\), 1\.0 \(11, armeabi-v7a\)/);
  for (const [more, content] of [
    [{ abi: 'arm64-v8a' }, 'arm64'],
    [{ versionCodes: [11, 13] }, 'arm'],
  ] as const) {
    const outcome = await fetch(more);
    t.is(outcome.kind === 'done' ? readFileSync(outcome.path, 'utf8') : '', content);
  }
  t.like(await fetch({ abi: 'x86' }), MISSING);
  t.like(await fetch({ abi: 'arm64-v8a', versionCodes: [11] }), MISSING);
});

const unreadable = test.macro({
  async exec(t, reason: RegExp, options: FdroidOptions) {
    const { fetch } = await scene(t, options);
    await t.throwsAsync(fetch(), { instanceOf: FailedHere, code: 'index-unreadable', message: reason });
  },
  title: (given) => `a signed index that cannot be read is our failure: ${given}`,
});
const apk = (more: Partial<FdroidApk>): FdroidOptions => ({
  apks: [{ versionName: '1.0', versionCode: 10, content: 'chat 1.0', ...more }],
});
test('a path out of the repository', unreadable, /plain path/, apk({ name: '/../secret.apk' }));
test('a path without slash', unreadable, /plain path/, apk({ name: 'x.apk' }));
test('another host', unreadable, /plain path/, apk({ name: '//example.org/x.apk' }));
test('no digest', unreadable, /bad-field/, apk({ sha256: 'AB' }));
test('a size below zero', unreadable, /bad-field/, apk({ size: -1 }));
test('the index elsewhere', unreadable, /plain path/, {
  entry: (entry) => ({ ...entry, index: { ...(entry['index'] as object), name: '/../../index.json' } }),
});
test('an index of gigabytes', unreadable, /bytes, at most/, {
  entry: (entry) => ({ ...entry, index: { ...(entry['index'] as object), size: 2 ** 31 } }),
});
test('another version of the format', unreadable, /fdroid-index\/version/, {
  entry: (entry) => ({ ...entry, version: 30_001 }),
});
test('no time', unreadable, /timestamp/, { entry: () => ({ version: 20_002 }) });
test('no object', unreadable, /not-json|bad-field/, { entry: () => 'text' });
test('no packages', unreadable, /json\/syntax/, { index: () => [] });
test('no entry.json', unreadable, /no signed entry\.json/, {
  sign: (entry, identity) => signJar([{ name: 'other.json', data: entry }], identity),
});
