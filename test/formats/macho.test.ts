// SPDX-License-Identifier: Apache-2.0
/** Mach-O files of our own making and real ones: what they say, every byte's place, and what is refused. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { BufferSource } from '../../src/bytes.js';
import { FormatError } from '../../src/errors.js';
import { detectFormat } from '../../src/formats/detect.js';
import { readFat } from '../../src/formats/macho-fat.js';
import { layOutMachO } from '../../src/formats/macho-layout.js';
import { readMachO } from '../../src/formats/macho.js';
import { untiled } from '../../src/formats/region.js';
import { ARM64, buildFat, buildMachO, numbers, X86_64, type MachOSpec } from '../helpers/build-macho.js';
import { need } from '../helpers/need.js';
import { signMachO } from '../helpers/sign-macho.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const read = (bytes: Buffer) => readMachO(new BufferSource(bytes));
const layOut = (bytes: Buffer) => layOutMachO(new BufferSource(bytes), read(bytes));

const CODES = (
  t: { is: (a: unknown, b: unknown) => void },
  code: string,
  run: () => unknown,
): FormatError => {
  try {
    run();
  } catch (error) {
    if (error instanceof FormatError) {
      t.is(error.code, code);
      return error;
    }
    throw error;
  }
  throw new Error(`${code} was not thrown`);
};

test('both classes in both byte orders say the same', (t) => {
  for (const bits of [32, 64] as const)
    for (const littleEndian of [true, false]) {
      const bytes = signMachO(
        buildMachO({ bits, littleEndian, uuid: Buffer.alloc(16, 7), encryption: { id: 1 } }),
        { identifier: 'x' },
      );
      const file = read(bytes);
      t.like(file, { bits, littleEndian, fileType: 'execute', uuid: '07'.repeat(16) });
      t.is(file.architecture, bits === 64 ? 'arm64' : 'arm');
      t.deepEqual(file.builds, [
        { platform: 'iOS', minimum: '15.0', sdk: '18.5', tools: [{ name: 'ld', version: '1167.5' }] },
      ]);
      t.like(file.encryption, { offset: 0x1000, size: 0x3000 - 0x0, id: 1 });
      t.deepEqual(file.libraries, [{ path: '/usr/lib/libSystem.B.dylib', how: 'load_dylib' }]);
      const { regions, issues } = layOut(bytes);
      t.deepEqual(issues, []);
      t.is(untiled(regions, 0, bytes.length), undefined);
      const kinds = new Set(regions.map(({ kind }) => kind));
      for (const kind of ['__TEXT,__text', '__DATA,__data', 'mach-o/chained-fixups', 'mach-o/code-signature'])
        t.true(kinds.has(kind), kind);
    }
});

test('hidden bytes, overlaps and what is behind the end are told', (t) => {
  const plain = buildMachO();
  const hidden = Buffer.from(plain);
  hidden.write('x', 0xff0);
  t.deepEqual(
    layOut(hidden).issues.map(({ code }) => code),
    ['macho/gap'],
  );
  t.deepEqual(
    layOut(Buffer.concat([plain, Buffer.from('more')])).issues.map(({ code, offset }) => [code, offset]),
    [['macho/trailing-bytes', plain.length]],
  );
  const { word } = numbers(true);
  // a second table over the symbols
  const note = Buffer.concat([word(0x29), word(16), word(0x4000), word(0x40)]);
  t.deepEqual(
    layOut(buildMachO({ commands: [note] })).issues.map(({ code }) => code),
    ['macho/overlap'],
  );
});

test('universal files of both widths', (t) => {
  const [arm, intel] = [buildMachO(), buildMachO({ cpuType: X86_64, cpuSubtype: 3 })];
  for (const wide of [false, true]) {
    const fat = buildFat(
      [
        { cpuType: X86_64, cpuSubtype: 3, file: intel },
        { cpuType: ARM64, file: arm },
      ],
      wide,
    );
    const { slices } = readFat(new BufferSource(fat));
    t.deepEqual(
      slices.map(({ architecture, size }) => [architecture, size]),
      [
        ['x86_64', intel.length],
        ['arm64', arm.length],
      ],
    );
    t.is(detectFormat(new BufferSource(fat)), 'mach-o');
  }
});

test('what a universal file must not be', (t) => {
  const file = buildMachO();
  const fat = (): Buffer =>
    buildFat([
      { cpuType: X86_64, cpuSubtype: 3, file },
      { cpuType: ARM64, file },
    ]);
  const patched = (at: number, value: number): BufferSource => {
    const bytes = fat();
    bytes.writeUInt32BE(value, at);
    return new BufferSource(bytes);
  };
  CODES(t, 'macho/slice-count', () => readFat(patched(4, 10_000)));
  CODES(t, 'macho/slice-count', () => readFat(patched(4, 0xffffffff)));
  CODES(t, 'macho/slice-count', () => readFat(patched(4, 0)));
  CODES(t, 'macho/slice-overlap', () => readFat(patched(8 + 20 + 8, 0x1000)));
  CODES(t, 'macho/slice-overlap', () => readFat(patched(8 + 8, 0)));
  CODES(t, 'macho/slice-range', () => readFat(patched(8 + 12, 0xffffffff)));
  CODES(t, 'macho/slice-alignment', () => readFat(patched(8 + 16, 13)));
  const twice = buildFat([
    { cpuType: ARM64, file },
    { cpuType: ARM64, cpuSubtype: 0x80000000, file },
  ]);
  CODES(t, 'macho/slice-repeated', () => readFat(new BufferSource(twice)));
  CODES(t, 'macho/magic', () => readFat(patched(0, 0)));
});

test('what a load command must not be', (t) => {
  const plain = signMachO(buildMachO({ uuid: Buffer.alloc(16, 1), encryption: {} }));
  const command = (name: string): number =>
    read(plain).commands.find((one) => one.name === name)?.offset ?? 0;
  const patched = (at: number, value: number) => (): unknown => {
    const bytes = Buffer.from(plain);
    bytes.writeUInt32LE(value >>> 0, at);
    return read(bytes);
  };
  const first = 32;
  t.is(CODES(t, 'macho/command-size', patched(first + 4, 0)).offset, first);
  CODES(t, 'macho/command-size', patched(first + 4, 7));
  CODES(t, 'macho/command-range', patched(first + 4, 0xfffffffc));
  CODES(t, 'macho/too-many-commands', patched(16, 0xffffffff));
  CODES(t, 'macho/commands-range', patched(20, 0xffffffff));
  CODES(t, 'macho/commands-size', patched(16, 3));
  CODES(t, 'macho/commands-size', patched(16, 100));
  CODES(t, 'macho/too-many-sections', patched(first + 64, 0xffffffff));
  CODES(t, 'macho/command-size', patched(first + 64, 2));
  CODES(t, 'macho/number', patched(first + 40 + 4, 0xffffffff));
  CODES(t, 'macho/segment-range', patched(first + 48, 0xfffffff0));
  CODES(t, 'macho/section-range', patched(first + 72 + 48, 0xfffffff0));
  CODES(t, 'macho/relocation-range', patched(first + 72 + 60, 0xffffffff));
  CODES(t, 'macho/table-range', patched(command('LC_SYMTAB') + 12, 0xffffffff));
  CODES(t, 'macho/table-range', patched(command('LC_CODE_SIGNATURE') + 8, 0xffffffff));
  CODES(t, 'macho/encryption-range', patched(command('LC_ENCRYPTION_INFO_64') + 12, 0xffffffff));
  CODES(t, 'macho/string-range', patched(command('LC_LOAD_DYLIB') + 8, 0xffffffff));
  CODES(t, 'macho/command-size', patched(command('LC_BUILD_VERSION') + 20, 0xffffffff));
  CODES(t, 'macho/command-repeated', patched(command('LC_FUNCTION_STARTS'), 0x1d));
  CODES(t, 'macho/command-repeated', patched(command('LC_FUNCTION_STARTS'), 0x1b));
  const { word } = numbers(true);
  CODES(t, 'macho/command-size', () =>
    read(buildMachO({ commands: [Buffer.concat([word(0x1b), word(16), word(0), word(0)])] })),
  );
  CODES(t, 'macho/magic', patched(0, 0xfeedfacd));
});

test('truncated anywhere it is a FormatError or another whole file, and never runs on', (t) => {
  const plain = signMachO(buildMachO({ uuid: Buffer.alloc(16, 1) }));
  for (let size = 0; size < plain.length; size += size < 1200 ? 1 : 97) {
    const cut = plain.subarray(0, size);
    t.throws(() => read(cut), { instanceOf: FormatError }, `at ${size}`);
  }
});

test('a flipped bit in headers is a FormatError or another file, with every byte in its place', (t) => {
  const plain = signMachO(buildMachO({ uuid: Buffer.alloc(16, 1), encryption: {} }));
  let taken = 0;
  for (let at = 0; at < 900; at++)
    for (const bit of [1, 0x10, 0x80]) {
      const bytes = Buffer.from(plain);
      bytes[at] = (bytes[at] ?? 0) ^ bit;
      try {
        const { regions } = layOut(bytes);
        t.is(untiled(regions, 0, bytes.length), undefined);
        taken++;
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    }
  t.true(taken > 100);
});

const PREBUILDS = path.resolve('node_modules/bare-os/prebuilds');
const REAL = readdirSync(PREBUILDS)
  .filter((name) => /^(darwin|ios)-/.test(name))
  .map((name) => path.join(PREBUILDS, name, 'bare-os.bare'));

test('real files of macOS, iOS and the simulator have no byte without a place', (t) => {
  const platforms = new Set<string>();
  for (const file of REAL) {
    const bytes = readFileSync(file);
    const found = read(bytes);
    const { regions, issues } = layOut(bytes);
    t.deepEqual(issues, [], file);
    t.is(untiled(regions, 0, bytes.length), undefined);
    t.is(detectFormat(new BufferSource(bytes)), 'mach-o');
    for (const { platform } of found.builds) platforms.add(platform);
  }
  t.deepEqual([...platforms].sort(), ['iOS', 'iOS simulator', 'macOS']);
});

interface Section {
  readonly name: string;
  readonly segment: string;
  readonly offset: number;
  readonly size: number;
}

/** Sections as `llvm-readobj --sections` lists them. */
function sectionsOfLlvm(file: string): Section[] {
  const text = execFileSync('llvm-readobj', ['--sections', file], { encoding: 'utf8' });
  return text
    .split('Section {')
    .slice(1)
    .map((part) => {
      const value = (name: string): string => new RegExp(`${name}: (\\S+)`).exec(part)?.[1] ?? '';
      return {
        name: value('Name'),
        segment: value('Segment'),
        offset: Number(value('Offset')),
        size: Number(value('Size')),
      };
    });
}

test('LLVM reads the same sections, commands and identifiers', (t) => {
  if (!need(t, 'llvm-readobj', 'llvm-objdump')) return;
  const directory = temporaryDirectory(t);
  const own: readonly MachOSpec[] = [{}, { bits: 32 }, { uuid: Buffer.alloc(16, 5), encryption: { id: 1 } }];
  const made = own.map((spec, i) => {
    const file = path.join(directory, `own-${i}`);
    writeFileSync(file, signMachO(buildMachO(spec)));
    return file;
  });
  for (const file of [...made, ...REAL]) {
    const found = read(readFileSync(file));
    const sections = found.segments.flatMap((segment) => segment.sections);
    t.deepEqual(
      sections.map(({ name, segment, offset, size }) => ({ name, segment, offset, size })),
      sectionsOfLlvm(file),
    );
    const dump = execFileSync('llvm-objdump', ['--macho', '--private-headers', file], { encoding: 'utf8' });
    t.deepEqual(
      found.commands.map(({ name }) => name),
      [...dump.matchAll(/^ *cmd (\S+)$/gm)].map(([, name]) => name),
    );
    const uuid = /^ *uuid (\S+)$/m.exec(dump)?.[1];
    t.is(found.uuid, uuid?.replaceAll('-', '').toLowerCase());
    const signature = /LC_CODE_SIGNATURE\n *cmdsize 16\n *dataoff (\d+)\n *datasize (\d+)/.exec(dump);
    t.deepEqual(
      found.signature === undefined ? [] : [found.signature.offset, found.signature.size],
      signature === null ? [] : [Number(signature[1]), Number(signature[2])],
    );
    const crypt = /cryptoff (\d+)\n *cryptsize (\d+)\n *cryptid (\d+)/.exec(dump);
    t.deepEqual(
      found.encryption === undefined
        ? []
        : [found.encryption.offset, found.encryption.size, found.encryption.id],
      crypt === null ? [] : crypt.slice(1).map(Number),
    );
  }
});

test('LLVM reads the same slices of universal files, with offsets of either size', (t) => {
  if (!need(t, 'llvm-objdump')) return;
  const directory = temporaryDirectory(t);
  const slice = (name: string): Buffer => readFileSync(path.join(PREBUILDS, name, 'bare-os.bare'));
  for (const wide of [false, true]) {
    const file = path.join(directory, `fat-${wide}`);
    const slices = [
      { cpuType: X86_64, cpuSubtype: 3, file: slice('darwin-x64') },
      { cpuType: ARM64, file: slice('darwin-arm64') },
    ];
    writeFileSync(file, buildFat(slices, wide));
    const dump = execFileSync('llvm-objdump', ['--macho', '--universal-headers', file], { encoding: 'utf8' });
    const found = readFat(new BufferSource(readFileSync(file)));
    t.is(found.wide, dump.includes('FAT_MAGIC_64'));
    t.deepEqual(
      found.slices.map(({ architecture, offset, size, alignment }) => ({
        architecture,
        offset,
        size,
        alignment,
      })),
      [
        ...dump.matchAll(/architecture (\S+)\n(?: .*\n)*? *offset (\d+)\n *size (\d+)\n *align 2\^(\d+)/g),
      ].map(([, architecture, offset, size, alignment]) => ({
        architecture,
        offset: Number(offset),
        size: Number(size),
        alignment: Number(alignment),
      })),
    );
  }
});
