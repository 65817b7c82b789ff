// SPDX-License-Identifier: Apache-2.0
/**
 * Mach-O, one architecture, 32 and 64 bits, either byte order: header, load commands, segments, sections. What lies where
 * is in `macho-layout.ts`.
 * https://github.com/apple-oss-distributions/xnu/blob/main/EXTERNAL_HEADERS/mach-o/loader.h
 */
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import {
  readCommand,
  type BuildVersion,
  type EncryptionInfo,
  type Library,
  type LoadCommand,
  type MachOSegment,
  type NamedRange,
} from './macho-commands.js';
import { MachOFields } from './macho-fields.js';
import { architectureName, commandName, isZeroFilled, machFileType } from './macho-names.js';

export interface MachOFile {
  readonly bits: 32 | 64;
  readonly littleEndian: boolean;
  readonly architecture: string;
  readonly cpuType: number;
  readonly cpuSubtype: number;
  readonly fileType: string;
  readonly flags: number;
  readonly headerSize: number;
  readonly commandsSize: number;
  readonly commands: readonly LoadCommand[];
  readonly segments: readonly MachOSegment[];
  /** Tables and blobs that commands point to, those without bytes left out. */
  readonly ranges: readonly NamedRange[];
  readonly uuid: string | undefined;
  readonly builds: readonly BuildVersion[];
  readonly encryption: EncryptionInfo | undefined;
  readonly signature: NamedRange | undefined;
  readonly libraries: readonly Library[];
  readonly installName: string | undefined;
  readonly rpaths: readonly string[];
  readonly sourceVersion: string | undefined;
}

const MAX_COMMANDS = 1 << 14;
const MAX_COMMANDS_SIZE = 1 << 23;
const MAX_SECTIONS = 4096;
/** There is one of each at most: of two, readers could each take another one. */
const UNIQUE: ReadonlySet<string> = new Set([
  'LC_SYMTAB',
  'LC_DYSYMTAB',
  'LC_UUID',
  'LC_CODE_SIGNATURE',
  'LC_ENCRYPTION_INFO',
  'LC_DYLD_INFO',
  'LC_DYLD_INFO_ONLY',
  'LC_DYLD_CHAINED_FIXUPS',
  'LC_DYLD_EXPORTS_TRIE',
  'LC_FUNCTION_STARTS',
  'LC_DATA_IN_CODE',
  'LC_MAIN',
]);

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('macho', code, offset, message);
}

export function isThin(head: Buffer): boolean {
  if (head.length < 16) return false;
  for (const littleEndian of [true, false]) {
    const word = (at: number): number => (littleEndian ? head.readUInt32LE(at) : head.readUInt32BE(at));
    if ((word(0) === 0xfeedface || word(0) === 0xfeedfacf) && word(12) >= 1 && word(12) <= 15) return true;
  }
  return false;
}

/** @throws FormatError `macho/…` */
export function readMachO(source: ByteSource): MachOFile {
  if (source.size < 28) fail('truncated', source.size, `${source.size} bytes, a header has 28`);
  const magic = source.read(0, 4).readUInt32LE(0);
  const littleEndian = magic === 0xfeedface || magic === 0xfeedfacf;
  const wide = magic === 0xfeedfacf || magic === 0xcffaedfe;
  if (!littleEndian && magic !== 0xcefaedfe && magic !== 0xcffaedfe) fail('magic', 0, 'no Mach-O file');
  const headerSize = wide ? 32 : 28;
  const header = new MachOFields(source, 0, headerSize, littleEndian);
  const [count, commandsSize] = [header.word(16), header.word(20)];
  if (count > MAX_COMMANDS) fail('too-many-commands', 16, `${count} load commands, at most ${MAX_COMMANDS}`);
  if (commandsSize > MAX_COMMANDS_SIZE || headerSize + commandsSize > source.size)
    fail('commands-range', 20, `load commands of ${commandsSize} bytes in a file of ${source.size}`);
  const found = new Found(source, wide, littleEndian);
  let at = headerSize;
  for (let i = 0; i < count; i++) at += found.add(at, headerSize + commandsSize);
  if (at !== headerSize + commandsSize)
    fail('commands-size', at, `load commands end at ${at}, stated ${headerSize + commandsSize}`);
  found.check();
  const [cpuType, cpuSubtype] = [header.word(4), header.word(8)];
  return {
    bits: wide ? 64 : 32,
    littleEndian,
    architecture: architectureName(cpuType, cpuSubtype),
    cpuType,
    cpuSubtype,
    fileType: machFileType(header.word(12)),
    flags: header.word(24),
    headerSize,
    commandsSize,
    commands: found.commands,
    segments: found.segments,
    ranges: found.ranges,
    uuid: found.uuid,
    builds: found.builds,
    encryption: found.encryption,
    signature: found.ranges.find(({ kind }) => kind === 'mach-o/code-signature'),
    libraries: found.libraries,
    installName: found.installName,
    rpaths: found.rpaths,
    sourceVersion: found.sourceVersion,
  };
}

/** What the commands add up to. */
class Found {
  readonly commands: LoadCommand[] = [];
  readonly segments: MachOSegment[] = [];
  readonly ranges: NamedRange[] = [];
  readonly builds: BuildVersion[] = [];
  readonly libraries: Library[] = [];
  readonly rpaths: string[] = [];
  uuid: string | undefined;
  encryption: EncryptionInfo | undefined;
  installName: string | undefined;
  sourceVersion: string | undefined;
  readonly #source: ByteSource;
  readonly #wide: boolean;
  readonly #littleEndian: boolean;
  readonly #seen = new Set<string>();
  #sections = 0;

  constructor(source: ByteSource, wide: boolean, littleEndian: boolean) {
    this.#source = source;
    this.#wide = wide;
    this.#littleEndian = littleEndian;
  }

  /** The command at `offset`; its size. */
  add(offset: number, end: number): number {
    if (offset + 8 > end) fail('commands-size', offset, `no room for a load command before ${end}`);
    const head = new MachOFields(this.#source, offset, 8, this.#littleEndian);
    const [code, size] = [head.word(0), head.word(4)];
    const name = commandName(code);
    // a size of 0 would be read for ever
    if (size < 8 || size % 4 !== 0) fail('command-size', offset, `${name} of ${size} bytes`);
    if (offset + size > end)
      fail('command-range', offset, `${name} of ${size} bytes, ${end - offset} are left`);
    // one of 32 bits beside one of 64 would be two as well
    const single = name === 'LC_ENCRYPTION_INFO_64' ? 'LC_ENCRYPTION_INFO' : name;
    if (UNIQUE.has(single) && this.#seen.has(single)) fail('command-repeated', offset, `a second ${name}`);
    this.#seen.add(single);
    const command = { name, code, offset, size };
    this.commands.push(command);
    const fields = new MachOFields(this.#source, offset, size, this.#littleEndian);
    const facts = readCommand(fields, command, this.#wide);
    if (facts.segment !== undefined) this.segments.push(facts.segment);
    this.#sections += facts.segment?.sections.length ?? 0;
    if (this.#sections > MAX_SECTIONS)
      fail('too-many-sections', offset, `more than ${MAX_SECTIONS} sections`);
    for (const range of facts.ranges ?? []) if (range.size > 0) this.ranges.push(range);
    if (facts.build !== undefined) this.builds.push(facts.build);
    if (facts.library !== undefined) this.libraries.push(facts.library);
    if (facts.rpath !== undefined) this.rpaths.push(facts.rpath);
    this.uuid ??= facts.uuid;
    this.encryption ??= facts.encryption;
    this.installName ??= facts.installName;
    this.sourceVersion ??= facts.sourceVersion;
    return size;
  }

  /** Everything that is said to lie in the file does. */
  check(): void {
    const { size } = this.#source;
    for (const segment of this.segments) {
      const { name, offset, fileSize, command, sections } = segment;
      if (offset + fileSize > size)
        fail('segment-range', command.offset, `${name} has ${fileSize} bytes at ${offset} of ${size}`);
      for (const section of sections) {
        if (hasBytes(section) && section.offset + section.size > size)
          fail(
            'section-range',
            command.offset,
            `${section.segment},${section.name} has ${section.size} bytes at ${section.offset} of ${size}`,
          );
        if (section.relocationOffset + section.relocationCount * 8 > size)
          fail(
            'relocation-range',
            command.offset,
            `${section.relocationCount} relocations at ${section.relocationOffset} of ${size}`,
          );
      }
    }
    for (const { kind, offset, size: length, command } of this.ranges)
      if (offset + length > size)
        fail('table-range', command.offset, `${kind} has ${length} bytes at ${offset} of ${size}`);
    const { encryption } = this;
    if (encryption !== undefined && encryption.offset + encryption.size > size)
      fail(
        'encryption-range',
        encryption.command.offset,
        `${encryption.size} encrypted bytes at ${encryption.offset} of ${size}`,
      );
  }
}

/** Whether a section takes bytes of the file; in separate debug information those of the program have none. */
export function hasBytes(section: {
  readonly flags: number;
  readonly offset: number;
  readonly size: number;
}): boolean {
  return section.size > 0 && section.offset > 0 && !isZeroFilled(section.flags);
}
