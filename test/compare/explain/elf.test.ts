// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { BufferSource } from '../../../src/bytes.js';
import { explainElf } from '../../../src/compare/explain/elf.js';
import { compareLeaf } from '../../../src/compare/leaf.js';
import type { CauseKind, Difference } from '../../../src/compare/types.js';
import { buildElf, elfNote, type ElfSectionSpec } from '../../helpers/build-elf.js';
import { compareBuffers } from '../../helpers/compare-buffers.js';
import { need } from '../../helpers/need.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

async function explain(published: Buffer, rebuilt: Buffer): Promise<readonly Difference[] | undefined> {
  const sources = { published: new BufferSource(published), rebuilt: new BufferSource(rebuilt) };
  const found = compareLeaf(sources.published, sources.rebuilt, () => {});
  return explainElf({ path: ['lib.so'], ...sources, found });
}

/** Name, differing bytes and cause of each section. */
async function sectionsOf(
  published: Buffer,
  rebuilt: Buffer,
): Promise<readonly (readonly [string, number, CauseKind | undefined])[]> {
  const findings = (await explain(published, rebuilt)) ?? [];
  return findings.flatMap((each) =>
    each.kind === 'section' ? [[each.section, each.differentBytes, each.cause?.kind] as const] : [],
  );
}

const buildId = (byte: number, size = 20): ElfSectionSpec => ({
  name: '.note.gnu.build-id',
  type: 7,
  flags: 2,
  content: elfNote('GNU', 3, Buffer.alloc(size, byte)),
  alignment: 4,
});
const text = (content: string): ElfSectionSpec => ({
  name: '.text',
  type: 1,
  flags: 6,
  content,
  alignment: 16,
});
const comment = (content: string, flags = 0x30): ElfSectionSpec => ({
  name: '.comment',
  type: 1,
  flags,
  content,
});
const link = (name: string, crc: number): ElfSectionSpec => {
  const bytes = Buffer.alloc(Math.ceil((name.length + 1) / 4) * 4 + 4);
  bytes.write(name);
  bytes.writeUInt32LE(crc, bytes.length - 4);
  return { name: '.gnu_debuglink', type: 1, content: bytes };
};
const elf = (...sections: readonly ElfSectionSpec[]): Buffer => buildElf({ sections });

const explained = test.macro(
  async (
    t: ExecutionContext,
    published: readonly ElfSectionSpec[],
    rebuilt: readonly ElfSectionSpec[],
    expected: readonly (readonly [string, number, CauseKind | undefined])[],
  ) => {
    t.deepEqual(await sectionsOf(elf(...published), elf(...rebuilt)), expected);
  },
);

test(
  'a build id alone is its own cause',
  explained,
  [buildId(1), text('a')],
  [buildId(2), text('a')],
  [['.note.gnu.build-id', 20, 'build-id']],
);
test(
  'a build id follows from other sections',
  explained,
  [buildId(1), text('ab')],
  [buildId(2), text('ax')],
  [
    ['.note.gnu.build-id', 20, 'derived-from-other-difference'],
    ['.text', 1, undefined],
  ],
);
test(
  'code that calls itself a build id has no excuse',
  explained,
  [{ ...buildId(1), type: 1 }],
  [{ ...buildId(2), type: 1 }],
  [['.note.gnu.build-id', 20, undefined]],
);
test(
  'a build id longer than any linker writes has no excuse',
  explained,
  [buildId(1, 64)],
  [buildId(2, 64)],
  [['.note.gnu.build-id', 64, undefined]],
);
test(
  'compilers',
  explained,
  [comment('clang 14\0')],
  [comment('clang 15\0')],
  [['.comment', 1, 'compiler-version']],
);
test(
  'compilers in another order',
  explained,
  [comment('gcc\0ld!\0')],
  [comment('ld!\0gcc\0')],
  [['.comment', 6, 'order']],
);
test(
  'a comment that is loaded is code',
  explained,
  [comment('clang 14\0', 6)],
  [comment('clang 15\0', 6)],
  [['.comment', 1, undefined]],
);
test(
  'separate debug information',
  explained,
  [link('lib.debug', 1)],
  [link('lib.debug', 2)],
  [['.gnu_debuglink', 1, 'derived-from-other-difference']],
);
test(
  'debug information of another name',
  explained,
  [link('lib.debug', 1)],
  [link('bad.debug', 1)],
  [['.gnu_debuglink', 3, undefined]],
);
test(
  'debug information named by the build id',
  explained,
  [buildId(1), link(`${'01'.repeat(19)}.debug`, 1)],
  [buildId(2), link(`${'02'.repeat(19)}.debug`, 2)],
  [
    ['.note.gnu.build-id', 20, 'build-id'],
    ['.gnu_debuglink', 20, 'derived-from-other-difference'],
  ],
);
test(
  'a link with more behind its name than zeros has no excuse',
  explained,
  [{ name: '.gnu_debuglink', type: 1, content: 'a\0xyCRC1' }],
  [{ name: '.gnu_debuglink', type: 1, content: 'a\0xzCRC1' }],
  [['.gnu_debuglink', 1, undefined]],
);
const goId = (id: string): ElfSectionSpec => ({
  name: '.note.go.buildid',
  type: 7,
  flags: 2,
  content: elfNote('Go\0', 4, Buffer.from(id)),
});
test(
  'a Go build id',
  explained,
  [goId('11111111')],
  [goId('22222222')],
  [['.note.go.buildid', 8, 'build-id']],
);

test('sections of one side, sections of other sizes, and the headers that follow', async (t) => {
  const found = (await explain(elf(text('abcd'), comment('x\0')), elf(text('abXcd'), buildId(1)))) ?? [];
  t.like(
    found.filter((each) => each.kind === 'section'),
    [
      { section: '.text', publishedSize: 4, rebuiltSize: 5, differentBytes: 1 },
      { section: '.comment', publishedSize: 2, differentBytes: 2 },
      { section: '.shstrtab' },
      { section: '.note.gnu.build-id', rebuiltSize: 36, differentBytes: 36 },
    ],
  );
  t.true(found.some((each) => each.kind === 'section' && each.section === '(section headers)'));
  const longer = await sectionsOf(
    elf(text('a'.repeat(8)), comment('x\0')),
    elf(text('a'.repeat(40)), comment('x\0')),
  );
  const causes = new Map(longer.map(([name, , cause]) => [name, cause]));
  t.is(causes.get('(section headers)'), 'derived-from-other-difference');
  t.is(causes.get('(file header)'), 'derived-from-other-difference');
  t.is(causes.get('.text'), undefined);
});

test('what a section says of itself is a field; flags are no consequence of sizes', async (t) => {
  const published = elf(text('code'), comment('x\0'));
  const rebuilt = elf({ ...text('code'), flags: 7, address: 0x40 }, comment('x\0'));
  const found = (await explain(published, rebuilt)) ?? [];
  t.like(found, [
    { kind: 'field', field: 'elf/section .text flags', published: '0x6', rebuilt: '0x7', owner: 'different' },
    {
      kind: 'field',
      field: 'elf/section addresses (1 moved)',
      published: '.text at 0x0',
      rebuilt: '.text at 0x40',
    },
    { kind: 'section', section: '(section headers)', differentBytes: 2 },
  ]);
  t.false(found.some((each) => 'cause' in each));
});

test('another order, another machine, and bytes in no section', async (t) => {
  const swapped = (await explain(elf(text('same'), comment('x\0')), elf(comment('x\0'), text('same')))) ?? [];
  t.true(swapped.some((each) => each.kind === 'order' && each.moved === 1));
  const machine = await explain(
    buildElf({ sections: [], machine: 62 }),
    buildElf({ sections: [], machine: 40 }),
  );
  t.like(machine, [{ kind: 'field', field: 'elf/machine', published: 'x86-64', rebuilt: 'arm' }]);
  const appended =
    (await sectionsOf(elf(text('a')), Buffer.concat([elf(text('a')), Buffer.from('hidden')]))) ?? [];
  t.deepEqual(appended, [['(in no section)', 6, undefined]]);
});

test('left to the bytes: other formats, damaged files, sections that overlap', async (t) => {
  const good = elf(text('a'));
  t.is(await explain(good, Buffer.from('text')), undefined);
  t.is(await explain(good, good.subarray(0, 100)), undefined);
  const many = elf(
    ...Array.from({ length: 50 }, (_, i) => ({ name: `.s${i}`, type: 1, offset: 0, size: 4000 })),
  );
  t.is(await explain(good, many), undefined);
});

test('names cannot steer a terminal, and very many sections are summed up', async (t) => {
  const named = (content: string): Buffer => elf({ name: '.\u001b[2J', type: 1, content });
  t.deepEqual(await sectionsOf(named('a'), named('b')), [['.\\x1b[2J', 1, undefined]]);
  const many = (content: string): Buffer =>
    elf(...Array.from({ length: 600 }, (_, i) => ({ name: `.s${i}`, type: 1, content })));
  const found = await sectionsOf(many('ab'), many('cd'));
  t.is(found.length, 501);
  t.deepEqual(found.at(-1), ['(100 further sections)', 200, undefined]);
});

test('whatever byte differs, the findings account for at least as many, and no owner moves', async (t) => {
  const original = buildElf({
    sections: [buildId(1), text('instructions'), comment('clang\0'), link('lib.debug', 1)],
    segments: [{ type: 1, flags: 5, fileSize: 0x80 }],
  });
  const edits = fc.array(fc.tuple(fc.nat(original.length - 1), fc.integer({ min: 1, max: 255 })), {
    minLength: 1,
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(edits, async (list) => {
      const changed = Buffer.from(original);
      for (const [at, flip] of list) changed[at] = original.readUInt8(at) ^ flip;
      const count = new Set(list.map(([at]) => at)).size;
      const { pair, verdict } = await compareBuffers(original, changed);
      t.is(verdict.kind, 'unreproducible');
      t.is(pair.nodes[0]?.published.sums.different, count);
      const sections = pair.differences.flatMap((each) =>
        each.kind === 'section' ? [each.differentBytes] : [],
      );
      // a damaged file is shown by its bytes
      if (sections.length === 0) t.true(pair.differences.some((each) => each.kind === 'bytes'));
      else t.true(sections.reduce((sum, each) => sum + each, 0) >= count);
    }),
    { numRuns: 400 },
  );
});

function compile(t: ExecutionContext, source: string, ...options: readonly string[]): Buffer {
  const cwd = temporaryDirectory(t);
  writeFileSync(path.join(cwd, 'a.c'), source);
  execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-Wl,--build-id=sha1', ...options, '-o', 'a.so', 'a.c'], {
    cwd,
    stdio: 'pipe',
  });
  return readFileSync(path.join(cwd, 'a.so'));
}

test('two libraries from two sources: the code differs, the build id follows', async (t) => {
  if (!need(t, 'gcc')) return;
  const source = (n: number): string => `int f(int a) { return a * ${n}; }\n`;
  const found = await sectionsOf(compile(t, source(1_000_003)), compile(t, source(1_000_033)));
  t.deepEqual(
    found.map(([name, , cause]) => [name, cause]),
    [
      ['.note.gnu.build-id', 'derived-from-other-difference'],
      ['.text', undefined],
    ],
  );
  t.is(found[0]?.[1], 20);
});

test('one library with two build ids: nothing else differs', async (t) => {
  if (!need(t, 'gcc')) return;
  const source = 'int f(int a) { return a + 1; }\n';
  const one = compile(t, source, `-Wl,--build-id=0x${'11'.repeat(20)}`);
  const { pair } = await compareBuffers(one, compile(t, source, `-Wl,--build-id=0x${'22'.repeat(20)}`));
  t.like(pair.differences, [{ kind: 'section', section: '.note.gnu.build-id', cause: { kind: 'build-id' } }]);
  t.is(pair.differences.length, 1);
  t.is(pair.worst, 'different', 'a cause is no excuse');
});

test('one source with more code: sections grow, and every finding names the section that readelf names', async (t) => {
  if (!need(t, 'gcc', 'readelf')) return;
  const one = compile(t, 'int f(int a) { return a; }\n');
  const two = compile(t, 'int f(int a) { return a; }\nint g(int a) { return f(a) + 7; }\n', '-g');
  const names = new Set((await sectionsOf(one, two)).map(([name]) => name));
  t.true(['.text', '.dynsym', '.debug_info', '(section headers)'].every((name) => names.has(name)));
  const file = path.join(temporaryDirectory(t), 'two.so');
  writeFileSync(file, two);
  const listed = execFileSync('readelf', ['-W', '-S', file], { encoding: 'latin1' });
  for (const name of names) if (!name.startsWith('(')) t.true(listed.includes(` ${name} `), name);
});
