// SPDX-License-Identifier: Apache-2.0
/**
 * Names of the numbers in Mach-O files. Unknown ones are shown as numbers and never refused.
 * https://github.com/apple-oss-distributions/xnu/blob/main/EXTERNAL_HEADERS/mach-o/loader.h and osfmk/mach/machine.h
 */

const COMMANDS: ReadonlyMap<number, string> = new Map([
  [0x01, 'LC_SEGMENT'],
  [0x02, 'LC_SYMTAB'],
  [0x03, 'LC_SYMSEG'],
  [0x04, 'LC_THREAD'],
  [0x05, 'LC_UNIXTHREAD'],
  [0x06, 'LC_LOADFVMLIB'],
  [0x07, 'LC_IDFVMLIB'],
  [0x08, 'LC_IDENT'],
  [0x09, 'LC_FVMFILE'],
  [0x0a, 'LC_PREPAGE'],
  [0x0b, 'LC_DYSYMTAB'],
  [0x0c, 'LC_LOAD_DYLIB'],
  [0x0d, 'LC_ID_DYLIB'],
  [0x0e, 'LC_LOAD_DYLINKER'],
  [0x0f, 'LC_ID_DYLINKER'],
  [0x10, 'LC_PREBOUND_DYLIB'],
  [0x11, 'LC_ROUTINES'],
  [0x12, 'LC_SUB_FRAMEWORK'],
  [0x13, 'LC_SUB_UMBRELLA'],
  [0x14, 'LC_SUB_CLIENT'],
  [0x15, 'LC_SUB_LIBRARY'],
  [0x16, 'LC_TWOLEVEL_HINTS'],
  [0x17, 'LC_PREBIND_CKSUM'],
  [0x80000018, 'LC_LOAD_WEAK_DYLIB'],
  [0x19, 'LC_SEGMENT_64'],
  [0x1a, 'LC_ROUTINES_64'],
  [0x1b, 'LC_UUID'],
  [0x8000001c, 'LC_RPATH'],
  [0x1d, 'LC_CODE_SIGNATURE'],
  [0x1e, 'LC_SEGMENT_SPLIT_INFO'],
  [0x8000001f, 'LC_REEXPORT_DYLIB'],
  [0x20, 'LC_LAZY_LOAD_DYLIB'],
  [0x21, 'LC_ENCRYPTION_INFO'],
  [0x22, 'LC_DYLD_INFO'],
  [0x80000022, 'LC_DYLD_INFO_ONLY'],
  [0x80000023, 'LC_LOAD_UPWARD_DYLIB'],
  [0x24, 'LC_VERSION_MIN_MACOSX'],
  [0x25, 'LC_VERSION_MIN_IPHONEOS'],
  [0x26, 'LC_FUNCTION_STARTS'],
  [0x27, 'LC_DYLD_ENVIRONMENT'],
  [0x80000028, 'LC_MAIN'],
  [0x29, 'LC_DATA_IN_CODE'],
  [0x2a, 'LC_SOURCE_VERSION'],
  [0x2b, 'LC_DYLIB_CODE_SIGN_DRS'],
  [0x2c, 'LC_ENCRYPTION_INFO_64'],
  [0x2d, 'LC_LINKER_OPTION'],
  [0x2e, 'LC_LINKER_OPTIMIZATION_HINT'],
  [0x2f, 'LC_VERSION_MIN_TVOS'],
  [0x30, 'LC_VERSION_MIN_WATCHOS'],
  [0x31, 'LC_NOTE'],
  [0x32, 'LC_BUILD_VERSION'],
  [0x80000033, 'LC_DYLD_EXPORTS_TRIE'],
  [0x80000034, 'LC_DYLD_CHAINED_FIXUPS'],
  [0x80000035, 'LC_FILESET_ENTRY'],
  [0x36, 'LC_ATOM_INFO'],
  [0x37, 'LC_FUNCTION_VARIANTS'],
  [0x38, 'LC_FUNCTION_VARIANT_FIXUPS'],
  [0x39, 'LC_TARGET_TRIPLE'],
]);

export function commandName(code: number): string {
  return COMMANDS.get(code) ?? `LC_0x${code.toString(16)}`;
}

const FILE_TYPES = [
  'object',
  'execute',
  'fvmlib',
  'core',
  'preload',
  'dylib',
  'dylinker',
  'bundle',
  'dylib-stub',
  'dsym',
  'kext',
  'fileset',
  'gpu-program',
  'gpu-dylib',
] as const;

export function machFileType(code: number): string {
  return FILE_TYPES[code - 1] ?? `type-${code}`;
}

/** Low 24 bits of the subtype; the high byte holds capabilities (pointer authentication ABI). */
const ARCHITECTURES: ReadonlyMap<number, readonly [plain: string, subtypes: ReadonlyMap<number, string>]> =
  new Map([
    [7, ['i386', new Map()]],
    [0x01000007, ['x86_64', new Map([[8, 'x86_64h']])]],
    [
      12,
      [
        'arm',
        new Map([
          [6, 'armv6'],
          [9, 'armv7'],
          [11, 'armv7s'],
          [12, 'armv7k'],
          [14, 'armv6m'],
          [15, 'armv7m'],
          [16, 'armv7em'],
        ]),
      ],
    ],
    [0x0100000c, ['arm64', new Map([[2, 'arm64e']])]],
    [0x0200000c, ['arm64_32', new Map()]],
    [18, ['ppc', new Map()]],
    [0x01000012, ['ppc64', new Map()]],
  ]);

export function architectureName(cpuType: number, cpuSubtype: number): string {
  const known = ARCHITECTURES.get(cpuType);
  if (known === undefined) return `cpu-${cpuType}-${cpuSubtype & 0xffffff}`;
  return known[1].get(cpuSubtype & 0xffffff) ?? known[0];
}

const PLATFORMS: ReadonlyMap<number, string> = new Map([
  [1, 'macOS'],
  [2, 'iOS'],
  [3, 'tvOS'],
  [4, 'watchOS'],
  [5, 'bridgeOS'],
  [6, 'Mac Catalyst'],
  [7, 'iOS simulator'],
  [8, 'tvOS simulator'],
  [9, 'watchOS simulator'],
  [10, 'DriverKit'],
  [11, 'visionOS'],
  [12, 'visionOS simulator'],
]);

export function platformName(code: number): string {
  return PLATFORMS.get(code) ?? `platform-${code}`;
}

const TOOLS: ReadonlyMap<number, string> = new Map([
  [1, 'clang'],
  [2, 'swift'],
  [3, 'ld'],
  [4, 'lld'],
  [1024, 'metal'],
  [1025, 'airlld'],
  [1026, 'airnt'],
  [1027, 'airnt-plugin'],
  [1028, 'airpack'],
  [1031, 'gpuarchiver'],
  [1032, 'metal-framework'],
]);

export function toolName(code: number): string {
  return TOOLS.get(code) ?? `tool-${code}`;
}

/** Types of sections that take no bytes of the file: S_ZEROFILL, S_GB_ZEROFILL, S_THREAD_LOCAL_ZEROFILL. */
const ZERO_FILLED: ReadonlySet<number> = new Set([0x01, 0x0c, 0x12]);

export function isZeroFilled(flags: number): boolean {
  return ZERO_FILLED.has(flags & 0xff);
}

/** A name of the file without characters that are none, so that two names are never shown alike. */
export function plainName(name: string): string {
  return name.replace(
    /[^\x21-\x5b\x5d-\x7e]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
