// SPDX-License-Identifier: Apache-2.0
/** Mach-O files of either class and byte order, and universal ones; also such as no linker writes. */

export interface MachOSpec {
  readonly bits?: 32 | 64;
  readonly littleEndian?: boolean;
  readonly cpuType?: number;
  readonly cpuSubtype?: number;
  readonly fileType?: number;
  readonly text?: Buffer;
  readonly data?: Buffer;
  readonly strings?: Buffer;
  /** 16 bytes; none without. */
  readonly uuid?: Buffer;
  /** `LC_ENCRYPTION_INFO(_64)`; the range is that of the linker unless it is given. */
  readonly encryption?: { readonly id?: number; readonly offset?: number; readonly size?: number };
  /** Of `LC_BUILD_VERSION`; default iOS. */
  readonly platform?: number;
  readonly linkerVersion?: number;
  readonly libraries?: readonly string[];
  /** Whole commands, behind all others. */
  readonly commands?: readonly Buffer[];
  /** A page of the linker. */
  readonly page?: number;
  readonly textSection?: string;
}

export const ARM64 = 0x0100000c;
export const X86_64 = 0x01000007;

/** What writes numbers of one byte order. */
export function numbers(littleEndian: boolean): {
  readonly word: (value: number) => Buffer;
  readonly long: (value: number) => Buffer;
} {
  return {
    word: (value) => {
      const bytes = Buffer.alloc(4);
      if (littleEndian) bytes.writeUInt32LE(value >>> 0);
      else bytes.writeUInt32BE(value >>> 0);
      return bytes;
    },
    long: (value) => {
      const bytes = Buffer.alloc(8);
      if (littleEndian) bytes.writeBigUInt64LE(BigInt(value));
      else bytes.writeBigUInt64BE(BigInt(value));
      return bytes;
    },
  };
}

const align = (value: number, to: number): number => Math.ceil(value / to) * to;

function name16(text: string): Buffer {
  const field = Buffer.alloc(16);
  field.write(text, 'latin1');
  return field;
}

interface Section {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

/** Without signature; `signMachO` adds one. */
export function buildMachO(spec: MachOSpec = {}): Buffer {
  const { bits = 64, littleEndian = true, page = 0x1000 } = spec;
  const wide = bits === 64;
  const { word, long } = numbers(littleEndian);
  const size = wide ? long : word;
  const text = spec.text ?? Buffer.alloc(0x2800, 'code');
  const data = spec.data ?? Buffer.alloc(0x300, 'data');
  const strings = spec.strings ?? Buffer.from(' \0_main\0_helper\0\0\0\0\0\0', 'latin1');
  const textEnd = align(page + text.length, page);
  const dataEnd = align(textEnd + data.length, page);
  const symbolSize = wide ? 16 : 12;
  const symbols = Buffer.concat([
    word(2),
    Buffer.from([0x0f, 1, 0, 0]),
    size(0x1000),
    word(8),
    Buffer.from([0x0f, 1, 0, 0]),
    size(0x1010),
  ]);
  const starts = Buffer.from([0x80, 0x20, 0x10, 0, 0, 0, 0, 0]);
  const fixups = Buffer.concat([
    word(0),
    word(32),
    word(36),
    word(36),
    word(0),
    word(1),
    word(0),
    word(0),
    word(0),
    word(0),
  ]);
  const at = {
    fixups: dataEnd,
    starts: dataEnd + fixups.length,
    symbols: dataEnd + fixups.length + starts.length,
    strings: dataEnd + fixups.length + starts.length + symbols.length,
  };
  const linkEditSize = at.strings + strings.length - dataEnd;
  const segment = (
    name: string,
    address: number,
    memory: number,
    offset: number,
    fileSize: number,
    protection: number,
    sections: readonly Section[],
  ): Buffer => {
    const sectionSize = wide ? 80 : 68;
    return Buffer.concat([
      word(wide ? 0x19 : 1),
      word((wide ? 72 : 56) + sections.length * sectionSize),
      name16(name),
      ...[address, memory, offset, fileSize].map(size),
      word(protection),
      word(protection),
      word(sections.length),
      word(0),
      ...sections.flatMap((one) => [
        name16(one.name),
        name16(name),
        size(address + one.offset - offset),
        size(one.size),
        ...[one.offset, 4, 0, 0, 0, 0, 0].map(word),
        ...(wide ? [word(0)] : []),
      ]),
    ]);
  };
  const command = (code: number, ...parts: Buffer[]): Buffer => {
    const body = Buffer.concat(parts);
    const padded = align(8 + body.length, wide ? 8 : 4);
    return Buffer.concat([word(code), word(padded), body, Buffer.alloc(padded - 8 - body.length)]);
  };
  const { encryption, uuid } = spec;
  const commands = [
    segment('__TEXT', 0, textEnd, 0, textEnd, 5, [
      { name: spec.textSection ?? '__text', offset: page, size: text.length },
    ]),
    segment('__DATA', textEnd, dataEnd - textEnd, textEnd, dataEnd - textEnd, 3, [
      { name: '__data', offset: textEnd, size: data.length },
    ]),
    segment('__LINKEDIT', dataEnd, align(linkEditSize, page), dataEnd, linkEditSize, 1, []),
    command(0x80000034, word(at.fixups), word(fixups.length)),
    command(2, word(at.symbols), word(symbols.length / symbolSize), word(at.strings), word(strings.length)),
    ...(uuid === undefined ? [] : [command(0x1b, uuid)]),
    command(
      0x32,
      word(spec.platform ?? 2),
      word(0x000f0000),
      word(0x00120500),
      word(1),
      word(3),
      word(spec.linkerVersion ?? 0x048f0500),
    ),
    ...(encryption === undefined
      ? []
      : [
          command(
            wide ? 0x2c : 0x21,
            word(encryption.offset ?? page),
            word(encryption.size ?? textEnd - page),
            word(encryption.id ?? 0),
            ...(wide ? [word(0)] : []),
          ),
        ]),
    command(0x26, word(at.starts), word(starts.length)),
    ...(spec.libraries ?? ['/usr/lib/libSystem.B.dylib']).map((library) =>
      command(0xc, word(24), word(2), word(0x10000), word(0x10000), Buffer.from(`${library}\0`, 'latin1')),
    ),
    ...(spec.commands ?? []),
  ];
  const header = Buffer.concat([
    word(wide ? 0xfeedfacf : 0xfeedface),
    word(spec.cpuType ?? (wide ? ARM64 : 12)),
    word(spec.cpuSubtype ?? 0),
    word(spec.fileType ?? 2),
    word(commands.length),
    word(commands.reduce((sum, { length }) => sum + length, 0)),
    word(0x85),
    ...(wide ? [word(0)] : []),
  ]);
  const file = Buffer.alloc(at.strings + strings.length);
  Buffer.concat([header, ...commands]).copy(file);
  text.copy(file, page);
  data.copy(file, textEnd);
  fixups.copy(file, at.fixups);
  starts.copy(file, at.starts);
  symbols.copy(file, at.symbols);
  strings.copy(file, at.strings);
  return file;
}

export interface FatSpec {
  readonly cpuType: number;
  readonly cpuSubtype?: number;
  readonly file: Buffer;
}

/** `wide`: with offsets of 64 bits. Slices begin at pages. */
export function buildFat(slices: readonly FatSpec[], wide = false): Buffer {
  const { word, long } = numbers(false);
  const record = wide ? 32 : 20;
  let at = align(8 + slices.length * record, 0x1000);
  const table: Buffer[] = [word(wide ? 0xcafebabf : 0xcafebabe), word(slices.length)];
  const parts: { readonly at: number; readonly file: Buffer }[] = [];
  for (const { cpuType, cpuSubtype = 0, file } of slices) {
    const place = wide ? [long(at), long(file.length)] : [word(at), word(file.length)];
    table.push(word(cpuType), word(cpuSubtype), ...place, word(12), ...(wide ? [word(0)] : []));
    parts.push({ at, file });
    at = align(at + file.length, 0x1000);
  }
  const last = parts.at(-1);
  const out = Buffer.alloc(last === undefined ? 8 : last.at + last.file.length);
  Buffer.concat(table).copy(out);
  for (const part of parts) part.file.copy(out, part.at);
  return out;
}
