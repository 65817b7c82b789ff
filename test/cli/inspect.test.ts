// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { FileInspection, Inspection } from '../../src/index.js';
import { ATTRIBUTE, buildAxml, buildManifest } from '../helpers/build-axml.js';
import { buildBundleManifest, permission } from '../helpers/build-bundle-manifest.js';
import { buildElf, elfNote } from '../helpers/build-elf.js';
import { APP, buildIpa, programsOf, type Program } from '../helpers/build-ipa.js';
import { buildMachO } from '../helpers/build-macho.js';
import { buildProfile } from '../helpers/build-profile.js';
import { buildZip } from '../helpers/build-zip.js';
import { buildApks, buildBundle, needBundletool } from '../helpers/bundletool.js';
import { need } from '../helpers/need.js';
import { contentDigest, newIdentity, nameOf, der, certificateFor, signedApk } from '../helpers/sign-apk.js';
import { buildIdsig } from '../helpers/sign-idsig.js';
import { jarIdentity } from '../helpers/sign-jar.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';
import { document, errorOf, verify } from '../helpers/transcript.js';

const BUILD_ID = 'deadbeef00112233';
const library = buildElf({
  sections: [
    {
      name: '.note.gnu.build-id',
      type: 7,
      flags: 2,
      content: elfNote('GNU', 3, Buffer.from(BUILD_ID, 'hex')),
    },
    { name: '.comment', type: 1, content: 'clang version 17\0' },
  ],
});
const unsigned = (versionCode = 7, packageId = 'org.example.chat'): Buffer =>
  buildZip([
    { name: 'AndroidManifest.xml', data: buildManifest({ versionCode, package: packageId }) },
    { name: 'classes.dex', data: 'dex\n035\0'.padEnd(400, '.') },
    { name: 'lib/arm64-v8a/liba.so', data: library, method: 0, align: 4096 },
    { name: 'assets/\u202egpj.exe', data: 'text', descriptor: 'signed' },
  ]);
const identity = newIdentity();
const signed = signedApk(unsigned(), { identity });

function files(t: ExecutionContext, named: Readonly<Record<string, Buffer>>): string {
  const directory = temporaryDirectory(t);
  for (const [name, bytes] of Object.entries(named)) {
    mkdirSync(path.dirname(path.join(directory, name)), { recursive: true });
    writeFileSync(path.join(directory, name), bytes);
  }
  return directory;
}

async function inspected(
  t: ExecutionContext,
  cwd: string,
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly result: Inspection; readonly file: FileInspection }> {
  const transcript = await verify(['inspect', '--json', '--quiet', ...args], { cwd });
  const result = document(t, transcript) as Inspection;
  return { code: transcript.code, result, file: result.files[0] as FileInspection };
}

const sumOf = ({ bytes }: FileInspection): number => bytes.reduce((sum, region) => sum + region.bytes, 0);

test('--help says what the exit codes mean', async (t) => {
  const { code, stdout } = await verify(['inspect', '--help']);
  t.is(code, 0);
  t.regex(stdout, /inspect <file>/);
  t.regex(stdout, /3 when a signature does not\s+hold/);
  t.regex(stdout, /64\s+for a damaged file/);
});

test('a signed file: exit 0, and what it is', async (t) => {
  const cwd = files(t, { 'app.apk': signed });
  const { code, stdout } = await verify(['inspect', 'app.apk'], { cwd });
  t.is(code, 0);
  for (const part of [
    /package +org\.example\.chat/,
    /version +1\.2 \(code 7\)/,
    /signature +verified \(v2\)/,
    /SDK 24 on: v2 verified/,
    /block pair +0x7109871a v2 signature/,
    /lib\/arm64-v8a\/liba\.so x86-64 build-id deadbeef00112233/,
    /elf-comment: clang version 17/,
  ])
    t.regex(stdout, part);
});

test('an app of the App Store: bundles, programs, what is encrypted, profiles; one that was changed later is 3', async (t) => {
  const sign = { identity: jarIdentity('rsa'), teamId: 'TEAM' };
  const ipa = (change: Partial<Program> = {}): Buffer =>
    buildIpa({
      programs: programsOf(sign).map((one) => (one.executable === 'Example' ? { ...one, ...change } : one)),
      files: { [`${APP}/embedded.mobileprovision`]: buildProfile(), [`${APP}/SC_Info/Example.sinf`]: 'x' },
    });
  const cwd = files(t, {
    'app.ipa': ipa({ spec: { text: Buffer.alloc(0x2800, 'cipher'), encryption: { id: 1 } } }),
    'changed.ipa': ipa({ sign: { ...sign, hashed: buildMachO({ text: Buffer.alloc(0x2800, 'other') }) } }),
  });
  const { code, stdout } = await verify(['inspect', 'app.ipa'], { cwd });
  t.is(code, 0);
  for (const part of [
    /^app\.ipa: ipa, [0-9,]+ bytes$/m,
    /package +org\.example$/m,
    /bundles +app Payload\/Example\.app, org\.example, 1\.2\.3 \(45\), from 15\.0$/m,
    /extension Payload\/Example\.app\/PlugIns\/Share\.appex, org\.example\.share/,
    /SDKs +Kit 1\.2\.3$/m,
    /profile +Payload\/Example\.app: development, iOS Team Provisioning Profile, Example ABCDE12345, 2 devices, until 2027-01-01, signature unrooted$/m,
    /program +Payload\/Example\.app\/Example, [0-9,]+ bytes$/m,
    /arm64 execute: iOS 15\.0, SDK 18\.5, ld 1167\.5/,
    /ENCRYPTED: 12,288 bytes at 4096 \(cryptid 1\)/,
    /not encrypted \(cryptid 0\)/,
    /signature unrooted, org\.example\.app, team TEAM, by CN=jar test, 6 of 6 pages hold/,
    /encrypted +12,288 bytes of [0-9,]+ bytes of code are encrypted by FairPlay: nobody can read them/,
    /FairPlay +1 files in SC_Info/,
  ])
    t.regex(stdout, part);
  const changed = await verify(['inspect', 'changed.ipa'], { cwd });
  t.is(changed.code, 3);
  t.regex(changed.stdout, /signature invalid/);
  t.regex(
    changed.stdout,
    /decrypted +Payload\/Example\.app\/Example, not encrypted \(cryptid 0\) beside its key/,
  );
});

test('--json: every byte has a kind, signers and libraries are told', async (t) => {
  const { code, file } = await inspected(t, files(t, { 'app.apk': signed }), 'app.apk');
  t.is(code, 0);
  t.is(sumOf(file), file.size);
  t.like(file, { format: 'apk', entries: 4, dex: { count: 1, bytes: 400 } });
  t.like(file.libraries[0], { name: 'lib/arm64-v8a/liba.so', buildId: BUILD_ID });
  t.deepEqual(file.signature?.schemes, ['v2']);
  t.like(file.signature?.bySdk[0], { minSdk: 24, scheme: 'v2', status: 'verified', codes: [] });
  const kinds = file.bytes.map(({ kind }) => kind);
  t.deepEqual(kinds, [
    'local-header',
    'local-name',
    'padding',
    'data',
    'descriptor',
    'signing-block',
    'signing-block-pair',
    'directory-header',
    'directory-name',
    'end',
  ]);
});

test('exit codes: unsigned 0, a signature that does not hold 3, a damaged file 64, none at all 75', async (t) => {
  const broken = Buffer.from(signed);
  const at = broken.indexOf('clang');
  broken[at] = 0x43;
  const cwd = files(t, {
    'unsigned.apk': unsigned(),
    'broken.apk': broken,
    'cut.apk': signed.subarray(0, signed.length - 30),
    'text.apk': Buffer.from('text'),
    'empty.apk': Buffer.alloc(0),
  });
  t.is((await inspected(t, cwd, 'unsigned.apk')).code, 0);
  const { code, file } = await inspected(t, cwd, 'broken.apk');
  t.is(code, 3);
  t.is(file.signature?.status, 'invalid');
  t.true(file.signature?.issues.some((issue) => issue.code === 'content-digest'));
  for (const name of ['cut.apk', 'text.apk', 'empty.apk']) {
    const damaged = await inspected(t, cwd, name);
    t.is(damaged.code, 64, name);
    t.is(damaged.file.damage?.code, 'zip/no-end-record', name);
  }
  const missing = await verify(['inspect', '--json', 'nowhere.apk'], { cwd });
  t.is(missing.code, 75);
  t.is(errorOf(t, missing), 'unreadable-input');
});

test('nothing of a file steers a terminal', async (t) => {
  const hostile = newIdentity((key) =>
    certificateFor(key, { name: nameOf(der(0x0c, Buffer.from('\u001b[2J\u202egood'))) }),
  );
  const apk = signedApk(
    buildZip([
      { name: 'AndroidManifest.xml', data: buildManifest({ versionName: '1\u001b]0;x\u0007' }) },
      { name: 'lib/x86/\u001b[31m.so', data: 'no library' },
    ]),
    { identity: hostile },
  );
  const cwd = files(t, { 'app.apk': apk });
  const { stdout } = await verify(['inspect', 'app.apk'], { cwd });
  // oxlint-disable-next-line no-control-regex
  t.notRegex(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  t.regex(stdout, /\\x1b\[2J/);
});

test('the v4 signature beside a file, or named; that of another file is 3', async (t) => {
  const idsig = buildIdsig(signed, {
    signers: [{ identity, digest: contentDigest(unsigned()) }],
    tree: true,
  });
  const other = signedApk(unsigned(8), { identity });
  const cwd = files(t, { 'a.apk': signed, 'a.apk.idsig': idsig, 'b.apk': other });
  const own = await inspected(t, cwd, 'a.apk');
  t.is(own.code, 0);
  t.is(own.file.signature?.idsig?.status, 'verified');
  t.is((await inspected(t, cwd, 'b.apk')).file.signature?.idsig, undefined);
  const wrong = await inspected(t, cwd, 'b.apk', '--idsig', 'a.apk.idsig');
  t.is(wrong.code, 3);
  t.true(wrong.file.signature?.idsig?.issues.some(({ code }) => code === 'idsig-root-hash'));
});

test('v4 signatures in a directory and in an archive, each with its APK', async (t) => {
  const idsig = buildIdsig(signed, { signers: [{ identity, digest: contentDigest(unsigned()) }] });
  const other = signedApk(unsigned(7), { identity: newIdentity() });
  const set = { 'a.apk': signed, 'a.apk.idsig': idsig, 'c.apk.idsig': idsig };
  const cwd = files(t, {
    ...Object.fromEntries(Object.entries(set).map(([name, data]) => [`pulled/${name}`, data])),
    'app.xapk': buildZip(Object.entries(set).map(([name, data]) => ({ name, data }))),
    'swapped.xapk': buildZip(
      Object.entries({ ...set, 'a.apk': other }).map(([name, data]) => ({ name, data })),
    ),
  });
  for (const place of ['pulled', 'app.xapk']) {
    const { code, result, file } = await inspected(t, cwd, place);
    t.is(code, 0, place);
    t.is(file.signature?.idsig?.status, 'verified', place);
    t.deepEqual(
      result.others.map(({ name }) => name),
      ['c.apk.idsig'],
    );
  }
  const swapped = await inspected(t, cwd, 'swapped.xapk');
  t.is(swapped.code, 3);
  t.is(swapped.file.signature?.idsig?.status, 'invalid');
});

test('a v4 signature that is named is that of one APK: of no directory, and of no member of an archive', async (t) => {
  const idsig = buildIdsig(signed, { signers: [{ identity, digest: contentDigest(unsigned()) }] });
  const archive = buildZip([{ name: 'b.apk', data: signedApk(unsigned(8), { identity }) }]);
  const cwd = files(t, { 'p/a.apk': signed, 'x.idsig': idsig, 'app.apks': archive, 'app.apks.idsig': idsig });
  mkdirSync(path.join(cwd, 'p/a.apk.idsig'));
  t.is((await inspected(t, cwd, 'p/a.apk')).file.signature?.idsig, undefined);
  t.is((await inspected(t, cwd, 'p/a.apk', '--idsig', 'x.idsig')).file.signature?.idsig?.status, 'verified');
  t.is((await inspected(t, cwd, 'app.apks')).file.signature?.idsig, undefined);
  const ended = await verify(['inspect', '--json', 'p', '--idsig', 'x.idsig'], { cwd });
  t.is(ended.code, 64);
  t.is(errorOf(t, ended), 'idsig-of-directory');
});

test('what of an archive of APKs an installer may take otherwise is told', async (t) => {
  const own = { name: 'base.apk', data: signed };
  const cases: Readonly<Record<string, readonly [archive: Buffer, told: RegExp | undefined]>> = {
    'plain.xapk': [buildZip([own]), undefined],
    'renamed.xapk': [
      buildZip([own, { name: 'a.obb', localName: 'b.apk', data: signed }]),
      /^a\.obb: zip\/local-name$/,
    ],
    'orphan.xapk': [
      buildZip([{ name: 'evil.apk', data: signed, orphan: true }, own]),
      /^bytes 0 to \d+: .*zip\/orphan-entry/,
    ],
  };
  const cwd = files(t, Object.fromEntries(Object.entries(cases).map(([name, [bytes]]) => [name, bytes])));
  for (const [name, [, told]] of Object.entries(cases)) {
    const { code, result } = await inspected(t, cwd, name);
    t.is(code, 0);
    const lines = result.ambiguous.map((one) => `${one.name}: ${one.codes}`);
    t.is(lines.length, told === undefined ? 0 : 1, lines.join());
    const { stdout } = await verify(['inspect', name], { cwd });
    t.is(stdout.includes('[ambiguous-archive]'), told !== undefined);
    if (told !== undefined) t.regex(lines[0] ?? '', told);
  }
});

test('a directory, and an archive of APKs: each file, and whether they go together', async (t) => {
  const base = signed;
  const split = signedApk(unsigned(8), { identity: newIdentity() });
  const set = { 'base.apk': base, 'split_config.de.apk': split };
  const cwd = files(t, {
    'pulled/base.apk': base,
    'pulled/split_config.de.apk': split,
    'pulled/notes.txt': Buffer.from('x'),
  });
  const archive = buildZip([
    ...Object.entries(set).map(([name, data]) => ({ name: `splits/${name}`, data })),
    { name: 'toc.pb', data: 'toc' },
  ]);
  writeFileSync(path.join(cwd, 'app.apks'), archive);
  for (const place of ['pulled', 'app.apks']) {
    const { code, result } = await inspected(t, cwd, place);
    t.is(code, 0);
    t.deepEqual(
      result.files.map(({ signature }) => signature?.notes),
      [[], []],
    );
    t.deepEqual(
      result.files.map(({ identity: { versionCode } }) => versionCode),
      ['7', '8'],
    );
    t.deepEqual(
      result.disagreements.map((one) => one.code),
      ['versions-differ', 'signers-differ'],
    );
    t.deepEqual(result.others.length, 1);
  }
});

/** A configuration split as bundletool makes it: without a version that it is made for. */
function configurationSplit(name: string): Buffer {
  const manifest = buildAxml({
    roots: [
      {
        name: 'manifest',
        attributes: [
          { name: 'versionCode', id: ATTRIBUTE.versionCode, value: 7 },
          { name: 'package', value: 'org.example.chat' },
          { name: 'split', value: name },
        ],
        children: [
          {
            name: 'uses-sdk',
            attributes: [{ name: 'minSdkVersion', id: ATTRIBUTE.minSdk, value: 24 }],
          },
        ],
      },
    ],
  });
  return signedApk(buildZip([{ name: 'AndroidManifest.xml', data: manifest }]), { identity });
}

const SET = {
  'base.apk': signed,
  'split_config.de.apk': configurationSplit('config.de'),
  'split_config.iw.apk': configurationSplit('config.iw'),
  'split_config.x86_64.apk': configurationSplit('config.x86_64'),
  'split_map.config.xxhdpi.apk': configurationSplit('map.config.xxhdpi'),
};

test('sets: each split by its name, and what all of them are', async (t) => {
  const cwd = files(t, Object.fromEntries(Object.entries(SET).map(([name, bytes]) => [`in/${name}`, bytes])));
  const members = Object.entries(SET).map(([name, data]) => ({ name, data }));
  for (const name of ['app.apks', 'app.xapk', 'app.apkm'])
    writeFileSync(path.join(cwd, name), buildZip([...members, { name: 'info.json', data: '{}' }]));
  const [certificate] = (await inspected(t, cwd, 'in/base.apk')).file.signature?.signers ?? [];
  for (const name of ['in', 'app.apks', 'app.xapk', 'app.apkm']) {
    const { code, result } = await inspected(t, cwd, name);
    t.is(code, 0);
    t.deepEqual(result.set, {
      package: 'org.example.chat',
      versionCode: '7',
      signers: [certificate?.certificateSha256 ?? ''],
      splits: 4,
      abis: ['arm64-v8a', 'x86_64'],
      densities: ['xxhdpi'],
      languages: ['de', 'he'],
    });
    t.deepEqual(
      result.files.map(({ split }) => split),
      [
        undefined,
        { name: 'config.de', module: '', configuration: 'de' },
        { name: 'config.iw', module: '', configuration: 'iw' },
        { name: 'config.x86_64', module: '', configuration: 'x86_64' },
        { name: 'map.config.xxhdpi', module: 'map', configuration: 'xxhdpi' },
      ],
    );
  }
  const { stdout } = await verify(['inspect', 'in'], { cwd });
  t.regex(stdout, /in: 5 files\n +package +org\.example\.chat\n +version code +7\n +signer +[0-9a-f]{64}\n/);
  t.regex(stdout, /languages +de, he\n/);
  t.regex(stdout, /split +map\.config\.xxhdpi \(xxhdpi, of module map\)/);
  // nothing says what a split is made for
  t.regex(stdout, /Android +from SDK 24\n +split/);
  t.is((await inspected(t, cwd, 'in/base.apk')).result.set, undefined);
});

test('sets that do not go together: the summary does not say what is not common to all', async (t) => {
  const cwd = files(t, {
    'in/base.apk': signed,
    'in/other.apk': signedApk(unsigned(8), { identity: newIdentity() }),
  });
  const { result } = await inspected(t, cwd, 'in');
  t.deepEqual(result.set, {
    package: 'org.example.chat',
    splits: 0,
    abis: ['arm64-v8a'],
    densities: [],
    languages: [],
  });
  const { stdout } = await verify(['inspect', 'in'], { cwd });
  t.regex(stdout, /version code +not one and the same/);
  t.regex(stdout, /signer +not one and the same/);
});

test('an app bundle by hand: modules, and one whose manifest is damaged', async (t) => {
  const bundle = buildZip([
    { name: 'BundleConfig.pb', data: 'config' },
    {
      name: 'base/manifest/AndroidManifest.xml',
      data: buildBundleManifest({ children: [permission('android.permission.CAMERA')] }),
    },
    { name: 'map/manifest/AndroidManifest.xml', data: Buffer.from('0a7f', 'hex') },
    { name: 'base/dex/classes.dex', data: 'dex\n035\0' },
  ]);
  const cwd = files(t, { 'app.aab': bundle });
  const { code, file } = await inspected(t, cwd, 'app.aab');
  t.is(code, 0);
  const own = {
    package: 'org.example.chat',
    versionCode: '7',
    versionName: '1.7',
    minSdk: '21',
    targetSdk: '34',
  };
  t.like(file, { format: 'aab', identity: own, identityIssues: [] });
  t.deepEqual(file.permissions, [{ name: 'android.permission.CAMERA' }]);
  t.deepEqual(file.modules?.[0], {
    name: 'base',
    identity: own,
    identityIssues: [],
    permissions: [{ name: 'android.permission.CAMERA' }],
  });
  t.deepEqual(
    file.modules?.[1]?.identityIssues.map((issue) => issue.code),
    ['protobuf/past-end'],
  );
  const { stdout } = await verify(['inspect', 'app.aab'], { cwd });
  t.regex(
    stdout,
    /module +base: org\.example\.chat, 1\.7 \(code 7\), from SDK 21, made for SDK 34, 1 permission\n/,
  );
  t.regex(stdout, /not read +\[protobuf\/past-end\]/);
});

test('an app bundle from aapt2 and bundletool says what its base split says', async (t) => {
  if (!needBundletool(t)) return;
  const directory = temporaryDirectory(t);
  const bundle = buildBundle(directory, {
    elements:
      '<uses-permission android:name="android.permission.INTERNET"/>' +
      '<uses-permission android:name="android.permission.CAMERA" android:maxSdkVersion="28"/>' +
      '<uses-permission-sdk-23 android:name="android.permission.CALL_PHONE"/>',
  });
  const { file } = await inspected(t, directory, bundle);
  const { result } = await inspected(t, directory, buildApks(bundle));
  const base = result.files.find(({ name }) => name.endsWith('base-master.apk'));
  t.is(base?.identity.package, 'org.example.chat');
  t.deepEqual(file.identity, base?.identity);
  t.deepEqual(file.permissions, base?.permissions);
  t.is(file.permissions.length, 3);
  t.like(file.modules?.[0], { name: 'base', identityIssues: [] });
  t.like(result.set, {
    package: 'org.example.chat',
    versionCode: '7',
    signers: [],
    abis: ['arm64-v8a', 'armeabi-v7a', 'x86_64'],
    languages: ['de', 'fr', 'he', 'id'],
  });
});

test('a set from bundletool with code transparency: verified, and not with another DEX', async (t) => {
  if (!needBundletool(t)) return;
  const directory = temporaryDirectory(t);
  const bundle = withTransparency(directory, buildBundle(directory));
  const own = await inspected(t, directory, bundle);
  t.is(own.code, 0);
  t.like(own.file, { format: 'aab' });
  t.is(own.result.transparency?.status, 'verified');
  const apks = buildApks(bundle);
  const set = await inspected(t, directory, apks);
  t.is(set.result.transparency?.status, 'verified');
  t.true(set.result.files.length > 5);
  t.deepEqual(
    set.result.disagreements.map((one) => one.code),
    [],
  );
  // other code behind the same transparency file
  const other = path.join(directory, 'other');
  mkdirSync(other);
  execFileSync('unzip', ['-q', apks, 'splits/base-master.apk', '-d', other]);
  execFileSync('unzip', ['-q', path.join(other, 'splits/base-master.apk'), '-d', path.join(other, 'in')]);
  const jwt = readFileSync(path.join(other, 'in/META-INF/code_transparency_signed.jwt'));
  const changed = buildZip([
    { name: 'AndroidManifest.xml', data: buildManifest() },
    { name: 'META-INF/code_transparency_signed.jwt', data: jwt },
    { name: 'classes.dex', data: 'dex\n035\0other' },
  ]);
  writeFileSync(path.join(directory, 'changed.apk'), changed);
  const refused = await inspected(t, directory, 'changed.apk');
  t.is(refused.code, 3);
  t.deepEqual(refused.result.transparency?.issues, [
    { code: 'transparency-code-added', message: 'classes.dex' },
  ]);
});

function withTransparency(directory: string, bundle: string): string {
  const at = (name: string): string => path.join(directory, name);
  const request = [
    'req',
    '-x509',
    '-nodes',
    '-days',
    '9999',
    '-subj',
    '/CN=developer',
    '-newkey',
    'rsa:3072',
  ];
  execFileSync('openssl', [...request, '-keyout', at('t.key'), '-out', at('t.crt')], { stdio: 'pipe' });
  const store = ['pkcs12', '-export', '-in', at('t.crt'), '-inkey', at('t.key'), '-name', 'key'];
  execFileSync('openssl', [...store, '-passout', 'pass:secret', '-out', at('t.p12')], { stdio: 'pipe' });
  const jar = createRequire(import.meta.url).resolve('node-bundletool/bundletool.jar');
  const key = [`--ks=${at('t.p12')}`, '--ks-key-alias=key', '--ks-pass=pass:secret'];
  execFileSync(
    'java',
    ['-jar', jar, 'add-transparency', `--bundle=${bundle}`, `--output=${at('transparent.aab')}`, ...key],
    { stdio: 'pipe' },
  );
  return at('transparent.aab');
}

test('a real release: what aapt, apksigner and readelf say', async (t) => {
  if (!need(t, 'aapt', 'apksigner', 'readelf', 'unzip')) return;
  const apk = path.join(
    path.dirname(createRequire(import.meta.url).resolve('settings-apk/package.json')),
    'apks/settings_apk-debug.apk',
  );
  const directory = temporaryDirectory(t);
  const { code, file } = await inspected(t, directory, apk);
  t.is(code, 0);
  t.is(sumOf(file), file.size);
  const badging = execFileSync('aapt', ['dump', 'badging', apk], { encoding: 'utf8', maxBuffer: 64 << 20 });
  const says = (pattern: RegExp): string | undefined => pattern.exec(badging)?.[1];
  const { package: id, versionCode, versionName, minSdk, targetSdk } = file.identity;
  t.is(id, says(/package: name='([^']*)'/));
  t.is(versionCode, says(/versionCode='([^']*)'/));
  t.is(versionName, says(/versionName='([^']*)'/));
  t.is(minSdk, says(/sdkVersion:'([^']*)'/));
  t.is(targetSdk, says(/targetSdkVersion:'([^']*)'/));
  t.deepEqual(
    file.permissions.map(({ name }) => name),
    [...badging.matchAll(/^uses-permission: name='([^']*)'/gm)].map(([, name]) => name ?? ''),
  );
  t.deepEqual(
    file.signature?.notes.map((note) => note.code),
    ['debug-key'],
  );
  const certificates = execFileSync('apksigner', ['verify', '--print-certs', apk], { encoding: 'utf8' });
  t.deepEqual(
    [...new Set(file.signature?.signers.map(({ certificateSha256 }) => certificateSha256))],
    [
      ...new Set(
        [...certificates.matchAll(/certificate SHA-256 digest: ([0-9a-f]{64})/g)].map(([, one]) => one ?? ''),
      ),
    ],
  );
  for (const { name, buildId } of file.libraries) {
    const copy = path.join(directory, 'library.so');
    writeFileSync(copy, execFileSync('unzip', ['-p', apk, name], { maxBuffer: 256 << 20 }));
    const notes = execFileSync('readelf', ['-n', copy], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    t.is(buildId, /Build ID: ([0-9a-f]+)/.exec(notes)?.[1], name);
  }
});
