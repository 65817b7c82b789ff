// SPDX-License-Identifier: Apache-2.0
/** Binary manifests: what tools write, what nobody should, and what real APKs hold. */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { BufferSource } from '../../src/bytes.js';
import { FormatError } from '../../src/errors.js';
import { readAndroidManifest, type AndroidManifest } from '../../src/formats/android-manifest.js';
import {
  ATTRIBUTE,
  axmlChunk,
  axmlPool,
  buildAxml,
  buildManifest,
  type AxmlAttributeSpec,
  type AxmlElementSpec,
} from '../helpers/build-axml.js';
import { need } from '../helpers/need.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const read = (bytes: Buffer): AndroidManifest => readAndroidManifest(new BufferSource(bytes));
const integer = (value: number) => ({ kind: 'integer', value }) as const;
const text = (value: string) => ({ kind: 'string', value }) as const;

const PACKAGE: AxmlAttributeSpec = { name: 'package', value: 'org.example.chat' };
const manifest = (attributes: readonly AxmlAttributeSpec[], children: readonly AxmlElementSpec[] = []) =>
  ({ name: 'manifest', attributes, children }) as const;

for (const utf8 of [false, true])
  test(`package, versions and SDK of a ${utf8 ? 'UTF-8' : 'UTF-16'} manifest`, (t) => {
    t.deepEqual(read(buildManifest({ utf8, versionName: `1.2-ünï😀${'x'.repeat(200)}` })), {
      package: 'org.example.chat',
      versionCode: integer(7),
      versionName: text(`1.2-ünï😀${'x'.repeat(200)}`),
      minSdk: integer(24),
    });
  });

test('attributes are known by resource id, whatever they are called', (t) => {
  const found = read(
    buildAxml({
      roots: [
        manifest([
          { name: 'hidden', id: ATTRIBUTE.versionCode, value: 5 },
          { name: 'versionName', value: 'by name only' },
          PACKAGE,
          { name: 'package', namespace: 'http://schemas.android.com/tools', value: 'org.other' },
        ]),
      ],
    }),
  );
  t.deepEqual(found, { package: 'org.example.chat', versionCode: integer(5) });
});

test('references, negative codes, code names and the major version code', (t) => {
  const found = read(
    buildAxml({
      roots: [
        manifest(
          [
            { name: 'versionCode', id: ATTRIBUTE.versionCode, value: 0xffffffff },
            { name: 'versionName', id: ATTRIBUTE.versionName, value: { reference: 0x7f0a0001 } },
            { name: 'versionCodeMajor', id: ATTRIBUTE.versionCodeMajor, value: { type: 0x11, data: 2 } },
            PACKAGE,
          ],
          [
            {
              name: 'uses-sdk',
              attributes: [{ name: 'minSdkVersion', id: ATTRIBUTE.minSdk, value: 'Baklava' }],
            },
          ],
        ),
      ],
    }),
  );
  t.deepEqual(found, {
    package: 'org.example.chat',
    versionCode: integer(-1),
    versionName: { kind: 'reference', id: 0x7f0a0001 },
    versionCodeMajor: integer(2),
    minSdk: text('Baklava'),
  });
});

test('uses-sdk counts only right below the root; chunks of unknown types are skipped', (t) => {
  const sdk = {
    name: 'uses-sdk',
    attributes: [{ name: 'minSdkVersion', id: ATTRIBUTE.minSdk, value: 30 }],
  };
  const found = read(
    buildAxml({
      roots: [manifest([PACKAGE], [{ name: 'application', children: [sdk] }])],
      before: [axmlChunk(0x7777, Buffer.alloc(4))],
    }),
  );
  t.deepEqual(found, { package: 'org.example.chat' });
});

const set = (bytes: Buffer, at: number, value: number, size: 2 | 4 = 4): Buffer => {
  const copy = Buffer.from(bytes);
  copy.writeUIntLE(value, at, size);
  return copy;
};
const good = buildManifest();
// document 8, pool header 28: count 16, styles 20, flags 24, start 28, styles start 32; first string offset 36
const POOL = 8;
const poolSize = good.readUInt32LE(POOL + 4);
const stringsAt = POOL + good.readUInt32LE(POOL + 20);
const MAP = POOL + poolSize;
const ROOT = MAP + good.readUInt32LE(MAP + 4);
const utf8 = buildManifest({ utf8: true });
const utf8Strings = POOL + utf8.readUInt32LE(POOL + 20);

const MALFORMED: readonly (readonly [code: string, what: string, bytes: Buffer])[] = [
  ['truncated', 'four bytes', good.subarray(0, 4)],
  ['truncated', 'nothing', Buffer.alloc(0)],
  ['too-large', 'more than the limit', Buffer.alloc((8 << 20) + 4)],
  [
    'magic',
    'text',
    Buffer.from('<manifest package="a"/>!'.padEnd(24)).fill(0, 2, 8).fill(8, 2, 3).fill(24, 4, 5),
  ],
  ['chunk-size', 'a document longer than the file', set(good, 4, good.length + 4)],
  ['chunk-size', 'a chunk of no size', set(good, MAP + 4, 0)],
  ['chunk-size', 'a chunk of odd size', set(good, MAP + 4, 13)],
  ['chunk-size', 'a header longer than its chunk', set(good, MAP + 2, 0x4000, 2)],
  ['second-string-pool', 'two pools', buildManifest({ before: [axmlPool(['package'])] })],
  ['second-resource-map', 'two maps', buildManifest({ before: [axmlChunk(0x180, Buffer.alloc(0))] })],
  ['late-chunk', 'a pool behind the nodes', buildManifest({ after: [axmlPool(['package'])] })],
  ['no-string-pool', 'no pool', buildManifest({ withoutPool: true })],
  ['pool-header', 'a short header', set(good, POOL + 2, 12, 2)],
  ['pool-header', 'more strings than bytes', set(good, POOL + 8, 0x40000000)],
  ['pool-header', 'strings inside of their own table', set(good, POOL + 20, 28)],
  ['pool-header', 'strings behind the pool', set(good, POOL + 20, poolSize)],
  ['string-index', 'a name that is not there', set(good, ROOT + 20, 0xffff)],
  [
    'string-range',
    'a string behind the pool',
    set(good, POOL + 28 + 4 * good.readUInt32LE(ROOT + 20), 0x1000),
  ],
  ['string-range', 'an odd offset in UTF-16', set(good, POOL + 28 + 4 * good.readUInt32LE(ROOT + 20), 1)],
  ['string-range', 'a string longer than the pool', mutateName(good, (at) => [at, 0x7fff])],
  ['string-unterminated', 'no zero', mutateName(good, (at) => [at, 3])],
  ['string-length', 'two lengths that differ', mutateName(utf8, (at) => [at, 0x0809])],
  ['string-encoding', 'bytes that are no UTF-8', mutateName(utf8, (at) => [at + 2, 0xffff])],
  ['strings-too-long', 'many entries for one long string', overlapping()],
  ['node-size', 'a node without line number', set(good, ROOT + 2, 8, 2)],
  [
    'node-size',
    'an element without attribute fields',
    buildManifest({ after: [axmlChunk(0x102, Buffer.alloc(8))] }),
  ],
  ['attribute-layout', 'attributes that overlap', set(good, ROOT + 16 + 10, 0, 2)],
  ['attribute-layout', 'more attributes than bytes', set(good, ROOT + 16 + 12, 0xffff, 2)],
  [
    'too-many-attributes',
    'more than the limit',
    buildAxml({ roots: [manifest(Array.from({ length: 300 }, (_, at) => ({ name: `a${at}`, value: at })))] }),
  ],
  [
    'attribute-order',
    'ids that descend',
    buildAxml({
      roots: [
        manifest([
          { name: 'versionName', id: ATTRIBUTE.versionName, value: '1' },
          { name: 'versionCode', id: ATTRIBUTE.versionCode, value: 1 },
          PACKAGE,
        ]),
      ],
    }),
  ],
  [
    'duplicate-attribute',
    'two version codes',
    buildAxml({
      roots: [
        manifest([
          { name: 'versionCode', id: ATTRIBUTE.versionCode, value: 1 },
          { name: 'versionCode', id: ATTRIBUTE.versionCode, value: 2 },
          PACKAGE,
        ]),
      ],
    }),
  ],
  ['duplicate-attribute', 'two packages', buildAxml({ roots: [manifest([PACKAGE, PACKAGE])] })],
  ['values-differ', 'text and value', buildAxml({ roots: [manifest([{ ...PACKAGE, raw: 'org.other' }])] })],
  ['unbalanced', 'an open root', buildAxml({ roots: [{ ...manifest([PACKAGE]), open: true }] })],
  [
    'unbalanced',
    'an end too many',
    buildManifest({ after: [axmlChunk(0x103, Buffer.alloc(8), Buffer.alloc(8))] }),
  ],
  ['second-root', 'two manifests', buildAxml({ roots: [manifest([PACKAGE]), manifest([PACKAGE])] })],
  ['no-manifest', 'another root', buildAxml({ roots: [{ name: 'resources', attributes: [PACKAGE] }] })],
  ['no-manifest', 'no element', buildAxml({ roots: [] })],
  [
    'second-uses-sdk',
    'two uses-sdk',
    buildAxml({ roots: [manifest([PACKAGE], [{ name: 'uses-sdk' }, { name: 'uses-sdk' }])] }),
  ],
  ['no-package', 'no package', buildAxml({ roots: [manifest([])] })],
  ['package-type', 'a number', buildAxml({ roots: [manifest([{ name: 'package', value: 5 }])] })],
];

/** Overwrites two bytes at a place that is derived from where the string `manifest` begins. */
function mutateName(bytes: Buffer, change: (at: number) => readonly [number, number]): Buffer {
  const start = bytes === good ? stringsAt : utf8Strings;
  const root = POOL + bytes.readUInt32LE(POOL + 4);
  const node = root + bytes.readUInt32LE(root + 4);
  const entry = bytes.readUInt32LE(node + 20);
  const [at, value] = change(start + bytes.readUInt32LE(POOL + 28 + 4 * entry));
  return set(bytes, at, value, 2);
}

/** Thousands of elements right below the root, each with a name of its own in the pool, all the same 32,000 characters. */
function overlapping(): Buffer {
  const children = Array.from({ length: 600 }, (_, at) => ({
    name: at === 0 ? 'x'.repeat(32_000) : `n${at}`,
  }));
  const bytes = buildAxml({ roots: [manifest([PACKAGE], children)] });
  const count = bytes.readUInt32LE(POOL + 8);
  const start = POOL + bytes.readUInt32LE(POOL + 20);
  const entries = Array.from({ length: count }, (_, at) => bytes.readUInt32LE(POOL + 28 + 4 * at));
  const long = entries.find((at) => bytes.readUInt16LE(start + at) === 32_000) ?? 0;
  const first = entries.indexOf(long);
  for (let at = first; at < count; at++) bytes.writeUInt32LE(long, POOL + 28 + 4 * at);
  return bytes;
}

for (const [code, what, bytes] of MALFORMED)
  test(`malformed: ${code}: ${what}`, (t) => {
    const error = t.throws(() => read(bytes), { instanceOf: FormatError });
    t.is(error?.code, `axml/${code}`);
    t.true((error?.offset ?? -1) >= 0 && (error?.offset ?? 0) <= bytes.length);
  });

test('random damage is a FormatError or a value, inside of the file and at once', (t) => {
  const samples = [good, utf8, manifestOf(APKS[0] ?? '')];
  fc.assert(
    fc.property(
      fc.constantFrom(...samples),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 }),
      fc.option(fc.nat(), { nil: undefined }),
      (sample, changes, cut) => {
        const bytes = Buffer.from(cut === undefined ? sample : sample.subarray(0, cut % sample.length));
        // headers are few and contents many: half of the damage goes to the first bytes
        for (const [at, value] of changes)
          if (bytes.length > 0)
            bytes[at % (value % 2 === 0 ? bytes.length : Math.min(bytes.length, 800))] = value;
        try {
          return typeof read(bytes).package === 'string';
        } catch (error) {
          if (!(error instanceof FormatError)) throw error;
          return error.offset >= 0 && error.offset <= bytes.length;
        }
      },
    ),
    { numRuns: 5000 },
  );
  t.pass();
});

// ---------------------------------------------------------------- foreign tools

const require = createRequire(import.meta.url);
const root = (name: string): string => path.dirname(require.resolve(`${name}/package.json`));
const APKS = [
  path.join(root('settings-apk'), 'apks/settings_apk-debug.apk'),
  path.join(root('settings-apk-previous'), 'apks/settings_apk-debug.apk'),
  path.join(root('appium-uiautomator2-server'), 'apks/appium-uiautomator2-server-debug-androidTest.apk'),
  path.join(
    root('appium-uiautomator2-server'),
    `apks/appium-uiautomator2-server-v${(require('appium-uiautomator2-server/package.json') as { version: string }).version}.apk`,
  ),
  'demo/published/app.apk',
];

function manifestOf(apk: string): Buffer {
  return execFileSync('unzip', ['-p', apk, 'AndroidManifest.xml'], { maxBuffer: 32 << 20 });
}

/** What `dump badging` says, in our words. */
function badging(tool: string, apk: string): Record<string, string | undefined> {
  const output = execFileSync(tool, ['dump', 'badging', apk], {
    encoding: 'utf8',
    maxBuffer: 32 << 20,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const one = (pattern: RegExp): string | undefined => pattern.exec(output)?.[1] || undefined;
  return {
    package: one(/^package: name='([^']*)'/),
    versionCode: one(/ versionCode='([^']*)'/),
    versionName: one(/ versionName='([^']*)'/),
    minSdk: one(/^sdkVersion:'([^']*)'/m),
    targetSdk: one(/^targetSdkVersion:'([^']*)'/m),
  };
}

function ours(apk: string): Record<string, string | undefined> {
  const found = read(manifestOf(apk));
  const shown = (value: AndroidManifest['versionCode']): string | undefined =>
    value?.kind === 'integer' || value?.kind === 'string' ? String(value.value) : undefined;
  return {
    package: found.package,
    versionCode: shown(found.versionCode),
    versionName: shown(found.versionName),
    minSdk: shown(found.minSdk),
    targetSdk: shown(found.targetSdk),
  };
}

for (const tool of ['aapt', 'aapt2'])
  test(`${tool} says the same of real APKs`, (t) => {
    if (!need(t, tool, 'unzip')) return;
    for (const apk of APKS) t.deepEqual(ours(apk), badging(tool, apk), apk);
  });

const FRAMEWORK = '/usr/share/android-framework-res/framework-res.apk';

test('manifests that aapt2 makes read as they were written', (t) => {
  if (!need(t, 'aapt2', 'unzip', ...(existsSync(FRAMEWORK) ? [] : ['framework-res.apk']))) return;
  const directory = temporaryDirectory(t);
  const source = path.join(directory, 'AndroidManifest.xml');
  const apk = path.join(directory, 'out.apk');
  for (const [name, code, sdk] of [
    ['1.0', '1', '21'],
    ['7.1.2-ünï "q"', '2147483647', '34'],
    ['5', '0x10', '24'],
  ] as const) {
    writeFileSync(
      source,
      `<?xml version="1.0" encoding="utf-8"?>
<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="org.example.chat"
  android:versionCode="${code}" android:versionName="${name.replaceAll('"', '&quot;')}" android:versionCodeMajor="3">
<uses-sdk android:minSdkVersion="${sdk}" android:targetSdkVersion="34"/><application/></manifest>`,
    );
    execFileSync('aapt2', ['link', '-I', FRAMEWORK, '--manifest', source, '-o', apk], { stdio: 'pipe' });
    t.deepEqual(ours(apk), badging('aapt2', apk));
    t.like(read(manifestOf(apk)), {
      package: 'org.example.chat',
      versionCode: integer(Number(code)),
      versionName: text(name),
      versionCodeMajor: integer(3),
      minSdk: integer(Number(sdk)),
    });
  }
});
