// SPDX-License-Identifier: Apache-2.0
/**
 * What goes wrong around a run: no engine, a full disk, archives and repositories that do not answer, files that are not
 * what they should be. Each has its code, its exit code and a word on what to do; what failed here is kept and is no
 * verdict, and nothing is left behind.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { cacheDirectory } from '../../src/inputs/cache.js';
import { debianMirror } from '../../src/inputs/debian/debian-mirror.js';
import { sha256 } from '../helpers/debian-archive.js';
import { testKey } from '../helpers/gpg.js';
import { buildManifest } from '../helpers/build-axml.js';
import { buildZip } from '../helpers/build-zip.js';
import { GitRepository } from '../helpers/git-repository.js';
import { localServer } from '../helpers/http-server.js';
import { hasTool, need, without } from '../helpers/need.js';
import {
  addTinyImage,
  appRecipe,
  scratchPackage,
  type AppRecipe,
  type Ended,
  type ScratchPackage,
} from '../helpers/scratch-package.js';
import { newIdentity, signedApk, type Identity } from '../helpers/sign-apk.js';
import { document } from '../helpers/transcript.js';

const CONTAINED: AppRecipe = {
  app: 'contained',
  image: '{ kind: lock, name: tiny }',
  build: 'echo built > result.txt',
};
const LOCAL: AppRecipe = { app: 'local', build: 'echo built > result.txt' };

interface Expected {
  readonly exit: 1 | 2 | 3 | 64 | 75;
  readonly code: string;
  /** What to do. */
  readonly hint?: RegExp;
}

/** One document, the code in it and for people, a hint, no stack; ours is kept and is no report; nothing else is. */
function fails(
  t: ExecutionContext,
  scratch: ScratchPackage,
  ended: Ended,
  { exit, code, hint }: Expected,
): void {
  const { stderr } = ended;
  t.is(ended.code, exit, stderr);
  const { error } = document(t, ended) as {
    readonly error?: { readonly code: string; readonly hint?: string };
  };
  t.is(error?.code, code, stderr);
  t.true(stderr.includes(`error [${code}] `), stderr);
  t.notRegex(stderr, /^\s+at |node:internal|\[bug\]/m);
  if (hint !== undefined) t.regex(error?.hint ?? '', hint);
  const written = scratch.written();
  t.deepEqual(
    written.filter(
      (name) => !/^attempts\/\d{8}t\d{6}-[0-9a-f]{6}\/(?:failure\.json|logs\/[^.][^/]*)$/.test(name),
    ),
    [],
  );
  const kept = written.filter((name) => name.endsWith('failure.json'));
  t.is(kept.length, exit === 75 ? 1 : 0, written.join(' '));
  for (const name of kept) {
    const { outcome, failure } = JSON.parse(readFileSync(path.join(scratch.work, name), 'utf8')) as {
      readonly outcome: string;
      readonly failure: { readonly class: string };
    };
    t.deepEqual([outcome, failure.class], ['failed-here', code]);
  }
  t.deepEqual(scratch.left(), []);
}

interface Statement {
  readonly statement: {
    readonly verdict: {
      readonly kind: string;
      readonly reasons?: readonly { readonly code: string; readonly detail: string }[];
    };
  };
}

/** A verdict: one stored report, nothing else. */
function judged(
  t: ExecutionContext,
  scratch: ScratchPackage,
  ended: Ended,
  exit: number,
  kind: string,
): Statement {
  t.is(ended.code, exit, ended.stderr);
  t.notRegex(ended.stderr, /^\s+at |^error |\[bug\]/m);
  const report = document(t, ended) as Statement;
  t.is(report.statement.verdict.kind, kind);
  t.true(scratch.written().every((name) => name.startsWith('reports/')));
  t.deepEqual(scratch.left(), []);
  return report;
}

function fileOf(scratch: ScratchPackage, name: string, content: string | Buffer): string {
  const file = path.join(scratch.temporary, '..', name);
  writeFileSync(file, content);
  return file;
}

/** A PATH with these tools of the machine and these scripts, and nothing else. */
function pathWith(
  scratch: ScratchPackage,
  tools: readonly string[],
  scripts: Readonly<Record<string, string>> = {},
): string {
  const bin = path.join(scratch.temporary, '../bin');
  mkdirSync(bin);
  for (const tool of ['git', 'sh', ...tools])
    symlinkSync(
      execFileSync('sh', ['-c', 'command -v "$1"', 'sh', tool], { encoding: 'utf8' }).trim(),
      path.join(bin, tool),
    );
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(bin, name), 0o755);
  }
  return bin;
}

// ---------------------------------------------------------------- engines

const DENIED =
  'echo "Got permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock" >&2; exit 1';

interface EngineRow {
  readonly scripts?: Readonly<Record<string, string>>;
  readonly tools?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly hint: RegExp;
}

const ENGINES: Readonly<Record<string, EngineRow>> = {
  'no engine at all': { hint: /apt-get install docker\.io.*apt-get install podman/ },
  'no engine of the kind that was asked for': {
    args: ['--engine', 'podman'],
    hint: /apt-get install podman/,
  },
  'an engine without permission': { scripts: { docker: DENIED }, hint: /group docker .*or use podman/ },
  'a daemon that does not run': {
    tools: ['docker'],
    env: { DOCKER_HOST: 'unix:///nonexistent/docker.sock' },
    hint: /systemctl start docker/,
  },
  'an engine that says nothing we know': { scripts: { docker: 'exit 3' }, hint: /docker info/ },
};

for (const [title, { scripts, tools = [], env, args = [], hint }] of Object.entries(ENGINES))
  test(title, async (t) => {
    if (!need(t, 'git', ...tools)) return;
    const scratch = scratchPackage(t, { contained: appRecipe(CONTAINED) });
    addTinyImage(scratch);
    const PATH = pathWith(scratch, tools, scripts);
    const ended = await scratch.run(['build', 'contained', '1.0.0', '--json', ...args], {
      env: { ...env, PATH },
    });
    fails(t, scratch, ended, { exit: 75, code: 'no-engine', hint });
  });

test('the local executor for a plan with a container, as root', async (t) => {
  if (process.getuid?.() !== 0) return void without(t, 'root');
  const scratch = scratchPackage(t, { contained: appRecipe(CONTAINED) });
  addTinyImage(scratch);
  const ended = await scratch.run(['build', 'contained', '1.0.0', '--engine', 'local', '--json']);
  fails(t, scratch, ended, { exit: 64, code: 'local-as-root', hint: /another user.*--engine docker/ });
});

test('an engine for a plan without an image', async (t) => {
  const scratch = scratchPackage(t, {});
  const ended = await scratch.run(['build', 'demo', 'latest', '--engine', 'docker', '--json']);
  fails(t, scratch, ended, { exit: 64, code: 'engine-without-image', hint: /leave --engine out/ });
});

test('no tools at all: git is named with what installs it', async (t) => {
  const scratch = scratchPackage(t, {});
  const ended = await scratch.run(['build', 'demo', 'latest', '--json'], {
    env: { PATH: path.join(scratch.temporary, 'nothing') },
  });
  fails(t, scratch, ended, { exit: 75, code: 'missing-tool', hint: /apt-get install git/ });
});

// ---------------------------------------------------------------- known failures

test('a known line of a log: what happened and what to try, on the screen, as JSON and in the attempt', async (t) => {
  const prepare =
    "printf '\\033[31mNo version of NDK matched the requested version 21.0.6113669.\\n\\n* What went wrong:\\nno NDK\\n'; exit 1";
  const scratch = scratchPackage(t, { local: appRecipe({ ...LOCAL, prepare }) });
  const ended = await scratch.run(['build', 'local', '1.0.0', '--json']);
  fails(t, scratch, ended, { exit: 75, code: 'prepare-failed' });
  t.regex(ended.stderr, /^ {2}known: the NDK that the build asks for was not in this environment$/m);
  t.regex(ended.stderr, /^ {4}\| \\x1b\[31mNo version of NDK matched/m);
  t.regex(ended.stderr, /^ {4}to try: install that very version in the prepare phase/m);
  t.regex(ended.stderr, /^ {4}\| \* What went wrong: no NDK$/m);
  const { error } = document(t, ended) as {
    readonly error: { readonly known: readonly { readonly id: string; readonly advice: string }[] };
  };
  t.deepEqual(
    error.known.map(({ id }) => id),
    ['ndk-missing', 'gradle-failed'],
  );
  const name = scratch.written().find((file) => file.endsWith('failure.json')) ?? '';
  const { failure } = JSON.parse(readFileSync(path.join(scratch.work, name), 'utf8')) as {
    readonly failure: { readonly known: typeof error.known };
  };
  t.deepEqual(
    failure.known.map(({ id, advice }) => ({ id, advice })),
    error.known.map(({ id, advice }) => ({ id, advice })),
  );
});

// ---------------------------------------------------------------- disk and memory

function smallDisk(t: ExecutionContext, directory: string, size: string): boolean {
  if (process.getuid?.() !== 0) return without(t, 'root (to mount a small file system)');
  if (!need(t, 'mount')) return false;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', directory], { stdio: 'pipe' });
  } catch {
    return without(t, 'the right to mount a tmpfs');
  }
  t.teardown(() => execFileSync('umount', ['--lazy', directory]));
  return true;
}

test('less room than the plan needs is said before anything is fetched', async (t) => {
  const scratch = scratchPackage(t, { local: appRecipe({ ...LOCAL, diskMiB: 64 }) });
  if (!smallDisk(t, scratch.cacheHome, '2m')) return;
  const published = fileOf(scratch, 'result.txt', 'built\n');
  const ended = await scratch.run(['local', '1.0.0', '--published', published, '--json']);
  fails(t, scratch, ended, { exit: 75, code: 'disk-full', hint: /XDG_CACHE_HOME/ });
  t.regex(ended.stderr, /needs 64 MiB of disk, [0-2] MiB are free/);
});

test('more memory than the machine has', async (t) => {
  const scratch = scratchPackage(t, { local: appRecipe({ ...LOCAL, memoryMiB: 99_999_999 }) });
  const ended = await scratch.run(['build', 'local', '1.0.0', '--json']);
  fails(t, scratch, ended, { exit: 75, code: 'out-of-memory', hint: /larger machine/ });
});

test('a disk that is full to the last byte', async (t) => {
  const scratch = scratchPackage(t, {});
  if (!smallDisk(t, scratch.cacheHome, '64k')) return;
  t.throws(() => writeFileSync(path.join(scratch.cacheHome, 'filler'), Buffer.alloc(1 << 20)));
  const ended = await scratch.run(['demo', '--json']);
  fails(t, scratch, ended, { exit: 75, code: 'disk-full', hint: /free some space/ });
});

test('a disk that is filled by the build', async (t) => {
  const build = 'head -c 20000000 /dev/zero > result.txt';
  const scratch = scratchPackage(t, { local: appRecipe({ ...LOCAL, diskMiB: 1, build }) });
  if (!smallDisk(t, scratch.temporary, '4m')) return;
  fails(t, scratch, await scratch.run(['build', 'local', '1.0.0', '--json']), {
    exit: 75,
    code: 'disk-full',
    hint: /free some space/,
  });
});

test('a disk that is full where the report goes: nothing half, and the next report finds its place', async (t) => {
  const scratch = scratchPackage(t, {});
  const out = path.join(scratch.temporary, '../out');
  mkdirSync(out);
  if (!smallDisk(t, out, '32k')) return;
  const ended = await scratch.run(['demo', '--json', '--out', out]);
  t.is(ended.code, 75, ended.stderr);
  t.regex(ended.stderr, /^error \[disk-full\].*\n {2}.*--out/m);
  t.deepEqual(
    execFileSync('find', [out, '-type', 'f'], { encoding: 'utf8' })
      .split('\n')
      .filter((name) => !name.includes('/attempts/')),
    [''],
  );
  t.is(execFileSync('find', [out, '-mindepth', '1', '-type', 'd', '-empty'], { encoding: 'utf8' }), '');
  t.deepEqual(scratch.left(), []);
  t.is((await scratch.run(['demo'])).code, 0);
});

test('compare with --out on a full disk leaves nothing', async (t) => {
  const scratch = scratchPackage(t, {});
  const out = path.join(scratch.temporary, '../out');
  mkdirSync(out);
  if (!smallDisk(t, out, '8k')) return;
  const [one, other] = [fileOf(scratch, 'one.txt', '1'), fileOf(scratch, 'other.txt', '2')];
  const ended = await scratch.run(['compare', one, other, '--json', '--out', out]);
  t.is(ended.code, 75, ended.stderr);
  t.regex(ended.stderr, /^error \[disk-full\]/m);
  t.is(execFileSync('find', [out, '-mindepth', '1'], { encoding: 'utf8' }), '');
});

test('a place for the report that nobody may write to', async (t) => {
  const scratch = scratchPackage(t, {});
  const out = fileOf(scratch, 'file', '');
  for (const args of [['demo'], ['build', 'demo', 'latest', '-o', path.join(out, 'rebuilt')]]) {
    const ended = await scratch.run([...args, '--json', '--out', out]);
    fails(t, scratch, ended, { exit: 64, code: 'not-writable', hint: /--out/ });
    t.notRegex(ended.stderr, /^plan /m);
  }
});

// ---------------------------------------------------------------- archives

/** Nobody listens there, for as long as it takes. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const answer =
  (status: number, headers: Readonly<Record<string, string>> = {}, body = '') =>
  (response: ServerResponse): void =>
    void response.writeHead(status, headers).end(body);

const ARCHIVES: Readonly<Record<string, Expected & { readonly answer: (response: ServerResponse) => void }>> =
  {
    'that has not what it should': {
      exit: 75,
      code: 'mirror-incomplete',
      hint: /SAMESOURCE_DEBIAN_MIRROR/,
      answer: answer(404),
    },
    'that limits how often it answers': {
      exit: 75,
      code: 'rate-limited',
      hint: /in 900 seconds/,
      answer: answer(429, { 'retry-after': '900' }),
    },
    'with a problem of its own': { exit: 75, code: 'network', hint: /try again later/, answer: answer(500) },
    'that refuses': { exit: 75, code: 'network', hint: /refuses/, answer: answer(403) },
    'that answers with a page of its own': {
      exit: 75,
      code: 'index-signature',
      hint: /SAMESOURCE_DEBIAN_MIRROR/,
      answer: answer(200, { 'content-type': 'text/html' }, '<html>please log in</html>'),
    },
    'that ends in the middle': {
      exit: 75,
      code: 'network',
      hint: /can be reached/,
      answer: (response) => {
        response.writeHead(200, { 'content-length': '5000' });
        response.write('-----BEGIN PGP SIGNED', () => response.destroy());
      },
    },
  };

for (const [title, row] of Object.entries(ARCHIVES))
  test(`an archive ${title}`, async (t) => {
    const scratch = scratchPackage(t, {});
    const { url } = await localServer(t, (_request, response) => row.answer(response));
    const ended = await scratch.run(['bitlbee', '3.x', '--json'], { env: { SAMESOURCE_DEBIAN_MIRROR: url } });
    fails(t, scratch, ended, row);
  });

test('an archive that is signed by somebody else', async (t) => {
  if (!need(t, 'gpg', 'gpgv')) return;
  const scratch = scratchPackage(t, {});
  const text = testKey(t).clearSign('Suite: stable\nCodename: bookworm\n');
  const { url } = await localServer(t, (_request, response) => void response.end(text));
  const ended = await scratch.run(['bitlbee', '3.x', '--json'], { env: { SAMESOURCE_DEBIAN_MIRROR: url } });
  fails(t, scratch, ended, { exit: 75, code: 'index-signature', hint: /debian-archive-keyring/ });
});

test('an archive that is not there, for every command that asks it', async (t) => {
  const env = { SAMESOURCE_DEBIAN_MIRROR: `http://127.0.0.1:${await closedPort()}/debian` };
  for (const args of [
    ['bitlbee', '3.x'],
    ['build', 'bitlbee', '3.x'],
    ['plan', 'bitlbee', '3.x'],
    ['bitlbee'],
  ]) {
    const scratch = scratchPackage(t, {});
    const ended = await scratch.run([...args, '--json'], { env });
    t.is(ended.code, 75, ended.stderr);
    t.regex(
      ended.stderr,
      /^error \[network\] .*the connection was refused\n {2}check that 127\.0\.0\.1:\d+ can be reached/m,
    );
    t.is((document(t, ended) as { error: { code: string } }).error.code, 'network');
    t.deepEqual(scratch.left(), []);
    t.true(scratch.written().every((name) => name.startsWith('attempts/')));
  }
});

test('an image whose packages the archive does not give', async (t) => {
  const scratch = scratchPackage(t, {});
  addTinyImage(scratch);
  // another epoch: not the image that is in the cache
  const lock = path.join(scratch.root, 'docker/tiny/lock.json');
  writeFileSync(lock, readFileSync(lock, 'utf8').replace('"sourceDateEpoch":0', '"sourceDateEpoch":1'));
  const env = { SAMESOURCE_DEBIAN_MIRROR: `http://127.0.0.1:${await closedPort()}/debian` };
  const ended = await scratch.run(['image', 'tiny', '--json'], { env });
  t.is(ended.code, 75, ended.stderr);
  t.regex(ended.stderr, /^error \[network\] could not fetch package tiny 1 .*\n {2}check that/m);
  t.deepEqual([scratch.left(), scratch.written()], [[], []]);
});

// ---------------------------------------------------------------- repositories

const UPSTREAM = 'https://upstream.example/chat';

/** The recipe of an app whose source is a repository. */
const gitRecipe = (commit: string, ref?: string): string =>
  appRecipe({
    ...LOCAL,
    app: 'upstream',
    source: `kind: git, repository: '${UPSTREAM}'`,
    resolve: `{ kind: pinned, evidence: a test, versions: [{ version: '1.0.0', build: 1, commit: '${commit}'${ref === undefined ? '' : `, ref: ${ref}`} }] }`,
    assertions:
      "[{ file: version.txt, pattern: 'version=(\\S+)', expected: '{version}', what: version-name }]",
  });

/** The machine's own git, for which the upstream address leads elsewhere: no test asks a real host. */
function redirected(scratch: ScratchPackage, to: string): Readonly<Record<string, string>> {
  const git = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
  const bin = path.join(scratch.temporary, '../git');
  mkdirSync(bin);
  writeFileSync(path.join(bin, 'git'), `#!/bin/sh\nexec ${git} -c "url.${to}.insteadOf=${UPSTREAM}" "$@"\n`);
  chmodSync(path.join(bin, 'git'), 0o755);
  return { PATH: `${bin}:${process.env['PATH'] ?? ''}` };
}

test('a repository that cannot be reached, and one whose server is busy', async (t) => {
  if (!need(t, 'git')) return;
  const busy = await localServer(t, (_request, response) => answer(503)(response));
  for (const to of [`http://127.0.0.1:${await closedPort()}`, busy.url]) {
    const scratch = scratchPackage(t, { upstream: gitRecipe('1'.repeat(40)) });
    const published = fileOf(scratch, 'result.txt', 'built\n');
    const env = redirected(scratch, to);
    const ended = await scratch.run(['upstream', '1.0.0', '--published', published, '--json'], { env });
    fails(t, scratch, ended, { exit: 75, code: 'network', hint: /--source DIR/ });
  }
});

interface RepositoryRow {
  readonly arrange: (
    upstream: GitRepository,
    good: string,
  ) => { readonly commit: string; readonly ref?: string };
  readonly code: string;
  readonly says: RegExp;
}

const REPOSITORIES: Readonly<Record<string, RepositoryRow>> = {
  'that is gone': {
    arrange: (upstream, commit) => {
      rmSync(upstream.directory, { recursive: true });
      return { commit };
    },
    code: 'source-missing-for-version',
    says: /the repository is not there/,
  },
  'without the commit': {
    arrange: () => ({ commit: '1'.repeat(40) }),
    code: 'source-missing-for-version',
    says: /has no commit 1111/,
  },
  'with the commit in a fork only': {
    arrange: (upstream) => {
      upstream.git('checkout', '--quiet', '-b', 'fork');
      const commit = upstream.commit('evil', { 'version.txt': 'version=1.0.0\n', evil: '' });
      upstream.git('checkout', '--quiet', 'main');
      upstream.git('branch', '--quiet', '-D', 'fork');
      upstream.git('config', 'uploadpack.allowAnySHA1InWant', 'true');
      return { commit };
    },
    code: 'source-untrusted',
    says: /commit-not-upstream/,
  },
  'whose tag was moved': {
    arrange: (upstream, commit) => {
      upstream.commit('later');
      upstream.git('tag', 'v1.0.0');
      return { commit, ref: 'v1.0.0' };
    },
    code: 'source-untrusted',
    says: /tag-moved: v1\.0\.0 was [0-9a-f]{40} and is [0-9a-f]{40}/,
  },
  'whose version file says another version': {
    arrange: (upstream) => ({ commit: upstream.commit('wrong', { 'version.txt': 'version=0.9\n' }) }),
    code: 'source-untrusted',
    says: /version-file-mismatch.*0\.9/,
  },
};

for (const [title, { arrange, code, says }] of Object.entries(REPOSITORIES))
  test(`a repository ${title}`, async (t) => {
    if (!need(t, 'git')) return;
    const scratch = scratchPackage(t, {});
    const upstream = new GitRepository(path.join(scratch.temporary, '../upstream'));
    const { commit, ref } = arrange(upstream, upstream.commit('first', { 'version.txt': 'version=1.0.0\n' }));
    writeFileSync(path.join(scratch.root, 'recipes/upstream.yaml'), gitRecipe(commit, ref));
    const published = fileOf(scratch, 'result.txt', 'built\n');
    const env = redirected(scratch, `file://${upstream.directory}`);
    fails(t, scratch, await scratch.run(['build', 'upstream', '1.0.0', '--json'], { env }), {
      exit: 2,
      code,
    });
    const ended = await scratch.run(['upstream', '1.0.0', '--json', '--published', published], { env });
    const { statement } = judged(t, scratch, ended, 2, 'unverifiable');
    const [reason] = statement.verdict.reasons ?? [];
    t.is(reason?.code, code);
    t.regex(reason?.detail ?? '', says);
  });

test('a repository that is as it should be; a --source that is not', async (t) => {
  if (!need(t, 'git')) return;
  const scratch = scratchPackage(t, {});
  const upstream = new GitRepository(path.join(scratch.temporary, '../upstream'));
  const commit = upstream.commit('first', { 'version.txt': 'version=1.0.0\n' });
  writeFileSync(path.join(scratch.root, 'recipes/upstream.yaml'), gitRecipe(commit));
  const args = ['upstream', '1.0.0', '--json', '--published', fileOf(scratch, 'result.txt', 'built\n')];
  const env = redirected(scratch, `file://${upstream.directory}`);
  judged(t, scratch, await scratch.run(args, { env }), 0, 'reproducible');
  for (const source of [path.join(scratch.temporary, 'gone'), 'http://upstream.example/chat']) {
    const ended = await scratch.run([...args, '--source', source]);
    t.is(ended.code, 64);
    t.regex(ended.stderr, /^error \[bad-source\].*\n {2}--source takes/m);
  }
});

// ---------------------------------------------------------------- published files

const apk = (identity: Identity | undefined, manifest: Parameters<typeof buildManifest>[0]): Buffer => {
  const unsigned = buildZip([
    { name: 'AndroidManifest.xml', data: buildManifest(manifest), method: 0, align: 4 },
  ]);
  return identity === undefined ? unsigned : signedApk(unsigned, { identity });
};

/** A recipe that pins `identity`, builds without a container, and would leave a trace of a build. */
const pinned = (identity: Identity): string =>
  appRecipe({
    ...LOCAL,
    app: 'pinned',
    channel: `acquisition: { kind: handed-over, how: make it }
    packageId: org.example.chat
    versionCode: { times: 7, plus: 0 }
    signers: [{ sha256: ${sha256(identity.certificate)}, statedBy: publisher, source: a test }]`,
  });

const PUBLISHED: Readonly<
  Record<
    string,
    {
      readonly file: (own: Identity) => Buffer;
      readonly code: string;
      readonly exit: 3 | 64;
      readonly says: RegExp;
    }
  >
> = {
  'signed by another key': {
    file: () => apk(newIdentity(), {}),
    exit: 3,
    code: 'signer-not-pinned',
    says: /signer-not-pinned/,
  },
  unsigned: { file: () => apk(undefined, {}), exit: 3, code: 'unsigned', says: /unsigned/ },
  'of another package': {
    file: (own) => apk(own, { package: 'org.example.other' }),
    exit: 3,
    code: 'other-package',
    says: /org\.example\.other/,
  },
  'of another version': {
    file: (own) => apk(own, { versionCode: 8 }),
    exit: 64,
    code: 'other-version',
    says: /versionCode 8, expected 7/,
  },
};

for (const [title, { file, code, exit, says }] of Object.entries(PUBLISHED))
  test(`a published file ${title}: said first, and nothing is built`, async (t) => {
    const own = newIdentity();
    const scratch = scratchPackage(t, { pinned: pinned(own) });
    const published = fileOf(scratch, 'given.apk', file(own));
    const ended = await scratch.run(['pinned', '1.0.0', '--published', published, '--json']);
    t.notRegex(ended.stderr, /… build/);
    t.regex(ended.stderr + ended.stdout, says);
    if (exit === 64) return fails(t, scratch, ended, { exit, code, hint: /name the version of the file/ });
    const { statement } = judged(t, scratch, ended, exit, 'not-authentic');
    t.is(statement.verdict.reasons?.[0]?.code, code);
    t.regex(ended.stderr, /^Not the publisher’s file/m);
    t.regex(ended.stderr, /--build-anyway/);
  });

test('a published file that is missing, a directory, unreadable; a name that the plan does not know', async (t) => {
  const scratch = scratchPackage(t, { local: appRecipe(LOCAL) });
  const gone = await scratch.run([
    'local',
    '1.0.0',
    '--published',
    path.join(scratch.work, 'gone'),
    '--json',
  ]);
  fails(t, scratch, gone, { exit: 75, code: 'unreadable-input', hint: /path/ });
  const device = scratchPackage(t, { local: appRecipe(LOCAL) });
  fails(t, device, await device.run(['local', '1.0.0', '--published', '/dev/zero', '--json']), {
    exit: 75,
    code: 'unreadable-input',
    hint: /path|regular/,
  });
  const empty = path.join(scratch.temporary, '../empty');
  mkdirSync(empty);
  const nothing = await device.run(['local', '1.0.0', '--published', empty, '--json']);
  t.is(nothing.code, 2);
  t.regex(nothing.stderr, /no-published-artifact: .*holds none of result\.txt/);
});

test('the same build for a match, a mismatch and what was expected of either', async (t) => {
  const scratch = scratchPackage(t, { local: appRecipe(LOCAL) });
  const same = fileOf(scratch, 'same.txt', 'built\n');
  const other = fileOf(scratch, 'other.txt', 'bilt\n');
  for (const [args, exit, says] of [
    [[same], 0, /\[reproducible\]/],
    [[same, '--strict', '--expect', 'reproducible'], 0, /\[reproducible\]/],
    [[same, '--expect', 'unreproducible'], 1, /\[reproducible\]/],
    [[same, '--rebuild', '3'], 0, /3 builds|3 of 3/],
    [[other], 1, /\(2 builds, 1 machine\) {2}\[unreproducible\]/],
    [[other, '--no-confirm'], 1, /\(1 build, 1 machine\) {2}\[unreproducible\]/],
    [[other, '--rebuild', '3'], 1, /\(3 builds, 1 machine\)/],
    [[other, '--expect', 'unreproducible', '--no-confirm'], 0, /\[unreproducible\]/],
  ] as const) {
    const ended = await scratch.run(['local', '1.0.0', '--fresh', '--published', ...args]);
    t.is(ended.code, exit, `${args.join(' ')}: ${ended.stdout}${ended.stderr}`);
    t.regex(ended.stdout, says);
  }
  const bad = async (...args: readonly string[]): Promise<{ code: number | null; digest: string }> => {
    const { code, stdout } = await scratch.run(['local', '1.0.0', '--no-confirm', '--published', ...args]);
    return { code, digest: /^statement sha256:(.*)$/m.exec(stdout)?.[1] ?? '' };
  };
  // unreproducible in the same way is green, in another way it is red
  const { digest } = await bad(other);
  t.is((await bad(other, '--expect', `unreproducible@${digest}`)).code, 0);
  t.is((await bad(other, '--expect', `reproducible@${digest}`)).code, 1);
  const third = fileOf(scratch, 'third.txt', 'buil\n');
  t.is((await bad(third, '--expect', `unreproducible@${digest}`)).code, 1);
  const ended = await scratch.run(['local', '1.0.0', '--published', same, '--expect', 'fine', '--json']);
  t.is(ended.code, 64);
  t.regex(ended.stderr, /^error \[usage\] /m);
});

test('code that was carried in is a failure where it is asked for', async (t) => {
  const scratch = scratchPackage(t, {});
  t.is((await scratch.run(['demo'])).code, 0);
  const ended = await scratch.run(['demo', '--require-built']);
  // the short form of the demo has fewer options than the whole command
  t.is(ended.code, 64);
  const app = readFileSync(path.join(scratch.root, 'recipes/demo.yaml'), 'utf8');
  writeFileSync(path.join(scratch.root, 'recipes/again.yaml'), app.replace('app: demo', 'app: again'));
  t.is((await scratch.run(['again', 'latest'])).code, 0);
  const whole = await scratch.run(['again', 'latest', '--require-built']);
  t.is(whole.code, 1, whole.stderr);
  t.regex(whole.stdout, /\[reproducible\]/);
  t.regex(whole.stdout, /carried in/);
});

// ---------------------------------------------------------------- files beside

test('a .buildinfo that is unreadable, malformed, or for something else; evidence that exists', async (t) => {
  const scratch = scratchPackage(t, { local: appRecipe(LOCAL) });
  const same = fileOf(scratch, 'same.txt', 'built\n');
  const text = (name: string, content: string): string => fileOf(scratch, name, content);
  const rows: readonly (readonly [readonly string[], number, string, RegExp?])[] = [
    [['--buildinfo', path.join(scratch.work, 'gone')], 75, 'unreadable-input', /path/],
    [['--buildinfo', text('a', 'nothing of the kind')], 75, 'unreadable-input', /as it was published/],
    [['--buildinfo', text('b', BUILDINFO)], 64, 'buildinfo-not-for-this', /leave --buildinfo out/],
    [['--evidence', same], 64, 'evidence-exists', /another file/],
  ];
  for (const [args, exit, code, hint] of rows) {
    const ended = await scratch.run(['local', '1.0.0', '--published', same, '--json', ...args]);
    t.is(ended.code, exit, ended.stderr);
    const { error } = document(t, ended) as {
      readonly error: { readonly code: string; readonly hint?: string };
    };
    t.is(error.code, code);
    if (hint !== undefined) t.regex(error.hint ?? '', hint);
    t.notRegex(ended.stderr, /^\s+at |… build/m);
    t.true(scratch.written().every((name) => name.startsWith('attempts/')));
  }
});

test('a .buildinfo of another package', async (t) => {
  const mirror = await debianMirror();
  const index = await fetch(`${mirror}/dists/bookworm/InRelease`).catch(() => undefined);
  await index?.body?.cancel();
  if (index?.ok !== true) return void without(t, 'a Debian archive');
  const scratch = scratchPackage(t, {});
  const file = fileOf(scratch, 'weechat.buildinfo', BUILDINFO);
  // the indexes are large: those that this machine has already are good enough
  const ended = await scratch.run(['bitlbee', '3.x', '--buildinfo', file, '--json'], {
    env: { XDG_CACHE_HOME: path.dirname(cacheDirectory()) },
  });
  fails(t, scratch, ended, { exit: 64, code: 'buildinfo-of-other', hint: /of the version that is checked/ });
  t.regex(ended.stderr, /is about weechat 3\.8-1, the plan about bitlbee 3\./);
});

const BUILDINFO = `Format: 1.0
Source: weechat
Binary: weechat
Architecture: amd64
Version: 3.8-1
Checksums-Sha256:
 ${'ab'.repeat(32)} 69920 weechat_3.8-1_all.deb
Build-Architecture: amd64
Installed-Build-Depends:
 autoconf (= 2.71-3)
`;

// ---------------------------------------------------------------- words

const WORDS: readonly (readonly [readonly string[], string, RegExp])[] = [
  [['demmo', 'latest'], 'unknown-app', /did you mean demo\?/],
  [['build', 'demmo', 'latest'], 'unknown-app', /did you mean demo\?/],
  [['local', '1.0.1'], 'unknown-version', /1\.0\.0/],
  [['local', '2.x'], 'unknown-version', /1\.0\.0/],
  [['local', '1.0.0', '--channel', 'owm'], 'unknown-channel', /own/],
  [['local', '1.0.0', '--enigne', 'docker'], 'unknown-option', /--engine/],
  [['local', '1.0.0', '--rebuild', '0'], 'usage', /--help/],
  [['image', 'tinny'], 'unknown-image', /docker\/\*\/lock\.json/],
];

test('words that nobody knows: the nearest ones are named', async (t) => {
  const scratch = scratchPackage(t, { local: appRecipe(LOCAL) });
  for (const [args, code, hint] of WORDS) {
    t.log(`${args.join(' ')}: ${code}`);
    fails(t, scratch, await scratch.run([...args, '--json']), { exit: 64, code, hint });
  }
});

// ---------------------------------------------------------------- verify build

test('build: lines that sha256sum takes, and a directory with what came out', async (t) => {
  if (!need(t, 'sha256sum')) return;
  const scratch = scratchPackage(t, {});
  const kept = await scratch.run(['build', 'demo', 'latest', '-o', 'rebuilt dir']);
  t.is(kept.code, 0, kept.stderr);
  t.deepEqual(scratch.written(), ['rebuilt dir/app-unsigned.apk']);
  const check = execFileSync('sha256sum', ['--check', '--strict', '-'], {
    cwd: scratch.work,
    input: kept.stdout,
    encoding: 'utf8',
  });
  t.regex(check, /app-unsigned\.apk: OK\n$/);
  const named = await scratch.run(['build', 'demo', 'latest']);
  t.is(named.stdout, kept.stdout.replace(/ {2}.*\n/, '  app-unsigned.apk\n'));
  t.deepEqual(scratch.left(), []);
});

test('build: a source that does not build exits 2 and shows its first error; nothing is kept', async (t) => {
  const build = [
    'echo "compiling"',
    'echo "chat.c:3: error: unknown type name" >&2',
    'echo "make: *** [all] Error 1" >&2',
    'exit 2',
  ];
  const scratch = scratchPackage(t, { local: appRecipe({ ...LOCAL, build: build.join('\n') }) });
  const ended = await scratch.run(['build', 'local', '1.0.0', '-o', 'rebuilt', '--json']);
  t.is(ended.code, 2, ended.stderr);
  const { failed } = document(t, ended) as {
    readonly failed: { readonly exitCode: number; readonly firstError: readonly string[] };
  };
  t.is(failed.exitCode, 2);
  t.true(failed.firstError.some((line) => line.includes('chat.c:3: error: unknown type name')));
  t.regex(
    ended.stderr,
    /did not build: the build phase ended with exit code 2\n(?: {2}.*\n)* {2}chat\.c:3: error/,
  );
  t.deepEqual([scratch.written(), scratch.left()], [[], []]);
});

// ---------------------------------------------------------------- what is seen meanwhile

test('plain lines when it is no terminal, nothing with --quiet, one live line on a terminal', async (t) => {
  const scratch = scratchPackage(t, {
    local: appRecipe({ ...LOCAL, build: 'sleep 1; echo built > result.txt' }),
  });
  const plain = await scratch.run(['build', 'local', '1.0.0']);
  t.regex(plain.stderr, /^plan .*\nsource .*\nbuild .*\npublished .*\nexpected .*\n(?:[… ✓].*\n)+$/);
  // oxlint-disable-next-line no-control-regex
  t.notRegex(plain.stderr + plain.stdout, /[\r\u001b]/);
  t.is((await scratch.run(['build', 'local', '1.0.0', '--fresh', '--quiet'])).stderr, '');
  if (!need(t, 'script')) return;
  const main = path.join(scratch.root, 'dist/bin/main.js');
  const shown = execFileSync(
    'script',
    ['-qec', `"${process.execPath}" "${main}" build local 1.0.0 --fresh`, '/dev/null'],
    {
      cwd: scratch.work,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TERM: 'xterm', XDG_CACHE_HOME: scratch.cacheHome, TMPDIR: scratch.temporary },
    },
  );
  // the line is drawn anew in its place, more than once in a second, and is gone at the end
  // oxlint-disable-next-line no-control-regex
  const drawn = shown.match(/\r\u001b\[K… build, without a container \d s/g) ?? [];
  t.true(drawn.length > 2, JSON.stringify(shown));
  t.is(shown.match(/✓ build, without a container/g)?.length, 1);
  // oxlint-disable-next-line no-control-regex
  t.notRegex(shown, /\n[^\r]*… build[^\r]*\r?\n/);
});

test('the plan is shown before anything but indexes is fetched', async (t) => {
  if (!hasTool('git')) return void need(t, 'git');
  const events: string[] = [];
  const { url } = await localServer(t, (request, response) => {
    events.push(request.url ?? '');
    answer(404)(response);
  });
  const scratch = scratchPackage(t, {
    fetched: appRecipe({
      ...LOCAL,
      app: 'fetched',
      channel: `acquisition: { kind: url, url: ${url}/result.txt, onlyLatest: false }`,
      source: `kind: git, repository: '${UPSTREAM}'`,
      resolve: `{ kind: pinned, evidence: a test, versions: [{ version: '1.0.0', build: 1, commit: '${'1'.repeat(40)}' }] }`,
    }),
  });
  const running = scratch.start(['fetched', '1.0.0'], { env: redirected(scratch, url) });
  running.child.stderr?.on('data', (text: string) => {
    if (/^expected /m.test(text)) events.push('plan');
  });
  const { code } = await running.ended;
  t.is(code, 2);
  t.deepEqual(events.slice(0, 2), ['plan', '/result.txt']);
});
