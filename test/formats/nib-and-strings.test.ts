// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { BufferSource } from '../../src/bytes.js';
import { FormatError } from '../../src/errors.js';
import { readNibArchive, type NibArchive } from '../../src/formats/nib-archive.js';
import { compareNibs } from '../../src/formats/nib-difference.js';
import { readStringsFile } from '../../src/formats/strings-file.js';
import { buildNib, type NibSpec } from '../helpers/build-nib.js';

const nib = (bytes: Buffer): NibArchive => readNibArchive(new BufferSource(bytes));
const OBJECTS: readonly NibSpec[] = [
  { className: 'NSObject', values: [['UIObjects', { object: 1 }]] },
  {
    className: 'NSArray',
    values: [
      ['Item', { object: 2 }],
      ['Item', { object: 3 }],
    ],
  },
  {
    className: 'UILabel',
    values: [
      ['UIText', 'Hello'],
      ['UIParent', { object: 0 }],
      ['UIHidden', false],
    ],
  },
  {
    className: 'UIView',
    values: [
      ['UITag', { int: 7 }],
      ['UINext', null],
    ],
  },
];

test('objects of a nib with their values', (t) => {
  const { objects, coderVersion, trailing } = nib(buildNib(OBJECTS));
  t.is(coderVersion, 9);
  t.is(trailing.length, 0);
  t.deepEqual(objects[2], {
    className: 'UILabel',
    values: [
      { key: 'UIText', value: { kind: 'leaf', text: '"Hello"' } },
      { key: 'UIParent', value: { kind: 'reference', object: 0 } },
      { key: 'UIHidden', value: { kind: 'leaf', text: 'false' } },
    ],
  });
  t.is(nib(buildNib(OBJECTS, Buffer.alloc(9))).trailing.length, 9);
});

test('what differs between two nibs is told by its keys', (t) => {
  const [root, list, label, view] = OBJECTS as readonly [NibSpec, NibSpec, NibSpec, NibSpec];
  const other = buildNib([
    root,
    list,
    {
      className: 'UILabel',
      values: [
        ['UIText', 'Evil'],
        ['UIParent', { object: 0 }],
        ['UINew', true],
      ],
    },
    { className: 'UIButton', values: view.values },
  ]);
  const { found, cut } = compareNibs(nib(buildNib(OBJECTS)), nib(other), 100);
  t.is(cut, 0);
  t.deepEqual(
    found.map(({ path, published, rebuilt }) => [path, published, rebuilt]),
    [
      ['UIObjects.Item[1]', 'object of UIView', 'object of UIButton'],
      ['UIObjects.Item[0].UIText', '"Hello"', '"Evil"'],
      ['UIObjects.Item[0].UIHidden', 'false', undefined],
      ['UIObjects.Item[0].UINew', undefined, 'true'],
    ],
  );
  t.is(compareNibs(nib(buildNib(OBJECTS)), nib(other), 1).cut, 3);
  t.deepEqual(compareNibs(nib(buildNib(OBJECTS)), nib(buildNib([root, list, label, view])), 100).found, []);
});

const refusesNib = test.macro({
  exec(t, code: string, change: (bytes: Buffer) => Buffer | void) {
    const bytes = buildNib(OBJECTS);
    t.throws(() => nib(change(bytes) ?? bytes), { instanceOf: FormatError, code: `nib/${code}` });
  },
  title: (title) => `nib refused: ${title ?? ''}`,
});
const put =
  (at: number, value: number) =>
  (bytes: Buffer): void =>
    void bytes.writeUInt32LE(value, at);
test('no nib', refusesNib, 'magic', (bytes) => void bytes.write('X'));
test('2^32-1 objects', refusesNib, 'count', put(18, 0xffffffff));
test('2^32-1 keys', refusesNib, 'count', put(26, 0xffffffff));
test('objects elsewhere', refusesNib, 'offset', put(22, 51));
test('values elsewhere', refusesNib, 'offset', put(38, 0));
test('fewer classes than used', refusesNib, 'class-index', put(42, 1));
test('fewer values than used', refusesNib, 'offset', put(34, 1));
test('a value of an unknown type', refusesNib, 'value-type', (bytes) => {
  bytes[bytes.indexOf('\x08\x85Hello', 0, 'latin1')] = 77;
});
test('a reference beyond', refusesNib, 'object-index', () =>
  buildNib([{ className: 'A', values: [['x', { object: 5 }]] }]),
);

test('a nib that is cut anywhere is refused', (t) => {
  const whole = buildNib(OBJECTS);
  for (let size = 0; size < whole.length; size++)
    t.throws(() => nib(whole.subarray(0, size)), { instanceOf: FormatError }, `${size}`);
});

test('objects that share values without end', (t) => {
  const bytes = buildNib(Array.from({ length: 100 }, () => ({ className: 'A', values: [['x', true]] })));
  // each object takes all values
  for (let at = 0; at < 100; at++) bytes.set([0x80, 0x80, 0x80 | 100], 50 + 3 * at);
  t.throws(() => nib(bytes), { code: 'nib/value-index' });
});

// ---------------------------------------------------------------- .strings

const strings = (text: string): unknown => {
  const { root } = readStringsFile(new BufferSource(Buffer.from(text)));
  return root.kind === 'dict'
    ? root.entries.map(({ key, value }) => [key, 'value' in value && value.value])
    : root;
};
const utf16 = (text: string, big: boolean): Buffer => {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le');
  return big ? bytes.swap16() : bytes;
};

test('texts by key, in each encoding', (t) => {
  const text = '/* a */ "k\\"1" = "v\\n\\U00fc";\n// b\nplain.key = word;\n"same";\n"ü🙂" = "";';
  const expected = [
    ['k"1', 'v\nü'],
    ['plain.key', 'word'],
    ['same', 'same'],
    ['ü🙂', ''],
  ];
  t.deepEqual(strings(text), expected);
  for (const big of [false, true]) {
    const { encoding, root, comments } = readStringsFile(new BufferSource(utf16(text, big)));
    t.is(encoding, big ? 'utf-16be' : 'utf-16le');
    t.is(comments, 2);
    t.is(root.kind === 'dict' && root.entries.length, 4);
  }
  t.deepEqual(strings(''), []);
});

const refusesStrings = test.macro({
  exec(t, code: string, bytes: Buffer | string) {
    t.throws(() => readStringsFile(new BufferSource(Buffer.from(bytes))), {
      instanceOf: FormatError,
      code: `strings/${code}`,
    });
  },
  title: (title) => `strings refused: ${title ?? ''}`,
});
test('a text without an end', refusesStrings, 'unfinished', '"a');
test('a comment without an end', refusesStrings, 'unfinished', '/* a');
test('no semicolon', refusesStrings, 'syntax', '"a" = "b"');
test('no value', refusesStrings, 'syntax', '"a" = ;');
test('something else', refusesStrings, 'syntax', '{}');
test('half a character', refusesStrings, 'encoding', utf16('"a";', false).subarray(0, 5));
test('another encoding', refusesStrings, 'encoding', Buffer.from([0x22, 0xe4, 0x22]));
