// SPDX-License-Identifier: Apache-2.0
/**
 * One digest for what an ELF file loads: the same before and after symbols and debug information are stripped. It says
 * that a binary was carried along, so whatever could make two different programs share it yields no digest at all.
 * https://gabi.xinuos.com/elf/07-pheader.html
 */
import { createHash } from 'node:crypto';
import { eachChunk, type ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import { hasBytes, readElf, type ElfFile, type ElfNote, type ElfSection } from './elf.js';

const NT_GNU_BUILD_ID = 3;
/** SHA-256 is the longest that a linker writes by itself. */
const MAX_BUILD_ID = 32;

/** Sections (by index) that hold one GNU build id and nothing else, to their last byte. */
export function buildIdSections(elf: ElfFile): ReadonlyMap<number, ElfNote> {
  const places = new Map<string, { sections: number; notes: ElfNote[] }>();
  for (const { name } of elf.sections) {
    const place = places.get(name);
    if (place === undefined) places.set(name, { sections: 1, notes: [] });
    else place.sections++;
  }
  for (const note of elf.notes) places.get(note.place)?.notes.push(note);
  const found = new Map<number, ElfNote>();
  for (const { index, name, type, size } of elf.sections) {
    const place = places.get(name);
    const note = place?.notes[0];
    if (type !== 'note' || note === undefined || place?.sections !== 1 || place.notes.length !== 1) continue;
    const { length } = note.description;
    if (note.owner !== 'GNU' || note.type !== NT_GNU_BUILD_ID || length > MAX_BUILD_ID) continue;
    // header 12, owner `GNU\0`, description padded to 4
    if (size === 16 + Math.ceil(length / 4) * 4) found.set(index, note);
  }
  return found;
}

/**
 * Lower-case hex SHA-256 over machine, entry, segments and the allocated sections in order, each with name, type, flags,
 * address, size and bytes; the build id is left out. `undefined` for what is no ELF file or damaged, has no section with
 * bytes besides notes (separate debug information), has sections that overlap, or does not load what its sections say.
 */
export function allocatedSectionsDigest(source: ByteSource): string | undefined {
  let elf: ElfFile;
  try {
    elf = readElf(source);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
  const loaded = elf.allocated.filter(hasBytes);
  if (!loaded.some((section) => section.type !== 'note' && section.size > 0)) return undefined;
  if (overlap(loaded) || !isLoadedAsStated(elf, loaded)) return undefined;
  const hash = createHash('sha256');
  hash.update(`${elf.machine} ${elf.bits} ${elf.littleEndian} ${elf.type} ${elf.flags} ${elf.entry}\n`);
  for (const { type, flags, address, fileSize, memorySize } of elf.segments)
    hash.update(`${type} ${flags} ${address} ${fileSize} ${memorySize}\n`);
  const buildIds = buildIdSections(elf);
  for (const section of elf.allocated) {
    if (buildIds.has(section.index)) continue;
    const { name, type, flags, address, size } = section;
    hash.update(`${JSON.stringify(name)} ${type} ${flags} ${address} ${size}\n`);
    if (hasBytes(section)) eachChunk(source, section.offset, size, (chunk) => hash.update(chunk));
  }
  return hash.digest('hex');
}

function overlap(sections: readonly ElfSection[]): boolean {
  const sorted = sections.filter(({ size }) => size > 0).toSorted((a, b) => a.offset - b.offset);
  return sorted.some((section, i) => {
    const next = sorted[i + 1];
    return next !== undefined && section.offset + section.size > next.offset;
  });
}

/** Programs are loaded by segments: a section whose bytes lie elsewhere in memory describes another program. */
function isLoadedAsStated(elf: ElfFile, sections: readonly ElfSection[]): boolean {
  if (elf.type === 'rel') return true;
  const loads = elf.segments.filter(({ type }) => type === 'load');
  // more segments than any linker writes would make this take long
  if (loads.length > 64) return false;
  return sections.every(
    ({ offset, size, address }) =>
      size === 0 ||
      loads.some(
        (load) =>
          offset >= load.offset &&
          offset + size <= load.offset + load.fileSize &&
          address - load.address === BigInt(offset - load.offset),
      ),
  );
}
