// SPDX-License-Identifier: Apache-2.0
/**
 * ELF at the level of sections: headers, section and segment tables, notes, compiler strings. For explanations and for
 * finding carried binaries; says nothing about equality.
 * https://gabi.xinuos.com/
 */
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import { ElfFields } from './elf-fields.js';
import { fileTypeName, machineName, sectionTypeName, segmentTypeName } from './elf-names.js';

export interface ElfSection {
  readonly index: number;
  readonly name: string;
  readonly type: string;
  /** The low 32 bits, which hold all flags there are. */
  readonly flags: number;
  readonly address: bigint;
  readonly offset: number;
  /** In the file and in memory, but for `nobits`, which has no bytes in the file. */
  readonly size: number;
  readonly alignment: number;
}

export interface ElfSegment {
  readonly type: string;
  readonly flags: number;
  readonly offset: number;
  readonly address: bigint;
  readonly fileSize: number;
  readonly memorySize: number;
}

export interface ElfNote {
  /** Where it is: a section, or `segment n` in a file without sections. */
  readonly place: string;
  readonly owner: string;
  readonly type: number;
  readonly description: Buffer;
}

/** A table of the file that is no section: its place and the size of its entries. */
export interface ElfTable {
  readonly offset: number;
  readonly size: number;
  readonly entrySize: number;
}

export interface ElfFile {
  readonly bits: 32 | 64;
  readonly littleEndian: boolean;
  readonly osAbi: number;
  readonly type: string;
  readonly machine: string;
  readonly entry: bigint;
  readonly flags: number;
  readonly sections: readonly ElfSection[];
  readonly segments: readonly ElfSegment[];
  /** Sections that are part of the running program (SHF_ALLOC), those without bytes in the file included. */
  readonly allocated: readonly ElfSection[];
  readonly notes: readonly ElfNote[];
  /** Of GNU, in hex. */
  readonly buildId: string | undefined;
  /** Strings of `.comment`, each once: what compilers and linkers said about themselves. */
  readonly comments: readonly string[];
  /** What describes the file besides its sections; a table without entries has size 0. */
  readonly tables: {
    readonly header: ElfTable;
    readonly sections: ElfTable;
    readonly segments: ElfTable;
  };
}

const SHF_ALLOC = 2;
const SHN_XINDEX = 0xffff;
const PN_XNUM = 0xffff;
const NT_GNU_BUILD_ID = 3;
const MAX_SECTIONS = 1 << 17;
const MAX_NAMES = 1 << 26;
const MAX_TEXT = 1 << 20;
const MAX_NOTES = 4096;

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('elf', code, offset, message);
}

/** A section header before its name is known. */
interface RawSection extends Omit<ElfSection, 'name'> {
  readonly nameOffset: number;
  readonly link: number;
  readonly info: number;
}

class ElfReader {
  readonly #source: ByteSource;
  readonly #littleEndian: boolean;
  readonly #wide: boolean;
  #textLeft = MAX_TEXT;

  constructor(source: ByteSource) {
    const [, , , , width, order, version] = source.read(0, Math.min(16, source.size));
    if (source.size < 16 || source.read(0, 4).toString('latin1') !== '\x7fELF')
      fail('magic', 0, 'no ELF file');
    if (width !== 1 && width !== 2) fail('class', 4, `class ${width}, expected 1 or 2`);
    if (order !== 1 && order !== 2) fail('byte-order', 5, `byte order ${order}, expected 1 or 2`);
    if (version !== 1) fail('version', 6, `version ${version}, expected 1`);
    this.#source = source;
    this.#wide = width === 2;
    this.#littleEndian = order === 1;
  }

  /** Notes and comments together: many sections may state the same large range. */
  #spend(size: number, offset: number): void {
    this.#textLeft -= size;
    if (this.#textLeft < 0)
      // a segment may state a place that is not in the file
      fail(
        'text-too-large',
        Math.min(offset, this.#source.size),
        `more than ${MAX_TEXT} bytes of notes and comments`,
      );
  }

  read(): ElfFile {
    const wide = this.#wide;
    // e_ident 16, type 2, machine 2, version 4, then entry, phoff, shoff of 4 or 8 bytes, flags 4, and six halves
    const header = this.#fields(0, wide ? 64 : 52);
    const tail = wide ? 48 : 36;
    const sections = this.#sections(header, wide ? 40 : 32, tail);
    const segments = this.#segments(header, wide ? 32 : 28, tail, sections[0]);
    const named = this.#name(sections, header.half(tail + 14));
    const notes = this.#notes(named, segments);
    return {
      bits: wide ? 64 : 32,
      littleEndian: this.#littleEndian,
      osAbi: this.#source.read(7, 1)[0] ?? 0,
      type: fileTypeName(header.half(16)),
      machine: machineName(header.half(18)),
      entry: header.address(24),
      flags: header.word(tail),
      sections: named,
      segments,
      allocated: named.filter((section) => (section.flags & SHF_ALLOC) !== 0),
      notes,
      buildId: notes
        .find((note) => note.owner === 'GNU' && note.type === NT_GNU_BUILD_ID)
        ?.description.toString('hex'),
      comments: this.#comments(named),
      tables: {
        header: { offset: 0, size: wide ? 64 : 52, entrySize: wide ? 64 : 52 },
        sections: tableAt(header.number(wide ? 40 : 32), sections.length, wide ? 64 : 40),
        segments: tableAt(header.number(wide ? 32 : 28), segments.length, wide ? 56 : 32),
      },
    };
  }

  #fields(start: number, size: number): ElfFields {
    return new ElfFields(this.#source, start, size, this.#littleEndian, this.#wide);
  }

  /** Section headers; a count that does not fit into the header is the size of section 0. */
  #sections(header: ElfFields, offsetAt: number, tail: number): readonly RawSection[] {
    const offset = header.number(offsetAt);
    if (offset === 0) return [];
    const entrySize = this.#wide ? 64 : 40;
    if (header.half(tail + 10) !== entrySize)
      fail(
        'section-entry-size',
        tail + 10,
        `section headers of ${header.half(tail + 10)} bytes, expected ${entrySize}`,
      );
    const stated = header.half(tail + 12);
    const count = stated === 0 ? this.#section(this.#fields(offset, entrySize), 0, 0).size : stated;
    if (count > MAX_SECTIONS)
      fail('too-many-sections', tail + 12, `${count} sections; at most ${MAX_SECTIONS} are read`);
    const table = this.#fields(offset, count * entrySize);
    const sections = Array.from({ length: count }, (_, i) => this.#section(table, i * entrySize, i));
    for (const section of sections)
      if (hasBytes(section) && section.offset + section.size > this.#source.size)
        fail(
          'section-range',
          offset + section.index * entrySize,
          `section ${section.index} has ${section.size} bytes at ${section.offset} of ${this.#source.size}`,
        );
    return sections;
  }

  // name 4, type 4, flags, address, offset, size of 4 or 8 bytes, link 4, info 4, alignment and entry size of 4 or 8
  #section(table: ElfFields, at: number, index: number): RawSection {
    const step = this.#wide ? 8 : 4;
    const field = (n: number): number => at + 8 + n * step;
    return {
      index,
      nameOffset: table.word(at),
      type: sectionTypeName(table.word(at + 4)),
      flags: table.low(field(0)),
      address: table.address(field(1)),
      offset: table.number(field(2)),
      size: table.number(field(3)),
      link: table.word(field(4)),
      info: table.word(field(4) + 4),
      alignment: table.number(field(4) + 8),
    };
  }

  #segments(
    header: ElfFields,
    offsetAt: number,
    tail: number,
    first: RawSection | undefined,
  ): readonly ElfSegment[] {
    const offset = header.number(offsetAt);
    const stated = header.half(tail + 8);
    const count = stated === PN_XNUM && first !== undefined ? first.info : stated;
    if (offset === 0 || count === 0) return [];
    const entrySize = this.#wide ? 56 : 32;
    if (header.half(tail + 6) !== entrySize)
      fail(
        'segment-entry-size',
        tail + 6,
        `program headers of ${header.half(tail + 6)} bytes, expected ${entrySize}`,
      );
    if (count > MAX_SECTIONS)
      fail('too-many-segments', tail + 8, `${count} segments; at most ${MAX_SECTIONS} are read`);
    const table = this.#fields(offset, count * entrySize);
    return Array.from({ length: count }, (_, i) => {
      const at = i * entrySize;
      // the flags moved up for alignment in the 64-bit form
      const step = this.#wide ? 8 : 4;
      const field = (n: number): number => at + step + n * step;
      return {
        type: segmentTypeName(table.word(at)),
        flags: table.word(this.#wide ? at + 4 : at + 24),
        offset: table.number(field(0)),
        address: table.address(field(1)),
        fileSize: table.number(field(3)),
        memorySize: table.number(field(4)),
      };
    });
  }

  #name(sections: readonly RawSection[], statedIndex: number): readonly ElfSection[] {
    const index = statedIndex === SHN_XINDEX ? (sections[0]?.link ?? 0) : statedIndex;
    const table = sections[index];
    if (index === 0 || sections.length === 0) return sections.map((section) => withName(section, ''));
    if (table === undefined || table.type !== 'strtab' || table.size > MAX_NAMES)
      fail('section-names', 0, `section ${index} cannot hold the names of sections`);
    const names = Buffer.from(this.#source.read(table.offset, table.size));
    let total = 0;
    return sections.map((section) => {
      const end = names.indexOf(0, section.nameOffset);
      if (section.nameOffset >= names.length || end < 0)
        fail('section-name', table.offset, `no name at ${section.nameOffset} for section ${section.index}`);
      // names may share bytes: what they add up to is bounded, not only the table
      total += end - section.nameOffset;
      if (total > MAX_NAMES)
        fail('section-names', table.offset, `more than ${MAX_NAMES} bytes of section names`);
      return withName(section, names.toString('latin1', section.nameOffset, end));
    });
  }

  #notes(sections: readonly ElfSection[], segments: readonly ElfSegment[]): readonly ElfNote[] {
    const notes: ElfNote[] = [];
    if (sections.length > 0) {
      for (const section of sections)
        if (section.type === 'note')
          this.#notesAt(section.offset, section.size, section.alignment, section.name, notes);
    } else
      segments.forEach((segment, i) => {
        if (segment.type === 'note')
          this.#notesAt(segment.offset, segment.fileSize, 4, `segment ${i}`, notes);
      });
    return notes;
  }

  /** Owner size, description size, type, then both, padded to 4 bytes, in sections so aligned to 8. */
  #notesAt(offset: number, size: number, alignment: number, place: string, notes: ElfNote[]): void {
    this.#spend(size, offset);
    const unit = alignment === 8 ? 8 : 4;
    const pad = (value: number): number => Math.ceil(value / unit) * unit;
    const fields = this.#fields(offset, size);
    for (let at = 0; at + 12 <= size;) {
      const ownerSize = fields.word(at);
      const descriptionSize = fields.word(at + 4);
      const description = at + pad(12 + ownerSize);
      if (description + descriptionSize > size || notes.length === MAX_NOTES)
        fail('note', offset + at, `a note of ${ownerSize} and ${descriptionSize} bytes in ${size - at}`);
      const owner = this.#source.read(offset + at + 12, ownerSize).toString('latin1');
      notes.push({
        place,
        owner: withoutEnd(owner),
        type: fields.word(at + 8),
        description: Buffer.from(this.#source.read(offset + description, descriptionSize)),
      });
      at = description + pad(descriptionSize);
    }
  }

  #comments(sections: readonly ElfSection[]): readonly string[] {
    const comments = new Set<string>();
    for (const section of sections) {
      if (section.name !== '.comment' || !hasBytes(section)) continue;
      this.#spend(section.size, section.offset);
      const text = this.#source.read(section.offset, section.size).toString('latin1');
      for (const comment of text.split('\0')) if (comment !== '') comments.add(comment);
    }
    return [...comments];
  }
}

/** No regular expression: a megabyte of zeros is attacker-controlled. */
function withoutEnd(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 0) end--;
  return text.slice(0, end);
}

function tableAt(offset: number, count: number, entrySize: number): ElfTable {
  return { offset: count === 0 ? 0 : offset, size: count * entrySize, entrySize };
}

function withName(
  { index, type, flags, address, offset, size, alignment }: RawSection,
  name: string,
): ElfSection {
  return { index, name, type, flags, address, offset, size, alignment };
}

/** Whether a section takes bytes of the file. */
export function hasBytes(section: { readonly type: string }): boolean {
  return section.type !== 'nobits' && section.type !== 'null';
}

/** @throws FormatError `elf/…` */
export function readElf(source: ByteSource): ElfFile {
  return new ElfReader(source).read();
}
