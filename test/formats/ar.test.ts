// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { BufferSource } from '../../src/bytes.js';
import { arRegions, readAr, type ArArchive } from '../../src/formats/ar.js';
import { buildAr } from '../helpers/build-ar.js';
import { need } from '../helpers/need.js';
import { assertHardened, assertRefused, assertTiled, type RegionReader } from '../helpers/structure.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const read = (bytes: Buffer): ArArchive => readAr(new BufferSource(bytes));
const regions: RegionReader = (source) => arRegions(readAr(source));

const deb = buildAr([
  { name: 'debian-binary', data: '2.0\n' },
  { name: 'control.tar.xz', data: 'odd' },
  { name: 'data.tar.xz', data: 'even', uid: '7', gid: '8', mode: '100755', mtime: '5' },
]);

test('the members of a deb, with their fields', (t) => {
  const archive = read(deb);
  t.deepEqual(
    archive.members.map(({ name, nameStyle, mtime, uid, gid, mode, data }) => [
      name.toString(),
      nameStyle,
      mtime,
      uid,
      gid,
      mode,
      deb.toString('latin1', data.offset, data.offset + data.size),
    ]),
    [
      ['debian-binary', 'plain', 1_700_000_000, 0, 0, 0o100644, '2.0\n'],
      ['control.tar.xz', 'plain', 1_700_000_000, 0, 0, 0o100644, 'odd'],
      ['data.tar.xz', 'plain', 5, 7, 8, 0o100755, 'even'],
    ],
  );
  t.is(archive.trailing, undefined);
});

test('every byte has one region', (t) => {
  const kinds = assertTiled(t, deb, regions).map((region) => region.kind);
  t.deepEqual(kinds.slice(0, 9), [
    'ar/magic',
    'ar/name',
    'ar/mtime',
    'ar/uid',
    'ar/gid',
    'ar/mode',
    'ar/size',
    'ar/header-magic',
    'ar/data',
  ]);
  t.is(kinds.filter((kind) => kind === 'ar/padding').length, 1);
});

test('an archive without members', (t) => {
  t.deepEqual(read(buildAr([])).members, []);
});

test('names by GNU and BSD ar are the names without their marks', (t) => {
  const long = 'a-name-longer-than-sixteen-bytes';
  const bytes = buildAr([
    { name: '/', data: '\0\0\0\0' },
    { name: '//', data: `${long}/\nanother name with spaces/\n`, mtime: '', uid: '', gid: '', mode: '' },
    { name: 'debian-binary/', data: '2.0\n' },
    { name: '/0', data: 'x' },
    { name: `/${long.length + 2}`, data: 'y' },
    { name: '#1/36', data: `${long}\0\0\0\0content` },
    { name: 'with space', data: 'z' },
  ]);
  const { members } = read(bytes);
  t.deepEqual(
    members.map((member) => [member.name.toString(), member.nameStyle, member.data.size]),
    [
      ['/', 'special', 4],
      ['//', 'special', 60],
      ['debian-binary', 'gnu', 4],
      [long, 'gnu-long', 1],
      ['another name with spaces', 'gnu-long', 1],
      [long, 'bsd-long', 7],
      ['with space', 'plain', 1],
    ],
  );
  t.is(members[1]?.mtime, undefined);
  assertTiled(t, bytes, regions);
});

test('bytes after the last member, a missing and an unusual padding byte have regions of their own', (t) => {
  const kind = (bytes: Buffer): string | undefined => assertTiled(t, bytes, regions).at(-1)?.kind;
  t.is(kind(buildAr([{ name: 'a', data: 'abc' }])), 'ar/padding');
  t.is(kind(buildAr([{ name: 'a', data: 'abc', padding: '' }])), 'ar/data');
  t.is(kind(buildAr([{ name: 'a', data: 'abc', padding: '!' }])), 'ar/slack');
  t.is(kind(buildAr([{ name: 'a', data: 'abcd' }], '\n')), 'ar/trailing');
});

test('damaged archives are refused or tiled', (t) => {
  assertHardened(
    t,
    buildAr([
      { name: '//', data: 'a-long-name/\n' },
      { name: '/0', data: 'x' },
      { name: '#1/3', data: 'abcx' },
    ]),
    regions,
    'ar',
  );
});

const refused = test.macro({
  exec(t, bytes: Buffer, code: string) {
    assertRefused(t, bytes, regions, code);
  },
  title: (name) => `refuses ${name ?? ''}`,
});

test('another format', refused, Buffer.from('PK\x03\x04 and so on'), 'ar/magic');
test('nothing', refused, Buffer.alloc(0), 'ar/magic');
test('a thin archive', refused, Buffer.from('!<thin>\n'), 'ar/thin');
test('a header that ends otherwise', refused, buildAr([{ name: 'a', magic: '``' }]), 'ar/header-magic');
test(
  'bytes after the last member that could be a header',
  refused,
  buildAr([], 'x'.repeat(60)),
  'ar/header-magic',
);
test('a size with a leading zero', refused, buildAr([{ name: 'a', data: 'b', size: '01' }]), 'ar/number');
test('a size with a leading space', refused, buildAr([{ name: 'a', data: 'b', size: ' 1' }]), 'ar/number');
test('no size', refused, buildAr([{ name: 'a', size: '' }]), 'ar/number');
test('a negative size', refused, buildAr([{ name: 'a', size: '-1' }]), 'ar/number');
test('a mode that is not octal', refused, buildAr([{ name: 'a', mode: '9' }]), 'ar/number');
test(
  'a member that reaches over the end',
  refused,
  buildAr([{ name: 'a', data: 'b', size: '9999999999' }]),
  'ar/truncated',
);
test(
  'a long name outside of the table',
  refused,
  buildAr([{ name: '//', data: 'a/\n' }, { name: '/9' }]),
  'ar/long-name',
);
test(
  'a long name without end',
  refused,
  buildAr([{ name: '//', data: 'abc' }, { name: '/0' }]),
  'ar/long-name',
);
test('a long name without table', refused, buildAr([{ name: '/0' }]), 'ar/long-name');
test('a BSD name longer than its member', refused, buildAr([{ name: '#1/5', data: 'abcd' }]), 'ar/long-name');
test(
  'more members than anyone needs',
  refused,
  Buffer.concat([buildAr([]), Buffer.alloc(60 * ((1 << 18) + 1), buildAr([{ name: 'a' }]).subarray(8))]),
  'ar/too-many-members',
);
test('two tables of long names', refused, buildAr([{ name: '//' }, { name: '//' }]), 'ar/long-names');

test('ar agrees about names and contents, both ways', (t) => {
  if (!need(t, 'ar')) return;
  const directory = temporaryDirectory(t);
  const run = (...args: string[]): string => execFileSync('ar', args, { cwd: directory, encoding: 'latin1' });
  writeFileSync(path.join(directory, 'ours.a'), deb);
  t.deepEqual(run('t', 'ours.a').trim().split('\n'), ['debian-binary', 'control.tar.xz', 'data.tar.xz']);
  t.is(run('p', 'ours.a', 'control.tar.xz'), 'odd');

  const files = { short: 'one', 'a-rather-long-name-of-a-member': 'second', 'another-rather-long-name': '3' };
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(directory, name), content);
  run('rc', 'theirs.a', ...Object.keys(files));
  const bytes = readFileSync(path.join(directory, 'theirs.a'));
  assertTiled(t, bytes, regions);
  const members = read(bytes).members.filter((member) => member.nameStyle !== 'special');
  t.deepEqual(
    Object.fromEntries(
      members.map(({ name, data }) => [
        name.toString(),
        bytes.toString('latin1', data.offset, data.offset + data.size),
      ]),
    ),
    files,
  );
});

test('what dpkg-deb builds is read', (t) => {
  if (!need(t, 'dpkg-deb')) return;
  const directory = temporaryDirectory(t);
  mkdirSync(path.join(directory, 'root/DEBIAN'), { recursive: true });
  writeFileSync(
    path.join(directory, 'root/DEBIAN/control'),
    'Package: chat\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\nDescription: test\n',
  );
  execFileSync('dpkg-deb', ['--root-owner-group', '-b', 'root', 'chat.deb'], {
    cwd: directory,
    stdio: 'pipe',
  });
  const bytes = readFileSync(path.join(directory, 'chat.deb'));
  assertTiled(t, bytes, regions);
  const { members } = read(bytes);
  t.deepEqual(
    members.map((member) => [member.name.toString().replace(/\.(?:xz|zst|gz)$/, ''), member.nameStyle]),
    [
      ['debian-binary', 'plain'],
      ['control.tar', 'plain'],
      ['data.tar', 'plain'],
    ],
  );
});
