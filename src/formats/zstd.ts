// SPDX-License-Identifier: Apache-2.0
/**
 * One Zstandard frame: header, blocks and checksum, without decoding.
 * https://www.rfc-editor.org/rfc/rfc8878
 */
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import type { Region } from './region.js';

export interface ZstdFrame {
  /** As stated by the header, when it does; it takes decoding to verify it. */
  readonly contentSize: number | undefined;
  readonly windowSize: number;
  readonly dictionaryId: number;
  readonly hasChecksum: boolean;
  readonly blocks: number;
  /** Blocks that decode to nothing, apart from a last raw one. */
  readonly emptyBlocks: number;
  /** All blocks, with their headers. */
  readonly data: Region;
  /** Of the frame; what follows is `zstd/trailing`, be it a second frame, a skippable one or anything else. */
  readonly size: number;
  readonly regions: readonly Region[];
}

const MAGIC = 0xfd2fb528;
// 3.1.2: 0x184d2a50 to 0x184d2a5f
const SKIPPABLE_MAGIC = 0x184d2a50;
const MAX_BLOCK = 1 << 17;
/** A block can be empty; those of real encoders hold up to 128 KiB. */
const MAX_BLOCKS = 1 << 23;
const RAW = 0;
const RLE = 1;
const RESERVED = 3;

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('zstd', code, offset, message);
}

function take(source: ByteSource, at: number, size: number): Buffer {
  if (at + size > source.size) fail('truncated', at, `${size} bytes expected; ${source.size - at} are left`);
  return source.read(at, size);
}

function readMagic(source: ByteSource): void {
  const magic = source.size < 4 ? 0 : source.read(0, 4).readUInt32LE();
  if ((magic & ~0xf) >>> 0 === SKIPPABLE_MAGIC) fail('skippable', 0, 'a skippable frame in front');
  if (magic !== MAGIC) fail('magic', 0, 'no Zstandard frame');
}

/** 3.1.1.1.2 */
function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** 3.1.1.3: no literals and no sequences, whichever way the literals are stored. */
function isEmptyCompressed(block: Buffer): boolean {
  const [first = 0] = block;
  const raw = (first & 3) === RAW;
  if (!raw && (first & 3) !== RLE) return false;
  const sizeFormat = (first >> 2) & 3;
  const headerSize = sizeFormat === 1 ? 2 : sizeFormat === 3 ? 3 : 1;
  const rest = block.subarray(0, headerSize).reduceRight((value, byte) => value * 256 + byte, 0);
  const size = headerSize === 1 ? rest >> 3 : rest >> 4;
  return size === 0 && block[headerSize + (raw ? 0 : 1)] === 0;
}

interface Blocks {
  readonly end: number;
  readonly count: number;
  readonly empty: number;
}

/** 3.1.1.2 */
function readBlocks(source: ByteSource, start: number, maximum: number): Blocks {
  let at = start;
  let empty = 0;
  for (let count = 1; ; count++) {
    if (count > MAX_BLOCKS) fail('too-many-blocks', at, `more than ${MAX_BLOCKS} blocks`);
    const header = take(source, at, 3).readUIntLE(0, 3);
    const last = (header & 1) === 1;
    const type = (header >> 1) & 3;
    const size = header >> 3;
    if (type === RESERVED) fail('block-type', at, 'a block of the reserved type');
    if (size > maximum) fail('block-size', at, `a block of ${size} bytes; at most ${maximum}`);
    const stored = type === RLE ? 1 : size;
    if (at + 3 + stored > source.size)
      fail('truncated', at, `a block of ${stored} bytes; ${source.size - at - 3} are left`);
    if (type === RAW || type === RLE) {
      // an encoder that learns too late that nothing follows ends with an empty raw block
      if (size === 0 && !(last && type === RAW)) empty++;
    } else if (isEmptyCompressed(source.read(at + 3, Math.min(5, size)))) empty++;
    at += 3 + stored;
    if (last) return { end: at, count, empty };
  }
}

/** @throws FormatError `zstd/…` */
export function readZstd(source: ByteSource): ZstdFrame {
  readMagic(source);
  const [descriptor = 0] = take(source, 4, 1);
  // 3.1.1.1.1: the unused bit has no meaning for decoders, so that it could hold anything
  if ((descriptor & 0x18) !== 0)
    fail('reserved-bits', 4, `unused or reserved bits in descriptor 0x${descriptor.toString(16)}`);
  const singleSegment = (descriptor & 0x20) !== 0;
  const hasChecksum = (descriptor & 4) !== 0;
  const windowField = singleSegment ? 0 : 1;
  const dictionaryField = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeField = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const fields = take(source, 5, windowField + dictionaryField + sizeField);
  const dictionaryId = dictionaryField === 0 ? 0 : fields.readUIntLE(windowField, dictionaryField);
  let contentSize: number | undefined;
  if (sizeField > 0) {
    const sizeAt = windowField + dictionaryField;
    const wide =
      sizeField === 8 ? Number(fields.readBigUInt64LE(sizeAt)) : fields.readUIntLE(sizeAt, sizeField);
    // 3.1.1.1.4: two bytes count from 256
    contentSize = sizeField === 2 ? wide + 256 : wide;
    if (!Number.isSafeInteger(contentSize)) fail('content-size', 5 + sizeAt, 'a content size beyond 2^53');
  }
  const window = singleSegment ? (contentSize ?? 0) : windowSize(fields[0] ?? 0);

  const regions: Region[] = [];
  let at = 0;
  const push = (kind: string, size: number): Region => {
    const region = { offset: at, size, kind };
    if (size > 0) regions.push(region);
    at += size;
    return region;
  };
  push('zstd/magic', 4);
  push('zstd/descriptor', 1);
  push('zstd/window', windowField);
  push('zstd/dictionary-id', dictionaryField);
  push('zstd/content-size', sizeField);
  const blocks = readBlocks(source, at, Math.min(window, MAX_BLOCK));
  const data = push('zstd/data', blocks.end - at);
  if (hasChecksum) {
    take(source, at, 4);
    push('zstd/checksum', 4);
  }
  const size = at;
  push('zstd/trailing', source.size - size);
  return {
    contentSize,
    windowSize: window,
    dictionaryId,
    hasChecksum,
    blocks: blocks.count,
    emptyBlocks: blocks.empty,
    data,
    size,
    regions,
  };
}

/** What an encoder nobody named must not leave behind. */
export type ZstdIssue =
  /** A second frame, a skippable one, or anything else after the frame. */
  | 'trailing'
  | 'empty-block'
  /** It decodes to another size than stated. */
  | 'decoded-size'
  /** Much longer than the content stored in plain: room in the cutting into blocks. */
  | 'oversize';

/** `decodedSize` is what decoding gave; no issue, no room. */
export function zstdIssues(frame: ZstdFrame, sourceSize: number, decodedSize: number): readonly ZstdIssue[] {
  const issues: ZstdIssue[] = [];
  if (frame.size !== sourceSize) issues.push('trailing');
  if (frame.emptyBlocks > 0) issues.push('empty-block');
  if (frame.contentSize !== undefined && frame.contentSize !== decodedSize) issues.push('decoded-size');
  // a raw block takes 3 bytes for 131,072
  if (frame.size > decodedSize * (1 + 1 / 1024) + 64) issues.push('oversize');
  return issues;
}
