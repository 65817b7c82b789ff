// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import test from 'ava';
import { BufferSource, type ByteSource } from '../../src/bytes.js';
import { FormatError } from '../../src/errors.js';
import { comparePlists, equalPlists } from '../../src/formats/plist-difference.js';
import { MAX_PLIST, plistAt, plistString, plistStrings, readPlist } from '../../src/formats/plist.js';
import {
  binaryOf,
  binaryPlist,
  collection,
  lengthHead,
  plistValue,
  raw,
  xmlPlist,
  type Plain,
} from '../helpers/build-plist.js';
import { need } from '../helpers/need.js';

const read = (bytes: Buffer) => readPlist(new BufferSource(bytes));

const EVERYTHING: Plain = {
  text: 'plain',
  empty: '',
  wide: 'ü – 漢字 🙂',
  long: 'x'.repeat(70_000),
  numbers: [
    0,
    1,
    255,
    256,
    65_535,
    65_536,
    2 ** 32,
    2n ** 63n - 1n,
    2n ** 63n,
    2n ** 64n - 1n,
    -1,
    -(2n ** 63n),
  ],
  yes: true,
  no: false,
  half: 0.5,
  date: new Date('2026-11-29T12:00:01Z'),
  before: new Date('1970-01-01T00:00:00Z'),
  data: Buffer.from([0, 1, 2, 255]),
  much: Buffer.alloc(1000, 7),
  nothing: {},
  none: [],
  nested: { a: [{ b: [[], {}] }], text: 'plain' },
  many: Array.from({ length: 300 }, (_, index) => `item ${index}`),
  '<&> "key"': "it's",
};

test('both forms hold the same values', (t) => {
  const expected = plistValue(EVERYTHING);
  for (const [form, bytes] of [
    ['binary', binaryPlist(EVERYTHING)],
    ['xml', xmlPlist(EVERYTHING)],
  ] as const) {
    const document = read(bytes);
    t.is(document.form, form);
    t.deepEqual(document.findings, []);
    t.true(equalPlists(document.root, expected));
    t.is(plistString(document.root, 'nested', 'text'), 'plain');
    t.is(plistStrings(document.root, 'many')?.length, 300);
    t.is(plistStrings(document.root, 'numbers'), undefined);
    t.is(plistAt(document.root, 'text', 'deeper'), undefined);
  }
});

test('what only the binary form has', (t) => {
  const uid = { kind: 'uid', value: 2n ** 40n + 1n } as const;
  const big = { kind: 'integer', value: 2n ** 100n + 1n } as const;
  const set = { kind: 'set', items: [plistValue('a'), plistValue(1)] } as const;
  const float = { kind: 'real', value: 0.25, bits: 32 } as const;
  const { root, findings } = read(binaryPlist([raw(uid), raw(big), raw(set), raw(float), 0.25]));
  t.deepEqual(findings, []);
  t.deepEqual(root, {
    kind: 'array',
    items: [uid, big, set, float, { kind: 'real', value: 0.25, bits: 64 }],
  });
});

const PYTHON = `
import plistlib, sys, datetime, json
def show(v):
    if isinstance(v, bool): return ['boolean', v]
    if isinstance(v, plistlib.UID): return ['uid', str(v.data)]
    if isinstance(v, int): return ['integer', str(v)]
    if isinstance(v, float): return ['real', repr(v)]
    if isinstance(v, str): return ['string', v]
    if isinstance(v, bytes): return ['data', v.hex()]
    if isinstance(v, datetime.datetime): return ['date', v.isoformat()]
    if isinstance(v, list): return ['array', [show(x) for x in v]]
    return ['dict', [[k, show(x)] for k, x in v.items()]]
print(json.dumps(show(plistlib.loads(sys.stdin.buffer.read()))))
`;

function shown(value: ReturnType<typeof plistValue>): unknown {
  switch (value.kind) {
    case 'dict':
      return ['dict', value.entries.map((entry) => [entry.key, shown(entry.value)])];
    case 'array':
    case 'set':
      return ['array', value.items.map(shown)];
    case 'integer':
    case 'uid':
      return [value.kind, value.value.toString()];
    case 'real':
      return ['real', String(value.value)];
    case 'data':
      return ['data', value.value.toString('hex')];
    case 'date':
      return ['date', new Date((978_307_200 + value.seconds) * 1000).toISOString().slice(0, 19)];
    case 'string':
    case 'boolean':
      return [value.kind, value.value];
  }
}

test("what Python's plistlib writes is read, and it reads what we wrote", (t) => {
  if (!need(t, 'python3')) return;
  for (const bytes of [binaryPlist(EVERYTHING), xmlPlist(EVERYTHING)]) {
    const theirs = execFileSync('python3', ['-c', PYTHON], { input: bytes, encoding: 'utf8' });
    t.deepEqual(shown(read(bytes).root), JSON.parse(theirs));
  }
  const write = `
import plistlib, sys, datetime
v = {'b': [1, -5, 2**63, 1.25, True, b'abc' * 100, 'ü🙂', plistlib.UID(300), datetime.datetime(2020, 2, 29)], 'a': {}, 'aa': [[], 'x' * 20] * 3}
if sys.argv[1] == 'xml': v['b'][7] = 7
sys.stdout.buffer.write(plistlib.dumps(v, fmt=plistlib.FMT_XML if sys.argv[1] == 'xml' else plistlib.FMT_BINARY))
`;
  for (const form of ['xml', 'binary']) {
    const bytes = execFileSync('python3', ['-c', write, form]);
    const theirs = execFileSync('python3', ['-c', PYTHON], { input: bytes, encoding: 'utf8' });
    const { root, findings } = read(bytes);
    t.deepEqual(shown(root), JSON.parse(theirs));
    t.deepEqual(findings, []);
  }
});

const refuses = test.macro({
  exec(t, code: string, bytes: Buffer) {
    t.throws(() => read(bytes), { instanceOf: FormatError, code: `plist/${code}` });
  },
  title: (title) => `refused: ${title ?? ''}`,
});

const TEXT = Buffer.from('\x51a', 'latin1');
test('another version', refuses, 'version', binaryOf([TEXT], { header: 'bplist15' }));
test('numbers of no bytes', refuses, 'integer-size', binaryOf([TEXT], { offsetSize: 0 }));
test('references of nine bytes', refuses, 'integer-size', binaryOf([TEXT], { referenceSize: 9 }));
for (const count of [0n, 2n ** 32n - 1n, 2n ** 64n - 1n])
  test(`${count} objects`, refuses, 'object-count', binaryOf([TEXT], { count }));
test('more objects than offsets', refuses, 'offset-table', binaryOf([TEXT], { count: 3n }));
test('a table behind the trailer', refuses, 'offset-table', binaryOf([TEXT], { table: 2n ** 63n }));
test('a table in the header', refuses, 'offset-table', binaryOf([TEXT], { table: 3n }));
test('a top object that is not there', refuses, 'top-object', binaryOf([TEXT], { top: 1n }));
test('an object in the header', refuses, 'object-offset', binaryOf([TEXT], { offsets: [7] }));
test('an object in the table', refuses, 'object-offset', binaryOf([TEXT], { offsets: [10] }));
test('two objects in one place', refuses, 'overlap', binaryOf([TEXT, TEXT], { offsets: [8, 8] }));
test(
  'an object inside of another',
  refuses,
  'overlap',
  binaryOf([Buffer.from('\x52\x09\x09', 'latin1'), Buffer.from([8])], { offsets: [8, 9] }),
);
test('a cycle', refuses, 'cycle', binaryOf([collection(0xa0, 1, [0])]));
test(
  'a longer cycle',
  refuses,
  'cycle',
  binaryOf([collection(0xa0, 1, [1]), collection(0xc0, 1, [2]), collection(0xa0, 1, [0])]),
);
test('a dictionary in itself', refuses, 'cycle', binaryOf([collection(0xd0, 1, [1, 0]), TEXT]));
test('a reference beyond', refuses, 'object-reference', binaryOf([collection(0xa0, 1, [9])]));
test('a key that is no text', refuses, 'key', binaryOf([collection(0xd0, 1, [1, 1]), Buffer.from([9])]));
test('a text beyond the objects', refuses, 'truncated', binaryOf([Buffer.from([0x5e])]));
test('a length beyond the objects', refuses, 'truncated', binaryOf([lengthHead(0x40, 2 ** 31)]));
test('a length of 2^64-1', refuses, 'truncated', binaryOf([Buffer.from('4f13ffffffffffffffff', 'hex')]));
test('a length that is a text', refuses, 'length', binaryOf([Buffer.from('5f5161', 'hex')]));
test('an integer of 32 bytes', refuses, 'unknown-object', binaryOf([Buffer.from([0x15, 0, 0, 0])]));
test('null', refuses, 'unknown-object', binaryOf([Buffer.from([0])]));
test('letters that are not ASCII', refuses, 'ascii', binaryOf([Buffer.from([0x51, 0xe4])]));
test(
  'levels without end',
  refuses,
  'too-deep',
  binaryOf(
    Array.from({ length: 1000 }, (_, index) =>
      collection(0xa0, index === 999 ? 0 : 1, index === 999 ? [] : [index + 1], 2),
    ),
  ),
);
// a list of ten lists of ten lists …: a few hundred bytes, 10^12 values
test(
  'a bomb of shared objects',
  refuses,
  'too-many-values',
  binaryOf(
    Array.from({ length: 13 }, (_, index) =>
      index === 12 ? TEXT : collection(0xa0, 10, Array<number>(10).fill(index + 1)),
    ),
  ),
);
test('nothing', refuses, 'root', Buffer.alloc(0));

const XML = (body: string, head = '<?xml version="1.0" encoding="UTF-8"?>\n'): Buffer =>
  Buffer.from(`${head}<plist version="1.0">${body}</plist>`, 'utf8');
test(
  'an entity of its own',
  refuses,
  'doctype',
  XML('<string>&a;</string>', '<!DOCTYPE plist [<!ENTITY a "b">]>'),
);
test('an unknown entity', refuses, 'entity', XML('<string>&lol;</string>'));
test('a character that XML has not', refuses, 'entity', XML('<string>&#0;</string>'));
test('half a surrogate pair', refuses, 'entity', XML('<string>&#xd800;</string>'));
test('another encoding', refuses, 'declaration', XML('<true/>', '<?xml version="1.0" encoding="UTF-16"?>'));
test('no UTF-8', refuses, 'utf-8', Buffer.concat([XML('<true/>'), Buffer.from([0xff])]));
test('a control character', refuses, 'character', XML('<string>\0</string>'));
test('an unknown element', refuses, 'element', XML('<evil/>'));
test('an attribute', refuses, 'syntax', XML('<string a="b">x</string>'));
test('an element inside of a text', refuses, 'syntax', XML('<string><true/></string>'));
test('text beside elements', refuses, 'syntax', XML('<array>x<true/></array>'));
test('a value without a key', refuses, 'key', XML('<dict><true/></dict>'));
test('a key without a value', refuses, 'syntax', XML('<dict><key>a</key></dict>'));
test('two values', refuses, 'syntax', XML('<true/><true/>'));
test('text behind it', refuses, 'trailing-text', Buffer.concat([XML('<true/>'), Buffer.from('x')]));
test('no end', refuses, 'unfinished', Buffer.from('<plist version="1.0"><array><true/>'));
test('a text without an end', refuses, 'unfinished', Buffer.from('<plist version="1.0"><string>'));
test('a comment that some readers end at once', refuses, 'syntax', XML('<!--><true/><!-- --><false/>'));
test('two hyphens in a comment', refuses, 'syntax', XML('<!-- -- --><true/>'));
test('no integer', refuses, 'integer', XML('<integer>1.0</integer>'));
test('an integer of 65 bits', refuses, 'integer', XML(`<integer>${2n ** 64n}</integer>`));
test('no real', refuses, 'real', XML('<real>1,5</real>'));
test('a day that is not there', refuses, 'date', XML('<date>2026-02-30T00:00:00Z</date>'));
test('no base64', refuses, 'base64', XML('<data>ab=c</data>'));
test(
  'levels without end in XML',
  refuses,
  'too-deep',
  XML(`${'<array>'.repeat(1000)}${'</array>'.repeat(1000)}`),
);
test('another file', refuses, 'root', Buffer.from('GIF89a'));

test('a file that is too large is not read', (t) => {
  const source: ByteSource = {
    size: MAX_PLIST + 1,
    read: () => {
      throw new Error('read');
    },
  };
  t.throws(() => readPlist(source), { instanceOf: FormatError, code: 'plist/too-large' });
});

const tells = test.macro({
  exec(t, code: string, offset: number, length: number, bytes: Buffer) {
    const { findings, findingsCut } = read(bytes);
    t.deepEqual(
      findings.map((one) => [one.code, one.offset, one.length]),
      [[code, offset, length]],
    );
    t.is(findingsCut, 0);
  },
  title: (title) => `told: ${title ?? ''}`,
});
test('an object that nothing uses', tells, 'unreferenced', 10, 2, binaryOf([TEXT, TEXT]));
test('bytes before the table', tells, 'gap', 10, 5, binaryOf([TEXT], { beforeTable: Buffer.from('evil!') }));
test(
  'bytes before the trailer',
  tells,
  'gap',
  11,
  5,
  binaryOf([TEXT], { beforeTrailer: Buffer.from('evil!') }),
);
test(
  'bytes between objects',
  tells,
  'gap',
  10,
  2,
  binaryOf([Buffer.from('\xa1\x01ev', 'latin1'), Buffer.from([9])], { offsets: [8, 12] }),
);
test('bytes of the trailer', tells, 'trailer', 11, 6, binaryOf([TEXT], { unused: Buffer.from('evil') }));
test(
  'a key twice',
  tells,
  'duplicate-key',
  8,
  5,
  binaryOf([collection(0xd0, 2, [1, 1, 2, 2]), TEXT, Buffer.from([9])]),
);
test('an integer that is too wide', tells, 'not-minimal', 8, 3, binaryOf([Buffer.from([0x11, 0, 1])]));
test('a length that is too wide', tells, 'not-minimal', 8, 3, binaryOf([Buffer.from([0x5f, 0x10, 1, 0x61])]));
test('ASCII in two bytes a letter', tells, 'not-minimal', 8, 3, binaryOf([Buffer.from([0x61, 0, 0x61])]));
test('offsets that are too wide', tells, 'not-minimal', 20, 1, binaryOf([TEXT], { offsetSize: 4 }));
test('references that are too wide', tells, 'not-minimal', 18, 1, binaryOf([TEXT], { referenceSize: 4 }));
test('a comment', tells, 'comment', 60, 13, XML('<!-- evil --><true/>'));
test(
  'a key twice in XML',
  tells,
  'duplicate-key',
  85,
  12,
  XML('<dict><key>a</key><true/><key>a</key><true/></dict>'),
);
test(
  'a byte order mark',
  tells,
  'byte-order-mark',
  0,
  3,
  Buffer.concat([Buffer.from('efbbbf', 'hex'), XML('<true/>')]),
);
test('another document type', tells, 'doctype', 10, 11, XML('<true/>', '<!DOCTYPE plist evil>'));
test('bits of base64 that are no byte', tells, 'base64-slack', 60, 17, XML('<data>AB==</data>'));

test('cut anywhere, it is refused', (t) => {
  for (const whole of [binaryPlist({ a: [1, 'b', { c: Buffer.alloc(40) }] }), xmlPlist({ a: [1, 'b'] })])
    for (let size = 0; size < whole.length - 1; size++)
      t.throws(() => read(whole.subarray(0, size)), { instanceOf: FormatError }, `${size}`);
});

test('texts of XML are as they were', (t) => {
  const body =
    '<array><string>a\r\nb\rc</string><string><![CDATA[<&>]]>&amp;&#x1F642;</string><string> x </string><real>-1e3</real><real>nan</real><real>-infinity</real><integer> -0x10 </integer><true></true></array>';
  const { root } = read(XML(body));
  t.deepEqual(root.kind === 'array' && root.items.map((item) => ('value' in item ? item.value : item.kind)), [
    'a\nb\nc',
    '<&>&🙂',
    ' x ',
    -1000,
    Number.NaN,
    Number.NEGATIVE_INFINITY,
    -16n,
    true,
  ]);
});

test('differences are told by key path', (t) => {
  const published = plistValue({
    a: 1,
    'b.c': { d: [1, 2, 'x'] },
    only: true,
    data: Buffer.alloc(100),
    when: new Date('2026-01-01T00:00:00Z'),
  });
  const rebuilt = plistValue({
    when: new Date('2026-01-02T00:00:00Z'),
    a: '1',
    'b.c': { d: [1, 3] },
    data: Buffer.alloc(3),
    new: {},
  });
  const { found, cut, reordered } = comparePlists(published, rebuilt);
  t.is(cut, 0);
  t.is(reordered, 1);
  t.deepEqual(
    found.map(({ path, published: p, rebuilt: r }) => [path, p?.slice(0, 20), r]),
    [
      ['a', '1', '"1"'],
      ['"b.c".d[1]', '2', '3'],
      ['"b.c".d[2]', '"x"', undefined],
      ['only', 'true', undefined],
      ['data', 'data of 100 bytes, S', 'data 000000'],
      ['when', '2026-01-01T00:00:00.', '2026-01-02T00:00:00.000Z'],
      ['new', undefined, 'dictionary of 0'],
    ],
  );
  t.is(comparePlists(published, rebuilt, 2).cut, 5);
  t.true(equalPlists(published, published));
});
