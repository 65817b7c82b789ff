// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { BufferSource } from '../../src/bytes.js';
import { TarReader, type TarMember } from '../../src/formats/tar.js';
import { buildTar, paxRecord, tarMember, type TarMemberSpec } from '../helpers/build-tar.js';
import { need } from '../helpers/need.js';
import { assertHardened, assertRefused, assertTiled, type RegionReader } from '../helpers/structure.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const read = (bytes: Buffer): readonly TarMember[] => [...new TarReader(new BufferSource(bytes))];
const regions: RegionReader = (source) => {
  const reader = new TarReader(source);
  const members = [...reader];
  return [...members.flatMap((member) => member.regions), ...reader.end];
};
const kinds = (bytes: Buffer): readonly string[] => regionsOf(bytes).map((region) => region.kind);
const regionsOf = (bytes: Buffer) => [...regions(new BufferSource(bytes))];

const sizeForm = (spec: Partial<TarMemberSpec>): string | undefined =>
  read(buildTar([{ name: 'a', ...spec }]))[0]?.regions.find((region) => region.kind === 'tar/size')?.form;

const long = `${'directory/'.repeat(12)}file`;

test('a member with all its fields', (t) => {
  const bytes = buildTar([
    {
      name: 'file',
      prefix: 'some/directory',
      data: 'content',
      mode: '0000755\0',
      uid: '0001750\0',
      gid: '0000144\0',
      mtime: '14524650017\0',
      userName: 'someone',
      groupName: 'users',
    },
  ]);
  const [member] = read(bytes);
  t.like(member, {
    name: Buffer.from('some/directory/file'),
    format: 'ustar',
    type: '0',
    mode: 0o755,
    uid: 1000,
    gid: 100,
    mtime: 0o14524650017,
    userName: Buffer.from('someone'),
    groupName: Buffer.from('users'),
    linkName: Buffer.alloc(0),
    data: { offset: 512, size: 7, kind: 'tar/data' },
  });
});

test('every byte has one region', (t) => {
  const bytes = buildTar([{ name: 'a', data: 'x' }, { name: 'empty' }]);
  assertTiled(t, bytes, regions);
  t.deepEqual(kinds(bytes).slice(0, 19), [
    'tar/name',
    'tar/mode',
    'tar/uid',
    'tar/gid',
    'tar/size',
    'tar/mtime',
    'tar/checksum',
    'tar/type',
    'tar/link-name',
    'tar/magic',
    'tar/user-name',
    'tar/group-name',
    'tar/dev-major',
    'tar/dev-minor',
    'tar/prefix',
    'tar/reserved',
    'tar/data',
    'tar/padding',
    'tar/name',
  ]);
  t.is(kinds(bytes).at(-2), 'tar/data');
  t.is(kinds(bytes).at(-1), 'tar/end');
});

test('records before a header belong to the member and take effect', (t) => {
  const bytes = buildTar([
    { name: 'pax_global', type: 'g', data: paxRecord('comment', 'commit') + paxRecord('gname', 'all') },
    {
      name: 'PaxHeaders/file',
      type: 'x',
      data: [
        paxRecord('path', `${long}-pax`),
        paxRecord('mtime', '1700000000.25'),
        paxRecord('uid', '3000000'),
        paxRecord('size', '5'),
        paxRecord('SCHILY.xattr.user.x', 'a=b\nc'),
      ].join(''),
    },
    { name: 'short', data: 'hello', size: '00000000000\0' },
    { name: '././@LongLink', type: 'K', magic: 'ustar  \0', data: `${long}-target\0` },
    { name: '././@LongLink', type: 'L', magic: 'ustar  \0', data: `${long}-gnu\0` },
    { name: 'short', type: '2', linkName: 'short', magic: 'ustar  \0' },
  ]);
  assertTiled(t, bytes, regions);
  const [pax, gnu, ...rest] = read(bytes);
  t.deepEqual(rest, []);
  t.like(pax, {
    name: Buffer.from(`${long}-pax`),
    mtime: 1_700_000_000.25,
    uid: 3_000_000,
    groupName: Buffer.from('all'),
    data: { offset: 2560, size: 5, kind: 'tar/data' },
  });
  t.like(gnu, {
    name: Buffer.from(`${long}-gnu`),
    linkName: Buffer.from(`${long}-target`),
    type: '2',
    format: 'gnu',
    groupName: Buffer.from('all'),
  });
  t.is(pax?.regions[0]?.offset, 0);
  t.is(pax?.regions.filter((region) => region.kind === 'tar/record').length, 2);
});

test('a global record after the last member belongs to the end', (t) => {
  const bytes = buildTar([{ name: 'g', type: 'g', data: paxRecord('comment', 'x') }]);
  t.deepEqual(read(bytes), []);
  t.deepEqual(kinds(bytes), ['tar/record-header', 'tar/record', 'tar/padding', 'tar/end']);
});

test('base-256 numbers, also negative ones', (t) => {
  const mtime = Buffer.alloc(12, 0xff);
  mtime[11] = 0xfe;
  const [member] = read(buildTar([{ name: 'a', uid: Buffer.from('8000000000300000', 'hex'), mtime }]));
  t.is(member?.uid, 0x300000);
  t.is(member?.mtime, -2);
});

test('two sizes of one form differ in their value only', (t) => {
  t.is(sizeForm({ data: 'a' }), sizeForm({ data: Buffer.alloc(5000) }));
  const spellings = [
    '00000000001\0',
    '00000000001 ',
    '000000000001',
    '          1 ',
    '         01 ',
    '        001 ',
    '1\0',
    '1 ',
    '01\0',
  ];
  t.is(new Set(spellings.map((size) => sizeForm({ data: 'a', size }))).size, spellings.length);
  const blanks = ['', '            ', '           0', '0\0'];
  t.is(new Set(blanks.map((size) => sizeForm({ size }))).size, blanks.length);
  t.is(sizeForm({ data: 'a', size: Buffer.from('800000000000000000000001', 'hex') }), 'base-256');
});

test('zeros are padding and end; anything else there is slack', (t) => {
  t.deepEqual(kinds(buildTar([{ name: 'a', data: 'x', padding: 1 }])).slice(-2), ['tar/slack', 'tar/end']);
  const body = tarMember({ name: 'a', data: 'x' });
  const ending = (end: Buffer): string | undefined => kinds(Buffer.concat([body, end])).at(-1);
  t.is(ending(Buffer.alloc(1024)), 'tar/end');
  t.is(ending(Buffer.alloc(9216)), 'tar/end');
  t.is(ending(Buffer.alloc(0)), 'tar/padding');
  for (const size of [512, 1536, 9215, 9217, 10_240, 19_456])
    t.is(ending(Buffer.alloc(size)), 'tar/slack', `${size}`);
  const late = Buffer.alloc(9216);
  late[9215] = 1;
  t.is(ending(late), 'tar/slack');
  t.is(ending(Buffer.concat([Buffer.alloc(1024), body])), 'tar/slack');
});

test('an empty archive, and one of nothing', (t) => {
  t.deepEqual(read(buildTar([])), []);
  t.deepEqual(kinds(Buffer.alloc(0)), []);
});

test('damaged archives are refused or tiled', (t) => {
  assertHardened(
    t,
    buildTar(
      [
        { name: 'p', type: 'x', data: paxRecord('path', 'b') },
        { name: 'a', data: 'x' },
      ],
      Buffer.alloc(0),
    ),
    regions,
    'tar',
  );
});

const refused = test.macro({
  exec(t, bytes: Buffer, code: string) {
    assertRefused(t, bytes, regions, code);
  },
  title: (name) => `refuses ${name ?? ''}`,
});

const one = (spec: Partial<TarMemberSpec>): Buffer => buildTar([{ name: 'a', ...spec }]);
test('a wrong checksum', refused, one({ checksum: '001234\0 ' }), 'tar/checksum');
test('another format', refused, Buffer.alloc(1024, 'x'), 'tar/number');
test('half a block', refused, one({}).subarray(0, 300), 'tar/truncated');
test('content beyond the end', refused, one({ size: '77777777777\0' }), 'tar/truncated');
test(
  'content without its padding',
  refused,
  tarMember({ name: 'a', data: 'x' }).subarray(0, 513),
  'tar/truncated',
);
test('a number with letters', refused, one({ mode: '644x' }), 'tar/number');
test('a number with digits after its end', refused, one({ mode: '000644\x001' }), 'tar/number');
test('a negative size', refused, one({ size: Buffer.alloc(12, 0xff) }), 'tar/number');
test(
  'a size beyond 2^53',
  refused,
  one({ size: Buffer.from('80ffffffffffffffffffffff', 'hex') }),
  'tar/number',
);
test(
  'a strange first byte of a base-256 number',
  refused,
  one({ size: Buffer.from('810000000000000000000000', 'hex') }),
  'tar/number',
);
for (const type of '123456')
  test(`a member of type ${type} with content`, refused, one({ type, data: 'x' }), 'tar/unexpected-content');
const pax = (data: string): Buffer => buildTar([{ name: 'p', type: 'x', data }, { name: 'a' }]);
test('a pax record without length', refused, pax('path=b\n'), 'tar/pax-record');
test('a pax record that is too long', refused, pax('99 path=b\n'), 'tar/pax-record');
test('a pax record that is too short', refused, pax('3 path=b\n'), 'tar/pax-record');
test('a pax record without equals sign', refused, pax('9 path b\n'), 'tar/pax-record');
test('a pax record without newline', refused, pax('9 path=b '), 'tar/pax-record');
test('a pax record of size zero', refused, pax('0 path=b\n'), 'tar/pax-record');
test('a pax number that is none', refused, pax(paxRecord('mtime', '1e9')), 'tar/pax-number');
test('a negative pax size', refused, pax(paxRecord('size', '-1')), 'tar/pax-number');
test('a fractional pax size', refused, pax(paxRecord('size', '0.5')), 'tar/pax-number');
test(
  'records about nothing',
  refused,
  buildTar([{ name: 'p', type: 'x', data: paxRecord('path', 'b') }]),
  'tar/dangling-record',
);
test(
  'very many records',
  refused,
  buildTar(Array.from({ length: 17 }, () => ({ name: 'L', type: 'L', data: 'x' }))),
  'tar/too-many-records',
);
test(
  'a very large record',
  refused,
  buildTar([{ name: 'L', type: 'L', data: Buffer.alloc((1 << 20) + 1) }]),
  'tar/record-too-large',
);
test(
  'an endless map of holes',
  refused,
  Buffer.concat([
    tarMember({ name: 'a', type: 'S', magic: 'ustar  \0', patch: { 482: 1 } }),
    Buffer.alloc(512, 1),
  ]),
  'tar/truncated',
);

function tree(t: Parameters<typeof temporaryDirectory>[0]): string {
  const directory = temporaryDirectory(t);
  const root = path.join(directory, 'root');
  mkdirSync(path.join(root, path.dirname(long)), { recursive: true });
  writeFileSync(path.join(root, 'small'), 'small content');
  writeFileSync(path.join(root, 'empty'), '');
  writeFileSync(path.join(root, 'block'), Buffer.alloc(1024, 7));
  writeFileSync(path.join(root, long), 'a long name');
  writeFileSync(path.join(root, 'n\u00e4me'), 'not ASCII');
  symlinkSync(long, path.join(root, 'symbolic'));
  linkSync(path.join(root, 'small'), path.join(root, 'hard'));
  writeFileSync(path.join(root, 'holes'), 'x');
  truncateSync(path.join(root, 'holes'), 1 << 20);
  utimesSync(path.join(root, 'small'), 1_600_000_000.5, 1_600_000_000.5);
  return directory;
}

const gnuTar = test.macro<[readonly string[]]>({
  exec(t, options) {
    if (!need(t, 'tar')) return;
    const directory = tree(t);
    execFileSync('tar', [...options, '-cf', 'out.tar', 'root'], { cwd: directory, stdio: 'pipe' });
    const bytes = readFileSync(path.join(directory, 'out.tar'));
    assertTiled(t, bytes, regions);
    const list = execFileSync('tar', ['-tf', 'out.tar', '--quoting-style=literal'], { cwd: directory });
    t.deepEqual(
      read(bytes).map((member) => member.name.toString()),
      list.toString().trimEnd().split('\n'),
    );
    for (const member of read(bytes)) {
      if (member.type !== '0') continue;
      const content = execFileSync('tar', ['-xOf', 'out.tar', member.name.toString()], { cwd: directory });
      t.deepEqual(bytes.subarray(member.data.offset, member.data.offset + member.data.size), content);
    }
    t.false(kinds(bytes).includes('tar/slack'));
  },
  title: (name, options) => `what tar writes is read: ${name ?? options.join(' ')}`,
});

for (const format of ['gnu', 'oldgnu', 'posix']) test(gnuTar, [`--format=${format}`]);
test(gnuTar, ['--format=ustar', '--exclude=symbolic']);
test(gnuTar, ['--format=v7', '--exclude=directory', '--exclude=symbolic']);
test(gnuTar, ['--format=gnu', '--sparse']);
test(gnuTar, ['--format=gnu', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0', '--sort=name']);
test(gnuTar, ['--format=posix', '--pax-option=globexthdr.name=x,comment:=y,comment=z']);

test('tar accepts what the builder writes', (t) => {
  if (!need(t, 'tar')) return;
  const bytes = buildTar([
    { name: 'p', type: 'x', data: paxRecord('path', long) },
    { name: 'x', data: 'first' },
    { name: 'b', prefix: 'pre', data: Buffer.alloc(512) },
  ]);
  const list = execFileSync('tar', ['-tf', '-'], { input: bytes });
  t.deepEqual(
    read(bytes).map((member) => member.name.toString()),
    list.toString().trimEnd().split('\n'),
  );
});
