// SPDX-License-Identifier: Apache-2.0
/** Who a file says it is, and when nobody can tell. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { BufferSource, FileSource } from '../../src/bytes.js';
import { checkIdentity, identityOf, type IdentityReading } from '../../src/compare/identity.js';
import { buildAr } from '../helpers/build-ar.js';
import { ATTRIBUTE, buildAxml, buildManifest } from '../helpers/build-axml.js';
import { buildTar } from '../helpers/build-tar.js';
import { buildZip, type ZipMember } from '../helpers/build-zip.js';
import { need } from '../helpers/need.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const of = (bytes: Buffer): Promise<IdentityReading> => identityOf(new BufferSource(bytes));
const apk = (...manifests: readonly Partial<ZipMember>[]): Buffer =>
  buildZip([
    { name: 'classes.dex', data: 'dex' },
    ...manifests.map((more) => ({ name: 'AndroidManifest.xml', data: buildManifest(), ...more })),
  ]);
const codes = (reading: IdentityReading): string[] => reading.issues.map((issue) => issue.code);

test('an APK is its package, versions and SDK', async (t) => {
  const expected = {
    format: 'apk',
    identity: { package: 'org.example.chat', versionCode: '7', versionName: '1.2', minSdk: '24' },
    issues: [],
  } as const;
  t.deepEqual(await of(apk({})), expected);
  t.deepEqual(await of(apk({ method: 0 })), expected);
  t.deepEqual(await of(apk({ descriptor: 'signed' })), expected);
});

test('the long version code has the major code above', async (t) => {
  const data = buildAxml({
    roots: [
      {
        name: 'manifest',
        attributes: [
          { name: 'versionCode', id: ATTRIBUTE.versionCode, value: 0xfffffffe },
          { name: 'versionCodeMajor', id: ATTRIBUTE.versionCodeMajor, value: 1 },
          { name: 'package', value: 'a' },
        ],
      },
    ],
  });
  t.deepEqual((await of(apk({ data }))).identity, { package: 'a', versionCode: String(2 ** 32 * 2 - 2) });
});

test('a reference is reported as a reference, and is no version', async (t) => {
  const reading = await of(apk({ data: buildManifest({ versionName: { reference: 0x7f0a0001 } }) }));
  t.is(reading.identity.versionName, '@0x7f0a0001');
  t.deepEqual(
    checkIdentity(reading, { packageId: 'org.example.chat', versionName: '@0x7f0a0001', versionCodes: [7] }),
    [{ kind: 'unread', field: 'versionName', expected: '@0x7f0a0001', detail: 'reference' }],
  );
});

const UNREADABLE: readonly (readonly [code: string, what: string, bytes: Buffer])[] = [
  ['no-manifest', 'no manifest', apk()],
  ['second-manifest', 'two manifests', apk({}, {})],
  ['manifest-unread', 'an encrypted one', apk({ flags: 1 })],
  ['manifest-unread', 'an unknown method', apk({ method: 12 })],
  ['manifest-unread', 'a wrong CRC', apk({ crc32: 5 })],
  ['manifest-unread', 'another name in the local header', apk({ localName: 'AndroidManifest.xmk' })],
  ['manifest-unread', 'no deflate', apk({ raw: Buffer.from('\xff\xff\xff', 'latin1') })],
  ['manifest-unread', 'larger than stated', apk({ size: 10 })],
  ['manifest-unread', 'larger than the limit', apk({ size: 0x7fffffff })],
  ['axml/magic', 'a text manifest', apk({ data: Buffer.from('\0\0\x08\0\x08\0\0\0') })],
  ['axml/second-root', 'two roots', apk({ data: buildAxml({ roots: twoRoots() }) })],
  ['zip/no-end-record', 'a broken archive', Buffer.from(`PK\x03\x04${'x'.repeat(100)}`)],
  ['no-identity', 'neither APK nor package', Buffer.from('plain text')],
  ['no-identity', 'nothing', Buffer.alloc(0)],
];

function twoRoots() {
  const root = { name: 'manifest', attributes: [{ name: 'package', value: 'a' }] };
  return [root, root];
}

for (const [code, what, bytes] of UNREADABLE)
  test(`no identity: ${what}`, async (t) => {
    const reading = await of(bytes);
    t.deepEqual(reading.identity, {});
    t.deepEqual(codes(reading), [code]);
    // unread is never another one
    const [finding] = checkIdentity(reading, { packageId: 'org.example.chat' });
    t.like(finding, { kind: 'unread', field: 'package' });
  });

test('expectations: equal, other package, other version, none', async (t) => {
  const reading = await of(apk({}));
  t.deepEqual(
    checkIdentity(reading, { packageId: 'org.example.chat', versionName: '1.2', versionCodes: [7] }),
    [],
  );
  t.deepEqual(checkIdentity(reading, { packageId: 'org.example', versionName: '1.3', versionCodes: [8] }), [
    { kind: 'other-package', field: 'package', found: 'org.example.chat', expected: 'org.example' },
    { kind: 'other-version', field: 'versionName', found: '1.2', expected: '1.3' },
    { kind: 'other-version', field: 'versionCode', found: '7', expected: '8' },
  ]);
  const bare = await of(apk({ data: buildAxml({ roots: [twoRoots()[0] ?? { name: '' }] }) }));
  t.deepEqual(checkIdentity(bare, { versionName: '1.2' }), [
    { kind: 'other-version', field: 'versionName', found: 'none', expected: '1.2' },
  ]);
  t.like(checkIdentity(reading, { debPackage: 'org.example.chat' })[0], { kind: 'unread' });
});

test('a name that only looks the same is another package', async (t) => {
  const reading = await of(apk({ data: buildManifest({ package: 'org.example.chat\u200b' }) }));
  t.is(reading.identity.package, 'org.example.chat\\u{200b}');
  t.like(checkIdentity(reading, { packageId: 'org.example.chat' })[0], { kind: 'other-package' });
});

// ---------------------------------------------------------------- Debian

const CONTROL =
  'Package: chat\nSource: chat-src (1.0)\nVersion: 1.0-2\nArchitecture: amd64\nDescription: a\n b\n';
interface DebSpec {
  readonly control?: string | Buffer;
  readonly files?: readonly string[];
  readonly archive?: string;
  readonly more?: readonly { readonly name: string; readonly data: Buffer }[];
}
function deb({
  control = CONTROL,
  files = ['./control'],
  archive = 'control.tar.gz',
  more = [],
}: DebSpec): Buffer {
  const tar = buildTar(files.map((name) => ({ name, data: control })));
  return buildAr([
    { name: 'debian-binary', data: '2.0\n' },
    { name: archive, data: archive.endsWith('.gz') ? gzipSync(tar) : tar },
    { name: 'data.tar', data: buildTar([]) },
    ...more,
  ]);
}

test('a Debian package is its control paragraph', async (t) => {
  const expected = { package: 'chat', version: '1.0-2', architecture: 'amd64', source: 'chat-src (1.0)' };
  t.deepEqual(await of(deb({})), { format: 'deb', identity: expected, issues: [] });
  t.deepEqual((await of(deb({ archive: 'control.tar', files: ['control'] }))).identity, expected);
  const reading = await of(deb({ control: CONTROL.replace(/^Source.*\n/m, '') }));
  t.is(reading.identity.source, 'chat');
  t.deepEqual(
    checkIdentity(reading, { debPackage: 'chat', debVersion: '1.0-2', debArchitecture: 'amd64' }),
    [],
  );
  t.deepEqual(checkIdentity(reading, { debPackage: 'chat', debVersion: '1.0-1', debArchitecture: 'all' }), [
    { kind: 'other-version', field: 'version', found: '1.0-2', expected: '1.0-1' },
    { kind: 'other-package', field: 'architecture', found: 'amd64', expected: 'all' },
  ]);
});

for (const [code, what, spec] of [
  ['deb/no-control', 'no control archive', { archive: 'ctrl.tar' }],
  ['deb/no-control', 'no control file', { files: ['./md5sums'] }],
  ['deb/second-control', 'two control files', { files: ['./control', 'control'] }],
  ['deb/second-control', 'two control archives', { more: [{ name: 'control.tar', data: buildTar([]) }] }],
  ['deb/control-encoding', 'no UTF-8', { control: Buffer.from('Package: \xff\n', 'latin1') }],
  ['deb822/duplicate-field', 'a field twice', { control: `${CONTROL}Package: other\n` }],
  ['deb822/bad-line', 'two paragraphs', { control: `${CONTROL}\n${CONTROL}` }],
] as const)
  test(`no identity: Debian package with ${what}`, async (t) => {
    const reading = await of(deb(spec));
    t.deepEqual(codes(reading), [code]);
    t.deepEqual(reading.identity, {});
  });

test('dpkg-deb reads the same of packages that it makes', async (t) => {
  if (!need(t, 'dpkg-deb', 'xz', 'zstd')) return;
  const directory = temporaryDirectory(t);
  const tree = path.join(directory, 'tree');
  mkdirSync(path.join(tree, 'DEBIAN'), { recursive: true });
  writeFileSync(
    path.join(tree, 'DEBIAN/control'),
    `${CONTROL}Maintainer: ünï <a@example.org>\n`.replace('Package:', 'PACKAGE:'),
  );
  for (const compression of ['gzip', 'xz', 'none', 'zstd']) {
    const file = path.join(directory, `${compression}.deb`);
    try {
      execFileSync('dpkg-deb', ['--build', '--uniform-compression', `-Z${compression}`, tree, file], {
        stdio: 'pipe',
      });
    } catch (error) {
      // not every dpkg writes zstd
      if (compression === 'zstd' && String(error).includes('compression type')) continue;
      throw error;
    }
    const source = FileSource.open(file);
    const { identity, issues } = await identityOf(source);
    source.close();
    t.deepEqual(issues, []);
    for (const field of ['package', 'version', 'architecture', 'source'] as const)
      t.is(
        identity[field],
        execFileSync('dpkg-deb', ['--field', file, field], { encoding: 'utf8' }).trim(),
        `${compression} ${field}`,
      );
  }
});

test('random damage never throws and never makes another package of it', async (t) => {
  const samples = [apk({ method: 0 }), apk({}), deb({}), deb({ archive: 'control.tar' })];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...samples),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
      async (sample, changes) => {
        const bytes = Buffer.from(sample);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        const { identity, issues } = await of(bytes);
        return issues.length > 0 || identity.package !== undefined;
      },
    ),
    { numRuns: 1500 },
  );
  t.pass();
});
