// SPDX-License-Identifier: Apache-2.0
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { FailedHere, type FailureClass } from '../../../src/errors.js';
import {
  lookUpDebianSource,
  type DebianContext,
  type DebianFact,
} from '../../../src/inputs/debian/debian-archive.js';
import {
  binaryEntry,
  DSC,
  serveDirectory,
  sha256,
  sourceEntry,
  writeArchive,
  type ArchiveOptions,
} from '../../helpers/debian-archive.js';
import { testKey, type TestKey } from '../../helpers/gpg.js';
import { localServer } from '../../helpers/http-server.js';
import { need } from '../../helpers/need.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

const TOOLS = ['gpg', 'gpgv', 'xz'] as const;

interface Scene {
  readonly directory: string;
  readonly key: TestKey;
  readonly context: DebianContext;
  readonly requests: readonly string[];
  readonly look: (suite?: string, name?: string) => Promise<DebianFact>;
}

async function scene(t: ExecutionContext, options: ArchiveOptions = {}): Promise<Scene> {
  const directory = temporaryDirectory(t);
  const key = testKey(t);
  writeArchive(directory, key, options);
  const { url, requests } = await localServer(t, serveDirectory(directory));
  const context = { mirror: url, cache: temporaryDirectory(t), keyring: key.keyring };
  const look = (suite = 'test', name = 'chat'): Promise<DebianFact> =>
    lookUpDebianSource(
      { kind: 'debian-source', suite, component: 'main', package: name, architecture: 'amd64' },
      context,
    );
  return { directory, key, context, requests, look };
}

test('a source package with its files and binaries is read from a signed archive', async (t) => {
  if (!need(t, ...TOOLS)) return;
  const { look, key, directory } = await scene(t, { date: 'Sat, 11 Jul 2026 10:16:37 UTC' });
  const fact = await look();
  t.deepEqual(fact, {
    kind: 'debian-source',
    suite: 'test',
    component: 'main',
    package: 'chat',
    architecture: 'amd64',
    release: {
      sha256: sha256(readFileSync(path.join(directory, 'dists/test/InRelease'))),
      date: '2026-07-11T10:16:37Z',
      signedBy: [key.fingerprint],
    },
    sources: [
      {
        version: '1.0',
        directory: 'pool/main/c/chat',
        files: [
          { name: 'chat_1.0.dsc', size: DSC.length, sha256: sha256(DSC) },
          { name: 'chat_1.0.tar.xz', size: 3, sha256: sha256('tar') },
        ],
        binaries: [
          {
            package: 'chat-doc',
            version: '1.0+b1',
            architecture: 'all',
            path: 'pool/main/c/chat/chat-doc_1.0+b1_all.deb',
            size: 8,
            sha256: sha256('chat-doc'),
          },
          {
            package: 'chat',
            version: '1.0',
            architecture: 'amd64',
            path: 'pool/main/c/chat/chat_1.0_amd64.deb',
            size: 4,
            sha256: sha256('chat'),
          },
        ],
      },
    ],
  });
});

test('the address of the mirror enters no fact', async (t) => {
  if (!need(t, ...TOOLS)) return;
  const { look, context } = await scene(t);
  t.false(JSON.stringify(await look()).includes(new URL(context.mirror).host));
});

test('apt accepts the archive of these tests and reads the same from it', async (t) => {
  if (!need(t, ...TOOLS, 'apt-get', 'apt-cache')) return;
  const { look, context } = await scene(t);
  const root = temporaryDirectory(t);
  for (const name of ['lists/partial', 'cache/archives/partial', 'etc/apt.conf.d', 'etc/preferences.d'])
    mkdirSync(path.join(root, name), { recursive: true });
  writeFileSync(path.join(root, 'status'), '');
  writeFileSync(
    path.join(root, 'sources.list'),
    ['deb', 'deb-src']
      .map((kind) => `${kind} [arch=amd64 signed-by=${context.keyring}] ${context.mirror} test main\n`)
      .join(''),
  );
  const settings = {
    'Dir::State::Lists': 'lists',
    'Dir::State::status': 'status',
    'Dir::Cache': 'cache',
    'Dir::Etc': 'etc',
    'Dir::Etc::SourceList': 'sources.list',
    'Dir::Etc::SourceParts': '/dev/null',
  };
  const given = Object.entries(settings).flatMap(([name, value]) => [
    '-o',
    `${name}=${path.resolve(root, value)}`,
  ]);
  given.push(
    '-o',
    'APT::Sandbox::User=',
    '-o',
    'APT::Architecture=amd64',
    '-o',
    'Acquire::Languages=none',
    '-o',
    'Acquire::http::Proxy=DIRECT',
  );
  // the server of this test lives in this process: a synchronous call would block it
  const run = (tool: string, ...args: readonly string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      execFile(tool, [...given, ...args], (error, stdout, stderr) =>
        error === null ? resolve(stdout) : reject(new Error(`${error.message}\n${stderr}`)),
      );
    });
  await run('apt-get', 'update');
  const shown = await run('apt-cache', 'showsrc', '--only-source', 'chat');
  const [source] = (await look()).sources;
  for (const file of source?.files ?? []) t.true(shown.includes(` ${file.sha256} ${file.size} ${file.name}`));
  const packages = await run('apt-cache', 'show', 'chat', 'chat-doc');
  for (const binary of source?.binaries ?? []) t.true(packages.includes(`SHA256: ${binary.sha256}`));
  t.is(source?.binaries.length, 2);
});

test('a second look-up costs one small fetch, another package no new index', async (t) => {
  if (!need(t, ...TOOLS)) return;
  const { look, requests } = await scene(t);
  const first = await look();
  t.is(requests.length, 3);
  t.deepEqual(await look(), first);
  t.deepEqual(requests.slice(3), ['/dists/test/InRelease']);
  await look('test', 'chatter');
  t.deepEqual(requests.slice(4), ['/dists/test/InRelease']);
});

test('a package that the suite does not have gives no sources', async (t) => {
  if (!need(t, ...TOOLS)) return;
  t.deepEqual((await (await scene(t)).look('test', 'nothing')).sources, []);
});

test('a suite is also known by its suite name', async (t) => {
  if (!need(t, ...TOOLS)) return;
  const { look, directory } = await scene(t);
  mkdirSync(path.join(directory, 'dists/stable'));
  writeFileSync(
    path.join(directory, 'dists/stable/InRelease'),
    readFileSync(path.join(directory, 'dists/test/InRelease')),
  );
  t.is((await look('stable')).sources.length, 1);
});

test('packages for all architectures are read from their own index too, once', async (t) => {
  if (!need(t, ...TOOLS)) return;
  const { look } = await scene(t, {
    allWithEach: false,
    packagesAll: [
      binaryEntry('chat-doc', '1.0+b1', 'all', 'chat (1.0)'),
      binaryEntry('chat-data', '1.0', 'all', 'chat'),
    ].join('\n'),
  });
  t.deepEqual(
    (await look()).sources[0]?.binaries.map((binary) => binary.package),
    ['chat-data', 'chat-doc', 'chat'],
  );
});

test('a source kept only for others is left out unless it still has binaries', async (t) => {
  if (!need(t, ...TOOLS)) return;
  const { look } = await scene(t, {
    sources: ['0.8', '0.9', '1.0']
      .map((version) => sourceEntry('chat', version, version === '1.0' ? [] : ['Extra-Source-Only: yes']))
      .join('\n'),
    packages: [binaryEntry('chat', '1.0', 'amd64'), binaryEntry('chat-old', '0.9', 'amd64', 'chat')].join(
      '\n',
    ),
  });
  t.deepEqual(
    (await look()).sources.map((source) => source.version),
    ['0.9', '1.0'],
  );
});

const refuses = test.macro({
  async exec(
    t,
    tamper: (scene: Scene, t: ExecutionContext) => void,
    message: RegExp,
    options: ArchiveOptions = {},
    code: FailureClass = 'mirror-incomplete',
  ) {
    if (!need(t, ...TOOLS)) return;
    const made = await scene(t, options);
    tamper(made, t);
    const error = await t.throwsAsync(made.look(), { instanceOf: FailedHere, code });
    t.regex(error.message, message);
  },
  title: (given) => `${given}: refused, as a failure of the mirror`,
});
const inRelease = (made: Scene): string => path.join(made.directory, 'dists/test/InRelease');
const edit = (file: string, change: (text: string) => string): void =>
  writeFileSync(file, change(readFileSync(file, 'utf8')));

test(
  'a changed InRelease',
  refuses,
  (made) => edit(inRelease(made), (text) => text.replace('Origin: Test', 'Origin: Tent')),
  /bad/,
  {},
  'index-signature',
);
test(
  'an InRelease signed by another key',
  refuses,
  // the archive stays, the trusted keys are others
  (made, t) => void Object.assign(made.context, { keyring: testKey(t).keyring }),
  /unknown-key/,
  {},
  'index-signature',
);
test(
  'an InRelease without a signature',
  refuses,
  (made) =>
    edit(inRelease(made), (text) => text.split('\n\n').slice(1).join('\n\n').split('\n-----BEGIN')[0] ?? ''),
  /unsigned/,
  {},
  'index-signature',
);
test(
  'text before the signed text',
  refuses,
  (made) => edit(inRelease(made), (text) => `Origin: Evil\n${text}`),
  /unsigned/,
  {},
  'index-signature',
);
test(
  'text behind the signature',
  refuses,
  (made) => edit(inRelease(made), (text) => `${text}Origin: Evil\n`),
  /unsigned/,
  {},
  'index-signature',
);
test(
  'two signed texts in a row',
  refuses,
  (made) => edit(inRelease(made), (text) => text + text),
  /unsigned/,
  {},
  'index-signature',
);
test(
  'Packages changed and packed again',
  refuses,
  ({ directory }) => {
    const file = path.join(directory, 'dists/test/main/binary-amd64/Packages');
    edit(file, (text) => text.replace(sha256('chat'), sha256('evil')));
    writeFileSync(`${file}.xz`, execFileSync('xz', ['--stdout', '--', file]));
  },
  /main\/binary-amd64\/Packages/,
);
test(
  'Sources that are missing on the mirror',
  refuses,
  ({ directory }) => rmSync(path.join(directory, 'dists/test/main/source/Sources.xz')),
  /status 404/,
);
test('no InRelease', refuses, (made) => rmSync(inRelease(made)), /gone/);
test(
  "another suite's index, though signed",
  refuses,
  (made) => {
    const aside = temporaryFile(made);
    writeArchive(aside, made.key, { codename: 'unstable', suite: 'sid' });
    writeFileSync(inRelease(made), readFileSync(path.join(aside, 'dists/unstable/InRelease')));
  },
  /asked for suite test/,
);
test(
  'an index past its date',
  refuses,
  () => undefined,
  /valid until/,
  { validUntil: 'Sat, 11 Jul 2020 10:16:37 UTC' },
  'index-stale',
);
test(
  'an index with a path that leads out',
  refuses,
  () => undefined,
  /bad-field|cannot be read/,
  { packages: binaryEntry('chat', '1.0', 'amd64').replace('pool/main', 'pool/../../main') },
  'index-unreadable',
);
test(
  'one binary with two contents',
  refuses,
  () => undefined,
  /twice/,
  {
    packages: [
      binaryEntry('chat', '1.0', 'amd64'),
      binaryEntry('chat', '1.0', 'amd64', undefined, 'evil'),
    ].join('\n'),
  },
  'index-unreadable',
);

function temporaryFile(made: Scene): string {
  const directory = path.join(made.directory, 'aside');
  mkdirSync(directory);
  return directory;
}

test('an expired key does not sign', async (t) => {
  if (!need(t, ...TOOLS)) return;
  const directory = temporaryDirectory(t);
  const key = testKey(t, { expire: '2020-02-01' });
  writeArchive(directory, key);
  const { url } = await localServer(t, serveDirectory(directory));
  const error = await t.throwsAsync(
    lookUpDebianSource(
      { kind: 'debian-source', suite: 'test', component: 'main', package: 'chat', architecture: 'amd64' },
      { mirror: url, cache: temporaryDirectory(t), keyring: key.keyring },
    ),
    { instanceOf: FailedHere, code: 'index-signature' },
  );
  t.regex(error.message, /expired/);
});

test('an archive that cannot be reached is a network failure', async (t) => {
  if (!need(t, ...TOOLS)) return;
  const { context } = await scene(t);
  await t.throwsAsync(
    lookUpDebianSource(
      { kind: 'debian-source', suite: 'test', component: 'main', package: 'chat', architecture: 'amd64' },
      { ...context, mirror: 'http://127.0.0.1:2' },
    ),
    { instanceOf: FailedHere, code: 'network' },
  );
});

/** The machine's own archive, read at run time; the test is skipped where there is none. */
function machineMirror(): string | undefined {
  const named = process.env['SAMESOURCE_DEBIAN_MIRROR'];
  if (named !== undefined) return named;
  if (!hasApt()) return undefined;
  const targets = execFileSync('apt-get', ['indextargets', '--format', '$(CODENAME) $(SITE)'], {
    encoding: 'utf8',
  });
  return /^bookworm (\S+)$/m.exec(targets)?.[1];
}

function hasApt(): boolean {
  try {
    execFileSync('apt-get', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test('the real archive: weechat of bookworm with all its packages', async (t) => {
  if (!need(t, 'gpgv', 'xz')) return;
  const mirror = machineMirror();
  const lookup = {
    kind: 'debian-source',
    suite: 'bookworm',
    component: 'main',
    package: 'weechat',
    architecture: 'amd64',
  } as const;
  let fact: DebianFact;
  try {
    if (mirror === undefined) throw new FailedHere('network', 'this machine names no Debian archive');
    fact = await lookUpDebianSource(lookup, { mirror, cache: temporaryDirectory(t) });
  } catch (error) {
    if (!(error instanceof FailedHere) || process.env['CI'] === 'true') throw error;
    t.log(`skipped: ${error.message}`);
    t.pass();
    return;
  }
  t.true(fact.release.signedBy.length > 0);
  const source = fact.sources.find((one) => one.version.startsWith('3.8-1'));
  t.true(source?.files.some((file) => file.name.endsWith('.dsc')));
  for (const name of ['weechat', 'weechat-core', 'weechat-doc', 'weechat-dev', 'weechat-curses'])
    t.true(
      source?.binaries.some((binary) => binary.package === name),
      name,
    );
});
