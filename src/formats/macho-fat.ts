// SPDX-License-Identifier: Apache-2.0
/**
 * Universal ("fat") files: a table of slices, one for each architecture. Always with the high byte first.
 * https://github.com/apple-oss-distributions/xnu/blob/main/EXTERNAL_HEADERS/mach-o/fat.h
 */
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import { architectureName } from './macho-names.js';
import { MachOFields } from './macho-fields.js';

export interface FatSlice {
  readonly architecture: string;
  readonly cpuType: number;
  readonly cpuSubtype: number;
  readonly offset: number;
  readonly size: number;
  /** Power of two. */
  readonly alignment: number;
  /** Where its record in the table lies. */
  readonly recordOffset: number;
}

export interface FatFile {
  readonly wide: boolean;
  readonly slices: readonly FatSlice[];
  readonly headerSize: number;
  readonly recordSize: number;
}

const FAT_MAGIC = 0xcafebabe;
const FAT_MAGIC_64 = 0xcafebabf;
/** A Java class has 45 or more in the place of this count. */
const MAX_SLICES = 40;

export function isFat(head: Buffer): boolean {
  if (head.length < 8) return false;
  const magic = head.readUInt32BE(0);
  return magic === FAT_MAGIC_64 || (magic === FAT_MAGIC && head.readUInt32BE(4) <= MAX_SLICES);
}

/** @throws FormatError `macho/…`: slices that overlap, or lie where they cannot */
export function readFat(source: ByteSource): FatFile {
  const header = new MachOFields(source, 0, 8, false);
  const magic = header.word(0);
  const count = header.word(4);
  if (magic !== FAT_MAGIC && magic !== FAT_MAGIC_64)
    throw new FormatError('macho', 'magic', 0, 'no universal file');
  if (count === 0 || count > MAX_SLICES)
    throw new FormatError('macho', 'slice-count', 4, `${count} slices, expected 1 to ${MAX_SLICES}`);
  const wide = magic === FAT_MAGIC_64;
  const recordSize = wide ? 32 : 20;
  const table = new MachOFields(source, 8, count * recordSize, false);
  const slices: FatSlice[] = [];
  for (let at = 0; at < count * recordSize; at += recordSize) {
    const [cpuType, cpuSubtype] = [table.word(at), table.word(at + 4)];
    slices.push({
      architecture: architectureName(cpuType, cpuSubtype),
      cpuType,
      cpuSubtype,
      offset: wide ? table.number(at + 8) : table.word(at + 8),
      size: wide ? table.number(at + 16) : table.word(at + 12),
      alignment: table.word(at + (wide ? 24 : 16)),
      recordOffset: 8 + at,
    });
  }
  checkPlaces(source, slices, 8 + count * recordSize);
  return { wide, slices, headerSize: 8 + count * recordSize, recordSize };
}

function checkPlaces(source: ByteSource, slices: readonly FatSlice[], headerSize: number): void {
  let end = headerSize;
  for (const { offset, size, alignment, recordOffset, architecture } of slices.toSorted(
    (a, b) => a.offset - b.offset,
  )) {
    if (offset + size > source.size)
      throw new FormatError(
        'macho',
        'slice-range',
        recordOffset,
        `slice ${architecture} has ${size} bytes at ${offset} of ${source.size}`,
      );
    if (offset < end)
      throw new FormatError(
        'macho',
        'slice-overlap',
        recordOffset,
        `slice ${architecture} begins at ${offset}, where ${end} bytes are taken`,
      );
    if (alignment > 31 || offset % 2 ** alignment !== 0)
      throw new FormatError(
        'macho',
        'slice-alignment',
        recordOffset,
        `slice ${architecture} at ${offset} is not aligned to 2^${alignment}`,
      );
    end = offset + size;
  }
  const seen = new Map<string, number>();
  for (const { cpuType, cpuSubtype, recordOffset } of slices) {
    const key = `${cpuType}/${cpuSubtype & 0xffffff}`;
    if (seen.has(key))
      throw new FormatError('macho', 'slice-repeated', recordOffset, `a second slice for cpu ${key}`);
    seen.set(key, recordOffset);
  }
}
