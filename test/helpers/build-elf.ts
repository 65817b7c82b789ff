// SPDX-License-Identifier: Apache-2.0
/** ELF files of either class and byte order, also such as no linker writes. */

export interface ElfSectionSpec {
  readonly name: string;
  readonly type: number;
  readonly flags?: number;
  readonly address?: number;
  readonly content?: string | Uint8Array;
  /** Instead of the size of `content`. */
  readonly size?: number;
  readonly offset?: number;
  readonly alignment?: number;
  readonly nameOffset?: number;
}

export interface ElfSegmentSpec {
  readonly type: number;
  readonly flags?: number;
  readonly offset?: number;
  readonly address?: number;
  readonly fileSize?: number;
  readonly memorySize?: number;
}

export interface ElfSpec {
  readonly bits?: 32 | 64;
  readonly littleEndian?: boolean;
  readonly type?: number;
  readonly machine?: number;
  readonly sections?: readonly ElfSectionSpec[];
  readonly segments?: readonly ElfSegmentSpec[];
  /** Fields of the header by name. */
  readonly header?: Readonly<
    Partial<Record<'phentsize' | 'phnum' | 'shentsize' | 'shnum' | 'shstrndx', number>>
  >;
  /** Counts in section 0, as for more than the header can count. */
  readonly large?: boolean;
}

class Writer {
  readonly parts: number[] = [];
  readonly #littleEndian: boolean;
  readonly #step: number;
  constructor(littleEndian: boolean, step: number) {
    this.#littleEndian = littleEndian;
    this.#step = step;
  }
  #put(value: number, size: number): this {
    const bytes = Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** i) % 256);
    this.parts.push(...(this.#littleEndian ? bytes : bytes.toReversed()));
    return this;
  }
  half(...values: number[]): this {
    for (const value of values) this.#put(value, 2);
    return this;
  }
  word(...values: number[]): this {
    for (const value of values) this.#put(value, 4);
    return this;
  }
  wide(...values: number[]): this {
    for (const value of values) this.#put(value, this.#step);
    return this;
  }
}

/** Owner, type and description as one note. */
export function elfNote(owner: string, type: number, description: Uint8Array, littleEndian = true): Buffer {
  const name = Buffer.from(owner === '' ? '' : `${owner}\0`);
  const writer = new Writer(littleEndian, 4).word(name.length, description.length, type);
  const pad = (bytes: Uint8Array): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
  return Buffer.concat([Buffer.from(writer.parts), pad(name), pad(description)]);
}

/** Header, program headers, contents of the sections, section headers. */
export function buildElf(spec: ElfSpec): Buffer {
  const wide = (spec.bits ?? 64) === 64;
  const step = wide ? 8 : 4;
  const littleEndian = spec.littleEndian ?? true;
  const writer = (): Writer => new Writer(littleEndian, step);
  const names = Buffer.from(`\0${(spec.sections ?? []).map(({ name }) => `${name}\0`).join('')}.shstrtab\0`);
  const given = spec.sections ?? [];
  const all: readonly ElfSectionSpec[] =
    spec.sections === undefined
      ? []
      : [{ name: '', type: 0 }, ...given, { name: '.shstrtab', type: 3, content: names, alignment: 1 }];
  const segments = spec.segments ?? [];
  const headerSize = wide ? 64 : 52;
  const segmentSize = wide ? 56 : 32;

  const bodies: Buffer[] = [];
  let at = headerSize + segments.length * segmentSize;
  const place = (content: string | Uint8Array): number => {
    const body = Buffer.from(content);
    const padding = -at & 7;
    bodies.push(Buffer.alloc(padding), body);
    const offset = at + padding;
    at = offset + body.length;
    return offset;
  };
  const offsets = all.map((section) => (section.type === 0 ? 0 : place(section.content ?? '')));
  const sectionsAt = all.length === 0 ? 0 : place('');

  const header = writer();
  header.half(spec.type ?? 3, spec.machine ?? 62).word(1);
  header
    .wide(0, segments.length === 0 ? 0 : headerSize, sectionsAt)
    .word(0)
    .half(headerSize);
  const large = spec.large ?? false;
  const last = Math.max(0, all.length - 1);
  header.half(
    spec.header?.phentsize ?? segmentSize,
    spec.header?.phnum ?? (large ? 0xffff : segments.length),
  );
  header.half(spec.header?.shentsize ?? (wide ? 64 : 40), spec.header?.shnum ?? (large ? 0 : all.length));
  header.half(spec.header?.shstrndx ?? (large ? 0xffff : last));

  const table = writer();
  for (const segment of segments) {
    const flags = segment.flags ?? 4;
    table.word(segment.type);
    if (wide) table.word(flags);
    table.wide(segment.offset ?? 0, segment.address ?? 0, segment.address ?? 0);
    table.wide(segment.fileSize ?? 0, segment.memorySize ?? segment.fileSize ?? 0);
    if (!wide) table.word(flags);
    table.wide(4);
  }
  const sections = writer();
  let nameAt = 0;
  all.forEach((section, i) => {
    const first = large && i === 0;
    const content = Buffer.from(section.content ?? '');
    sections.word(section.nameOffset ?? nameAt, section.type).wide(section.flags ?? 0, section.address ?? 0);
    sections.wide(section.offset ?? offsets[i] ?? 0, first ? all.length : (section.size ?? content.length));
    sections.word(first ? last : 0, first ? segments.length : 0).wide(section.alignment ?? 1, 0);
    nameAt += Buffer.byteLength(section.name) + 1;
  });
  const ident = [
    0x7f,
    0x45,
    0x4c,
    0x46,
    wide ? 2 : 1,
    littleEndian ? 1 : 2,
    1,
    0,
    ...Array<number>(8).fill(0),
  ];
  return Buffer.concat([
    Buffer.from([...ident, ...header.parts, ...table.parts]),
    ...bodies,
    Buffer.from(sections.parts),
  ]);
}
