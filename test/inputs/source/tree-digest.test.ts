// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { FailedHere } from '../../../src/errors.js';
import { treeDigest, treeEntries } from '../../../src/inputs/source/tree-digest.js';
import { quotedPath } from '../../../src/tree-manifest.js';
import { need } from '../../helpers/need.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

const sha256 = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');

function sample(directory: string): void {
  mkdirSync(path.join(directory, 'b/c'), { recursive: true });
  mkdirSync(path.join(directory, 'empty'));
  mkdirSync(path.join(directory, 'b/.git'));
  writeFileSync(path.join(directory, 'b/.git/config'), 'ours');
  writeFileSync(path.join(directory, 'a'), 'one');
  writeFileSync(path.join(directory, 'b.txt'), 'two');
  writeFileSync(path.join(directory, 'b/c/run'), 'three');
  chmodSync(path.join(directory, 'b/c/run'), 0o755);
  symlinkSync('/etc/passwd', path.join(directory, 'b/link'));
  writeFileSync(path.join(directory, 'line\nfeed "é"'), 'four');
}

test('the digest is that of the documented lines, in byte order', async (t) => {
  const directory = temporaryDirectory(t);
  sample(directory);
  const lines = [
    `100644 ${sha256('one')} a`,
    `100644 ${sha256('two')} b.txt`,
    `100755 ${sha256('three')} b/c/run`,
    `120000 ${sha256('/etc/passwd')} b/link`,
    String.raw`100644 ${sha256('four')} "line\nfeed \"\303\251\""`,
  ];
  t.deepEqual(await treeDigest(directory), { sha256: sha256(`${lines.join('\n')}\n`), files: 5 });
});

test('git lists the same modes and names in the same order', async (t) => {
  if (!need(t, 'git')) return;
  const directory = temporaryDirectory(t);
  sample(directory);
  rmSync(path.join(directory, 'b/.git'), { recursive: true });
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-C', directory, ...args], {
      encoding: 'utf8',
      env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' },
    });
  git('init', '-q');
  git('add', '-A');
  const listed = git('ls-files', '-s').split('\n').filter(Boolean);
  t.deepEqual(
    listed.map((line) => `${line.slice(0, 6)} ${line.split('\t')[1]}`),
    (await treeEntries(directory)).map((entry) => `${entry.mode} ${quotedPath(entry.path)}`),
  );
});

test('a changed byte, mode, name or link target changes the digest', async (t) => {
  const digests = new Set<string>();
  for (const change of [
    (): void => undefined,
    (d: string): void => writeFileSync(path.join(d, 'a'), 'onE'),
    (d: string): void => chmodSync(path.join(d, 'a'), 0o755),
    (d: string): void => writeFileSync(path.join(d, 'aa'), ''),
    (d: string): void => symlinkSync('/etc/shadow', path.join(d, 'b/link2')),
  ]) {
    const directory = temporaryDirectory(t);
    sample(directory);
    change(directory);
    digests.add((await treeDigest(directory)).sha256);
  }
  t.is(digests.size, 5);
});

test('a FIFO in the tree is refused and does not block', async (t) => {
  if (!need(t, 'mkfifo')) return;
  const directory = temporaryDirectory(t);
  execFileSync('mkfifo', [path.join(directory, 'pipe')]);
  await t.throwsAsync(treeDigest(directory), { instanceOf: FailedHere, code: 'unreadable-input' });
});

test('a plain name is not quoted', (t) => {
  t.is(quotedPath(Buffer.from('src/main file.c')), 'src/main file.c');
  t.is(quotedPath(Buffer.from([0xff, 0x01])), String.raw`"\377\001"`);
});
