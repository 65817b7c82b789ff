// SPDX-License-Identifier: Apache-2.0
/** What goes into a container as tar, read back by our own reader; what comes out, one regular file or nothing. */
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { directoriesTo, treeItems } from '../../src/build/source-tar.js';
import { OneFile } from '../../src/build/tar-read.js';
import { tarStream, type TarItem } from '../../src/build/tar-write.js';
import { BufferSource } from '../../src/bytes.js';
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
