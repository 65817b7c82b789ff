// SPDX-License-Identifier: Apache-2.0
/** What files say about the environment that made them, and that hostile ones cost no more than a bound. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { BufferSource } from '../../src/bytes.js';
import {
  builtFromCommit,
  environmentEvidence,
  evidenceOf,
  gatherEvidence,
  type FileEvidence,
} from '../../src/compare/publisher-evidence.js';
import { buildAr } from '../helpers/build-ar.js';
import { buildAxml } from '../helpers/build-axml.js';
import { buildElf, elfNote } from '../helpers/build-elf.js';
import { buildTar } from '../helpers/build-tar.js';
import { buildZip, type ZipMember } from '../helpers/build-zip.js';
import { compareBuffers } from '../helpers/compare-buffers.js';
import { need } from '../helpers/need.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const COMMIT = '0123456789'.repeat(4);
const of = (bytes: Buffer, name = 'app.apk'): Promise<FileEvidence> =>
  evidenceOf(name, new BufferSource(bytes));
const lines = (evidence: FileEvidence, ours?: FileEvidence): string[] =>
  environmentEvidence([evidence], new Map(ours === undefined ? [] : [[evidence.file, ours]])).map(
    ({ from, fact }) => `${from}: ${fact}`,
  );

const library = (comment: string, notes: readonly Buffer[] = []): Buffer =>
  buildElf({
    sections: [
      { name: '.comment', type: 1, content: comment },
      ...notes.map((content, at) => ({ name: `.note.${at}`, type: 7, content })),
    ],
  });

function androidNote(): Buffer {
  const description = Buffer.alloc(132);
  description.writeUInt32LE(21, 0);
  description.write('r21e', 4);
  description.write('7075529', 68);
  return elfNote('Android', 1, description);
}

const vcs = (commit: string): ZipMember => ({
  name: 'META-INF/version-control-info.textproto',
  data: `repositories {\n  system: GIT\n  revision: "${commit}"\n}\n`,
});
const MARKER = '~~R8{"backend":"dex","compilation-mode":"release","min-api":21,"version":"8.1.56"}';
const dex = (marker: string): string => `dex\n035\0${'x'.repeat(5000)}\x53${marker}\0~~{"not":"a marker"}\0`;

const APK: readonly ZipMember[] = [
  {
    name: 'AndroidManifest.xml',
    data: buildAxml({
      roots: [
        {
          name: 'manifest',
          attributes: [
            { name: 'compileSdkVersion', id: 0x01010572, value: 34 },
            { name: 'package', value: 'a' },
          ],
        },
      ],
    }),
  },
  {
    name: 'lib/x86/libb.so',
    data: library('clang version 12\0GCC: (GNU) 4.9\0', [androidNote()]),
    method: 0,
  },
  { name: 'lib/arm/liba.so', data: library('clang version 12\0') },
  { name: 'lib/arm/libtext.so', data: 'no ELF at all' },
  { name: 'classes.dex', data: dex(MARKER) },
  { name: 'classes2.dex', data: dex(MARKER) },
  { name: 'assets/classes.dex', data: dex('~~R8{"version":"not looked at"}') },
  vcs(COMMIT),
  {
    name: 'META-INF/com/android/build/gradle/app-metadata.properties',
    data: 'appMetadataVersion=1.1\nandroidGradlePluginVersion=8.1.1\n',
  },
  {
    name: 'kotlin-tooling-metadata.json',
    data: '{"schemaVersion":"1.1.0","buildSystem":"Gradle","buildSystemVersion":"8.0.2","buildPluginVersion":"1.9.0"}',
  },
];

const SAID = [
  `version-control-info: commit ${COMMIT} (in META-INF/version-control-info.textproto)`,
  'gradle-metadata: Android Gradle Plugin 8.1.1 (in META-INF/com/android/build/gradle/app-metadata.properties)',
  'kotlin-tooling: Gradle 8.0.2 (in kotlin-tooling-metadata.json)',
  'kotlin-tooling: Kotlin plugin 1.9.0 (in kotlin-tooling-metadata.json)',
  'compile-sdk: compiled against SDK 34 (in AndroidManifest.xml)',
  `r8-marker: ${MARKER} (in classes.dex and 1 more)`,
  'android-ndk: API level 21, NDK r21e (7075529) (in lib/x86/libb.so)',
  'elf-comment: GCC: (GNU) 4.9 (in lib/x86/libb.so)',
  'elf-comment: clang version 12 (in lib/arm/liba.so and 1 more)',
];

test('what an APK says, in the order of the report whatever the order of its entries', async (t) => {
  const evidence = await of(buildZip(APK));
  t.deepEqual(lines(evidence), SAID);
  t.deepEqual(evidence.unread, []);
  t.is(builtFromCommit([evidence]), COMMIT);
  t.deepEqual(lines(await of(buildZip(APK.toReversed()))), SAID);
});

test('beside each published fact stands what ours has', async (t) => {
  const published = await of(buildZip([{ name: 'a.so', data: library('GCC: 12.2.0-14\0ld 2.40\0') }]));
  const rebuilt = await of(buildZip([{ name: 'a.so', data: library('GCC: 12.2.0-14+deb12u1\0ld 2.40\0') }]));
  t.deepEqual(lines(published, rebuilt), [
    'elf-comment: GCC: 12.2.0-14 (in a.so); ours has GCC: 12.2.0-14+deb12u1',
    'elf-comment: ld 2.40 (in a.so); ours has the same',
  ]);
  t.deepEqual(lines(published, await of(buildZip([]))), [
    'elf-comment: GCC: 12.2.0-14 (in a.so); ours has none',
    'elf-comment: ld 2.40 (in a.so); ours has none',
  ]);
});

const goInfo = Buffer.alloc(64);
goInfo.write('\xff Go buildinf:', 'latin1');
goInfo.writeUInt16LE(0x0208, 14);
goInfo.write('\x08go1.19.8', 32, 'latin1');

const CONTROL =
  'Package: chat\nVersion: 1\nArchitecture: amd64\nDepends: libc6 (>= 2.34), plain, a (>= 1) | b (<< 9),\n libz (= 3)\nPre-Depends: dpkg (>= 1.17)\nBuilt-Using: gcc-12 (= 12.2.0-14)\n';
function deb(control = CONTROL): Buffer {
  const program = buildElf({
    sections: [
      { name: '.comment', type: 1, content: 'GCC: (Debian 12.2.0-14) 12.2.0\0' },
      { name: '.note.go.buildid', type: 7, content: elfNote('Go', 4, Buffer.from('abc/def')) },
      { name: '.note.gnu.gold-version', type: 7, content: elfNote('GNU', 4, Buffer.from('gold 1.16\0')) },
      {
        name: '.note.package',
        type: 7,
        content: elfNote('FDO', 0xcafe1a7e, Buffer.from('{"type":"deb"}\0')),
      },
      { name: '.gnu.build.attributes', type: 7, content: elfNote('GA$\x05gcc 8.3', 0x100, Buffer.alloc(0)) },
      { name: '.go.buildinfo', type: 1, content: goInfo },
    ],
  });
  const object = library('GCC: (Debian 12.2.0-14) 12.2.0\0');
  return buildAr([
    { name: 'debian-binary', data: '2.0\n' },
    { name: 'control.tar.gz', data: gzipSync(buildTar([{ name: './control', data: control }])) },
    {
      name: 'data.tar.gz',
      data: gzipSync(
        buildTar([
          { name: './usr/bin/chat', data: program },
          { name: './usr/bin/chat-link', type: '2', linkName: 'chat' },
          { name: './usr/lib/libchat.a', data: buildAr([{ name: 'a.o/', data: object }]) },
          { name: './usr/share/doc', data: 'text' },
        ]),
      ),
    },
  ]);
}

test('what a Debian package says', async (t) => {
  const evidence = await of(deb(), 'chat.deb');
  t.deepEqual(lines(evidence), [
    'elf-comment: GCC: (Debian 12.2.0-14) 12.2.0 (in usr/bin/chat and 1 more)',
    'elf-note: linker gold 1.16 (in usr/bin/chat)',
    'elf-note: package {"type":"deb"} (in usr/bin/chat)',
    'elf-note: tool gcc 8.3 (in usr/bin/chat)',
    'go-version: go1.19.8 (in usr/bin/chat)',
    'go-build-id: abc/def (in usr/bin/chat)',
    'depends: a (>= 1), dpkg (>= 1.17), libc6 (>= 2.34), libz (= 3)',
    'built-using: gcc-12 (= 12.2.0-14)',
  ]);
  t.deepEqual(evidence.unread, []);
  const ours = await of(deb(CONTROL.replace('2.34', '2.36')), 'chat.deb');
  t.true(
    lines(evidence, ours).includes(
      'depends: a (>= 1), dpkg (>= 1.17), libc6 (>= 2.34), libz (= 3); ours has libc6 (>= 2.36) instead of libc6 (>= 2.34)',
    ),
  );
});

test('hostile names and texts are printable, cut and counted', async (t) => {
  const name = 'lib/<img src=x>\u202e\n.so';
  const comments = Array.from({ length: 500 }, (_, at) => `\x1b[31mcompiler ${String(at).padStart(4, '0')}`);
  const evidence = await of(
    buildZip([
      { name, data: library(`${comments.join('\0')}\0`) },
      { name: 'z.so', data: library(`${'A'.repeat(100_000)}\0`) },
    ]),
  );
  const said = lines(evidence);
  t.is(said.length, 17);
  t.true(
    said.every(
      (line) => line.length < 5000 && !Array.from(line).some((one) => one < ' ' || one === '\u202e'),
    ),
  );
  t.is(said[0], 'elf-comment: \\x1b[31mcompiler 0000 (in lib/<img src=x>\\u{202e}\\x0a.so)');
  t.is(said.at(-1), 'elf-comment: 485 times another value, not listed');
});

test('what is not read is on record, and the rest is told', async (t) => {
  const evidence = await of(
    buildZip([
      { name: 'lib/a.so', data: library('clang 1\0'), flags: 1 },
      { name: 'lib/b.so', data: library('clang 2\0'), crc32: 1 },
      { name: 'lib/c.so', data: library('clang 3\0'), size: 0x7fffffff },
      { name: 'lib/d.so', data: library('clang 4\0').subarray(0, 80) },
      { name: 'kotlin-tooling-metadata.json', data: '{' },
      { name: 'lib/e.so', data: library('clang 5\0') },
    ]),
  );
  t.deepEqual(lines(evidence), ['elf-comment: clang 5 (in lib/e.so)']);
  t.deepEqual(
    evidence.unread.map(({ member, code }) => [member, code]),
    [
      ['lib/a.so', 'encrypted'],
      ['lib/b.so', 'crc32'],
      ['lib/c.so', 'limits'],
      ['lib/d.so', 'elf/truncated'],
      ['kotlin-tooling-metadata.json', 'json/syntax'],
    ],
  );
  for (const bytes of [Buffer.alloc(0), Buffer.from('PK\x03\x04'.padEnd(100)), deb().subarray(0, 200)])
    t.deepEqual(lines(await of(bytes)), []);
});

test('a DEX full of beginnings of markers is read once', async (t) => {
  const started = performance.now();
  const evidence = await of(buildZip([{ name: 'classes.dex', data: '~~R8{'.repeat(2_000_000) }]));
  t.deepEqual(evidence.facts, []);
  t.true(performance.now() - started < 20_000);
});

test('a marker is found across pieces of what is too large to hold, and nothing stays behind', async (t) => {
  const temporary = temporaryDirectory(t);
  const data = Buffer.alloc(20 << 20, 'x');
  // across the first 4 MiB, and near the end
  data.write(`${MARKER}\0`, (4 << 20) - 10, 'latin1');
  data.write(`${MARKER.replace('R8', 'L8')}\0`, data.length - 200, 'latin1');
  for (const method of [0, 8]) {
    const apk = buildZip([{ name: 'classes.dex', data, method, level: 1 }]);
    const evidence = await evidenceOf('app.apk', new BufferSource(apk), { temporaryDirectory: temporary });
    t.deepEqual(
      evidence.facts.map(({ value }) => value),
      [MARKER.replace('R8', 'L8'), MARKER],
    );
  }
  t.deepEqual(readdirSync(temporary), []);
});

test('one commit, none, or several', async (t) => {
  const one = await of(buildZip([vcs(COMMIT)]));
  const other = await of(buildZip([vcs('f'.repeat(40))]));
  t.is(builtFromCommit([one, one, await of(buildZip([]))]), COMMIT);
  t.is(builtFromCommit([one, other]), undefined);
  t.is(builtFromCommit([]), undefined);
  t.is(builtFromCommit([await of(buildZip([vcs(COMMIT), vcs('f'.repeat(40))]))]), undefined);
});

test('two commits in a comparison are the cause of that difference', async (t) => {
  const { pair, verdict } = await compareBuffers(buildZip([vcs(COMMIT)]), buildZip([vcs('f'.repeat(40))]));
  t.is(verdict.kind, 'unreproducible');
  t.like(
    pair.differences.find((found) => found.kind === 'text'),
    {
      path: ['META-INF/version-control-info.textproto'],
      cause: {
        kind: 'built-from-other-commit',
        evidence: `published from commit ${COMMIT}, rebuilt from ${'f'.repeat(40)}`,
      },
    },
  );
  const text = await compareBuffers(buildZip([vcs(COMMIT)]), buildZip([{ ...vcs(COMMIT), data: 'other' }]));
  t.is(text.pair.differences.find((found) => found.kind === 'text')?.cause, undefined);
});

test('random damage never throws', async (t) => {
  const samples = [buildZip(APK.map((member) => ({ ...member, method: 0 }))), buildZip(APK), deb()];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...samples),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 }),
      async (sample, changes) => {
        const bytes = Buffer.from(sample);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        const evidence = await of(bytes);
        return environmentEvidence([evidence], new Map([[evidence.file, evidence]])).length <= 100;
      },
    ),
    { numRuns: 500 },
  );
  t.pass();
});

// ---------------------------------------------------------------- foreign tools

const require = createRequire(import.meta.url);
const directoryOf = (name: string): string => path.dirname(require.resolve(`${name}/package.json`));

test('a real APK: commit, plugin and markers as unzip and grep find them', async (t) => {
  if (!need(t, 'unzip', 'sh', 'grep')) return;
  const { version } = require('appium-uiautomator2-server/package.json') as { version: string };
  const file = path.join(
    directoryOf('appium-uiautomator2-server'),
    `apks/appium-uiautomator2-server-v${version}.apk`,
  );
  const started = performance.now();
  const evidence = await gatherEvidence({ name: 'server.apk', path: file });
  t.log(`${Math.round(performance.now() - started)} ms`);
  const shell = (script: string): string =>
    execFileSync('sh', ['-c', script, 'sh', file], { encoding: 'utf8', maxBuffer: 1 << 26 }).trim();
  const markers = shell(`unzip -p "$1" 'classes*.dex' | grep -a -o '~~[RDL]8{[^}]*}' | sort -u`).split('\n');
  t.deepEqual(
    evidence.facts.filter(({ from }) => from === 'r8-marker').map(({ value }) => value),
    markers,
  );
  const info = shell('unzip -p "$1" META-INF/version-control-info.textproto');
  t.is(builtFromCommit([evidence]), /revision: "([0-9a-f]{40})"/.exec(info)?.[1]);
  const plugin = shell('unzip -p "$1" META-INF/com/android/build/gradle/app-metadata.properties');
  t.is(
    evidence.facts.find(({ from }) => from === 'gradle-metadata')?.value,
    `Android Gradle Plugin ${/androidGradlePluginVersion=(.*)/.exec(plugin)?.[1] ?? ''}`,
  );
});

test('a package that real tools make: readelf and dpkg-deb say the same', async (t) => {
  if (!need(t, 'cc', 'ar', 'readelf', 'dpkg-deb', 'xz')) return;
  const directory = temporaryDirectory(t);
  const tree = path.join(directory, 'tree');
  mkdirSync(path.join(tree, 'DEBIAN'), { recursive: true });
  mkdirSync(path.join(tree, 'usr/bin'), { recursive: true });
  writeFileSync(
    path.join(tree, 'DEBIAN/control'),
    `${CONTROL}Maintainer: a <a@example.org>\nDescription: a\n`,
  );
  const source = path.join(directory, 'a.c');
  writeFileSync(source, 'int main(void) { return 0; }\n');
  const program = path.join(tree, 'usr/bin/a');
  execFileSync('cc', ['-o', program, source]);
  execFileSync('cc', ['-c', '-o', path.join(directory, 'a.o'), source]);
  execFileSync('ar', ['rc', path.join(tree, 'usr/bin/liba.a'), path.join(directory, 'a.o')]);
  const file = path.join(directory, 'a.deb');
  execFileSync('dpkg-deb', ['--build', '-Zxz', tree, file], { stdio: 'pipe' });
  const evidence = await gatherEvidence({ name: 'a.deb', path: file });
  const comments = execFileSync('readelf', ['-p', '.comment', program], { encoding: 'utf8' })
    .split('\n')
    .flatMap((line) => /^ +\[ *[0-9a-f]+\]  (.*)$/.exec(line)?.[1] ?? []);
  t.true(comments.length > 0);
  t.deepEqual(
    evidence.facts.filter(({ from }) => from === 'elf-comment').map(({ value, members }) => [value, members]),
    [...new Set(comments)].sort().map((value) => [value, 2]),
  );
  const depends = execFileSync('dpkg-deb', ['--field', file, 'Depends'], { encoding: 'utf8' });
  for (const { from, value } of evidence.facts)
    if (from === 'depends') t.true(depends.includes(value) || value.startsWith('dpkg'), value);
});
