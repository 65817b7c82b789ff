// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { FailedHere } from '../../../src/errors.js';
import { fetchFromDebianRepository } from '../../../src/inputs/debian/debian-repository.js';
import type { RepositoryOutcome } from '../../../src/inputs/channels/repository-outcome.js';
import type { DebianRepositoryAcquisition } from '../../../src/model.js';
import {
  binaryEntry,
  serveDirectory,
  sha256,
  writeArchive,
  type ArchiveOptions,
} from '../../helpers/debian-archive.js';
import { testKey, type TestKey } from '../../helpers/gpg.js';
import { localServer } from '../../helpers/http-server.js';
import { need } from '../../helpers/need.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

const TOOLS = ['gpg', 'gpgv', 'xz'] as const;
const DEB = 'pool/main/c/chat/chat_1.0_amd64.deb';

interface Scene {
  readonly directory: string;
  readonly key: TestKey;
  readonly url: string;
  readonly requests: readonly string[];
  readonly write: (options: ArchiveOptions, by?: TestKey) => void;
  readonly pin: (text: string) => void;
  readonly fetch: (more?: Partial<DebianRepositoryAcquisition>) => Promise<RepositoryOutcome>;
}

async function scene(t: ExecutionContext, options: ArchiveOptions = {}): Promise<Scene> {
  const directory = temporaryDirectory(t);
  const packageRoot = temporaryDirectory(t);
  const key = testKey(t);
  const write = (given: ArchiveOptions, by = key): void => writeArchive(directory, by, given);
  write(options);
  const pin = (text: string): void => {
    mkdirSync(path.join(packageRoot, 'recipes/keys'), { recursive: true });
    writeFileSync(path.join(packageRoot, 'recipes/keys/chat.asc'), text);
  };
  pin(key.armoured);
  const { url, requests } = await localServer(t, serveDirectory(directory));
  const cache = temporaryDirectory(t);
  return {
    directory,
    key,
    url,
    requests,
    write,
    pin,
    fetch: (more = {}) =>
      fetchFromDebianRepository(
        {
          kind: 'debian-repository',
          url,
          suite: 'test',
          component: 'main',
          package: 'chat',
          architecture: 'amd64',
          version: '1.0',
          key: { file: 'chat.asc', fingerprints: [key.fingerprint] },
          ...more,
        },
        { cache, packageRoot },
      ),
  };
}

test('a package is led to by the signed list and its index; the report can tell both', async (t) => {
  if (!need(t, ...TOOLS)) return;
  const { fetch, directory, key, url, requests } = await scene(t, { date: 'Sat, 11 Jul 2026 10:16:37 UTC' });
  const outcome = await fetch();
  if (outcome.kind !== 'done') throw new Error(outcome.kind);
  t.is(readFileSync(outcome.path, 'utf8'), 'chat');
  t.is(outcome.fetched?.url, `${url}/${DEB}`);
  t.deepEqual(outcome.index, {
    url: `${url}/dists/test/InRelease`,
    sha256: sha256(readFileSync(path.join(directory, 'dists/test/InRelease'))),
    date: '2026-07-11T10:16:37Z',
    signedBy: [key.fingerprint],
  });
  t.deepEqual(requests, ['/dists/test/InRelease', '/dists/test/main/binary-amd64/Packages.xz', `/${DEB}`]);
});

for (const [what, options] of Object.entries({
  'a list that is signed apart': { detached: true },
  'an index packed with gzip': { packing: 'gz' },
  'an index that is not packed': { packing: 'none' },
  'an index of which only the packed form is listed': { packing: 'gz', packedOnly: true },
} satisfies Record<string, ArchiveOptions>))
  test(`${what} is read, and one byte of it changed is refused`, async (t) => {
    if (!need(t, ...TOOLS)) return;
    const { fetch, directory } = await scene(t, options);
    t.is((await fetch()).kind, 'done');
    const changed = await scene(t, options);
    const dists = path.join(changed.directory, 'dists/test');
    const name =
      'detached' in options
        ? 'Release'
        : `main/binary-amd64/Packages${options.packing === 'gz' ? '.gz' : ''}`;
    const file = path.join(dists, name);
    const bytes = readFileSync(path.join(directory, 'dists/test', name));
    const at = bytes.length >> 1;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    await t.throwsAsync(changed.fetch(), {
      instanceOf: FailedHere,
      code: 'detached' in options ? 'index-signature' : 'mirror-incomplete',
    });
  });

const refused = test.macro({
  async exec(t, code: string, message: RegExp, tamper: (scene: Scene, t: ExecutionContext) => void) {
    if (!need(t, ...TOOLS)) return;
    const made = await scene(t);
    t.is((await made.fetch()).kind, 'done');
    const asked = made.requests.length;
    tamper(made, t);
    await t.throwsAsync(made.fetch(), { instanceOf: FailedHere, code, message });
    // no index of an unsigned list is asked for
    if (code !== 'mirror-incomplete')
      t.true(made.requests.slice(asked).every((url) => url.includes('Release')));
  },
  title: (given) => `refused: ${given}`,
});
const edit = (file: string, change: (text: string) => string): void =>
  writeFileSync(file, change(readFileSync(file, 'utf8')));
const inRelease = ({ directory }: Scene): string => path.join(directory, 'dists/test/InRelease');

test('a forged list', refused, 'index-signature', /bad/, (made) =>
  edit(inRelease(made), (text) => text.replace('Origin: Test', 'Origin: Tent')),
);
test('a list of another key', refused, 'index-signature', /unknown-key/, (made, t) =>
  made.write({}, testKey(t)),
);
test(
  'a list of a key that is at hand and not pinned',
  refused,
  'index-signature',
  /signed by .*, the recipe expects/,
  (made, t) => {
    const other = testKey(t);
    made.pin(other.armoured);
    made.write({}, other);
  },
);
test('a list of an expired key', refused, 'index-signature', /expired/, (made, t) => {
  const other = testKey(t, { expire: '2020-02-01' });
  made.pin(other.armoured);
  made.write({}, other);
});
test('a list without signature', refused, 'index-signature', /unsigned/, (made) => {
  rmSync(inRelease(made));
  made.write({ detached: true });
  rmSync(path.join(made.directory, 'dists/test/Release.gpg'));
});
test('the detached signature of another list', refused, 'index-signature', /bad/, (made) => {
  rmSync(inRelease(made));
  made.write({ detached: true });
  edit(path.join(made.directory, 'dists/test/Release'), (text) =>
    text.replace('Origin: Test', 'Origin: Tent'),
  );
});
test('a list past its date', refused, 'index-stale', /valid until 2020/, (made) =>
  made.write({ validUntil: 'Sat, 11 Jul 2020 10:16:37 UTC' }),
);
test('an older list than the one seen before', refused, 'index-stale', /was there before/, (made) =>
  made.write({ date: 'Sat, 11 Jul 2020 10:16:37 UTC' }),
);
test('another suite of the same key', refused, 'mirror-incomplete', /asked for suite test/, (made) => {
  const file = inRelease(made);
  made.write({ codename: 'beta', suite: 'beta' });
  writeFileSync(file, readFileSync(path.join(made.directory, 'dists/beta/InRelease')));
});
test('a package with other bytes', refused, 'mirror-incomplete', /SHA-256/, (made) => {
  // what lies in the cache is not asked for again
  made.write({ packages: binaryEntry('chat', '1.0', 'amd64', undefined, 'CHAT') });
});
test('an index that is not there', refused, 'mirror-incomplete', /404/, (made) => {
  made.write({ packages: binaryEntry('chat', '1.0', 'amd64', undefined, 'new') });
  rmSync(path.join(made.directory, 'dists/test/main/binary-amd64/Packages.xz'));
});

test('what an index packs into more than it says is not unpacked any further', async (t) => {
  if (!need(t, ...TOOLS)) return;
  const { fetch, directory, key } = await scene(t, { packing: 'gz' });
  const packed = gzipSync(Buffer.alloc(64 << 20));
  const name = 'main/binary-amd64/Packages.gz';
  writeFileSync(path.join(directory, 'dists/test', name), packed);
  const text = readFileSync(path.join(directory, 'dists/test/InRelease'), 'utf8')
    .split('\n\n')
    .slice(1)
    .join('\n\n')
    .split('\n-----BEGIN')[0];
  const release = (text ?? '').replace(
    new RegExp(` [0-9a-f]{64} \\d+ ${name}`),
    ` ${sha256(packed)} ${packed.length} ${name}`,
  );
  writeFileSync(path.join(directory, 'dists/test/InRelease'), key.clearSign(`${release}\n`));
  await t.throwsAsync(fetch(), { code: 'mirror-incomplete', message: /gz: more than that/ });
});

test('a version that the signed index does not list is an outcome, and so is a repository that is gone', async (t) => {
  if (!need(t, ...TOOLS)) return;
  const { fetch, url } = await scene(t);
  const outcome = await fetch({ version: '1.1' });
  t.like(outcome, { kind: 'not-there', code: 'version-not-in-index' });
  t.regex('detail' in outcome ? outcome.detail : '', /no chat 1\.1 for amd64: .*InRelease of .* lists 1\.0$/);
  t.regex(
    JSON.stringify(await fetch({ package: 'nothing' })),
    /version-not-in-index.*lists nothing of nothing/,
  );
  t.like(await fetch({ url: `${url}/none` }), { kind: 'not-there', code: 'index-gone' });
});

test('a pre-release is found by the version that the index writes', async (t) => {
  if (!need(t, ...TOOLS)) return;
  const content = 'beta';
  const { fetch, directory } = await scene(t, {
    packages: [
      binaryEntry('chat', '1.1~beta.1', 'amd64', undefined, content),
      binaryEntry('chat', '1.0', 'amd64'),
    ].join('\n'),
  });
  writeFileSync(path.join(directory, 'pool/main/c/chat/chat_1.1~beta.1_amd64.deb'), content);
  const outcome = await fetch({ version: '1.1~beta.1' });
  t.is(outcome.kind === 'done' ? readFileSync(outcome.path, 'utf8') : '', content);
});

test('one version that is two files is no index that can be read', async (t) => {
  if (!need(t, ...TOOLS)) return;
  const { fetch } = await scene(t, {
    packages: [
      binaryEntry('chat', '1.0', 'amd64'),
      binaryEntry('chat', '1.0', 'amd64', undefined, 'evil'),
    ].join('\n'),
  });
  await t.throwsAsync(fetch(), {
    instanceOf: FailedHere,
    code: 'index-unreadable',
    message: /duplicate-binary/,
  });
});

test('a key that is not there, or none, is said before anything is fetched', async (t) => {
  if (!need(t, ...TOOLS)) return;
  const { fetch, pin, requests, key } = await scene(t);
  const missing = { file: 'other.asc', fingerprints: [key.fingerprint] };
  await t.throwsAsync(fetch({ key: missing }), {
    code: 'unreadable-input',
    message: /recipes\/keys\/other\.asc/,
  });
  pin('no key');
  await t.throwsAsync(fetch(), { code: 'unreadable-input', message: /armoured/ });
  t.deepEqual(requests, []);
});
