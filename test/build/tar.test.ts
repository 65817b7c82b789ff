// SPDX-License-Identifier: Apache-2.0
/** What goes into a container as tar, read back by our own reader; what comes out, one regular file or nothing. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { directoriesTo, treeItems } from '../../src/build/source-tar.js';
import { OneFile } from '../../src/build/tar-read.js';
import { TreeBounds } from '../../src/build/file-tree.js';
import { TreeReader } from '../../src/build/tree-read.js';
import { tarStream, type TarItem } from '../../src/build/tar-write.js';
import { BufferSource } from '../../src/bytes.js';
import { FailedHere } from '../../src/errors.js';
import { TarReader } from '../../src/formats/tar.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

async function bytesOf(items: AsyncIterable<TarItem> | Iterable<TarItem>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of tarStream(items)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('a tree: sorted, one owner, one time, modes as git knows them, long names', async (t) => {
  const root = temporaryDirectory(t);
  const long = `${'a'.repeat(90)}/${'ö'.repeat(60)}.txt`;
  mkdirSync(path.join(root, 'a'.repeat(90)));
  writeFileSync(path.join(root, long), 'long');
  writeFileSync(path.join(root, 'z.sh'), '#!/bin/sh\n');
  chmodSync(path.join(root, 'z.sh'), 0o4711);
  writeFileSync(path.join(root, 'B'), 'x'.repeat(1000));
  symlinkSync('../nowhere', path.join(root, 'link'));
  const options = { uid: 1000, gid: 1001, mtime: 1_700_000_000, prefix: 'build/app' };
  const bytes = await bytesOf(treeItems(root, options));
  t.deepEqual(await bytesOf(treeItems(root, options)), bytes);
  const members = [...new TarReader(new BufferSource(bytes))];
  t.deepEqual(
    members.map((member) => [
      member.name.toString().replace(/\/$/, ''),
      member.type,
      member.mode.toString(8),
      member.uid,
      member.gid,
      member.mtime,
    ]),
    [
      ['build/app/B', '0', '644', 1000, 1001, 1_700_000_000],
      [`build/app/${'a'.repeat(90)}`, '5', '755', 1000, 1001, 1_700_000_000],
      [`build/app/${long}`, '0', '644', 1000, 1001, 1_700_000_000],
      ['build/app/link', '2', '777', 1000, 1001, 1_700_000_000],
      ['build/app/z.sh', '0', '755', 1000, 1001, 1_700_000_000],
    ],
  );
  t.is(members[3]?.linkName.toString(), '../nowhere');
});

test('the directories that lead to the tree belong to root, the tree to its owner', (t) => {
  t.deepEqual(
    [...directoriesTo('/build/app', { uid: 5, gid: 6 }, 0)].map(({ path: name, uid }) => [name, uid]),
    [
      ['build', 0],
      ['build/app', 5],
    ],
  );
});

const file = (name: string, text: string): TarItem => ({
  kind: 'text',
  path: name,
  uid: 0,
  gid: 0,
  mode: 0o644,
  mtime: 0,
  text,
});

test('one regular file comes out; a link, another name, a second file and too many bytes do not', async (t) => {
  const into = path.join(temporaryDirectory(t), 'out');
  const take = async (items: TarItem[], to?: string) => {
    const one = new OneFile('app.apk', { maxBytes: 10, ...(to === undefined ? {} : { file: to }) });
    const bytes = await bytesOf(items);
    for (let at = 0; at < bytes.length; at += 700) await one.push(bytes.subarray(at, at + 700));
    return await one.end();
  };
  t.like(await take([file('app.apk', 'content')], into), { size: 7 });
  t.is(readFileSync(into, 'utf8'), 'content');
  const link: TarItem = { ...file('app.apk', ''), kind: 'link', target: '/etc/passwd' };
  t.deepEqual(await take([link]), { refused: 'a SymbolicLink' });
  t.deepEqual(await take([file('passwd', 'x')]), { refused: 'a link to "passwd"' });
  t.deepEqual(await take([file('app.apk', 'x'), file('app.apk', 'y')]), { refused: 'more than one file' });
  t.deepEqual(await take([file('app.apk', 'x'.repeat(11))]), { refused: 'a file of 11 bytes, at most 10' });
  await t.throwsAsync(take([]), { message: /BAD_ARCHIVE/ });
});

test('what is no tar stream is an error, not a wait', async (t) => {
  const one = new OneFile('app.apk', { maxBytes: 10 });
  for (let count = 0; count < 5; count++) await one.push(Buffer.alloc(10_000, 0x41));
  await t.throwsAsync(one.end());
});

test('the files of a directory come out at their paths; a link, another directory and too much do not', async (t) => {
  const place = temporaryDirectory(t);
  let at = 0;
  const take = async (items: TarItem[], bounds = new TreeBounds('dist/', 20, 3)) => {
    const into = path.join(place, String(at++));
    mkdirSync(into);
    const tree = new TreeReader('dist', into, bounds);
    const bytes = await bytesOf(items);
    for (let from = 0; from < bytes.length; from += 700) await tree.push(bytes.subarray(from, from + 700));
    return await tree.end();
  };
  const { text: _text, ...head } = file('dist', '') as Extract<TarItem, { kind: 'text' }>;
  const directory = (name: string): TarItem => ({ ...head, kind: 'directory', path: name });
  const link: TarItem = { ...head, kind: 'link', path: 'dist/x', target: '/etc/passwd' };
  const one = await take([
    directory('dist'),
    file('dist/a', 'x'),
    directory('dist/js'),
    file('dist/js/b', 'yz'),
  ]);
  if ('refused' in one) throw new Error(one.refused);
  t.deepEqual(
    one.map(({ member, size }) => [member, size]),
    [
      ['a', 1],
      ['js/b', 2],
    ],
  );
  t.is(readFileSync(path.join(place, '0/js/b'), 'utf8'), 'yz');
  t.deepEqual(await take([file('dist', 'x')]), { refused: 'a File' });
  t.deepEqual(await take([{ ...link, path: 'dist' }]), { refused: 'a SymbolicLink' });
  t.deepEqual(await take([directory('etc'), file('etc/passwd', 'x')]), { refused: 'a link to "etc/"' });
  for (const [items, message] of [
    [[link], /holds a link at "x"/],
    [[file('dist/a', 'x'), file('dist/a', 'y')], /holds two files at "a"/],
    [[file('dist/a', 'x'.repeat(21))], /holds 21 bytes or more, at most 20/],
    [[file('dist/a', 'x'.repeat(15)), file('dist/b', 'x'.repeat(6))], /holds 21 bytes or more/],
    [['a', 'b', 'c', 'd'].map((name) => file(`dist/${name}`, '')), /holds more than 3 files/],
    [[file('dist/../../out', 'x')], /holds a file with the name "\.\.\/\.\.\/out"/],
    [[file('dist/a\nb', 'x')], /holds a file with the name "a\\nb"/],
  ] as const)
    await t.throwsAsync(take([directory('dist'), ...items]), {
      instanceOf: FailedHere,
      code: 'output-refused',
      message,
    });
  t.deepEqual(
    await take([directory('dist'), ...['a', 'b', 'c'].map((name) => file(`dist/${name}`, ''))]).then(
      (all) => 'refused' in all || all.length,
    ),
    3,
  );
  t.false(readdirSync(place).includes('out'));
  await t.throwsAsync(take([]), { message: /BAD_ARCHIVE/ });
});
