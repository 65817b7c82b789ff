// SPDX-License-Identifier: Apache-2.0
/** Google Play's edits on splits that the real bundletool makes: all of them covered, byte by byte counted, and nothing else. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { expandRules } from '../../../src/compare/compare-set.js';
import type { RuleName } from '../../../src/model.js';
import {
  addUnknownChunk,
  addUnusedString,
  changeConfiguration,
  changeValue,
  reversePools,
  shortenHeaders,
  stateTypesCounts,
} from '../../helpers/arsc-edits.js';
import { buildApks, buildBundle, membersOf, needBundletool } from '../../helpers/bundletool.js';
import { compareBuffers } from '../../helpers/compare-buffers.js';
import {
  addMetaData,
  DELIVERED_MODE,
  playMetaData,
  renameStrings,
  repack,
  type MetaData,
} from '../../helpers/play-edits.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

const PLAY = expandRules(['play']);
const STAMP = createHash('sha256').update('a stamp certificate').digest();
const NEW_CODES = new Map([
  ['iw', 'he'],
  ['in', 'id'],
  ['config.iw', 'config.he'],
  ['config.in', 'config.id'],
]);

let made: Promise<ReadonlyMap<string, Buffer>> | undefined;

/** Splits of one bundle by file name, once for all tests. */
function splits(t: ExecutionContext): Promise<ReadonlyMap<string, Buffer>> {
  made ??= (async () => {
    const members = await membersOf(buildApks(buildBundle(temporaryDirectory(t))));
    return new Map([...members].filter(([name]) => name.endsWith('.apk')));
  })();
  return made;
}

async function split(t: ExecutionContext, name: string): Promise<Buffer> {
  const found = (await splits(t)).get(`splits/${name}.apk`);
  if (found === undefined) throw new Error(`no ${name} among ${[...(await splits(t)).keys()].join(', ')}`);
  return found;
}

function edited(apk: Buffer, edits: Readonly<Record<string, (content: Buffer) => Buffer>>): Buffer {
  return repack(apk, { edit: (name, content) => edits[name]?.(content) ?? content });
}

const manifest = (apk: Buffer, added: readonly MetaData[]): Buffer =>
  edited(apk, { 'AndroidManifest.xml': (content) => addMetaData(content, added) });

const kindWith = async (p: Buffer, r: Buffer, ...rules: readonly RuleName[]): Promise<string> =>
  (await compareBuffers(p, r, { rules })).verdict.kind;

function dump(t: ExecutionContext, apk: Buffer, ...args: readonly string[]): string {
  const file = path.join(temporaryDirectory(t), 'dumped.apk');
  writeFileSync(file, apk);
  return execFileSync('aapt2', ['dump', ...args, file], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

test('the whole set, edited as Google Play does', async (t) => {
  if (!needBundletool(t)) return;
  let derived = 0;
  const used = new Set<string>();
  for (const [name, rebuilt] of await splits(t)) {
    derived++;
    const isMaster = name.includes('master');
    const published = repack(rebuilt, {
      edit: (entry, content) => {
        if (entry === 'AndroidManifest.xml')
          return addMetaData(
            content,
            playMetaData(derived, isMaster ? 'STAMP_TYPE_DISTRIBUTION_APK' : undefined, 1),
          );
        if (entry === 'resources.arsc')
          return isMaster
            ? stateTypesCounts(shortenHeaders(reversePools(content)))
            : stateTypesCounts(content);
        return content;
      },
      externalAttributes: () => DELIVERED_MODE,
      stamp: STAMP,
    });
    const without = await compareBuffers(published, rebuilt);
    t.is(without.verdict.kind, 'unreproducible', name);
    const { verdict, pair } = await compareBuffers(published, rebuilt, { rules: PLAY });
    t.is(verdict.kind, 'equivalent', name);
    if (verdict.kind !== 'equivalent') continue;
    for (const rule of verdict.rules) used.add(rule);
    const bytes = pair.rules.filter(({ needed }) => needed);
    t.true(bytes.every(({ publishedBytes }) => publishedBytes > 0));
    t.deepEqual(
      bytes.map(({ rule }) => rule),
      [...verdict.rules].sort(),
    );
    // aapt2 reads what the editor wrote
    t.regex(dump(t, published, 'xmltree', '--file', 'AndroidManifest.xml'), /derived\.apk\.id/);
    if (isMaster)
      t.is(
        dump(t, published, 'resources').replace(/^Binary.*$/m, ''),
        dump(t, rebuilt, 'resources').replace(/^Binary.*$/m, ''),
      );
  }
  t.deepEqual([...used].sort(), [
    'play-arsc-relayout',
    'play-entry-times',
    'play-manifest-metadata',
    'play-stamp-cert',
    'play-types-count',
  ]);
});

const DERIVED = 'com.android.vending.derived.apk.id';
const SOURCE: MetaData = {
  name: 'com.android.stamp.source',
  value: 'https://play.google.com/store',
  behind: 1,
};
const TYPE: MetaData = { name: 'com.android.stamp.type', value: 'STAMP_TYPE_DISTRIBUTION_APK', behind: 1 };
const id = (value: MetaData['value'], more: Partial<MetaData> = {}): MetaData => ({
  name: DERIVED,
  value,
  ...more,
});

const ALLOWED: readonly (readonly [string, readonly MetaData[]])[] = [
  ['all three', [SOURCE, TYPE, id(3)]],
  ['a standalone APK', [SOURCE, { ...TYPE, value: 'STAMP_TYPE_STANDALONE_APK' }, id(3)]],
  ['the number alone', [id(1)]],
  ['the stamp alone', [SOURCE, TYPE]],
  ['the largest number', [id(0xffff)]],
];
for (const [what, added] of ALLOWED)
  test(`meta-data: ${what}`, async (t) => {
    if (!needBundletool(t)) return;
    const rebuilt = await split(t, 'base-master');
    const published = manifest(rebuilt, added);
    t.is(await kindWith(published, rebuilt, 'play-manifest-metadata'), 'equivalent');
    // the same way round
    t.is(await kindWith(rebuilt, published, 'play-manifest-metadata'), 'equivalent');
    t.is(await kindWith(published, rebuilt, 'play-stamp-cert'), 'unreproducible');
  });

const REFUSED: readonly (readonly [string, readonly MetaData[]])[] = [
  ['a number beyond the largest', [id(0x10000)]],
  ['zero', [id(0)]],
  ['a negative number', [id(0xffffffff)]],
  ['text where a number belongs', [id('3')]],
  ['a number with its text beside it', [id(3, { raw: '3' })]],
  ['a boolean', [id(1, { type: 0x12 })]],
  ['a reference in place of a number', [id(0x7f010000, { type: 1 })]],
  ['a resource in place of a value', [id(0x7f010000, { type: 1, resource: true })]],
  ['a number on a line of a source file', [id(3, { line: 7 })]],
  ['a number that is not the last child', [id(3, { behind: 1 })]],
  ['the number twice', [id(3), id(3)]],
  [
    'a longer name',
    [{ name: 'com.android.stamp.sourceX', value: 'https://play.google.com/store', behind: 1 }, TYPE],
  ],
  ['another name', [SOURCE, TYPE, id(3), { name: 'com.android.stamp.other', value: 1 }]],
  ['an unknown stamp type', [SOURCE, { ...TYPE, value: 'STAMP_TYPE_OTHER_APK' }]],
  ['another source', [{ ...SOURCE, value: 'https://play.google.com/store/' }, TYPE]],
  ['a source with another text beside it', [{ ...SOURCE, raw: 'https://example.org' }, TYPE]],
  ['a stamp without its type', [SOURCE]],
  ['a type without its source', [TYPE]],
  ['the stamp the other way round', [TYPE, SOURCE]],
  [
    'the stamp in front of the other children',
    [
      { ...SOURCE, behind: 2 },
      { ...TYPE, behind: 2 },
    ],
  ],
  ['the stamp behind the number', [id(3), { ...SOURCE, behind: 0 }, { ...TYPE, behind: 0 }]],
  ['under a provider', [id(3, { parent: 'provider' })]],
  ['under the manifest', [id(3, { parent: 'manifest' })]],
  ['with an element inside', [id(3, { children: [{ name: 'a', value: 1 }] })]],
];
for (const [what, added] of REFUSED)
  test(`meta-data refused: ${what}`, async (t) => {
    if (!needBundletool(t)) return;
    const rebuilt = await split(t, 'base-master');
    const published = manifest(rebuilt, added);
    // it is a manifest that Android reads, but no edit of the store
    t.regex(dump(t, published, 'xmltree', '--file', 'AndroidManifest.xml'), /meta-data/);
    t.is(await kindWith(published, rebuilt, ...PLAY), 'unreproducible');
    t.is(await kindWith(rebuilt, published, ...PLAY), 'unreproducible');
  });

test('meta-data refused: a second change beside the edit', async (t) => {
  if (!needBundletool(t)) return;
  const rebuilt = await split(t, 'base-master');
  const other = edited(rebuilt, {
    'AndroidManifest.xml': (content) =>
      addMetaData(renameStrings(content, new Map([['1.7', '1.8']])), [SOURCE, TYPE, id(3)]),
  });
  t.is(await kindWith(other, rebuilt, ...PLAY), 'unreproducible');
  for (const [what, change] of Object.entries(HIDING_PLACES)) {
    const hidden = edited(rebuilt, {
      'AndroidManifest.xml': (content) => change(addMetaData(content, [id(3)])),
    });
    t.is(await kindWith(hidden, rebuilt, ...PLAY), 'unreproducible', what);
  }
});

const grown = (bytes: Buffer): Buffer => {
  const out = Buffer.from(bytes);
  out.writeUInt32LE(out.length, 4);
  return out;
};
/** Of a document of binary XML. */
const HIDING_PLACES: Readonly<Record<string, (content: Buffer) => Buffer>> = {
  'bytes behind the document': (content) => Buffer.concat([content, Buffer.from('hidden!!')]),
  'an unknown chunk': (content) =>
    grown(Buffer.concat([content, Buffer.from([0x77, 7, 8, 0, 16, 0, 0, 0]), Buffer.from('hidden!!')])),
  'padding of the strings': (content) => {
    const end = 8 + content.readUInt32LE(12);
    const out = Buffer.concat([content.subarray(0, end), Buffer.from('hide'), content.subarray(end)]);
    out.writeUInt32LE(out.readUInt32LE(12) + 4, 12);
    return grown(out);
  },
};

test('languages: new codes for old ones, in the order of the keys', async (t) => {
  if (!needBundletool(t)) return;
  const published = await split(t, 'base-master');
  const rebuilt = edited(published, {
    'res/xml/splits0.xml': (content) => renameStrings(content, NEW_CODES),
  });
  t.regex(dump(t, rebuilt, 'xmltree', '--file', 'res/xml/splits0.xml'), /key="he"/);
  t.is(await kindWith(published, rebuilt), 'unreproducible');
  t.is(await kindWith(published, rebuilt, 'play-split-languages'), 'equivalent');
  t.is(await kindWith(rebuilt, published, 'play-split-languages'), 'equivalent');
  t.is(await kindWith(published, rebuilt, 'play-manifest-metadata'), 'unreproducible');
});

const OTHER_LANGUAGES: readonly (readonly [string, ReadonlyMap<string, string>])[] = [
  ['another language', new Map([['iw', 'yi']])],
  [
    'a code that is not one of the three',
    new Map([
      ['de', 'da'],
      ['config.de', 'config.da'],
    ]),
  ],
  [
    'another split',
    new Map([
      ['iw', 'he'],
      ['config.iw', 'config.id'],
    ]),
  ],
  ['a longer code', new Map([['iw', 'he2']])],
  ['another module', new Map([['', 'feature']])],
  ['another element', new Map([['splits', 'splitsX']])],
];
for (const [what, names] of OTHER_LANGUAGES)
  test(`languages refused: ${what}`, async (t) => {
    if (!needBundletool(t)) return;
    const rebuilt = await split(t, 'base-master');
    const published = edited(rebuilt, { 'res/xml/splits0.xml': (content) => renameStrings(content, names) });
    t.false(published.equals(rebuilt));
    t.is(await kindWith(published, rebuilt, ...PLAY), 'unreproducible');
  });

const table = (apk: Buffer, edit: (content: Buffer) => Buffer): Buffer =>
  edited(apk, { 'resources.arsc': edit });

test('counts of types: all zero or all true, and only two bytes of each are left out', async (t) => {
  if (!needBundletool(t)) return;
  const rebuilt = await split(t, 'base-master');
  const published = table(rebuilt, (content) => stateTypesCounts(content));
  const { verdict, pair } = await compareBuffers(published, rebuilt, { rules: ['play-types-count'] });
  t.is(verdict.kind, 'equivalent');
  const runs = pair.nodes[0]?.published.runs.filter(({ region }) => region === 'zip/data') ?? [];
  t.true(runs.length > 1 && runs.every(({ length, owner }) => length <= 2 && owner === 'excluded'));
  t.is(await kindWith(rebuilt, published, 'play-types-count'), 'equivalent');
  for (const value of [2, 0]) {
    const wrong = table(rebuilt, (content) => stateTypesCounts(content, { at: 1, value }));
    t.is(await kindWith(wrong, rebuilt, ...PLAY), 'unreproducible', `${value}`);
  }
  const more = table(published, changeValue);
  t.is(await kindWith(more, rebuilt, ...PLAY), 'unreproducible');
});

test('another layout of the resource table', async (t) => {
  if (!needBundletool(t)) return;
  const rebuilt = await split(t, 'base-master');
  const published = table(rebuilt, (content) => shortenHeaders(reversePools(content)));
  t.is(dump(t, published, 'resources'), dump(t, rebuilt, 'resources'));
  const { verdict, pair } = await compareBuffers(published, rebuilt, { rules: ['play-arsc-relayout'] });
  t.is(verdict.kind, 'equivalent');
  // the whole table, not only what differs
  const [run] = pair.nodes[0]?.published.runs.filter(({ region }) => region === 'zip/data') ?? [];
  const member = pair.nodes[0]?.members.find(({ name }) => name === 'resources.arsc');
  t.is(run?.length, member?.published?.storedSize);
  t.is(await kindWith(rebuilt, published, 'play-arsc-relayout'), 'equivalent');
  t.is(await kindWith(published, rebuilt, 'play-types-count'), 'unreproducible');
});

const TABLES: Readonly<Record<string, (content: Buffer) => Buffer>> = {
  'a string of 240 bytes that nothing uses': (content) => addUnusedString(content, 'x'.repeat(240)),
  'an unknown chunk in the package': (content) =>
    addUnknownChunk(content, 'package', Buffer.from('hidden!!')),
  'an unknown chunk in the table': (content) => addUnknownChunk(content, 'table', Buffer.from('hidden!!')),
  'bytes behind the table': (content) => Buffer.concat([content, Buffer.from('hidden!!')]),
  'a changed configuration': changeConfiguration,
  'a changed value': changeValue,
};
for (const [what, edit] of Object.entries(TABLES))
  test(`resource table refused: ${what}`, async (t) => {
    if (!needBundletool(t)) return;
    const rebuilt = await split(t, 'base-master');
    for (const after of [edit, (content: Buffer): Buffer => edit(reversePools(content))]) {
      const published = table(rebuilt, after);
      t.is(await kindWith(published, rebuilt, ...PLAY), 'unreproducible');
      t.is(await kindWith(rebuilt, published, ...PLAY), 'unreproducible');
    }
  });

test('times and modes: one row of the table for all entries, else a difference', async (t) => {
  if (!needBundletool(t)) return;
  const rebuilt = await split(t, 'base-master');
  const of = (mode: (name: string) => number, time?: number): Buffer =>
    repack(rebuilt, { externalAttributes: mode, ...(time === undefined ? {} : { time }) });
  t.is(
    await kindWith(
      of(() => DELIVERED_MODE),
      rebuilt,
    ),
    'unreproducible',
  );
  t.is(
    await kindWith(
      of(() => DELIVERED_MODE),
      rebuilt,
      'play-entry-times',
    ),
    'equivalent',
  );
  t.is(
    await kindWith(
      rebuilt,
      of(() => DELIVERED_MODE),
      'play-entry-times',
    ),
    'equivalent',
  );
  const refused: readonly Buffer[] = [
    of((name) => (name === 'classes.dex' ? DELIVERED_MODE : 0x81b60000)),
    of(() => DELIVERED_MODE + 1),
    of(() => 0xa1a40000),
    of(() => DELIVERED_MODE, 0x0822),
  ];
  for (const published of refused) t.is(await kindWith(published, rebuilt, ...PLAY), 'unreproducible');
});

test('an entry that a rule leaves out has no room beside its content', async (t) => {
  if (!needBundletool(t)) return;
  const rebuilt = await split(t, 'base-master');
  const published = manifest(rebuilt, [id(3)]);
  const entry = published.indexOf('AndroidManifest.xml', 0, 'latin1') - 30;
  const flags = Buffer.from(published);
  flags.writeUInt16LE(0x0800, entry + 6);
  t.is(await kindWith(flags, rebuilt, ...PLAY), 'unreproducible');
  const crc = Buffer.from(published);
  crc.writeUInt32LE(1, entry + 14);
  t.is(await kindWith(crc, rebuilt, ...PLAY), 'unreproducible');
});
