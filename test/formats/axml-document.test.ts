// SPDX-License-Identifier: Apache-2.0
/** Binary XML as data and back: manifests of real APKs come out as they were, and no bit of one is left without a meaning. */
import { readFileSync } from 'node:fs';
import test from 'ava';
import { BufferSource } from '../../src/bytes.js';
import { zipEntryContent } from '../../src/compare/zip/entry-content.js';
import { FormatError } from '../../src/errors.js';
import { readAxmlDocument, writeAxmlDocument } from '../../src/formats/axml-document.js';
import { isAscending } from '../../src/formats/axml-order.js';
import { readZip } from '../../src/formats/zip.js';
import { ATTRIBUTE, axmlChunk, axmlPool, buildAxml } from '../helpers/build-axml.js';

const APKS = [
  'node_modules/settings-apk/apks/settings_apk-debug.apk',
  'node_modules/appium-uiautomator2-server/apks/appium-uiautomator2-server-v10.6.6.apk',
  'node_modules/appium-uiautomator2-server/apks/appium-uiautomator2-server-debug-androidTest.apk',
];

function manifestOf(file: string): Buffer {
  const source = new BufferSource(readFileSync(file));
  const entry = readZip(source).entries.find(({ rawName }) => rawName.toString() === 'AndroidManifest.xml');
  const content = entry && zipEntryContent(source, entry, 8 << 20);
  if (content === undefined) throw new Error(`no manifest in ${file}`);
  return content;
}

test('manifests of real APKs are written again as they are', (t) => {
  for (const file of APKS) {
    const manifest = manifestOf(file);
    t.true(writeAxmlDocument(readAxmlDocument(manifest)).equals(manifest), file);
  }
});

const small = buildAxml({
  roots: [
    {
      name: 'manifest',
      attributes: [
        { name: 'versionCode', id: ATTRIBUTE.versionCode, value: 7 },
        { name: 'versionName', id: ATTRIBUTE.versionName, value: '1.2' },
      ],
      children: [{ name: 'application' }],
    },
  ],
});

test('every bit: another document, or refused; never one that is written differently', (t) => {
  for (const utf8 of [false, true]) {
    const document = buildAxml({ roots: [{ name: 'a', attributes: [{ name: 'b', value: 'cc' }] }], utf8 });
    for (const bytes of [small, document])
      for (let bit = 0; bit < 8 * bytes.length; bit++) {
        const changed = Buffer.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        try {
          if (!writeAxmlDocument(readAxmlDocument(changed)).equals(changed)) t.fail(`bit ${bit}`);
        } catch (error) {
          if (!(error instanceof FormatError)) throw error;
        }
      }
    for (let length = 0; length < document.length; length++)
      t.throws(() => readAxmlDocument(document.subarray(0, length)), { instanceOf: FormatError });
  }
});

const root = [{ name: 'manifest' }] as const;
const REFUSED: readonly (readonly [string, Buffer, string])[] = [
  ['no XML', Buffer.alloc(64, 1), 'axml/magic'],
  ['another size than it has', Buffer.concat([small, Buffer.alloc(8, 1)]), 'axml/chunk-size'],
  [
    'a chunk behind the document',
    Buffer.concat([small, axmlChunk(0x0777, Buffer.alloc(16))]),
    'axml/unknown-chunk',
  ],
  [
    'an unknown chunk',
    buildAxml({ roots: root, after: [axmlChunk(0x0777, Buffer.alloc(16))] }),
    'axml/unknown-chunk',
  ],
  ['no strings', buildAxml({ roots: root, withoutPool: true }), 'axml/pool-header'],
  ['a second pool', buildAxml({ roots: root, before: [axmlPool(['x'])] }), 'axml/unknown-chunk'],
];
for (const [what, bytes, code] of REFUSED)
  test(`refused: ${what}`, (t) => {
    t.throws(() => readAxmlDocument(bytes), { code });
  });

test('a string, or a resource id, that nothing uses', (t) => {
  const document = readAxmlDocument(small);
  const { pool } = document;
  const more = { ...pool, strings: [...pool.strings, Buffer.from('x', 'utf16le')] };
  t.throws(() => readAxmlDocument(writeAxmlDocument({ ...document, pool: more })), {
    code: 'axml/unused-string',
  });
  t.throws(() => readAxmlDocument(writeAxmlDocument({ ...document, map: [...document.map, 0x01010003] })), {
    code: 'axml/unused-resource-id',
  });
  t.throws(() => readAxmlDocument(writeAxmlDocument({ ...document, pool: { ...pool, styles: [[]] } })), {
    code: 'axml/style',
  });
});

test('sorted strings are told from others', (t) => {
  const document = readAxmlDocument(manifestOf(APKS[0] ?? ''));
  t.false(
    isAscending({ ...document, pool: { ...document.pool, strings: document.pool.strings.toReversed() } }),
  );
});
