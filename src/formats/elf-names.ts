// SPDX-License-Identifier: Apache-2.0
/**
 * Names for the numbers of ELF headers, as readelf and the specification spell them.
 * https://gabi.xinuos.com/elf/02-eheader.html, https://gabi.xinuos.com/elf/03-sheader.html
 */

const MACHINES: Readonly<Record<number, string>> = {
  2: 'sparc',
  3: 'i386',
  8: 'mips',
  20: 'powerpc',
  21: 'powerpc64',
  22: 's390',
  40: 'arm',
  43: 'sparcv9',
  50: 'ia64',
  62: 'x86-64',
  183: 'aarch64',
  243: 'riscv',
  247: 'bpf',
  258: 'loongarch',
};

const FILE_TYPES: Readonly<Record<number, string>> = { 0: 'none', 1: 'rel', 2: 'exec', 3: 'dyn', 4: 'core' };

const SECTION_TYPES: Readonly<Record<number, string>> = {
  0: 'null',
  1: 'progbits',
  2: 'symtab',
  3: 'strtab',
  4: 'rela',
  5: 'hash',
  6: 'dynamic',
  7: 'note',
  8: 'nobits',
  9: 'rel',
  10: 'shlib',
  11: 'dynsym',
  14: 'init_array',
  15: 'fini_array',
  16: 'preinit_array',
  17: 'group',
  18: 'symtab_shndx',
  19: 'relr',
  0x60000001: 'android_rel',
  0x60000002: 'android_rela',
  0x6fffff00: 'android_relr',
  0x6ffffff5: 'gnu_attributes',
  0x6ffffff6: 'gnu_hash',
  0x6ffffff7: 'gnu_liblist',
  0x6ffffffd: 'gnu_verdef',
  0x6ffffffe: 'gnu_verneed',
  0x6fffffff: 'gnu_versym',
  // processor specific: unwind tables and build attributes of ARM
  0x70000001: 'exidx or unwind',
  0x70000003: 'attributes',
};

const SEGMENT_TYPES: Readonly<Record<number, string>> = {
  0: 'null',
  1: 'load',
  2: 'dynamic',
  3: 'interp',
  4: 'note',
  5: 'shlib',
  6: 'phdr',
  7: 'tls',
  0x6474e550: 'gnu_eh_frame',
  0x6474e551: 'gnu_stack',
  0x6474e552: 'gnu_relro',
  0x6474e553: 'gnu_property',
  0x70000001: 'arm_exidx',
};

function nameOf(names: Readonly<Record<number, string>>, value: number): string {
  return names[value] ?? `0x${value.toString(16)}`;
}

export const machineName = (value: number): string => nameOf(MACHINES, value);
export const fileTypeName = (value: number): string => nameOf(FILE_TYPES, value);
export const sectionTypeName = (value: number): string => nameOf(SECTION_TYPES, value);
export const segmentTypeName = (value: number): string => nameOf(SEGMENT_TYPES, value);
