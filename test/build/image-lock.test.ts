// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { formatLock, lockDigest, parseLock, readLock, type ImageLock } from '../../src/build/image-lock.js';
import { digestOf } from '../../src/canonical-json.js';
import { UsageError } from '../../src/errors.js';
import { packageRoot } from '../../src/inputs/package-files.js';

const LOCK: ImageLock = {
  schemaVersion: 1,
  suite: 'bookworm',
  component: 'main',
  architecture: 'amd64',
  keyring: 'Debian',
  release: { sha256: 'a'.repeat(64), date: '2026-01-01T00:00:00Z', signedBy: ['A'.repeat(40)] },
  sourceDateEpoch: 1_700_000_000,
  include: [],
  packages: [
    {
      name: 'libc6',
      version: '1:2.36-9+deb12u9',
      architecture: 'amd64',
      path: 'pool/main/g/glibc/libc6_2.36-9+deb12u9_amd64.deb',
      size: 5,
      sha256: 'b'.repeat(64),
    },
  ],
};
const [FIRST] = LOCK.packages;

test('the lock of this package is formatted, and its digest is that of the text that a plan reads', async (t) => {
  const file = path.join(packageRoot(), 'docker/debian-12/lock.json');
  const text = readFileSync(file, 'utf8');
  const lock = await readLock(packageRoot(), 'debian-12');
  t.is(formatLock(lock), text);
  t.is(lockDigest(lock), digestOf(JSON.parse(text)));
  t.true(lock.packages.length > 50);
  t.true(lock.packages.some(({ name }) => name === 'apt'));
});

test('a lock survives being written and read', (t) => {
  t.deepEqual(parseLock('lock.json', formatLock(LOCK)), LOCK);
});

test('the digest is that of every word of the lock', (t) => {
  const other = { ...LOCK, packages: [{ ...FIRST, sha256: 'c'.repeat(64) }] };
  t.not(lockDigest(parseLock('lock.json', JSON.stringify(other))), lockDigest(LOCK));
});

const BAD: Readonly<Record<string, string>> = {
  'no JSON': '{',
  'no packages': JSON.stringify({ ...LOCK, packages: [] }),
  'a path out of the archive': JSON.stringify({ ...LOCK, packages: [{ ...FIRST, path: '../../etc/x.deb' }] }),
  'an option as a name': JSON.stringify({ ...LOCK, packages: [{ ...FIRST, name: '--x' }] }),
  'a suite that a shell would run': JSON.stringify({ ...LOCK, suite: "x'; rm -rf /;'" }),
  'a field that nobody knows': JSON.stringify({ ...LOCK, extra: 1 }),
  'one package in two versions': JSON.stringify({ ...LOCK, packages: [FIRST, { ...FIRST, version: '2' }] }),
};
for (const [what, text] of Object.entries(BAD))
  test(`${what}: lock-invalid`, (t) => {
    const error = t.throws(() => parseLock('lock.json', text), { instanceOf: UsageError });
    t.is(error.code, 'lock-invalid');
  });

test('an image without a lock, and a name that is a path: unknown-image', async (t) => {
  for (const name of ['nothing', '../debian-12', '', 'a/../debian-12']) {
    const error = await t.throwsAsync(readLock(packageRoot(), name), { instanceOf: UsageError });
    t.is(error.code, 'unknown-image', name);
  }
});
