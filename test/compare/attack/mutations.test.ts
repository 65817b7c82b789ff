// SPDX-License-Identifier: Apache-2.0
/** Random mutations of real files: whatever is done to a published file, success means that it is the file that was built. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import type { VerdictKind } from '../../../src/model.js';
import { assembleReport } from '../../../src/report/assemble.js';
import { checkReport } from '../../../src/report/check.js';
import { aRun } from '../../helpers/a-run.js';
import { buildAr } from '../../helpers/build-ar.js';
import { buildTar } from '../../helpers/build-tar.js';
import { buildZip } from '../../helpers/build-zip.js';
import { compareBuffers } from '../../helpers/compare-buffers.js';
import { need } from '../../helpers/need.js';
import { newIdentity, signedApk } from '../../helpers/sign-apk.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

const SUCCESS: readonly VerdictKind[] = ['reproducible', 'equivalent'];
const SEED = 20261125;

interface Mutation {
  /** Shares of the file's length. */
  readonly at: number;
  readonly from: number;
  readonly how: 'flip' | 'set' | 'insert' | 'delete' | 'zero' | 'copy' | 'swap' | 'cut' | 'append';
  readonly length: number;
  readonly value: number;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  from: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  how: fc.constantFrom<Mutation['how']>(
    ...([
      'flip',
      'flip',
      'flip',
      'set',
      'insert',
      'delete',
      'zero',
      'copy',
      'swap',
      'cut',
      'append',
    ] as const),
  ),
  length: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 5000 })),
  value: fc.nat(255),
});

function mutated(file: Buffer, { at, from, how, length, value }: Mutation): Buffer {
  const place = Math.floor(at * file.length);
  const other = Math.floor(from * file.length);
  const end = Math.min(file.length, place + length);
  const copy = Buffer.from(file);
  const fill = Buffer.alloc(length, value);
  switch (how) {
    case 'flip':
      copy[place] = (copy[place] ?? 0) ^ (1 << (value & 7));
      return copy;
    case 'set':
      copy[place] = value;
      return copy;
    case 'zero':
      return copy.fill(0, place, end);
    case 'insert':
      return Buffer.concat([file.subarray(0, place), fill, file.subarray(place)]);
    case 'delete':
      return Buffer.concat([file.subarray(0, place), file.subarray(end)]);
    case 'copy':
      file.copy(copy, place, other, Math.min(file.length, other + length));
      return copy;
    case 'swap':
      file.copy(copy, place, other, other + Math.min(length, file.length - Math.max(place, other)));
      file.copy(copy, other, place, place + Math.min(length, file.length - Math.max(place, other)));
      return copy;
    case 'cut':
      return copy.subarray(0, place);
    case 'append':
      return Buffer.concat([file, fill]);
  }
}

const MUTATIONS = fc.array(mutation, { minLength: 1, maxLength: 3 });

const holds = test.macro(async (t, make: () => Buffer | undefined, numRuns: number, seconds: number) => {
  const file = make();
  if (file === undefined) return;
  const kinds = new Map<VerdictKind, number>();
  await fc.assert(
    fc.asyncProperty(MUTATIONS, async (steps) => {
      const tampered = steps.reduce(mutated, file);
      const { verdict, pair } = await compareBuffers(tampered, file);
      for (const { published, rebuilt } of pair.nodes)
        if (published.sums.identical !== rebuilt.sums.identical) return false;
      kinds.set(verdict.kind, (kinds.get(verdict.kind) ?? 0) + 1);
      if (SUCCESS.includes(verdict.kind)) return tampered.equals(file) && pair.worst === 'identical';
      return !tampered.equals(file);
    }),
    { seed: SEED, numRuns, interruptAfterTimeLimit: seconds * 1000, endOnFailure: true },
  );
  t.log(JSON.stringify(Object.fromEntries(kinds)));
  t.true((kinds.get('unreproducible') ?? 0) + (kinds.get('not-authentic') ?? 0) > 0);
});

const require = createRequire(import.meta.url);
const text = 'the quick brown fox jumps over the lazy dog, '.repeat(40);
const unsigned = buildZip([
  { name: 'AndroidManifest.xml', data: text },
  { name: 'classes.dex', data: text.toUpperCase() },
  { name: 'lib/arm64-v8a/libx.so', data: text, method: 0, align: 4096 },
  { name: 'assets/inner.zip', data: buildZip([{ name: 'a', data: text }]), method: 0 },
  { name: 'assets/a.txt', data: 'a', descriptor: 'signed' },
]);

test.serial(
  'a small signed APK, mutated',
  holds,
  () => signedApk(unsigned, { identity: newIdentity() }),
  4000,
  8,
);
test.serial(
  'the published APK of the demo, mutated',
  holds,
  () => readFileSync('demo/published/app.apk'),
  3000,
  8,
);
test.serial(
  'a real signed APK of 3 MB, mutated',
  holds,
  () =>
    readFileSync(
      path.join(path.dirname(require.resolve('settings-apk/package.json')), 'apks/settings_apk-debug.apk'),
    ),
  300,
  8,
);

test.serial('a real .deb, mutated', async (t) => {
  if (!need(t, 'dpkg-deb', 'xz')) return;
  const directory = temporaryDirectory(t);
  const root = path.join(directory, 'root');
  mkdirSync(path.join(root, 'DEBIAN'), { recursive: true });
  mkdirSync(path.join(root, 'usr/share/doc/chat'), { recursive: true });
  writeFileSync(
    path.join(root, 'DEBIAN/control'),
    'Package: chat\nVersion: 1.0\nArchitecture: all\nMaintainer: T <t@example.org>\nDescription: chat\n',
  );
  writeFileSync(path.join(root, 'usr/share/doc/chat/changelog.gz'), gzipSync(text));
  writeFileSync(path.join(root, 'usr/share/doc/chat/readme'), text);
  for (const at of ['', 'DEBIAN', 'usr', 'usr/share']) utimesSync(path.join(root, at), 1e9, 1e9);
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', root, path.join(directory, 'a.deb')], {
    stdio: 'pipe',
  });
  const file = readFileSync(path.join(directory, 'a.deb'));
  await fc.assert(
    fc.asyncProperty(MUTATIONS, async (steps) => {
      const tampered = steps.reduce(mutated, file);
      const { verdict } = await compareBuffers(tampered, file);
      return SUCCESS.includes(verdict.kind) === tampered.equals(file);
    }),
    { seed: SEED, numRuns: 2000, interruptAfterTimeLimit: 8_000, endOnFailure: true },
  );
  t.pass();
});

/** Members stored plainly, so that mutations reach every header and not only the outermost stream. */
test.serial(
  'a .deb without compression, mutated',
  holds,
  () =>
    buildAr([
      { name: 'debian-binary', data: '2.0\n' },
      { name: 'control.tar', data: buildTar([{ name: './control', data: 'Package: chat\n' }]) },
      {
        name: 'data.tar',
        data: buildTar([
          { name: './usr/', type: '5' },
          { name: './usr/readme', data: text },
          { name: './usr/link', type: '2', linkName: 'readme' },
        ]),
      },
    ]),
  4000,
  8,
);

const tar = buildTar([
  { name: 'a', data: text },
  { name: 'b.gz', data: gzipSync(text) },
]);
const FILES: Readonly<Record<string, Buffer>> = {
  'signed APK': signedApk(unsigned, { identity: newIdentity() }),
  ZIP: unsigned,
  ZIP64: buildZip([{ name: 'a', data: text }], { zip64: true }),
  tar,
  ar: buildAr([{ name: 'data.tar.gz', data: gzipSync(tar) }]),
  gzip: gzipSync(tar),
};

for (const [what, file] of Object.entries(FILES))
  test.serial(
    `two files that were both mutated: nothing breaks, and the report agrees with itself: ${what}`,
    async (t) => {
      await fc.assert(
        fc.asyncProperty(fc.array(mutation, { maxLength: 3 }), MUTATIONS, async (one, other) => {
          const [published, rebuilt] = [one.reduce(mutated, file), other.reduce(mutated, file)];
          const { pair } = await compareBuffers(published, rebuilt);
          const report = assembleReport({
            published: [pair.published],
            rebuilt: [pair.rebuilt],
            comparison: {
              pairs: [pair],
              unpairedPublished: [],
              notObtained: [],
              unpairedRebuilt: [],
              notPublished: [],
            },
            run: aRun(),
          });
          return checkReport(JSON.parse(JSON.stringify(report))).kind === 'consistent';
        }),
        { seed: SEED, numRuns: 400, interruptAfterTimeLimit: 4_000, endOnFailure: true },
      );
      t.pass();
    },
  );
