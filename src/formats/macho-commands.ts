// SPDX-License-Identifier: Apache-2.0
/**
 * What load commands say: segments and sections, tables of __LINKEDIT, versions, libraries, encryption, signature.
 * https://github.com/apple-oss-distributions/xnu/blob/main/EXTERNAL_HEADERS/mach-o/loader.h
 */
import { FormatError } from '../errors.js';
import type { MachOFields } from './macho-fields.js';
import { platformName, toolName } from './macho-names.js';

export interface LoadCommand {
  readonly name: string;
  readonly code: number;
  readonly offset: number;
  readonly size: number;
}

export interface MachOSection {
  readonly segment: string;
  readonly name: string;
  readonly address: bigint;
  readonly offset: number;
  readonly size: number;
  readonly alignment: number;
  readonly relocationOffset: number;
  readonly relocationCount: number;
  readonly flags: number;
}

export interface MachOSegment {
  readonly name: string;
  readonly address: bigint;
  readonly memorySize: number;
  readonly offset: number;
  readonly fileSize: number;
  readonly protection: number;
  readonly sections: readonly MachOSection[];
  readonly command: LoadCommand;
}

/** A range of the file that a command names. */
export interface NamedRange {
  readonly kind: string;
  readonly offset: number;
  readonly size: number;
  readonly command: LoadCommand;
}

export interface BuildVersion {
  readonly platform: string;
  readonly minimum: string;
  readonly sdk: string;
  readonly tools: readonly { readonly name: string; readonly version: string }[];
}

export interface EncryptionInfo {
  readonly offset: number;
  readonly size: number;
  /** 0: not encrypted. */
  readonly id: number;
  readonly padding: number;
  readonly command: LoadCommand;
}

export interface Library {
  readonly path: string;
  readonly how: string;
}

/** What one command adds to the file. */
export interface CommandFacts {
  readonly segment?: MachOSegment;
  readonly ranges?: readonly NamedRange[];
  readonly uuid?: string;
  readonly build?: BuildVersion;
  readonly encryption?: EncryptionInfo;
  readonly library?: Library;
  readonly installName?: string;
  readonly rpath?: string;
  readonly sourceVersion?: string;
}

const MAX_SECTIONS = 255;

/** `nibbles`: xxxx.yy.zz, as in all commands but LC_SOURCE_VERSION. */
function version(packed: number): string {
  const [major, minor, patch] = [packed >>> 16, (packed >>> 8) & 0xff, packed & 0xff];
  return patch === 0 ? `${major}.${minor}` : `${major}.${minor}.${patch}`;
}

/** A.B.C.D.E packed as a24.b10.c10.d10.e10; zeros at the end are left out as the tools do. */
function sourceVersion(packed: bigint): string {
  const parts = [packed >> 40n, ...[30n, 20n, 10n, 0n].map((shift) => (packed >> shift) & 0x3ffn)];
  while (parts.length > 2 && parts.at(-1) === 0n) parts.pop();
  return parts.join('.');
}

const MINIMUM_COMMANDS: Readonly<Record<string, string>> = {
  LC_VERSION_MIN_MACOSX: 'macOS',
  LC_VERSION_MIN_IPHONEOS: 'iOS',
  LC_VERSION_MIN_TVOS: 'tvOS',
  LC_VERSION_MIN_WATCHOS: 'watchOS',
};

/** Commands that hold nothing but a place in __LINKEDIT. */
const LINK_EDIT_COMMANDS: Readonly<Record<string, string>> = {
  LC_CODE_SIGNATURE: 'code-signature',
  LC_SEGMENT_SPLIT_INFO: 'split-info',
  LC_FUNCTION_STARTS: 'function-starts',
  LC_DATA_IN_CODE: 'data-in-code',
  LC_DYLIB_CODE_SIGN_DRS: 'code-sign-drs',
  LC_LINKER_OPTIMIZATION_HINT: 'linker-optimization-hints',
  LC_DYLD_EXPORTS_TRIE: 'exports-trie',
  LC_DYLD_CHAINED_FIXUPS: 'chained-fixups',
  LC_ATOM_INFO: 'atom-info',
  LC_FUNCTION_VARIANTS: 'function-variants',
  LC_FUNCTION_VARIANT_FIXUPS: 'function-variant-fixups',
};

/** What is left out of a comparison has no room behind its fields. */
const SIZES: Readonly<Record<string, number>> = {
  LC_CODE_SIGNATURE: 16,
  LC_ENCRYPTION_INFO: 20,
  LC_ENCRYPTION_INFO_64: 24,
  LC_UUID: 24,
};

const LIBRARY_COMMANDS: ReadonlySet<string> = new Set([
  'LC_LOAD_DYLIB',
  'LC_LOAD_WEAK_DYLIB',
  'LC_REEXPORT_DYLIB',
  'LC_LAZY_LOAD_DYLIB',
  'LC_LOAD_UPWARD_DYLIB',
]);

/** @throws FormatError `macho/…` for a command that is too short for what it must hold */
export function readCommand(fields: MachOFields, command: LoadCommand, wide: boolean): CommandFacts {
  const { name } = command;
  const range = (kind: string, offsetAt: number, size: number): NamedRange => ({
    kind: `mach-o/${kind}`,
    offset: fields.word(offsetAt),
    size,
    command,
  });
  const size = SIZES[name];
  if (size !== undefined && command.size !== size)
    throw new FormatError(
      'macho',
      'command-size',
      command.offset,
      `${name} of ${command.size} bytes, expected ${size}`,
    );
  const linkEdit = LINK_EDIT_COMMANDS[name];
  if (linkEdit !== undefined) return { ranges: [range(linkEdit, 8, fields.word(12))] };
  const minimum = MINIMUM_COMMANDS[name];
  if (minimum !== undefined)
    return {
      build: {
        platform: minimum,
        minimum: version(fields.word(8)),
        sdk: version(fields.word(12)),
        tools: [],
      },
    };
  if (LIBRARY_COMMANDS.has(name))
    return { library: { path: fields.text(fields.word(8)), how: name.slice(3).toLowerCase() } };
  switch (name) {
    case 'LC_SEGMENT':
    case 'LC_SEGMENT_64':
      return { segment: readSegment(fields, command, name === 'LC_SEGMENT_64') };
    case 'LC_SYMTAB':
      return {
        ranges: [
          range('symbols', 8, fields.word(12) * (wide ? 16 : 12)),
          range('strings', 16, fields.word(20)),
        ],
      };
    case 'LC_DYSYMTAB':
      return {
        ranges: [
          range('table-of-contents', 32, fields.word(36) * 8),
          range('module-table', 40, fields.word(44) * (wide ? 56 : 52)),
          range('external-references', 48, fields.word(52) * 4),
          range('indirect-symbols', 56, fields.word(60) * 4),
          range('external-relocations', 64, fields.word(68) * 8),
          range('local-relocations', 72, fields.word(76) * 8),
        ],
      };
    case 'LC_DYLD_INFO':
    case 'LC_DYLD_INFO_ONLY':
      return {
        ranges: ['rebase', 'bind', 'weak-bind', 'lazy-bind', 'exports-trie'].map((kind, at) =>
          range(kind, 8 + at * 8, fields.word(12 + at * 8)),
        ),
      };
    case 'LC_TWOLEVEL_HINTS':
      return { ranges: [range('two-level-hints', 8, fields.word(12) * 4)] };
    case 'LC_NOTE':
      return {
        ranges: [{ kind: 'mach-o/note', offset: fields.number(24), size: fields.number(32), command }],
      };
    case 'LC_UUID':
      return { uuid: fields.bytes.toString('hex', 8, 24) };
    case 'LC_BUILD_VERSION':
      return { build: readBuild(fields, command) };
    case 'LC_ENCRYPTION_INFO':
    case 'LC_ENCRYPTION_INFO_64':
      return {
        encryption: {
          offset: fields.word(8),
          size: fields.word(12),
          id: fields.word(16),
          padding: command.size > 20 ? fields.word(20) : 0,
          command,
        },
      };
    case 'LC_ID_DYLIB':
      return { installName: fields.text(fields.word(8)) };
    case 'LC_RPATH':
      return { rpath: fields.text(fields.word(8)) };
    case 'LC_SOURCE_VERSION':
      return { sourceVersion: sourceVersion(fields.long(8)) };
    default:
      return {};
  }
}

function readSegment(fields: MachOFields, command: LoadCommand, wide: boolean): MachOSegment {
  // name 16, then address, size, offset, file size of 4 or 8 bytes, protections 4 + 4, count 4, flags 4
  const step = wide ? 8 : 4;
  const number = (n: number): number => (wide ? fields.number(24 + n * 8) : fields.word(24 + n * 4));
  const tail = 24 + 4 * step;
  const count = fields.word(tail + 8);
  const size = wide ? 80 : 68;
  const head = tail + 16;
  if (count > MAX_SECTIONS)
    throw new FormatError(
      'macho',
      'too-many-sections',
      command.offset,
      `${count} sections in a segment, at most ${MAX_SECTIONS}`,
    );
  if (head + count * size !== command.size)
    throw new FormatError(
      'macho',
      'command-size',
      command.offset,
      `a segment of ${count} sections in ${command.size} bytes, expected ${head + count * size}`,
    );
  return {
    name: fields.name(8, 16),
    address: wide ? fields.long(24) : BigInt(fields.word(24)),
    memorySize: number(1),
    offset: number(2),
    fileSize: number(3),
    protection: fields.word(tail + 4),
    sections: Array.from({ length: count }, (_, i) => readSection(fields, head + i * size, wide)),
    command,
  };
}

function readSection(fields: MachOFields, at: number, wide: boolean): MachOSection {
  // names 16 + 16, address and size of 4 or 8 bytes, then offset, alignment, relocations, their number, flags
  const tail = at + 32 + (wide ? 16 : 8);
  return {
    name: fields.name(at, 16),
    segment: fields.name(at + 16, 16),
    address: wide ? fields.long(at + 32) : BigInt(fields.word(at + 32)),
    size: wide ? fields.number(at + 40) : fields.word(at + 36),
    offset: fields.word(tail),
    alignment: fields.word(tail + 4),
    relocationOffset: fields.word(tail + 8),
    relocationCount: fields.word(tail + 12),
    flags: fields.word(tail + 16),
  };
}

function readBuild(fields: MachOFields, command: LoadCommand): BuildVersion {
  const count = fields.word(20);
  if (24 + count * 8 !== command.size)
    throw new FormatError(
      'macho',
      'command-size',
      command.offset,
      `LC_BUILD_VERSION of ${count} tools in ${command.size} bytes`,
    );
  return {
    platform: platformName(fields.word(8)),
    minimum: version(fields.word(12)),
    sdk: version(fields.word(16)),
    tools: Array.from({ length: count }, (_, i) => ({
      name: toolName(fields.word(24 + i * 8)),
      version: version(fields.word(28 + i * 8)),
    })),
  };
}
