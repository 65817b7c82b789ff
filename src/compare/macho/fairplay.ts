// SPDX-License-Identifier: Apache-2.0
/**
 * Programs that the App Store encrypts: a range of __TEXT that only a device of Apple's can read. It is `encrypted` on both
 * sides, whatever stands there; what lies outside of it is compared as ever.
 * https://github.com/apple-oss-distributions/xnu/blob/main/EXTERNAL_HEADERS/mach-o/loader.h (encryption_info_command)
 */
import type { EncryptionInfo } from '../../formats/macho-commands.js';
import { isPlausibleRange } from '../../formats/macho-encryption.js';
import type { MachOFile } from '../../formats/macho.js';
import type { ThinSide } from './thin-side.js';

/** In both files. */
export interface EncryptedRange {
  readonly offset: number;
  readonly size: number;
}

export function isEncrypted({ encryption }: MachOFile): boolean {
  return encryption !== undefined && encryption.id !== 0;
}

/** What the linker writes: all of __TEXT but its first page or pages, up to the end of the segment. */
export function isOfLinker(file: MachOFile): boolean {
  const text = file.segments.find(({ name }) => name === '__TEXT');
  const { encryption } = file;
  return (
    isPlausibleRange(file) &&
    encryption !== undefined &&
    encryption.padding === 0 &&
    (encryption.offset === 0x1000 || encryption.offset === 0x4000) &&
    encryption.offset + encryption.size === text?.fileSize
  );
}

/** The range that nobody can read, where one side says that it is encrypted and both have it. */
export function encryptedRange(p: ThinSide, r: ThinSide): EncryptedRange | undefined {
  const found = [p, r].filter(({ file }) => isEncrypted(file));
  const [first, second] = found;
  if (first === undefined || !found.every(({ file }) => isPlausibleRange(file))) return undefined;
  const range = first.file.encryption as EncryptionInfo;
  const other = first === p ? r : p;
  const text = other.file.segments.find(({ name }) => name === '__TEXT');
  if (text === undefined || text.offset !== 0 || range.offset + range.size > text.fileSize) return undefined;
  if (other.file.headerSize + other.file.commandsSize > range.offset) return undefined;
  const same = second?.file.encryption;
  if (same !== undefined && (same.offset !== range.offset || same.size !== range.size)) return undefined;
  return { offset: range.offset, size: range.size };
}
