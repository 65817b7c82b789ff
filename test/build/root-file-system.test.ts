// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { cpSync, linkSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { readLock, type ImageLock } from '../../src/build/image-lock.js';
import { rootFileSystemOf, type BaseImage } from '../../src/build/root-file-system.js';
import { FileSource } from '../../src/bytes.js';
import { FailedHere } from '../../src/errors.js';
import { TarReader } from '../../src/formats/tar.js';
import { packageRoot } from '../../src/inputs/package-files.js';
import { rootFileSystem, updateImageLock } from '../../src/operations/image.js';
import { binaryEntry, serveDirectory, sha256, writeArchive } from '../helpers/debian-archive.js';
import { testKey } from '../helpers/gpg.js';
import { localServer } from '../helpers/http-server.js';
import { need } from '../helpers/need.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const TOOLS = ['mmdebstrap', 'dpkg-deb', 'gpgv', 'xz'] as const;

/** Undefined where no archive can be reached: skipped, but not under CI=true. */
async function reachable<T>(t: ExecutionContext, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof FailedHere) || error.code !== 'network' || process.env['CI'] === 'true')
      throw error;
    t.log(`skipped: needs a Debian archive (${error.message})`);
    t.pass();
    return undefined;
  }
}

function filesOf(image: Pick<BaseImage, 'path'>): ReadonlyMap<string, string> {
  const source = FileSource.open(image.path);
  try {
    return new Map(
      Array.from(new TarReader(source), ({ name, data }) => [
        name.toString('latin1').replace(/^\.\//, ''),
        data.size > 4 << 20 ? '' : source.read(data.offset, data.size).toString('latin1'),
      ]),
    );
  } finally {
    source.close();
  }
}

function versionIn(files: ReadonlyMap<string, string>, name: string): string | undefined {
  const paragraphs = (files.get('var/lib/dpkg/status') ?? '').split('\n\n');
  const found = paragraphs.find((paragraph) => paragraph.startsWith(`Package: ${name}\n`));
  return /^Version: (.*)$/m.exec(found ?? '')?.[1];
}

test.serial(
  'the locked image is the same bytes twice, names no machine; a gone package is replaced and named',
  async (t) => {
    if (!need(t, ...TOOLS, 'gpg')) return;
    t.timeout(600_000);
    const caches = [temporaryDirectory(t), temporaryDirectory(t)] as const;
    const first = await reachable(t, async () => await rootFileSystem('debian-12', { cache: caches[0] }));
    if (first === undefined) return;
    cpSync(path.join(caches[0], 'sha256'), path.join(caches[1], 'sha256'), { recursive: true });
    const second = await rootFileSystem('debian-12', { cache: caches[1] });
    t.not(first.path, second.path);
    t.is(first.sha256, second.sha256);
    t.is(sha256(readFileSync(second.path)), second.sha256);
    t.is(statSync(second.path).size, second.size);

    const lock = await readLock(packageRoot(), 'debian-12');
    const files = filesOf(first);
    if (first.deviations.length === 0)
      for (const { name, version } of lock.packages) t.is(versionIn(files, name), version, name);
    for (const name of ['etc/resolv.conf', 'etc/hostname', 'etc/machine-id', 'var/lib/dbus/machine-id'])
      t.false(files.has(name), name);
    t.deepEqual(
      [...files.keys()].filter((name) =>
        /^var\/(?:log|lib\/apt\/lists|cache\/apt\/archives)\/.*[^/]$/.test(name),
      ),
      ['var/cache/apt/archives/lock', 'var/lib/apt/lists/lock'],
    );
    t.is(
      files.get('etc/apt/sources.list'),
      'deb http://ftp.debian.org/debian bookworm main\ndeb-src http://ftp.debian.org/debian bookworm main\n',
    );
    t.is(files.get('etc/apt/apt.conf.d/90keep-no-packages'), 'APT::Keep-Downloaded-Packages "false";\n');
    const own = path.join(os.tmpdir(), 'samesource');
    t.deepEqual(
      [...files].filter(([, content]) => content.includes(own)).map(([name]) => name),
      [],
    );

    // found again without asking anybody
    const offline = {
      fetch: () => Promise.reject(new Error('asked')),
      current: () => Promise.reject(new Error('asked')),
    };
    const again = await rootFileSystemOf(lock, { cache: caches[1], archive: offline });
    t.is(again.sha256, first.sha256);
    // a damaged one is not believed
    writeFileSync(second.path, 'damaged');
    await t.throwsAsync(rootFileSystemOf(lock, { cache: caches[1], archive: offline }), { message: 'asked' });

    await interrupted(t, caches[0]);

    const drifted = await drift(t, lock, caches[0]);
    t.deepEqual(
      drifted.deviations.map(({ code, what, canChangeOutput }) => ({ code, what, canChangeOutput })),
      [
        {
          code: 'image-drift',
          what: `package hostname of the base image is 99 instead of ${versionIn(files, 'hostname')}`,
          canChangeOutput: 'unknown',
        },
      ],
    );
    t.is(versionIn(filesOf(drifted), 'hostname'), '99');
    t.is(drifted.lockSha256, first.lockSha256);
    t.not(drifted.sha256, first.sha256);
  },
);

/** In the middle of the work of mmdebstrap: its directories and mounts go with it. */
async function interrupted(t: ExecutionContext, from: string): Promise<void> {
  const [cache, work, before] = [temporaryDirectory(t), temporaryDirectory(t), process.env['TMPDIR']];
  cpSync(path.join(from, 'sha256'), path.join(cache, 'sha256'), { recursive: true });
  const controller = new AbortController();
  process.env['TMPDIR'] = work;
  try {
    const error = await t.throwsAsync(
      rootFileSystem('debian-12', {
        cache,
        signal: controller.signal,
        onProgress: (event) => {
          if (event.kind === 'note' && event.text.includes('installing')) controller.abort();
        },
      }),
      { instanceOf: FailedHere },
    );
    t.is(error.code, 'interrupted');
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
  t.deepEqual(readdirSync(work), []);
  t.deepEqual(readdirSync(path.join(cache, 'images')), []);
  t.false(readFileSync('/proc/self/mountinfo', 'utf8').includes(work));
}

/** An archive of our own with all packages of the lock but `hostname`, which it has in version 99. */
async function drift(t: ExecutionContext, lock: ImageLock, cache: string): Promise<BaseImage> {
  const archive = temporaryDirectory(t);
  const work = path.join(temporaryDirectory(t), 'hostname');
  let newer = Buffer.alloc(0);
  for (const { name, path: file, sha256: digest } of lock.packages) {
    const cached = path.join(cache, 'sha256', digest.slice(0, 2), digest);
    if (name !== 'hostname') {
      mkdirSync(path.dirname(path.join(archive, file)), { recursive: true });
      linkSync(cached, path.join(archive, file));
      continue;
    }
    execFileSync('dpkg-deb', ['--raw-extract', cached, work]);
    const control = path.join(work, 'DEBIAN/control');
    writeFileSync(control, readFileSync(control, 'utf8').replace(/^Version: .*$/m, 'Version: 99'));
    execFileSync('dpkg-deb', ['--build', '--root-owner-group', work, `${work}.deb`], { stdio: 'ignore' });
    newer = readFileSync(`${work}.deb`);
  }
  const entry = binaryEntry('hostname', '99', 'amd64', undefined, 'x')
    .replace(/^Size: .*$/m, `Size: ${newer.length}`)
    .replace(/^SHA256: .*$/m, `SHA256: ${sha256(newer)}`);
  const key = testKey(t);
  writeArchive(archive, key, { codename: 'bookworm', suite: 'oldstable', packages: entry });
  writeFileSync(path.join(archive, 'pool/main/c/chat/hostname_99_amd64.deb'), newer);
  const { url } = await localServer(t, serveDirectory(archive));
  return await rootFileSystem('debian-12', {
    cache: temporaryDirectory(t),
    debianMirror: url,
    keyring: key.keyring,
  });
}

test.serial('a lock is renewed from the signed index', async (t) => {
  if (!need(t, ...TOOLS)) return;
  t.timeout(600_000);
  const root = temporaryDirectory(t);
  const text = readFileSync(path.join(packageRoot(), 'docker/debian-12/lock.json'), 'utf8');
  const old = text.replace(
    /("name":"hostname","version":")[^"]*(".*"sha256":")[^"]*/,
    `$10.1$2${'0'.repeat(64)}`,
  );
  t.not(old, text);
  mkdirSync(path.join(root, 'docker/debian-12'), { recursive: true });
  writeFileSync(path.join(root, 'docker/debian-12/lock.json'), old);
  const update = await reachable(
    t,
    async () => await updateImageLock('debian-12', { packageRoot: root, cache: temporaryDirectory(t) }),
  );
  if (update === undefined) return;
  t.true(
    update.changes.some((change) => change.startsWith('hostname 0.1 → ')),
    update.changes.join(', '),
  );
  const renewed = await readLock(root, 'debian-12');
  t.regex(renewed.packages.find(({ name }) => name === 'hostname')?.sha256 ?? '', /^(?!0{64})[0-9a-f]{64}$/);
});

test.serial('without mmdebstrap: missing-tool with the command that installs it', async (t) => {
  const file = path.join(temporaryDirectory(t), 'x.deb');
  writeFileSync(file, 'not read');
  const before = process.env['PATH'];
  const bin = temporaryDirectory(t);
  // mmdebstrap reads the packages itself; before it dpkg-deb does, which answers here what the lock says
  writeFileSync(path.join(bin, 'dpkg-deb'), '#!/bin/sh\necho "Package: x\nVersion: 1\nArchitecture: all"\n', {
    mode: 0o755,
  });
  process.env['PATH'] = bin;
  t.teardown(() => {
    process.env['PATH'] = before;
  });
  const lock: ImageLock = {
    schemaVersion: 1,
    suite: 'bookworm',
    component: 'main',
    architecture: 'amd64',
    keyring: 'none',
    release: { sha256: 'a'.repeat(64), date: '2026-01-01T00:00:00Z', signedBy: [] },
    sourceDateEpoch: 1,
    include: [],
    packages: [
      { name: 'x', version: '1', architecture: 'all', path: 'x.deb', size: 8, sha256: sha256('not read') },
    ],
  };
  const archive = {
    fetch: () => Promise.resolve({ kind: 'done', path: file } as const),
    current: () => Promise.resolve([]),
  };
  const error = await t.throwsAsync(rootFileSystemOf(lock, { cache: temporaryDirectory(t), archive }), {
    instanceOf: FailedHere,
  });
  t.is(error.code, 'missing-tool');
  t.regex(error.hint ?? '', /apt-get install mmdebstrap/);
});
