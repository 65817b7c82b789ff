// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import fc from 'fast-check';
import { readManifest } from '../../src/formats/jar-manifest.js';

const read = (text: string): ReturnType<typeof readManifest> => readManifest(Buffer.from(text));
const MAIN = 'Manifest-Version: 1.0\r\n\r\n';

test('sections with their bytes, attributes without regard to case, folded lines', (t) => {
  const first = 'Name: a/very/\r\n long.name\r\nSHA1-Digest: eA==\r\n\r\n';
  const second = 'name: b\r\nX: \r\n\r\n';
  const { main, sections, malformed, ambiguous, emptyLineAtEnd } = read(MAIN + first + second);
  t.is(main.attributes.get('manifest-version'), '1.0');
  t.deepEqual([main.start, main.end], [0, MAIN.length]);
  t.deepEqual(
    sections.map(({ name, start, end }) => ({ name, start, end })),
    [
      { name: 'a/very/long.name', start: MAIN.length, end: MAIN.length + first.length },
      { name: 'b', start: MAIN.length + first.length, end: MAIN.length + first.length + second.length },
    ],
  );
  t.is(sections[0]?.attributes.get('sha1-digest'), 'eA==');
  t.is(sections[1]?.attributes.get('x'), '');
  t.deepEqual(sections[1]?.lines[0], ['name', 'b']);
  t.deepEqual([malformed, ambiguous, emptyLineAtEnd], [undefined, [], false]);
});

test('a character that a line break cuts in two is one character', (t) => {
  const bytes = Buffer.from('Name: ü\r\n\r\n');
  const at = bytes.indexOf(0xc3) + 1;
  const folded = Buffer.concat([
    Buffer.from(MAIN),
    bytes.subarray(0, at),
    Buffer.from('\r\n '),
    bytes.subarray(at),
  ]);
  t.is(readManifest(folded).sections[0]?.name, 'ü');
});

test('line feeds alone end lines', (t) => {
  const { sections, ambiguous } = read('Manifest-Version: 1.0\n\nName: a\nX: b\n\nName: c\n\n');
  t.deepEqual(
    sections.map(({ name }) => name),
    ['a', 'c'],
  );
  t.deepEqual(ambiguous, []);
});

for (const [title, text, message] of [
  ['NUL', `${MAIN}Name: a\0b\r\n\r\n`, 'a NUL byte'],
  ['no space after the colon', `${MAIN}Name:a\r\n\r\n`, 'a line without name and value'],
  ['no colon', `${MAIN}Name: a\r\nnonsense\r\n\r\n`, 'a line without name and value'],
  ['a colon in the next line', `${MAIN}Name: a\r\nnonsense\r\nX: y\r\n\r\n`, 'a line without name and value'],
  ['a section without name', `${MAIN}X: y\r\n\r\n`, 'a section without name'],
  ['a name that is not first', `${MAIN}X: y\r\nName: a\r\n\r\n`, 'a section without name'],
  [
    'a strange attribute',
    `${MAIN}Name: a\r\nX Y: z\r\n\r\n`,
    'a name with other characters than 0-9A-Za-z_-',
  ],
  ['a continuation of nothing', ` x\r\n${MAIN}`, 'a continuation of nothing'],
  ['an empty line in front', `\r\n${MAIN}`, 'an empty line in front'],
] as const)
  test(`malformed: ${title}`, (t) => {
    t.is(read(text).malformed?.message, message);
  });

for (const [title, text, message] of [
  ['a carriage return alone', `${MAIN}Name: a\rX: y\r\n\r\n`, 'a carriage return without line feed'],
  ['no end of the last line', `${MAIN}Name: a`, 'the last line has no end'],
  ['two empty lines', `${MAIN}\r\nName: a\r\n\r\n`, 'a second empty line'],
  ['an attribute twice', `${MAIN}Name: a\r\nX: 1\r\nx: 2\r\n\r\n`, 'attribute x occurs again'],
] as const)
  test(`readers disagree: ${title}`, (t) => {
    t.deepEqual(
      read(text).ambiguous.map((remark) => remark.message),
      [message],
    );
  });

test('an empty line more at the end is its own remark', (t) => {
  const { emptyLineAtEnd, ambiguous } = read(`${MAIN}Name: a\r\n\r\n\r\n`);
  t.deepEqual([emptyLineAtEnd, ambiguous], [true, []]);
});

test('never throws, sections lie in order and within', (t) => {
  const pieces = fc.constantFrom('Name: ', 'a', 'X: y', '\r\n', '\n', '\r', ' ', ':', '\0', 'ü', '\r\n\r\n');
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => {
      const bytes = Buffer.from(parts.join(''));
      const { sections } = readManifest(bytes);
      let end = 0;
      for (const section of sections) {
        t.true(section.start >= end && section.end > section.start && section.end <= bytes.length);
        end = section.end;
      }
    }),
    { numRuns: 2000 },
  );
  t.is(readManifest(Buffer.alloc(0)).sections.length, 0);
});

test('a large file without colons is read in one pass', (t) => {
  const started = performance.now();
  t.true(readManifest(Buffer.from('x\n'.repeat(1 << 20))).malformed !== undefined);
  t.true(performance.now() - started < 5000);
});
