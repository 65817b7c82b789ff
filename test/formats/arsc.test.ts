// SPDX-License-Identifier: Apache-2.0
/** Resource tables of real APKs: every byte is read, one layout is written, and the rule on them refuses what it must. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { BufferSource } from '../../src/bytes.js';
import { rules } from '../../src/compare/rules/index.js';
import { zipEntryContent } from '../../src/compare/zip/entry-content.js';
import { FormatError } from '../../src/errors.js';
import { MAX_ARSC, readArsc, readTypesCounts, saysTypesCounts } from '../../src/formats/arsc.js';
import { writeCanonicalArsc } from '../../src/formats/arsc-writer.js';
import { readZip } from '../../src/formats/zip.js';
import {
  addUnknownChunk,
  addUnusedString,
  changeConfiguration,
  changeValue,
  editType,
  mapChunks,
  reversePools,
  shortenHeaders,
  stateTypesCounts,
  swapIds,
} from '../helpers/arsc-edits.js';
import { need } from '../helpers/need.js';
import { repack } from '../helpers/play-edits.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const APKS = [
  'node_modules/settings-apk/apks/settings_apk-debug.apk',
  'node_modules/appium-uiautomator2-server/apks/appium-uiautomator2-server-v10.6.6.apk',
].map((name) => readFileSync(name));

function tableOf(apk: Buffer): Buffer {
  const source = new BufferSource(apk);
  const entry = readZip(source).entries.find(({ rawName }) => rawName.toString() === 'resources.arsc');
  const content = entry && zipEntryContent(source, entry, MAX_ARSC);
  if (content === undefined) throw new Error('no resource table');
  return content;
}

const TABLES = APKS.map(tableOf);
const [TABLE] = TABLES as [Buffer];
const { covers } = rules['play-arsc-relayout'].content ?? { covers: () => false };

test('tables of real APKs: one layout, which is its own', (t) => {
  for (const table of TABLES) {
    const canonical = writeCanonicalArsc(readArsc(table));
    t.true(writeCanonicalArsc(readArsc(canonical)).equals(canonical));
    t.true(covers(canonical, table));
    t.true(covers(table, canonical));
    const relaid = shortenHeaders(reversePools(table));
    t.false(relaid.equals(table));
    t.true(covers(relaid, table));
    t.true(covers(table, stateTypesCounts(relaid)));
  }
  t.false(covers(TABLES[0] as Buffer, TABLES[1] as Buffer));
});

test('aapt2 reads the same from every layout', (t) => {
  if (!need(t, 'aapt2')) return;
  const dump = (apk: Buffer): string => {
    const file = path.join(temporaryDirectory(t), 'dumped.apk');
    writeFileSync(file, apk);
    return execFileSync('aapt2', ['dump', 'resources', file], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 64 << 20,
    });
  };
  for (const apk of APKS) {
    const plain = dump(apk);
    for (const edit of [
      (table: Buffer): Buffer => writeCanonicalArsc(readArsc(table)),
      (table: Buffer): Buffer => shortenHeaders(reversePools(table)),
    ])
      t.is(
        dump(repack(apk, { edit: (name, content) => (name === 'resources.arsc' ? edit(content) : content) })),
        plain,
      );
  }
});

/** What `aapt2 dump resources` does not show, and what it does. */
const REFUSED: Readonly<Record<string, (table: Buffer) => Buffer>> = {
  'a string of 240 bytes that nothing uses': (table) => addUnusedString(table, 'x'.repeat(240)),
  'an empty string that nothing uses': (table) => addUnusedString(table, ''),
  'an unknown chunk in the package': (table) => addUnknownChunk(table, 'package', Buffer.from('hidden!!')),
  'an unknown chunk in the table': (table) => addUnknownChunk(table, 'table', Buffer.from('hidden!!')),
  'bytes behind the table': (table) => Buffer.concat([table, Buffer.alloc(4)]),
  'swapped ids': swapIds,
  'a changed configuration': changeConfiguration,
  'a changed value': changeValue,
  'bytes behind the entries of a type': (table) => {
    let done = false;
    return mapChunks(table, (chunk, type) => {
      if (done || type !== 0x0201) return chunk;
      done = true;
      const out = Buffer.concat([chunk, Buffer.from('hide')]);
      out.writeUInt32LE(out.length, 4);
      return out;
    });
  },
  'an entry that no id names': (table) =>
    editType(table, (chunk) => {
      const header = chunk.readUInt16LE(2);
      for (let id = 0; id < chunk.readUInt32LE(12); id++)
        if (chunk.readUInt32LE(header + 4 * id) !== 0xffffffff) {
          chunk.writeUInt32LE(0xffffffff, header + 4 * id);
          return true;
        }
      return false;
    }),
  'flags of an entry': (table) =>
    editType(
      table,
      (chunk) =>
        chunk.writeUInt8(chunk.readUInt8(chunk.readUInt32LE(16) + 2) ^ 2, chunk.readUInt32LE(16) + 2) > 0,
    ),
  'the zero of a value': (table) =>
    editType(table, (chunk) => {
      const entry = chunk.readUInt32LE(16);
      const value = entry + ((chunk.readUInt16LE(entry + 2) & 1) === 0 ? 10 : 22);
      return chunk.writeUInt8(1, value) > 0;
    }),
  'the zeros of a type': (table) => editType(table, (chunk) => chunk.writeUInt16LE(1, 10) > 0),
  'a name of the package': (table) => {
    const out = Buffer.from(table);
    const packageAt = 12 + table.readUInt32LE(16);
    out.writeUInt16LE(0x78, packageAt + 12 + 254);
    return out;
  },
  'a count of types that is not true': (table) => stateTypesCounts(table, { at: 0, value: 77 }),
  'keys of two entries': (table) => {
    const out = Buffer.from(table);
    for (const { chunks } of readArsc(table).packages)
      for (const chunk of chunks) {
        const [a, b] = chunk.kind === 'type' ? [...new Set(chunk.entries)].filter((one) => one !== -1) : [];
        if (a === undefined || b === undefined) continue;
        out.writeUInt32LE(table.readUInt32LE(b + 4), a + 4);
        out.writeUInt32LE(table.readUInt32LE(a + 4), b + 4);
        return out;
      }
    throw new Error('no type with two entries');
  },
};
for (const [what, edit] of Object.entries(REFUSED))
  test(`refused: ${what}`, (t) => {
    const changed = edit(TABLE);
    t.false(changed.equals(TABLE));
    t.false(covers(changed, TABLE));
    t.false(covers(TABLE, changed));
    t.false(covers(edit(reversePools(TABLE)), TABLE));
    t.false(rules['play-types-count'].content?.covers(changed, TABLE));
  });

test('every bit of a small table: none is covered, and nothing but a FormatError is thrown', (t) => {
  const [, small] = TABLES as [Buffer, Buffer];
  const says = (table: Buffer): boolean => saysTypesCounts(readTypesCounts(table));
  for (let bit = 0; bit < 8 * small.length; bit++) {
    const changed = Buffer.from(small);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    try {
      writeCanonicalArsc(readArsc(changed));
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
    // the one specification may say how many types it has
    const isTrue = readTypesCounts(small).some(({ offset }) => offset === bit >> 3) && says(changed);
    t.is(covers(changed, small), isTrue, `bit ${bit}`);
  }
  for (let length = 0; length < small.length; length++)
    t.throws(() => readArsc(small.subarray(0, length)), { instanceOf: FormatError });
});
