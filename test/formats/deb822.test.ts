// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import fc from 'fast-check';
import { FormatError } from '../../src/errors.js';
import { listLines, ParagraphStream, parseParagraph } from '../../src/formats/deb822.js';

test('fields, continuation lines and comments are read', (t) => {
  const paragraph = parseParagraph(
    'Package: weechat\nEmpty:\n# a comment\nChecksums-Sha256:\n aa 1 x.dsc\n bb 2 y.tar.xz\nDescription: short\n long\n .\n end\n',
  );
  t.deepEqual(
    [...paragraph],
    [
      ['package', 'weechat'],
      ['empty', ''],
      ['checksums-sha256', 'aa 1 x.dsc\nbb 2 y.tar.xz'],
      ['description', 'short\nlong\n.\nend'],
    ],
  );
  t.deepEqual(listLines(paragraph.get('checksums-sha256') ?? ''), [
    ['aa', '1', 'x.dsc'],
    ['bb', '2', 'y.tar.xz'],
  ]);
});

const refuses = test.macro({
  exec(t, text: string, code: string) {
    const error = t.throws(() => parseParagraph(text), { instanceOf: FormatError });
    t.is(error.code, `deb822/${code}`);
  },
  title: (given) => `${given} is refused`,
});
test('a line without a colon', refuses, 'Package: a\nno field\n', 'bad-line');
test('an empty line inside', refuses, 'Package: a\n\nVersion: 1\n', 'bad-line');
test('a field that stands twice', refuses, 'Package: a\nPACKAGE: b\n', 'duplicate-field');
test('a continuation without a field', refuses, ' x\nPackage: a\n', 'continuation-without-field');
test('a field name beginning with a dash', refuses, '-Package: a\n', 'bad-line');

test('a stream is cut at empty lines, wherever its chunks end', (t) => {
  const paragraphs = ['Package: a\nVersion: 1\n', 'Package: b\n', 'Package: c\nX: y\n'];
  const bytes = Buffer.from(`\n\n${paragraphs.join('\n')}\n\n\n`);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 60 }), (sizes) => {
      const seen: string[] = [];
      const stream = new ParagraphStream((paragraph) => seen.push(paragraph.toString()));
      let at = 0;
      for (const size of sizes) {
        stream.write(bytes.subarray(at, at + size));
        at += size;
      }
      stream.write(bytes.subarray(at));
      stream.end();
      t.deepEqual(seen, paragraphs);
    }),
  );
});

test('a last paragraph without a line feed is seen', (t) => {
  const seen: string[] = [];
  const stream = new ParagraphStream((paragraph) => seen.push(paragraph.toString()));
  stream.write(Buffer.from('A: 1\n\nB: 2'));
  stream.end();
  t.deepEqual(seen, ['A: 1\n', 'B: 2']);
});
