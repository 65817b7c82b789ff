// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { createReadStream, linkSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import {
  imageContents,
  takeInventory,
  takeInventoryOfDirectory,
  type InventoryOptions,
} from '../../src/build/inventory.js';
import { FailedHere } from '../../src/errors.js';
import { treeDigest } from '../../src/inputs/source/tree-digest.js';
import type { InputInventory } from '../../src/model.js';
import { buildAr } from '../helpers/build-ar.js';
import { buildElf } from '../helpers/build-elf.js';
import { buildTar, tarMember, type TarMemberSpec } from '../helpers/build-tar.js';
import { buildZip } from '../helpers/build-zip.js';
import { sha256 } from '../helpers/debian-archive.js';
import { need } from '../helpers/need.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

type Files = readonly (TarMemberSpec | readonly [name: string, data: string | Buffer])[];

/** Of a container whose source directory is /build/app. Nothing may be left in its temporary directory. */
async function inventory(
  t: ExecutionContext,
  files: Files,
  options: Partial<InventoryOptions> = {},
): Promise<InputInventory> {
  const tar = buildTar(files.map((file) => ('name' in file ? file : { name: file[0], data: file[1] })));
  const directory = temporaryDirectory(t);
  try {
    return await takeInventory(chunks(tar), {
      sourceDirectory: '/build/app',
      temporaryDirectory: directory,
      ...options,
    });
  } finally {
    t.deepEqual(readdirSync(directory), []);
  }
}

async function* chunks(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 1000) yield await Promise.resolve(bytes.subarray(at, at + 1000));
}

const TEXT = 'sixteen bytes or more of content';
const packed = (tool: string, bytes: Buffer): Buffer => execFileSync(tool, ['-c'], { input: bytes });
const place = (found: InputInventory, content: string | Buffer): string | undefined =>
  found.bySha256.get(sha256(content));

test('the tree digest is that of the directory, links, modes and strange names included', async (t) => {
  if (!need(t, 'tar')) return;
  const root = temporaryDirectory(t);
  const source = path.join(root, 'build/app');
  mkdirSync(path.join(source, 'b/.git/objects'), { recursive: true });
  mkdirSync(path.join(source, 'empty'));
  mkdirSync(path.join(root, 'outside'));
  writeFileSync(path.join(source, 'b/.git/objects/x'), 'ours');
  writeFileSync(path.join(source, 'b/run'), TEXT, { mode: 0o755 });
  writeFileSync(path.join(source, 'line\nfeed'), '');
  writeFileSync(Buffer.concat([Buffer.from(`${source}/`), Buffer.of(0xff, 0xfe)]), 'not UTF-8');
  writeFileSync(path.join(source, 'long'.repeat(40)), 'a long name');
  symlinkSync('/etc/passwd', path.join(source, 'b/link'));
  symlinkSync('nowhere', path.join(source, 'dangling'));
  linkSync(path.join(source, 'b/run'), path.join(source, 'again'));
  // the archive names this one first, so that the one in the tree is the link
  writeFileSync(path.join(root, 'outside/file'), 'seen from outside');
  linkSync(path.join(root, 'outside/file'), path.join(source, 'inside'));
  const tar = path.join(temporaryDirectory(t), 'export.tar');
  execFileSync('tar', ['-C', root, '-cf', tar, 'outside', 'build']);

  const expected = await treeDigest(source);
  const temporary = { temporaryDirectory: temporaryDirectory(t) };
  const ofTar = await takeInventory(createReadStream(tar), { ...temporary, sourceDirectory: '/build/app' });
  t.is(ofTar.treeSha256, expected.sha256);
  const ofRoot = await takeInventoryOfDirectory(root, { ...temporary, sourceDirectory: source });
  t.is(ofRoot.treeSha256, expected.sha256);
  t.is(place(ofRoot, 'seen from outside'), 'source/inside');
  const ofSource = await takeInventoryOfDirectory(source, { ...temporary, sourceDirectory: source });
  t.is(ofSource.treeSha256, expected.sha256);
  t.is(place(ofSource, TEXT), 'source/again');
  t.deepEqual(ofSource.unopened.shown, [{ place: 'source/b/.git', reason: 'git-objects' }]);
});

test('a source tree with a device or a link to nothing is no tree that anybody can check', async (t) => {
  for (const member of [
    { name: 'build/app/null', type: '3' },
    { name: 'build/app/pipe', type: '6' },
    { name: 'build/app/link', type: '1', linkName: 'gone' },
  ]) {
    const error = await t.throwsAsync(inventory(t, [member]), { instanceOf: FailedHere });
    t.is(error.code, 'unreadable-input', member.name);
  }
  await t.notThrowsAsync(inventory(t, [{ name: 'dev/null', type: '3' }]));
});

test('places: source before fetched before image, a file before a member, whatever the order', async (t) => {
  const zip = buildZip([{ name: 'member', data: TEXT }]);
  const files: Files = [
    ['usr/lib/from-image', `${TEXT} image`],
    ['usr/lib/copy', TEXT],
    ['root/.cache/archive.zip', zip],
    ['build/app/archive.zip', zip],
    ['./build/app/deeper/file', TEXT],
    ['/build/application/near', `${TEXT} near`],
  ];
  const image = new Set([sha256(`${TEXT} image`)]);
  const found = await inventory(t, files, { image });
  t.is(place(found, TEXT), 'source/deeper/file');
  t.is(place(found, zip), 'source/archive.zip');
  t.is(place(found, `${TEXT} image`), 'image/usr/lib/from-image');
  t.is(place(found, `${TEXT} near`), 'fetched/build/application/near');
  t.is(found.files, 6);
  const turned = await inventory(t, files.toReversed(), { image });
  t.deepEqual([...turned.bySha256].sort(), [...found.bySha256].sort());
  t.is(turned.treeSha256, found.treeSha256);
});

test('contents of a base image', async (t) => {
  const file = path.join(temporaryDirectory(t), 'rootfs.tar');
  writeFileSync(
    file,
    buildTar([
      { name: 'a', data: TEXT },
      { name: 'b', type: '2', linkName: 'a' },
    ]),
  );
  t.deepEqual(await imageContents(file), new Set([sha256(TEXT)]));
});

test('empty and tiny files are counted and are nobody’s origin', async (t) => {
  const found = await inventory(t, [
    ['a', ''],
    ['b', 'x'.repeat(15)],
    ['c', 'x'.repeat(16)],
  ]);
  t.is(found.files, 3);
  t.deepEqual([...found.bySha256], [[sha256('x'.repeat(16)), 'fetched/c']]);
});

test('archives of every kind are looked into, to any depth', async (t) => {
  if (!need(t, 'xz', 'zstd', 'bzip2')) return;
  const content = (name: string): string => `${TEXT}: ${name}`;
  const tar = (name: string): Buffer => buildTar([{ name: `./dir/${name}`, data: content(name) }]);
  const deb = buildAr([
    { name: 'debian-binary', data: '2.0\n' },
    { name: 'control.tar.zst', data: packed('zstd', tar('control')) },
    {
      name: 'data.tar.xz',
      data: packed(
        'xz',
        buildTar([{ name: './app.jar', data: buildZip([{ name: 'x/deep', data: content('deep') }]) }]),
      ),
    },
  ]);
  const found = await inventory(t, [
    [
      'a.zip',
      buildZip([
        { name: 'd/', method: 0 },
        { name: 'd/stored', data: content('stored'), method: 0 },
        { name: 'deflated', data: content('deflated') },
      ]),
    ],
    [
      'a.aar',
      buildZip([
        { name: 'classes.jar', data: buildZip([{ name: 'inner', data: content('inner') }]), method: 0 },
      ]),
    ],
    ['a.tar', tar('tar')],
    ['a.tar.gz', gzipSync(tar('gz'))],
    ['a.tgz', gzipSync(tar('tgz'))],
    ['a.tar.xz', packed('xz', tar('xz'))],
    ['a.tar.zst', packed('zstd', tar('zst'))],
    ['a.tar.bz2', packed('bzip2', tar('bz2'))],
    ['single.gz', gzipSync(content('single'))],
    ['two-members.gz', Buffer.concat([gzipSync(content('two ')), gzipSync('members')])],
    ['no-suffix', gzipSync(content('plain'))],
    [
      'a.jmod',
      Buffer.concat([
        Buffer.from('JM\x01\0', 'latin1'),
        buildZip([{ name: 'classes/x', data: content('jmod') }]),
      ]),
    ],
    ['a.deb', deb],
  ]);
  const expected: Readonly<Record<string, string>> = {
    stored: 'a.zip!/d/stored',
    deflated: 'a.zip!/deflated',
    inner: 'a.aar!/classes.jar!/inner',
    tar: 'a.tar!/dir/tar',
    gz: 'a.tar.gz!/dir/gz',
    tgz: 'a.tgz!/dir/tgz',
    xz: 'a.tar.xz!/dir/xz',
    zst: 'a.tar.zst!/dir/zst',
    bz2: 'a.tar.bz2!/dir/bz2',
    single: 'single.gz!/single',
    'two members': 'two-members.gz!/two-members',
    plain: 'no-suffix!/content',
    jmod: 'a.jmod!/classes/x',
    control: 'a.deb!/control.tar.zst!/dir/control',
    deep: 'a.deb!/data.tar.xz!/app.jar!/x/deep',
  };
  for (const [name, where] of Object.entries(expected))
    t.is(place(found, content(name)), `fetched/${where}`, name);
  t.is(place(found, tar('gz')), 'fetched/a.tar.gz!/a.tar');
  t.deepEqual(found.unopened, { count: 0, shown: [] });
});

test('streams that do not fit into memory are looked into all the same', async (t) => {
  if (!need(t, 'xz')) return;
  const large = Buffer.alloc(12 << 20, 'large ');
  const tar = buildTar([
    { name: 'large', data: large },
    { name: 'small', data: TEXT },
  ]);
  // random enough for more than is packed at once
  const noise = Buffer.from(
    Array.from({ length: 3 << 20 }, (_, i) => (Math.imul(i, 2654435761) >>> 13) & 0xff),
  );
  const found = await inventory(t, [
    ['a.tar.gz', gzipSync(tar)],
    ['b.xz', packed('xz', large)],
    ['c.zip', buildZip([{ name: 'noise', data: noise, level: 0 }])],
  ]);
  t.is(place(found, large), 'fetched/a.tar.gz!/large');
  t.is(place(found, TEXT), 'fetched/a.tar.gz!/small');
  t.is(place(found, noise), 'fetched/c.zip!/noise');
  t.is(found.unopened.count, 0);
});

const bomb = gzipSync(Buffer.alloc(20 << 20));
const nested = (depth: number): Buffer =>
  depth === 0 ? Buffer.from(TEXT) : buildZip([{ name: 'n', data: nested(depth - 1), method: 0 }]);
const whole = buildZip([{ name: 'kept', data: TEXT }]);
const limits = { memberBytes: 6 << 20 };

const UNOPENED: Readonly<Record<string, readonly [Buffer, string, string?]>> = {
  'a bomb': [bomb, 'limit-bytes'],
  'a bomb of less than is held in memory': [gzipSync(Buffer.alloc((6 << 20) + 1)), 'limit-bytes'],
  'a bomb inside of a ZIP': [buildZip([{ name: 'b', data: Buffer.alloc(20 << 20) }]), 'limit-bytes', '!/b'],
  'thirteen archives in each other': [nested(14), 'limit-depth', '!/n'.repeat(12)],
  'a cut ZIP': [whole.subarray(0, whole.length - 30), 'zip-no-end-record'],
  'a ZIP with damaged content': [
    buildZip([{ name: 'x', data: TEXT, raw: Buffer.alloc(40, 0xff) }]),
    'unreadable-deflate',
    '!/x',
  ],
  'an encrypted member': [buildZip([{ name: 'x', data: TEXT, flags: 1 }]), 'encrypted', '!/x'],
  'an unknown method': [buildZip([{ name: 'x', data: TEXT, method: 99 }]), 'zip-method-99', '!/x'],
  'a cut gzip': [gzipSync(TEXT).subarray(0, 20), 'unreadable-gzip'],
  'a cut tar': [buildTar([{ name: 'x', data: TEXT }]).subarray(0, 700), 'tar-truncated'],
  'a tar with a wrong checksum': [
    Buffer.concat([tarMember({ name: 'x', data: TEXT }), tarMember({ name: 'y', checksum: '1' })]),
    'tar-checksum',
  ],
  'a damaged ar': [buildAr([{ name: 'x/', data: TEXT, magic: 'xx' }]), 'ar-header-magic'],
  'a 7z archive': [Buffer.from('7z\xbc\xaf\x27\x1c and some more', 'latin1'), 'unsupported-7z'],
  'a cpio archive': [Buffer.from('070701 and so on and on'), 'unsupported-cpio'],
  'a pack of git': [Buffer.from('PACK\0\0\0\x02 and so on', 'latin1'), 'unsupported-git-pack'],
};
for (const [what, [bytes, reason, inside = '']] of Object.entries(UNOPENED))
  test(`${what} is told, and the rest is looked into: ${reason}`, async (t) => {
    const found = await inventory(
      t,
      [
        ['opt/hostile', bytes],
        ['opt/whole.zip', whole],
      ],
      { limits },
    );
    t.deepEqual(found.unopened, { count: 1, shown: [{ place: `fetched/opt/hostile${inside}`, reason }] });
    t.is(place(found, bytes), 'fetched/opt/hostile');
    t.is(
      place(found, TEXT),
      what.startsWith('a tar') ? 'fetched/opt/hostile!/x' : 'fetched/opt/whole.zip!/kept',
    );
  });

test('damaged streams of the system’s tools are told', async (t) => {
  if (!need(t, 'xz', 'zstd', 'bzip2')) return;
  for (const [tool, reason] of [
    ['xz', 'unreadable-xz'],
    ['zstd', 'unreadable-zstd'],
    ['bzip2', 'unreadable-bzip2'],
  ] as const) {
    const found = await inventory(t, [['x', packed(tool, Buffer.from(TEXT)).subarray(0, -6)]]);
    t.deepEqual(found.unopened.shown, [{ place: 'fetched/x', reason }]);
  }
  const found = await inventory(t, [['x', packed('xz', Buffer.alloc(20 << 20))]], { limits });
  t.deepEqual(found.unopened.shown, [{ place: 'fetched/x', reason: 'limit-bytes' }]);
});

test.serial('without a tool its archives are told', async (t) => {
  if (!need(t, 'xz')) return;
  const bytes = packed('xz', Buffer.from(TEXT));
  const before = process.env['PATH'];
  process.env['PATH'] = temporaryDirectory(t);
  try {
    const found = await inventory(t, [['x.xz', bytes]]);
    t.deepEqual(found.unopened.shown, [{ place: 'fetched/x.xz', reason: 'no-tool-xz' }]);
  } finally {
    process.env['PATH'] = before;
  }
});

test('more bytes or members than allowed in all: told, not forgotten', async (t) => {
  const some = (name: string): Buffer => gzipSync(Buffer.alloc(100_000, name));
  const files: Files = [
    ['a.gz', some('a')],
    ['b.gz', some('b')],
    ['c.gz', some('c')],
  ];
  const bytes = await inventory(t, files, { limits: { totalBytes: 150_000 } });
  t.deepEqual(
    bytes.unopened.shown.map(({ place: at, reason }) => `${at} ${reason}`),
    ['fetched/b.gz limit-bytes', 'fetched/c.gz limit-bytes'],
  );
  const zip = buildZip(['1', '2', '3'].map((name) => ({ name, data: TEXT + name })));
  const members = await inventory(t, [['a.zip', zip]], { limits: { members: 2 } });
  t.deepEqual(members.unopened.shown, [{ place: 'fetched/a.zip!/3', reason: 'limit-members' }]);
  const many = await inventory(
    t,
    Array.from(
      { length: 60 },
      (_, i) => [`${String(i).padStart(2, '0')}.gz`, gzipSync(TEXT).subarray(0, 20)] as const,
    ),
  );
  t.is(many.unopened.count, 60);
  t.is(many.unopened.shown.length, 50);
});

test('hostile names stay on one line and out of the file system', async (t) => {
  const zip = buildZip([
    { name: '../../etc/passwd', data: `${TEXT} 1` },
    { name: 'two\nlines', data: `${TEXT} 2` },
    { name: Buffer.of(0xff, 0x41), data: `${TEXT} 3` },
    { name: '__proto__', data: `${TEXT} 4` },
  ]);
  const found = await inventory(t, [
    ['a.zip', zip],
    ['new\nline', `${TEXT} 5`],
  ]);
  t.is(place(found, `${TEXT} 1`), 'fetched/a.zip!/../../etc/passwd');
  t.is(place(found, `${TEXT} 2`), String.raw`fetched/a.zip!/two\x0alines`);
  t.is(place(found, `${TEXT} 3`), String.raw`fetched/a.zip!/\xffA`);
  t.is(place(found, `${TEXT} 4`), 'fetched/a.zip!/__proto__');
  t.is(place(found, `${TEXT} 5`), String.raw`fetched/new\x0aline`);
});

const code = (machine: number, type: number, symbols?: string): Buffer =>
  buildElf({
    machine,
    type,
    sections: [
      {
        name: '.text',
        type: 1,
        flags: 6,
        content: `code for ${machine}`,
        ...(type === 1 ? {} : { address: 0 }),
      },
      ...(symbols === undefined ? [] : [{ name: '.symtab', type: 2, content: symbols }]),
    ],
  });

test('what may be linked in, by what it can be linked into', async (t) => {
  const klass = Buffer.from('cafebabe0000003400000000000000000000', 'hex');
  const found = await inventory(t, [
    ['usr/lib/crt1.o', code(62, 1)],
    [
      'usr/lib/libx.a',
      buildAr([
        { name: '/', data: '' },
        { name: 'x.o/', data: code(62, 1, 'a') },
        { name: 'y.o/', data: code(183, 1) },
      ]),
    ],
    ['usr/lib/other-name', buildAr([{ name: 'x.o/', data: code(40, 1) }])],
    ['usr/lib/go.a', buildAr([{ name: '_go_.o', data: Buffer.from('\0\0go object linux') }])],
    ['usr/lib/libm.a', 'GROUP ( libm-2.36.a ) and so on\n'],
    ['usr/lib/script.o', 'INPUT(x) a text of that name\n'],
    ['usr/lib/coff.obj', Buffer.alloc(40, 0x64).fill(0, 2, 20)],
    [
      'build/app/libs/x.aar',
      buildZip([{ name: 'classes.jar', data: buildZip([{ name: 'A.class', data: klass }]) }]),
    ],
    ['build/app/B.class', Buffer.concat([klass, klass])],
    ['usr/lib/libx.so', code(62, 3)],
  ]);
  t.deepEqual(found.linkable, [
    'source/B.class',
    'source/libs/x.aar!/classes.jar',
    'fetched/usr/lib/coff.obj',
    'fetched/usr/lib/crt1.o',
    'fetched/usr/lib/go.a',
    'fetched/usr/lib/libx.a',
    'fetched/usr/lib/other-name',
  ]);
  t.deepEqual(Object.fromEntries([...found.linkableInto].map(([into, places]) => [into, places.length])), {
    dex: 2,
    any: 2,
    'x86-64': 2,
    aarch64: 1,
    arm: 1,
  });
});

test('a program is known by what it loads, also after it was stripped', async (t) => {
  const [full, other] = [code(62, 1, 'symbols'), code(62, 1)];
  t.notDeepEqual(full, other);
  const found = await inventory(t, [['full', full]]);
  const stripped = await inventory(t, [['stripped', other]]);
  t.deepEqual(
    [...found.byAllocatedSections].map(([digest]) => digest),
    [...stripped.byAllocatedSections].map(([digest]) => digest),
  );
  t.deepEqual(
    [...found.byAllocatedSections].map(([, at]) => at),
    ['fetched/full'],
  );
});

test('an abort ends it, and leaves nothing behind', async (t) => {
  const error = await t.throwsAsync(inventory(t, [['a', TEXT]], { signal: AbortSignal.abort() }), {
    instanceOf: FailedHere,
  });
  t.is(error.code, 'interrupted');
});
