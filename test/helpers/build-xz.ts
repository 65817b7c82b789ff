// SPDX-License-Identifier: Apache-2.0
/** .xz streams of stored chunks, also such as no tool writes. */
import { crc32 } from 'node:zlib';

export interface XzBlockSpec {
  /** LZMA2 chunks; else `content` in one stored chunk. */
  readonly chunks?: Uint8Array;
  readonly content?: string;
  readonly flags?: number;
  /** Between the flags and the padding: sizes, then filters. */
  readonly fields?: readonly number[];
  readonly headerPadding?: readonly number[];
  readonly headerCrc32?: number;
  readonly padding?: number;
  readonly check?: Uint8Array;
}

export interface XzSpec {
  readonly blocks: readonly XzBlockSpec[];
  readonly flags?: readonly number[];
  readonly headerCrc32?: number;
  /** Instead of what the blocks need: number of records, then the records. */
  readonly index?: readonly number[];
  readonly indexPadding?: number;
  readonly indexCrc32?: number;
  readonly backwardSize?: number;
  readonly footerFlags?: readonly number[];
  readonly footerCrc32?: number;
  readonly footerMagic?: string;
}

export function xzNumber(value: number): readonly number[] {
  return value < 128 ? [value] : [(value % 128) | 0x80, ...xzNumber(Math.floor(value / 128))];
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

/** LZMA2 in 64 KiB: the filter that every block ends with. */
export const LZMA2_FILTER = [0x21, 1, 8] as const;

export function storedChunks(content: string): Buffer {
  const bytes = Buffer.from(content);
  if (bytes.length === 0) return Buffer.of(0);
  const size = Buffer.of(1, (bytes.length - 1) >> 8, (bytes.length - 1) & 0xff);
  return Buffer.concat([size, bytes, Buffer.of(0)]);
}

export function buildXz(spec: XzSpec): Buffer {
  const flags = Buffer.from(spec.flags ?? [0, 1]);
  const parts: Buffer[] = [Buffer.from('\xfd7zXZ\0', 'latin1'), flags, u32(spec.headerCrc32 ?? crc32(flags))];
  const records: number[] = [];
  for (const block of spec.blocks) {
    const content = block.content ?? '';
    const chunks = Buffer.from(block.chunks ?? storedChunks(content));
    const fields = [block.flags ?? 0, ...(block.fields ?? LZMA2_FILTER)];
    const unpadded = 1 + fields.length + (block.headerPadding?.length ?? 0);
    const padding = [...(block.headerPadding ?? []), ...Array<number>(-unpadded & 3).fill(0)];
    const size = 1 + fields.length + padding.length + 4;
    const header = Buffer.from([size / 4 - 1, ...fields, ...padding]);
    const check = Buffer.from(block.check ?? u32(crc32(content)));
    parts.push(header, u32(block.headerCrc32 ?? crc32(header)), chunks);
    parts.push(Buffer.alloc(-chunks.length & 3, block.padding ?? 0), check);
    records.push(...xzNumber(size + chunks.length + check.length), ...xzNumber(Buffer.byteLength(content)));
  }
  const fields = [0, ...(spec.index ?? [...xzNumber(spec.blocks.length), ...records])];
  const index = Buffer.from([...fields, ...Array<number>(-fields.length & 3).fill(spec.indexPadding ?? 0)]);
  const backward = Buffer.concat([
    u32(spec.backwardSize ?? index.length / 4),
    Buffer.from(spec.footerFlags ?? flags),
  ]);
  parts.push(index, u32(spec.indexCrc32 ?? crc32(index)));
  parts.push(u32(spec.footerCrc32 ?? crc32(backward)), backward, Buffer.from(spec.footerMagic ?? 'YZ'));
  return Buffer.concat(parts);
}
