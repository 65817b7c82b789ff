// SPDX-License-Identifier: Apache-2.0
/**
 * One .xz stream with every field checked that can be checked without decoding: reserved bits, paddings, all CRC32 of
 * headers, the LZMA2 chunks of each block, and the index against the blocks. `xz` itself decodes some files that break
 * these rules.
 * https://tukaani.org/xz/xz-file-format.txt
 */
import { crc32 } from 'node:zlib';
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import { layOut, type Region } from './region.js';
import { walkLzma2 } from './xz-lzma2.js';

export type XzCheck = 'none' | 'crc32' | 'crc64' | 'sha256';

export interface XzBlock {
  readonly offset: number;
  readonly data: Region;
  readonly decodedSize: number;
  /** Names of the filters with their properties in hex, the last one always LZMA2. */
  readonly filters: readonly string[];
}

export interface XzStream {
  readonly check: XzCheck;
  readonly blocks: readonly XzBlock[];
  readonly decodedSize: number;
  /** Of the stream; what follows is `xz/trailing`, be it padding, a second stream or anything else. */
  readonly size: number;
  readonly regions: readonly Region[];
}

// 2.1.1.2: sizes by the type of check; the other types are reserved
const CHECKS: ReadonlyMap<number, readonly [XzCheck, number]> = new Map([
  [0x00, ['none', 0]],
  [0x01, ['crc32', 4]],
  [0x04, ['crc64', 8]],
  [0x0a, ['sha256', 32]],
]);

// 5.3: name and sizes of the properties; ids above the first version's are from later ones of the document
const LZMA2 = 0x21;
const FILTERS: ReadonlyMap<number, readonly [string, readonly number[]]> = new Map([
  [0x03, ['delta', [1]]],
  [0x04, ['x86', [0, 4]]],
  [0x05, ['powerpc', [0, 4]]],
  [0x06, ['ia64', [0, 4]]],
  [0x07, ['arm', [0, 4]]],
  [0x08, ['armthumb', [0, 4]]],
  [0x09, ['sparc', [0, 4]]],
  [0x0a, ['arm64', [0, 4]]],
  [0x0b, ['riscv', [0, 4]]],
  [LZMA2, ['lzma2', [1]]],
]);

const HEADER_SIZE = 12;
const FOOTER_SIZE = 12;
const MAX_BLOCKS = 1 << 16;

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('xz', code, offset, message);
}

/** Bytes with a cursor; `at` in errors is an offset in the source. */
class Fields {
  readonly bytes: Buffer;
  readonly #start: number;
  position = 0;

  constructor(bytes: Buffer, start: number) {
    this.bytes = bytes;
    this.#start = start;
  }

  get at(): number {
    return this.#start + this.position;
  }

  byte(): number {
    const byte = this.bytes[this.position];
    if (byte === undefined) fail('truncated', this.at, 'a field reaches over the end of its header');
    this.position++;
    return byte;
  }

  /** 1.2: seven bits a byte, the least significant first, in as few bytes as it takes. */
  number(): number {
    const from = this.at;
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (byte === 0 && scale > 1) fail('number', from, 'a number with a needless zero byte');
        return value;
      }
      if (!Number.isSafeInteger(value) || scale > 2 ** 45) fail('number', from, 'a number beyond 2^53');
    }
  }

  take(size: number): Buffer {
    if (this.position + size > this.bytes.length)
      fail('truncated', this.at, 'a field reaches over the end of its header');
    this.position += size;
    return this.bytes.subarray(this.position - size, this.position);
  }
}

class XzReader {
  readonly #source: ByteSource;
  readonly #regions: Region[] = [];
  #at = 0;
  #check: readonly [XzCheck, number] = ['none', 0];

  constructor(source: ByteSource) {
    this.#source = source;
  }

  read(): XzStream {
    const flags = this.#header();
    const blocks: XzBlock[] = [];
    const unpadded: number[] = [];
    while (this.#bytes(1)[0] !== 0) {
      if (blocks.length === MAX_BLOCKS) fail('too-many-blocks', this.#at, `more than ${MAX_BLOCKS} blocks`);
      const [block, size] = this.#block();
      blocks.push(block);
      unpadded.push(size);
    }
    const indexSize = this.#index(blocks, unpadded);
    this.#footer(flags, indexSize);
    const size = this.#at;
    const trailing = this.#source.size - size;
    if (trailing > 0) this.#regions.push({ offset: size, size: trailing, kind: 'xz/trailing' });
    const decodedSize = blocks.reduce((sum, block) => sum + block.decodedSize, 0);
    return { check: this.#check[0], blocks, decodedSize, size, regions: this.#regions };
  }

  #bytes(size: number): Buffer {
    if (this.#at + size > this.#source.size)
      fail('truncated', this.#at, `${size} bytes expected; ${this.#source.size - this.#at} are left`);
    return Buffer.from(this.#source.read(this.#at, size));
  }

  #push(fields: readonly (readonly [string, number])[]): void {
    for (const region of layOut(this.#at, fields)) {
      if (region.size > 0) this.#regions.push(region);
      this.#at += region.size;
    }
  }

  /** 2.1.1; the two bytes of stream flags */
  #header(): Buffer {
    if (this.#source.size < 6 || this.#bytes(6).toString('latin1') !== '\xfd7zXZ\0')
      fail('magic', 0, 'no xz stream');
    const header = this.#bytes(HEADER_SIZE);
    const flags = header.subarray(6, 8);
    if (crc32(flags) !== header.readUInt32LE(8))
      fail('header-crc32', 8, 'the CRC32 of the stream header is wrong');
    const check = CHECKS.get(flags[1] ?? 0);
    if (flags[0] !== 0 || check === undefined)
      fail('stream-flags', 6, `reserved stream flags ${flags.toString('hex')}`);
    this.#check = check;
    this.#push([
      ['xz/magic', 6],
      ['xz/stream-flags', 2],
      ['xz/header-crc32', 4],
    ]);
    return flags;
  }

  /** 3; the block and its unpadded size */
  #block(): readonly [XzBlock, number] {
    const offset = this.#at;
    const headerSize = ((this.#bytes(1)[0] ?? 0) + 1) * 4;
    const header = this.#bytes(headerSize);
    if (crc32(header.subarray(0, -4)) !== header.readUInt32LE(headerSize - 4))
      fail('block-header-crc32', offset + headerSize - 4, 'the CRC32 of a block header is wrong');
    const fields = new Fields(header.subarray(0, -4), offset);
    fields.byte();
    const flags = fields.byte();
    if ((flags & 0x3c) !== 0) fail('block-flags', offset + 1, `reserved block flags 0x${flags.toString(16)}`);
    let from = fields.position;
    const since = (): number => {
      const size = fields.position - from;
      from = fields.position;
      return size;
    };
    const statedCompressed = (flags & 0x40) === 0 ? undefined : fields.number();
    const compressedField = since();
    const statedDecoded = (flags & 0x80) === 0 ? undefined : fields.number();
    const decodedField = since();
    const filters = Array.from({ length: (flags & 3) + 1 }, (_, i) => filter(fields, i === (flags & 3)));
    const filterFields = since();
    const padding = fields.take(headerSize - 4 - fields.position);
    if (padding.some((byte) => byte !== 0))
      fail('padding', fields.at - padding.length, 'bytes in the padding of a block header');
    this.#push([
      ['xz/block-header-size', 1],
      ['xz/block-flags', 1],
      ['xz/compressed-size', compressedField],
      ['xz/uncompressed-size', decodedField],
      ['xz/filters', filterFields],
      ['xz/header-padding', padding.length],
      ['xz/block-header-crc32', 4],
    ]);

    const { size, decodedSize } = walkLzma2(this.#source, this.#at);
    if (statedCompressed !== undefined && statedCompressed !== size)
      fail('block-size', offset, `the header states ${statedCompressed} bytes of data; there are ${size}`);
    if (statedDecoded !== undefined && statedDecoded !== decodedSize)
      fail(
        'block-size',
        offset,
        `the header states ${statedDecoded} decoded bytes; the data have ${decodedSize}`,
      );
    const data = { offset: this.#at, size, kind: 'xz/data' };
    const checkSize = this.#check[1];
    const blockPadding = -size & 3;
    this.#push([['xz/data', size]]);
    if (
      this.#bytes(blockPadding + checkSize)
        .subarray(0, blockPadding)
        .some((byte) => byte !== 0)
    )
      fail('padding', this.#at, 'bytes in the padding of a block');
    this.#push([
      ['xz/block-padding', blockPadding],
      ['xz/check', checkSize],
    ]);
    return [{ offset, data, decodedSize, filters }, headerSize + size + checkSize];
  }

  /** 4; its size */
  #index(blocks: readonly XzBlock[], unpadded: readonly number[]): number {
    const start = this.#at;
    // no longer than the numbers that it must hold, at nine bytes each
    const bytes = this.#bytes(Math.min(this.#source.size - start, 14 + 3 + 18 * blocks.length));
    const fields = new Fields(bytes, start);
    fields.byte();
    const count = fields.number();
    if (count !== blocks.length)
      fail('index-count', start + 1, `the index counts ${count} blocks; there are ${blocks.length}`);
    const countField = fields.position - 1;
    blocks.forEach((block, i) => {
      const at = fields.at;
      const sizes = [fields.number(), fields.number()];
      if (sizes[0] !== unpadded[i] || sizes[1] !== block.decodedSize)
        fail(
          'index-record',
          at,
          `the index states sizes ${sizes.join(' and ')} for block ${i}; they are ${unpadded[i]} and ${block.decodedSize}`,
        );
    });
    const records = fields.position - 1 - countField;
    const padding = -fields.position & 3;
    if (fields.take(padding).some((byte) => byte !== 0))
      fail('padding', fields.at - padding, 'bytes in the padding of the index');
    const size = fields.position + 4;
    const stated = fields.take(4).readUInt32LE();
    if (crc32(bytes.subarray(0, size - 4)) !== stated)
      fail('index-crc32', start + size - 4, 'the CRC32 of the index is wrong');
    this.#push([
      ['xz/index-indicator', 1],
      ['xz/index-count', countField],
      ['xz/index-records', records],
      ['xz/index-padding', padding],
      ['xz/index-crc32', 4],
    ]);
    return size;
  }

  /** 2.1.2 */
  #footer(flags: Buffer, indexSize: number): void {
    const footer = this.#bytes(FOOTER_SIZE);
    if (footer.toString('latin1', 10) !== 'YZ')
      fail('footer-magic', this.#at + 10, 'the stream footer ends otherwise');
    if (crc32(footer.subarray(4, 10)) !== footer.readUInt32LE(0))
      fail('footer-crc32', this.#at, 'the CRC32 of the stream footer is wrong');
    const backward = (footer.readUInt32LE(4) + 1) * 4;
    if (backward !== indexSize)
      fail(
        'backward-size',
        this.#at + 4,
        `the footer states an index of ${backward} bytes; it has ${indexSize}`,
      );
    if (!footer.subarray(8, 10).equals(flags))
      fail('footer-flags', this.#at + 8, 'the flags of header and footer differ');
    this.#push([
      ['xz/footer-crc32', 4],
      ['xz/backward-size', 4],
      ['xz/footer-flags', 2],
      ['xz/footer-magic', 2],
    ]);
  }
}

/** 3.1.5 and 5.3 */
function filter(fields: Fields, last: boolean): string {
  const at = fields.at;
  const id = fields.number();
  const properties = fields.take(fields.number());
  const known = FILTERS.get(id);
  if (known === undefined) fail('filter', at, `filter 0x${id.toString(16)} is not known`);
  const [name, sizes] = known;
  if (!sizes.includes(properties.length))
    fail('filter', at, `filter ${name} with ${properties.length} bytes of properties`);
  if ((id === LZMA2) !== last) fail('filter', at, `filter ${name} in a place where it cannot be`);
  if (id === LZMA2 && (properties[0] ?? 0) > 40)
    fail('filter', at, `a dictionary size of ${properties[0]}; at most 40`);
  return properties.length === 0 ? name : `${name}=${properties.toString('hex')}`;
}

/** @throws FormatError `xz/…` */
export function readXz(source: ByteSource): XzStream {
  return new XzReader(source).read();
}

/** What an encoder nobody named must not leave behind. */
export type XzIssue =
  /** Stream padding, a second stream, or anything else after the stream. */
  | 'trailing'
  | 'empty-block'
  /** A start offset of a branch filter: four bytes that change nothing in content without branches. */
  | 'filter-offset'
  /** Much longer than the content stored in plain: room in the cutting into chunks and blocks. */
  | 'oversize';

/** Of a stream that was read, which already proves its headers, paddings and index; no issue, no room. */
export function xzIssues(stream: XzStream, sourceSize: number): readonly XzIssue[] {
  const issues: XzIssue[] = [];
  if (stream.size !== sourceSize) issues.push('trailing');
  if (stream.blocks.some((block) => block.decodedSize === 0)) issues.push('empty-block');
  if (stream.blocks.some((block) => block.filters.some((text) => /=.{8}$/.test(text))))
    issues.push('filter-offset');
  // LZMA2 stores what does not compress with 3 bytes for 65,536, and xz starts a block at most every MiB
  if (stream.size > stream.decodedSize * (1 + 1 / 1024) + 256) issues.push('oversize');
  return issues;
}
