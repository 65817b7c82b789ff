// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { ImageLock, LockedPackage } from '../../src/build/image-lock.js';
import { obtainPackages, type PackageArchive } from '../../src/build/image-packages.js';
import { FailedHere } from '../../src/errors.js';
import { debianPackages } from '../../src/operations/image.js';
import { binaryEntry, serveDirectory, sha256, writeArchive } from '../helpers/debian-archive.js';
import { testKey } from '../helpers/gpg.js';
import { localServer } from '../helpers/http-server.js';
import { need } from '../helpers/need.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const POOL = 'pool/main/c/chat';

function locked(name: string, version: string, content: string): LockedPackage {
  const file = `${POOL}/${name}_${version}_amd64.deb`;
  return { name, version, architecture: 'amd64', path: file, size: content.length, sha256: sha256(content) };
}

function lockOf(...packages: readonly LockedPackage[]): ImageLock {
  return {
    schemaVersion: 1,
    suite: 'test',
    component: 'main',
    architecture: 'amd64',
    keyring: 'a test key',
    release: { sha256: 'a'.repeat(64), date: '2026-01-01T00:00:00Z', signedBy: [] },
    sourceDateEpoch: 1,
    include: [],
    packages,
  };
}

/** An archive with `libx` in versions 2.0 and 10.0, and the given files in its pool. */
async function archiveWith(
  t: ExecutionContext,
  files: Readonly<Record<string, string>>,
): Promise<PackageArchive> {
  const directory = temporaryDirectory(t);
  const key = testKey(t);
  const packages = [
    binaryEntry('libx', '2.0', 'amd64', undefined, 'second'),
    binaryEntry('libx', '10.0', 'amd64', undefined, 'tenth'),
    binaryEntry('liby', '1.0', 'amd64', undefined, 'ygrec'),
  ];
  writeArchive(directory, key, { packages: packages.join('\n') });
  mkdirSync(path.join(directory, POOL), { recursive: true });
  for (const [name, content] of Object.entries(files))
    writeFileSync(path.join(directory, POOL, name), content);
  const { url } = await localServer(t, serveDirectory(directory));
  return debianPackages({ mirror: url, cache: temporaryDirectory(t), keyring: key.keyring });
}

const TOOLS = ['gpg', 'gpgv', 'xz'] as const;

test('packages as locked: no index is needed, nothing deviates', async (t) => {
  const directory = temporaryDirectory(t);
  mkdirSync(path.join(directory, POOL), { recursive: true });
  writeFileSync(path.join(directory, POOL, 'libx_1.0_amd64.deb'), 'first');
  const { url, requests } = await localServer(t, serveDirectory(directory));
  const archive = debianPackages({ mirror: url, cache: temporaryDirectory(t) });
  const lock = lockOf(locked('libx', '1.0', 'first'));
  const { packages, deviations } = await obtainPackages(lock, archive);
  t.deepEqual(
    packages.map(({ file: _file, ...rest }) => rest),
    lock.packages,
  );
  t.deepEqual(deviations, []);
  t.deepEqual(requests, [`/${POOL}/libx_1.0_amd64.deb`]);
});

test('a package that is gone: image-drift, with the newest version of the signed index', async (t) => {
  if (!need(t, ...TOOLS)) return;
  const archive = await archiveWith(t, { 'libx_10.0_amd64.deb': 'tenth', 'liby_1.0_amd64.deb': 'ygrec' });
  const lock = lockOf(locked('libx', '1.0', 'first'), locked('liby', '1.0', 'ygrec'));
  const { packages, deviations } = await obtainPackages(lock, archive);
  t.deepEqual(
    packages.map(({ name, version }) => `${name} ${version}`),
    ['libx 10.0', 'liby 1.0'],
  );
  t.deepEqual(deviations, [
    {
      code: 'image-drift',
      what: 'package libx of the base image is 10.0 instead of 1.0',
      reason: 'the archive holds the locked version no more',
      canChangeOutput: 'unknown',
    },
  ]);
});

const FAILURES: Readonly<Record<string, readonly [LockedPackage, Readonly<Record<string, string>>]>> = {
  'other bytes of the same length': [locked('libx', '1.0', 'first'), { 'libx_1.0_amd64.deb': 'fursT' }],
  'fewer bytes': [locked('libx', '1.0', 'first'), { 'libx_1.0_amd64.deb': 'fir' }],
  'more bytes': [locked('libx', '1.0', 'first'), { 'libx_1.0_amd64.deb': 'first and more' }],
  'gone, and no other version is listed': [locked('libz', '1.0', 'zed'), {}],
  'gone, and the newer one is listed but not there': [locked('libx', '1.0', 'first'), {}],
  'gone, and the newer one has other bytes than listed': [
    locked('libx', '1.0', 'first'),
    { 'libx_10.0_amd64.deb': 'tench' },
  ],
  'listed as locked, but not there': [locked('libx', '10.0', 'tenth'), {}],
};
for (const [what, [wanted, files]] of Object.entries(FAILURES))
  test(`${what}: mirror-incomplete, ours`, async (t) => {
    if (!need(t, ...TOOLS)) return;
    const archive = await archiveWith(t, files);
    const error = await t.throwsAsync(obtainPackages(lockOf(wanted), archive), { instanceOf: FailedHere });
    t.is(error.code, 'mirror-incomplete');
  });

test('what fetches packages is not trusted either', async (t) => {
  const file = path.join(temporaryDirectory(t), 'x.deb');
  writeFileSync(file, 'evil!');
  const archive: PackageArchive = {
    fetch: () => Promise.resolve({ kind: 'done', path: file }),
    current: () => Promise.resolve([]),
  };
  const error = await t.throwsAsync(obtainPackages(lockOf(locked('libx', '1.0', 'first')), archive), {
    instanceOf: FailedHere,
  });
  t.is(error.code, 'mirror-incomplete');
  t.regex(error.message, new RegExp(sha256('evil!')));
  t.regex(error.message, new RegExp(sha256('first')));
});

test('an aborted run fetches nothing more', async (t) => {
  const archive: PackageArchive = {
    fetch: () => Promise.reject(new Error('must not be asked')),
    current: () => Promise.resolve([]),
  };
  const lock = lockOf(locked('libx', '1.0', 'first'));
  const error = await t.throwsAsync(obtainPackages(lock, archive, { signal: AbortSignal.abort() }), {
    instanceOf: FailedHere,
  });
  t.is(error.code, 'interrupted');
});
