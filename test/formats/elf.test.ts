// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { BufferSource, FileSource } from '../../src/bytes.js';
import { FormatError } from '../../src/errors.js';
import { readElf, type ElfFile } from '../../src/formats/elf.js';
import { buildElf, elfNote, type ElfSectionSpec } from '../helpers/build-elf.js';
import { need } from '../helpers/need.js';
import { assertTiledOrRefused } from '../helpers/structure.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const read = (bytes: Buffer): ElfFile => readElf(new BufferSource(bytes));

const buildId = Buffer.from('00112233445566778899aabbccddeeff00112233', 'hex');
const comment = 'GCC: (Debian 12.2.0-14) 12.2.0\0clang version 14\0GCC: (Debian 12.2.0-14) 12.2.0\0';
const sectionsFor = (littleEndian: boolean): readonly ElfSectionSpec[] => [
  {
    name: '.note.gnu.build-id',
    type: 7,
    flags: 2,
    address: 0x400,
    content: elfNote('GNU', 3, buildId, littleEndian),
    alignment: 4,
  },
  { name: '.text', type: 1, flags: 6, address: 0x1000, content: 'instructions', alignment: 16 },
  { name: '.bss', type: 8, flags: 3, address: 0x2000, size: 1 << 30, alignment: 32 },
  {
    name: '.comment',
    type: 1,
    flags: 0x30,
    content: comment,
  },
];
const segments = [
  { type: 1, flags: 5, offset: 0, address: 0, fileSize: 0x100, memorySize: 0x3000 },
  { type: 0x6474e551, flags: 6 },
];

for (const bits of [32, 64] as const)
  for (const littleEndian of [true, false]) {
    const bytes = buildElf({
      bits,
      littleEndian,
      machine: littleEndian ? 40 : 8,
      sections: sectionsFor(littleEndian),
      segments,
    });

    test(`${bits} bits, ${littleEndian ? 'little' : 'big'} endian: headers, sections, segments, notes, comments`, (t) => {
      const elf = read(bytes);
      t.like(elf, {
        bits,
        littleEndian,
        type: 'dyn',
        machine: littleEndian ? 'arm' : 'mips',
        buildId: buildId.toString('hex'),
        comments: ['GCC: (Debian 12.2.0-14) 12.2.0', 'clang version 14'],
      });
      t.deepEqual(
        elf.sections.map(({ name, type, flags, address, size }) => [
          name,
          type,
          flags,
          Number(address),
          size,
        ]),
        [
          ['', 'null', 0, 0, 0],
          ['.note.gnu.build-id', 'note', 2, 0x400, 36],
          ['.text', 'progbits', 6, 0x1000, 12],
          ['.bss', 'nobits', 3, 0x2000, 1 << 30],
          ['.comment', 'progbits', 0x30, 0, comment.length],
          ['.shstrtab', 'strtab', 0, 0, 50],
        ],
      );
      t.deepEqual(
        elf.allocated.map((section) => section.name),
        ['.note.gnu.build-id', '.text', '.bss'],
      );
      t.deepEqual(
        elf.segments.map(({ type, flags, fileSize, memorySize }) => [type, flags, fileSize, memorySize]),
        [
          ['load', 5, 0x100, 0x3000],
          ['gnu_stack', 6, 0, 0],
        ],
      );
      t.deepEqual(elf.notes, [{ place: '.note.gnu.build-id', owner: 'GNU', type: 3, description: buildId }]);
    });

    test(`${bits} bits, ${littleEndian ? 'little' : 'big'} endian: readelf agrees`, (t) => {
      if (!need(t, 'readelf')) return;
      const file = path.join(temporaryDirectory(t), 'file');
      writeFileSync(file, bytes);
      const output = execFileSync('readelf', ['-W', '-S', '-l', '-n', file], {
        encoding: 'latin1',
        stdio: 'pipe',
      });
      for (const section of read(bytes).sections.slice(1)) {
        const line = output.split('\n').find((each) => each.includes(` ${section.name} `)) ?? '';
        const [, , address, offset, size] = line.slice(line.indexOf(section.name)).split(/ +/);
        t.deepEqual(
          [address, offset, size].map((field) => Number.parseInt(field ?? '', 16)),
          [Number(section.address), section.offset, section.size],
        );
      }
      t.true(output.includes(`Build ID: ${buildId.toString('hex')}`));
      t.true(/GNU_STACK/.test(output));
    });
  }

test('counts beyond 65,279 stand in section 0', (t) => {
  const elf = read(buildElf({ sections: sectionsFor(true), segments, large: true }));
  t.is(elf.sections.length, 6);
  t.is(elf.segments.length, 2);
  t.is(elf.sections[2]?.name, '.text');
});

test('without sections, notes are found by their segment', (t) => {
  const note = elfNote('Go', 4, Buffer.from('id'));
  const bytes = Buffer.concat([
    buildElf({ segments: [{ type: 4, offset: 120, fileSize: note.length }] }),
    note,
  ]);
  const elf = read(bytes);
  t.deepEqual(elf.notes, [{ place: 'segment 0', owner: 'Go', type: 4, description: Buffer.from('id') }]);
  t.is(elf.buildId, undefined);
});

test('notes in sections aligned to 8 are padded to 8', (t) => {
  const property = Buffer.concat([
    elfNote('GNU', 5, Buffer.alloc(12, 1)),
    Buffer.alloc(4),
    elfNote('GNU', 6, Buffer.alloc(8, 2)),
  ]);
  const elf = read(
    buildElf({
      sections: [{ name: '.note.gnu.property', type: 7, flags: 2, alignment: 8, content: property }],
    }),
  );
  t.deepEqual(
    elf.notes.map(({ type, description }) => [type, description.length]),
    [
      [5, 12],
      [6, 8],
    ],
  );
});

for (const name of ['node', 'readelf', 'sh'])
  test(`readelf and ours agree on every section and segment of the program ${name}`, (t) => {
    if (!need(t, 'readelf', name)) return;
    const file = name === 'node' ? process.execPath : realpathSync(which(name));
    const source = FileSource.open(file);
    t.teardown(() => source.close());
    const elf = readElf(source);
    const output = execFileSync('readelf', ['-W', '-S', '-l', '-n', '-h', file], {
      encoding: 'latin1',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 1 << 24,
    });
    const rows = [
      ...output.matchAll(/^ +\[ *(\d+)\] +(\S*) +\S+ +([0-9a-f]{8,16}) ([0-9a-f]{6,}) ([0-9a-f]{6,}) /gm),
    ];
    t.deepEqual(
      elf.sections
        .slice(1)
        .map((each) => [each.index, each.name, Number(each.address), each.offset, each.size]),
      rows
        .filter(([, index]) => index !== '0')
        .map(([, index, sectionName, address, offset, size]) => [
          Number(index),
          sectionName,
          ...[address, offset, size].map((field) => Number.parseInt(field ?? '', 16)),
        ]),
    );
    const lines = [
      ...output.matchAll(
        /^ +[A-Z][A-Z_0-9]+ +(0x[0-9a-f]{6,}) (0x[0-9a-f]+) 0x[0-9a-f]+ (0x[0-9a-f]+) (0x[0-9a-f]+) /gm,
      ),
    ];
    t.true(lines.length > 5);
    t.deepEqual(
      elf.segments.map((each) => [each.offset, Number(each.address), each.fileSize, each.memorySize]),
      lines.map((line) => line.slice(1).map(Number)),
    );
    t.is(Number(elf.entry), Number(/Entry point address: +(\S+)/.exec(output)?.[1]));
    t.is(elf.buildId, /Build ID: ([0-9a-f]+)/.exec(output)?.[1]);
  });

function which(name: string): string {
  return execFileSync('which', [name], { encoding: 'utf8' }).trim();
}

test('damaged files are read or refused', (t) => {
  for (const bits of [32, 64] as const) {
    const bytes = buildElf({ bits, sections: sectionsFor(true), segments });
    const attempt = (damaged: Buffer): void => {
      assertTiledOrRefused(
        t,
        damaged,
        (source) => {
          readElf(source);
          return [{ offset: 0, size: source.size, kind: 'elf' }];
        },
        'elf',
      );
    };
    for (let size = 0; size < bytes.length; size++) attempt(bytes.subarray(0, size));
    for (let at = 0; at < bytes.length; at++)
      for (const value of [0, 1, 7, 8, 0x7f, 0xff, (bytes[at] ?? 0) ^ 1]) {
        const damaged = Buffer.from(bytes);
        damaged[at] = value;
        attempt(damaged);
      }
  }
  t.pass();
});

const refused = test.macro<[Buffer, string]>({
  exec(t, bytes, code) {
    t.is(t.throws(() => read(bytes), { instanceOf: FormatError })?.code, code);
  },
  title: (name) => `refuses ${name ?? ''}`,
});

/** A good file with some bytes of its head changed. */
function patched(...changes: readonly (readonly [number, number])[]): Buffer {
  const bytes = buildElf({ sections: sectionsFor(true), segments });
  for (const [at, value] of changes) bytes[at] = value;
  return bytes;
}
const section = (spec: Partial<ElfSectionSpec>): Buffer =>
  buildElf({ sections: [{ name: '.x', type: 1, ...spec }] });
const note = (content: Uint8Array): Buffer => section({ type: 7, content });

test('another format', refused, Buffer.from('hello, hello, hello'), 'elf/magic');
test('nothing', refused, Buffer.alloc(0), 'elf/magic');
test('another class', refused, patched([4, 3]), 'elf/class');
test('another byte order', refused, patched([5, 0]), 'elf/byte-order');
test('another version', refused, patched([6, 2]), 'elf/version');
test('a header that is cut off', refused, patched().subarray(0, 40), 'elf/truncated');
test('a section table beyond the end', refused, patched([40, 0xf0], [41, 0xff]), 'elf/truncated');
test('an offset beyond 2^53', refused, patched([47, 0x7f]), 'elf/number');
test(
  'section headers of another size',
  refused,
  buildElf({ sections: [], header: { shentsize: 40 } }),
  'elf/section-entry-size',
);
test(
  'program headers of another size',
  refused,
  buildElf({ segments, header: { phentsize: 32 } }),
  'elf/segment-entry-size',
);
test('a section beyond the end', refused, section({ size: 1 << 20 }), 'elf/section-range');
test(
  'names in a section of another type',
  refused,
  buildElf({ sections: [{ name: 'x', type: 1 }], header: { shstrndx: 1 } }),
  'elf/section-names',
);
test(
  'names in a section that does not exist',
  refused,
  buildElf({ sections: [], header: { shstrndx: 9 } }),
  'elf/section-names',
);
test('a name beyond the names', refused, section({ nameOffset: 999 }), 'elf/section-name');
test(
  'a note longer than its section',
  refused,
  note(elfNote('GNU', 3, Buffer.alloc(20)).subarray(0, 24)),
  'elf/note',
);
test('very many notes', refused, note(Buffer.alloc(12 * 4097)), 'elf/note');
test('very large notes', refused, note(Buffer.alloc((1 << 20) + 1)), 'elf/text-too-large');
test(
  'comments that share one large range',
  refused,
  buildElf({
    sections: Array.from({ length: 9 }, (_, i) => ({
      name: '.comment',
      type: 1,
      ...(i === 0 ? { content: Buffer.alloc(1 << 17) } : { offset: 64, size: 1 << 17 }),
    })),
  }),
  'elf/text-too-large',
);
test(
  'more sections than anyone needs',
  refused,
  (() => {
    const bytes = buildElf({ sections: [{ name: 'x', type: 1 }], large: true });
    bytes.writeUInt32LE(1 << 18, Number(bytes.readBigUInt64LE(40)) + 32);
    return bytes;
  })(),
  'elf/too-many-sections',
);
test(
  'more segments than anyone needs',
  refused,
  (() => {
    const bytes = buildElf({ sections: [{ name: 'x', type: 1 }], segments, large: true });
    bytes.writeUInt32LE(1 << 18, Number(bytes.readBigUInt64LE(40)) + 44);
    return bytes;
  })(),
  'elf/too-many-segments',
);
