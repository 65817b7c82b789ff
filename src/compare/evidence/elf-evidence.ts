// SPDX-License-Identifier: Apache-2.0
/**
 * What compilers and linkers left in an ELF file about themselves.
 * Notes: https://sourceware.org/annobin/annobin.html/, https://uapi-group.org/specifications/specs/elf_package_metadata/,
 * https://android.googlesource.com/platform/ndk/+/refs/heads/main/sources/crt/crtbrand.S,
 * https://go.dev/src/debug/buildinfo/buildinfo.go
 */
import type { ByteSource } from '../../bytes.js';
import { readElf, type ElfFile, type ElfNote } from '../../formats/elf.js';
import { printable, printableBytes } from '../../printable.js';
import type { FactCollector } from './facts.js';

const NT_GNU_GOLD_VERSION = 4;
const NT_GO_BUILD_ID = 4;
const NT_ANDROID_VERSION = 1;
const NT_PACKAGE_METADATA = 0xcafe1a7e;
const MAX_TEXT = 4096;

export function isElf(source: ByteSource): boolean {
  return source.size >= 64 && source.read(0, 4).toString('latin1') === '\x7fELF';
}

/** @throws FormatError `elf/…` */
export function collectElf(
  facts: FactCollector,
  source: ByteSource,
  member: string,
  elf = readElf(source),
): void {
  for (const comment of elf.comments) facts.add('elf-comment', printable(comment), member);
  for (const note of elf.notes) collectNote(facts, elf, note, member);
  const version = goVersion(source, elf);
  if (version !== undefined) facts.add('go-version', version, member);
}

function collectNote(
  facts: FactCollector,
  elf: ElfFile,
  { owner, type, description }: ElfNote,
  member: string,
): void {
  const text = (): string => printableBytes(untilZero(description.subarray(0, MAX_TEXT)));
  if (owner === 'GNU' && type === NT_GNU_GOLD_VERSION) facts.add('elf-note', `linker ${text()}`, member);
  else if (owner === 'Go' && type === NT_GO_BUILD_ID) facts.add('go-build-id', text(), member);
  else if (owner === 'Android' && type === NT_ANDROID_VERSION && description.length >= 4)
    facts.add('android-ndk', androidVersion(elf, description), member);
  else if (owner === 'FDO' && type === NT_PACKAGE_METADATA)
    facts.add('elf-note', `package ${text()}`, member);
  // GNU build attributes: attribute 5 of text type is the tool that made the code
  else if (owner.startsWith('GA$\x05')) facts.add('elf-note', `tool ${printable(owner.slice(4))}`, member);
}

/** API level, then from NDK r14 on two texts of 64 bytes: release and build number. */
function androidVersion(elf: ElfFile, description: Buffer): string {
  const level = elf.littleEndian ? description.readUInt32LE(0) : description.readUInt32BE(0);
  const api = `API level ${level}`;
  if (description.length < 132) return api;
  const [release, build] = [description.subarray(4, 68), description.subarray(68, 132)].map((part) =>
    printableBytes(untilZero(part)),
  );
  return `${api}, NDK ${release ?? ''} (${build ?? ''})`;
}

function untilZero(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end === -1 ? bytes : bytes.subarray(0, end);
}

/** Go 1.18 and later: 32 bytes of header with flag 2, then the version with its length in front. */
function goVersion(source: ByteSource, elf: ElfFile): string | undefined {
  const section = elf.sections.find(({ name, type }) => name === '.go.buildinfo' && type === 'progbits');
  if (section === undefined || section.size < 34) return undefined;
  const bytes = source.read(section.offset, Math.min(section.size, 256));
  const length = bytes[32] ?? 0;
  if (bytes.toString('latin1', 0, 14) !== '\xff Go buildinf:' || ((bytes[15] ?? 0) & 2) === 0)
    return undefined;
  // one byte of length is enough for any version
  return length > 0 && length < 0x80 ? printableBytes(bytes.subarray(33, 33 + length)) : undefined;
}
