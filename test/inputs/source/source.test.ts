// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { FailedHere } from '../../../src/errors.js';
import { lookUp } from '../../../src/inputs/facts.js';
import { packageRoot } from '../../../src/inputs/package-files.js';
import { checkOutSource, type SourceOutcome } from '../../../src/inputs/source/source.js';
import type { SourcePlan } from '../../../src/model.js';
import { GitRepository } from '../../helpers/git-repository.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

type GitPlan = Extract<SourcePlan, { kind: 'git' }>;

interface World {
  readonly directory: string;
  readonly upstream: GitRepository;
  readonly commit: string;
  readonly check: (plan?: Partial<GitPlan>, override?: string) => Promise<SourceOutcome>;
}

const VERSION = {
  file: 'version.txt',
  pattern: '^name=(.*)$',
  expected: '1.0',
  what: 'version-name',
} as const;

function world(t: ExecutionContext): World {
  const directory = temporaryDirectory(t);
  const upstream = new GitRepository(path.join(directory, 'upstream'));
  const commit = upstream.commit('update to 1.0', { 'version.txt': 'name=1.0\n', 'src/a': 'a' });
  upstream.git('tag', 'v1.0');
  let n = 0;
  return {
    directory,
    upstream,
    commit,
    check: (plan = {}, override) =>
      checkOutSource(
        {
          kind: 'git',
          repository: upstream.directory,
          commit,
          ref: 'v1.0',
          fullHistory: false,
          submodules: false,
          lfs: false,
          assertions: [VERSION],
          ...plan,
        },
        {
          cache: path.join(directory, 'cache'),
          directory: path.join(directory, `out-${n++}`),
          packageRoot: packageRoot(),
          override,
        },
      ),
  };
}

function untrustedWith(t: ExecutionContext, outcome: SourceOutcome, code: string): void {
  t.is(outcome.kind, 'untrusted');
  if (outcome.kind === 'untrusted')
    t.true(outcome.reasons[0]?.detail.startsWith(`${code}:`), outcome.reasons[0]?.detail);
}

test('a tagged commit is checked out, without history, and its tree has a digest', async (t) => {
  const { check, commit } = world(t);
  const outcome = await check();
  t.like(outcome, { kind: 'ready', commit, commitTime: 1577934245, files: 2, from: 'upstream', tag: 'v1.0' });
  if (outcome.kind !== 'ready') return;
  t.is(readFileSync(path.join(outcome.directory, 'src/a'), 'utf8'), 'a');
  t.false(existsSync(path.join(outcome.directory, '.git')));
  const again = await check();
  t.is(again.kind === 'ready' ? again.treeSha256 : '', outcome.treeSha256);
});

test('with full history the tree is a repository', async (t) => {
  const { check, commit } = world(t);
  const outcome = await check({ fullHistory: true });
  if (outcome.kind !== 'ready') return t.fail(JSON.stringify(outcome));
  t.is(readFileSync(path.join(outcome.directory, '.git/HEAD'), 'utf8').trim(), commit);
});

test('with full history the tree is whole and knows its origin, also where the cache fetched only what it was asked for', async (t) => {
  const { upstream, check, commit } = world(t);
  upstream.git('config', 'uploadpack.allowFilter', 'true');
  upstream.git('config', 'uploadpack.allowAnySHA1InWant', 'true');
  const outcome = await check({ repository: `file://${upstream.directory}`, fullHistory: true });
  if (outcome.kind !== 'ready') return t.fail(JSON.stringify(outcome));
  t.is(readFileSync(path.join(outcome.directory, 'src/a'), 'utf8'), 'a');
  const told = (...words: string[]): string =>
    execFileSync('git', words, { cwd: outcome.directory, encoding: 'utf8' }).trim();
  t.is(told('rev-parse', 'HEAD'), commit);
  t.is(told('config', 'remote.origin.url'), outcome.repository);
});

test('a commit that no branch or tag leads to is not upstream', async (t) => {
  const { upstream, check } = world(t);
  upstream.git('checkout', '--quiet', '-b', 'fork');
  const fork = upstream.commit('evil', { 'src/a': 'evil' });
  upstream.git('checkout', '--quiet', 'main');
  upstream.git('branch', '--quiet', '-D', 'fork');
  untrustedWith(t, await check({ commit: fork }), 'commit-not-upstream');
});

test('a commit that is nowhere is missing', async (t) => {
  const { check } = world(t);
  t.is((await check({ commit: '1'.repeat(40) })).kind, 'missing');
});

test('a tag that names another commit now was moved; one that is gone too', async (t) => {
  const { upstream, check } = world(t);
  upstream.commit('later', { 'src/a': 'b' });
  upstream.git('tag', '--force', 'v1.0');
  untrustedWith(t, await check(), 'tag-moved');
  upstream.git('tag', '--delete', 'v1.0');
  untrustedWith(t, await check(), 'tag-moved');
  t.is((await check({ ref: 'main' })).kind, 'ready');
});

test('a version file that says another version', async (t) => {
  const { check } = world(t);
  untrustedWith(t, await check({ assertions: [{ ...VERSION, expected: '1.1' }] }), 'version-file-mismatch');
  untrustedWith(t, await check({ assertions: [{ ...VERSION, file: 'gone.txt' }] }), 'version-file-mismatch');
});

test('a version file that is a link out of the tree is not read', async (t) => {
  const { directory, upstream, check } = world(t);
  writeFileSync(path.join(directory, 'outside'), 'name=1.0\n');
  symlinkSync('../outside', path.join(upstream.directory, 'link.txt'));
  const commit = upstream.commit('link');
  untrustedWith(
    t,
    await check({ commit, ref: 'main', assertions: [{ ...VERSION, file: 'link.txt' }] }),
    'version-file-mismatch',
  );
});

test('hooks and filters of a hostile repository do not run', async (t) => {
  const { directory, upstream, check } = world(t);
  const mark = path.join(directory, 'ran');
  const hook = path.join(upstream.directory, '.git/hooks/post-checkout');
  writeFileSync(hook, `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 });
  const commit = upstream.commit('attributes', { '.gitattributes': '* filter=evil\n' });
  upstream.git('config', 'filter.evil.smudge', `touch ${mark}`);
  t.is((await check({ commit, ref: 'main' })).kind, 'ready');
  t.is((await check({ commit, ref: 'main', fullHistory: true })).kind, 'ready');
  t.false(existsSync(mark));
});

for (const repository of ['ext::sh -c touch% /tmp/x', '--upload-pack=evil', 'git@host:a/b', 'ssh://host/a'])
  test(`an address that git would take for something else is refused: ${repository}`, async (t) => {
    const { check } = world(t);
    await t.throwsAsync(check({ repository }), { code: 'bad-repository' });
  });

test('names that could be options or ranges are refused', async (t) => {
  const { check } = world(t);
  for (const ref of ['-x', 'a..b', 'a@{1}', '--output=x'])
    await t.throwsAsync(check({ ref }), { code: 'bad-ref' });
  await t.throwsAsync(check({ commit: 'HEAD' }), { code: 'bad-commit' });
});

test('a repository that is not there is missing; one that cannot be reached is our failure', async (t) => {
  const { directory, check } = world(t);
  t.is((await check({ repository: path.join(directory, 'nowhere') })).kind, 'missing');
  const error = await t.throwsAsync(check({ repository: 'https://host.invalid/a/b.git' }), {
    instanceOf: FailedHere,
  });
  t.is(error?.code, 'network');
});

test('submodules are checked out at their commits and recorded', async (t) => {
  const { directory, upstream, check } = world(t);
  const library = new GitRepository(path.join(directory, 'library'));
  const inner = library.commit('library', { 'lib.c': 'int x;' });
  upstream.git(
    '-c',
    'protocol.file.allow=always',
    'submodule',
    '--quiet',
    'add',
    '../library',
    'third/library',
  );
  upstream.git('config', '--file', '.gitmodules', 'submodule.third/library.url', '../library');
  const commit = upstream.commit('submodule');
  const outcome = await check({ commit, ref: 'main', submodules: true });
  if (outcome.kind !== 'ready') return t.fail(JSON.stringify(outcome));
  t.is(readFileSync(path.join(outcome.directory, 'third/library/lib.c'), 'utf8'), 'int x;');
  t.deepEqual(outcome.submodules, [{ path: 'third/library', url: library.directory, commit: inner }]);
});

test('a submodule address that runs a command is refused', async (t) => {
  const { directory, upstream, check } = world(t);
  const library = new GitRepository(path.join(directory, 'library'));
  library.commit('library', { 'lib.c': 'int x;' });
  upstream.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', '../library', 'third');
  upstream.git('config', '--file', '.gitmodules', 'submodule.third.url', 'ext::sh -c evil');
  const commit = upstream.commit('submodule');
  untrustedWith(t, await check({ commit, ref: 'main', submodules: true }), 'submodules');
});

test('LFS pointers are recorded, and needed ones are our failure', async (t) => {
  const { upstream, check } = world(t);
  const sha256 = 'ab'.repeat(32);
  const commit = upstream.commit('lfs', {
    'big.bin': `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize 12345\n`,
  });
  const outcome = await check({ commit, ref: 'main' });
  t.deepEqual(outcome.kind === 'ready' ? outcome.lfs : [], [{ path: 'big.bin', sha256, size: 12345 }]);
  await t.throwsAsync(check({ commit, ref: 'main', lfs: true }), { instanceOf: FailedHere });
});

test('a directory of the user is taken without its history, and said to be one', async (t) => {
  const { directory, check } = world(t);
  const own = path.join(directory, 'own');
  mkdirSync(path.join(own, '.git'), { recursive: true });
  writeFileSync(path.join(own, 'version.txt'), 'name=1.0\n');
  t.like(await check({}, own), { kind: 'ready', from: 'directory', files: 1 });
  await t.throwsAsync(check({}, path.join(directory, 'nowhere')), { code: 'bad-source' });
});

test('tags and subjects of a repository', async (t) => {
  const { directory, upstream, commit } = world(t);
  upstream.git('tag', '--annotate', '--message', 'x', 'v1.0-annotated', commit);
  const later = upstream.commit('update to 1.1 (12)');
  const cache = path.join(directory, 'cache');
  const [refs, subjects] = await lookUp(
    [
      { kind: 'git-refs', repository: upstream.directory },
      { kind: 'git-subjects', repository: upstream.directory, pattern: '^update to 1\\.1' },
    ],
    { cache },
  );
  if (refs?.kind !== 'git-refs' || subjects?.kind !== 'git-subjects') return t.fail('two facts');
  t.is(refs.refs.find(({ name }) => name.endsWith('v1.0-annotated'))?.commit, commit);
  t.deepEqual(subjects.commits, [{ commit: later, subject: 'update to 1.1 (12)', date: '2020-01-02' }]);
});
