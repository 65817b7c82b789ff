// SPDX-License-Identifier: Apache-2.0
/** Rules on the content of an entry at the size that bounds them, and one step beyond: these formats go by four bytes. */
import test from 'ava';
import type { RuleName } from '../../../src/model.js';
import { NONE, TYPE_STRING, writeAxmlDocument, type AxmlNode } from '../../../src/formats/axml-document.js';
import { smallArsc } from '../../attacks/small-arsc.js';
import { addUnknownChunk, reversePools, stateTypesCounts } from '../../helpers/arsc-edits.js';
import { buildZip } from '../../helpers/build-zip.js';
import { compareBuffers } from '../../helpers/compare-buffers.js';
import { sortedManifest } from '../../helpers/sorted-manifest.js';

const UTF16 = 0;
const [KIB, MIB] = [1 << 10, 1 << 20];

type Method = 0 | 8;

async function kindOf(
  name: string,
  [published, rebuilt]: readonly [Buffer, Buffer],
  rule: RuleName,
  method: Method,
): Promise<string> {
  const archive = (data: Buffer): Buffer => buildZip([{ name, data, method, align: 4 }]);
  return (await compareBuffers(archive(published), archive(rebuilt), { rules: [rule] })).verdict.kind;
}

/** As many characters as make the bytes this long. */
function ofSize(size: number, least: number, make: (characters: number) => Buffer): Buffer {
  const bytes = make(least + (size - make(least).length) / 2);
  if (bytes.length !== size) throw new Error(`${bytes.length} bytes, not ${size}`);
  return bytes;
}

/** The published side is the larger one; a length of two units, whatever it is. */
function manifests(size: number): [Buffer, Buffer] {
  let name = '';
  const published = ofSize(size, 0x8000, (length) =>
    sortedManifest('value', (name = 'A'.repeat(length)), UTF16),
  );
  return [published, sortedManifest(undefined, name, UTF16)];
}

/** One module with a long name and one language. */
function splits(language: string, length: number): Buffer {
  const module = 'M'.repeat(length);
  const split = `config.${language}`;
  const strings = [module, split, 'entry', 'key', 'language', 'module', 'name', 'split', 'splits'];
  const texts = [...strings, language].sort();
  const at = (text: string): number => texts.indexOf(text);
  const common = { line: 0, comment: NONE, namespace: NONE };
  const attribute = (name: string, value: string) => ({
    namespace: NONE,
    name: at(name),
    raw: at(value),
    type: TYPE_STRING,
    data: at(value),
  });
  const start = (name: string, ...values: readonly (readonly [string, string])[]): AxmlNode => ({
    kind: 'start',
    ...common,
    name: at(name),
    places: [0, 0, 0],
    attributes: values.map(([key, value]) => attribute(key, value)),
  });
  const end = (name: string): AxmlNode => ({ kind: 'end', ...common, name: at(name) });
  return writeAxmlDocument({
    pool: { flags: UTF16, strings: texts.map((text) => Buffer.from(text, 'utf16le')), styles: [] },
    map: [],
    nodes: [
      start('splits'),
      start('module', ['name', module]),
      start('language'),
      start('entry', ['key', language], ['split', split]),
      end('entry'),
      end('language'),
      end('module'),
      end('splits'),
    ],
  });
}

function languages(size: number): [Buffer, Buffer] {
  const of = (language: string): Buffer => ofSize(size, 0, (length) => splits(language, length));
  return [of('iw'), of('he')];
}

const LIBRARY = 0x0203;

/** Most of the bytes lie in a list of libraries. */
function tables(size: number, edit: (table: Buffer) => Buffer): [Buffer, Buffer] {
  const rebuilt = smallArsc({ typesCount: 0 });
  const grown = (table: Buffer): Buffer =>
    addUnknownChunk(table, 'package', Buffer.alloc(size - table.length - 8), LIBRARY);
  return [grown(edit(rebuilt)), grown(rebuilt)];
}

const relaid = (size: number): [Buffer, Buffer] => tables(size, reversePools);
const counted = (size: number): [Buffer, Buffer] => tables(size, (table) => stateTypesCounts(table));

const BOUNDS: readonly (readonly [
  rule: RuleName,
  name: string,
  limit: number,
  pair: (size: number) => [Buffer, Buffer],
  method: Method,
])[] = [
  ['play-manifest-metadata', 'AndroidManifest.xml', 8 * MIB, manifests, 8],
  ['play-split-languages', 'res/xml/splits0.xml', 64 * KIB, languages, 8],
  ['play-types-count', 'resources.arsc', 64 * MIB, counted, 0],
  ['play-arsc-relayout', 'resources.arsc', 64 * MIB, relaid, 0],
  // what is compressed and larger is compared as a stream, which no rule sees
  ['play-types-count', 'resources.arsc', 16 * MIB, counted, 8],
  ['play-arsc-relayout', 'resources.arsc', 16 * MIB, relaid, 8],
];

for (const [rule, name, limit, pair, method] of BOUNDS)
  test.serial(`${rule}: ${limit} bytes, ${method === 0 ? 'stored' : 'deflated'}`, async (t) => {
    const atBound = pair(limit);
    t.is(Math.max(...atBound.map(({ length }) => length)), limit);
    t.is(await kindOf(name, atBound, rule, method), 'equivalent');
    t.is(await kindOf(name, pair(limit + 4), rule, method), 'unreproducible');
  });
