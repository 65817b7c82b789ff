// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { BufferSource, FileSource } from '../../src/bytes.js';
import { allocatedSectionsDigest } from '../../src/formats/elf-digest.js';
import { readElf } from '../../src/formats/elf.js';
import { buildElf, elfNote, type ElfSectionSpec, type ElfSpec } from '../helpers/build-elf.js';
import { need } from '../helpers/need.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const digest = (bytes: Buffer): string | undefined => allocatedSectionsDigest(new BufferSource(bytes));
const buildId = (byte: number, size = 20): ElfSectionSpec => ({
  name: '.note.gnu.build-id',
  type: 7,
  flags: 2,
  content: elfNote('GNU', 3, Buffer.alloc(size, byte)),
  alignment: 4,
});
const base: readonly ElfSectionSpec[] = [
  buildId(1),
  { name: '.text', type: 1, flags: 6, content: 'instructions', alignment: 16 },
  { name: '.bss', type: 8, flags: 3, size: 1 << 20 },
  { name: '.comment', type: 1, flags: 0x30, content: 'GCC 12\0' },
];
const of = (sections: readonly ElfSectionSpec[], more: Partial<ElfSpec> = {}): string | undefined =>
  digest(buildElf({ type: 1, sections, ...more }));
const changed = (name: string, change: Partial<ElfSectionSpec>): readonly ElfSectionSpec[] =>
  base.map((section) => (section.name === name ? { ...section, ...change } : section));

test('debug information, comments and the build id are not seen; everything else is', (t) => {
  const expected = of(base);
  t.regex(expected ?? '', /^[0-9a-f]{64}$/);
  t.is(of([...base, { name: '.debug_info', type: 1, content: 'debug' }]), expected);
  t.is(of(base.filter(({ name }) => name !== '.comment')), expected);
  t.is(of(changed('.note.gnu.build-id', buildId(2))), expected);
  const others = [
    of(changed('.text', { content: 'Instructions' })),
    of(changed('.text', { address: 0x1001 })),
    of(changed('.text', { flags: 7 })),
    of(changed('.text', { name: '.code' })),
    of(changed('.bss', { size: 5 })),
    of(base, { machine: 183 }),
    of([
      ...base.slice(1, 2),
      ...base.slice(0, 1),
      ...base.slice(2),
      { ...base[1], name: '.a' } as ElfSectionSpec,
    ]),
  ];
  for (const other of others) t.regex(other ?? '', /^[0-9a-f]{64}$/);
  t.is(new Set([expected, ...others]).size, others.length + 1);
});

test('only a build id is left out: what else calls itself one counts', (t) => {
  const seen = (one: Partial<ElfSectionSpec>, other: Partial<ElfSectionSpec>): true =>
    t.not(of(changed('.note.gnu.build-id', one)), of(changed('.note.gnu.build-id', other)));
  seen({ type: 1 }, { type: 1, content: elfNote('GNU', 3, Buffer.alloc(20, 2)) });
  seen(buildId(1, 64), buildId(2, 64));
  const two = (byte: number): Buffer =>
    Buffer.concat([elfNote('GNU', 3, Buffer.alloc(20)), elfNote('GNU', 3, Buffer.alloc(20, byte))]);
  seen({ content: two(1) }, { content: two(2) });
  const trailing = (byte: number): Buffer =>
    Buffer.concat([elfNote('GNU', 3, Buffer.alloc(20)), Buffer.alloc(8, byte)]);
  seen({ content: trailing(1) }, { content: trailing(2) });
  t.not(of([...base, buildId(3)]), of([...base, buildId(4)]), 'two sections of that name');
});

test('no digest where two different programs could share it', (t) => {
  t.is(digest(Buffer.from('no ELF file at all')), undefined);
  t.is(digest(buildElf({ sections: base }).subarray(0, 300)), undefined, 'damaged');
  t.is(
    of([buildId(1), { name: '.text', type: 8, flags: 6, size: 100 }]),
    undefined,
    'debug information only',
  );
  t.is(
    of([...base, { name: '.data', type: 1, flags: 3, offset: 64, size: 100 }]),
    undefined,
    'sections that overlap',
  );
  t.is(of(base, { type: 3 }), undefined, 'a program whose sections are in no segment');
  const text = { name: '.text', type: 1, flags: 6, offset: 0x40, size: 0x20, address: 0x40 };
  const load = { type: 1, flags: 5, offset: 0, address: 0, fileSize: 0x80 };
  const loaded = (address: number): string | undefined =>
    digest(buildElf({ type: 3, sections: [{ ...text, address }], segments: [load] }));
  t.regex(loaded(0x40) ?? '', /^[0-9a-f]{64}$/);
  t.is(loaded(0x50), undefined, 'a section that is loaded elsewhere');
});

test('what strip and objcopy leave of a library has its digest; its debug information has none', (t) => {
  if (!need(t, 'gcc', 'strip', 'objcopy')) return;
  const cwd = temporaryDirectory(t);
  writeFileSync(
    path.join(cwd, 'a.c'),
    'static int state[4] = {1};\nint next(int n) { return state[n & 3]++; }\n',
  );
  const run = (tool: string, ...args: readonly string[]): void =>
    void execFileSync(tool, args, { cwd, stdio: 'pipe' });
  run('gcc', '-g', '-shared', '-fPIC', '-Wl,--build-id=sha1', '-o', 'whole.so', 'a.c');
  run('strip', '-o', 'stripped.so', 'whole.so');
  run('objcopy', '--only-keep-debug', 'whole.so', 'debug.so');
  run('gcc', '-g', '-O2', '-shared', '-fPIC', '-Wl,--build-id=sha1', '-o', 'other.so', 'a.c');
  run(
    'gcc',
    '-g',
    '-shared',
    '-fPIC',
    '-Wl,--build-id=0x1234567812345678123456781234567812345678',
    '-o',
    'id.so',
    'a.c',
  );
  const one = (name: string): string | undefined => digest(readFileSync(path.join(cwd, name)));
  const whole = one('whole.so');
  t.regex(whole ?? '', /^[0-9a-f]{64}$/);
  t.false(
    readElf(new BufferSource(readFileSync(path.join(cwd, 'stripped.so')))).sections.some(({ name }) =>
      name.startsWith('.debug'),
    ),
  );
  t.is(one('stripped.so'), whole);
  t.is(one('id.so'), whole);
  t.is(one('debug.so'), undefined);
  t.not(one('other.so'), whole);
});

test('a program of this machine has one', (t) => {
  if (process.platform !== 'linux') {
    t.log('skipped: this program is no ELF file here');
    t.pass();
    return;
  }
  const source = FileSource.open(process.execPath);
  t.teardown(() => source.close());
  t.regex(allocatedSectionsDigest(source) ?? '', /^[0-9a-f]{64}$/);
});
