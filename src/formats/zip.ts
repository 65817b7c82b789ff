// SPDX-License-Identifier: Apache-2.0
/**
 * The structure of a ZIP archive: where every record lies, with nothing left over. Reads no content.
 * Specification: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT (6.3.10)
 *
 * Refuses what two readers could understand differently (two end records, overlapping records, a directory whose
 * counts are wrong): such a file is compared as plain bytes.
 */
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import type { ZipRefusal } from './zip-code.js';
import { compareRecords, type RecordFindings } from './zip-local.js';
import { scanExtra } from './zip-extra.js';

export interface ZipEntry {
  /** From the central directory, as bytes. */
  readonly rawName: Buffer;
  // central directory record
  readonly cdOffset: number;
  readonly cdSize: number;
  readonly flags: number;
  readonly method: number;
  readonly crc32: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly cdNameLength: number;
  readonly cdExtraLength: number;
  readonly versionMadeBy: number;
  readonly versionNeeded: number;
  readonly externalAttributes: number;
  // local header and what follows it
  readonly localOffset: number;
  readonly localNameLength: number;
  readonly localExtraLength: number;
  readonly dataOffset: number;
  /** 0 when there is none; else 12 or 16 bytes, 20 or 24 with ZIP64 sizes. */
  readonly descriptorSize: number;
  /** End of data and descriptor. */
  readonly end: number;
  /** What its records leave to the reader's taste; see `recordCodes`. */
  readonly findings: RecordFindings;
}

export interface Extent {
  readonly offset: number;
  readonly size: number;
}

export interface ZipStructure {
  readonly size: number;
  /** In central directory order. */
  readonly entries: readonly ZipEntry[];
  /** Indices into `entries` by local offset. */
  readonly dataOrder: readonly number[];
  readonly centralDirectory: Extent;
  /** ZIP64 end record and locator, adjoining, when present. */
  readonly zip64: Extent | undefined;
  /** The 22 fixed bytes of the end record. */
  readonly end: Extent;
  readonly comment: Extent;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const ZIP64_END = 0x06064b50;
const ZIP64_LOCATOR = 0x07064b50;
const DESCRIPTOR = 0x08074b50;
const END_SIGNATURE = 'PK\x05\x06';
/** Padding to 4 bytes, and what packers write. */
const EXTRA_AHEAD = 36;
/** Four times what fits without ZIP64. More, all of one name, take a gigabyte of memory. */
const MAX_ENTRIES = 1 << 18;
const MAX_DIRECTORY = 128 << 20;

function fail(code: ZipRefusal, offset: number, message: string): never {
  throw new FormatError('zip', code, offset, message);
}

/** @throws FormatError `zip/…` for anything that is not one unambiguous archive */
export function readZip(source: ByteSource): ZipStructure {
  const end = findEnd(source);
  const record = Buffer.from(source.read(end.offset, 22));
  if (record.readUInt16LE(4) !== 0 || record.readUInt16LE(6) !== 0)
    fail(
      'multi-disk',
      end.offset + 4,
      `disk numbers ${record.readUInt16LE(4)} and ${record.readUInt16LE(6)}, expected 0`,
    );
  let count = record.readUInt16LE(10);
  let cdSize = record.readUInt32LE(12);
  let cdOffset = record.readUInt32LE(16);
  if (count !== record.readUInt16LE(8))
    fail('entry-count', end.offset + 8, `entry counts ${record.readUInt16LE(8)} and ${count} differ`);
  const zip64 = findZip64(source, end.offset);
  if (zip64 !== undefined) {
    const wide = source.read(zip64.offset, 56);
    if (readU64(wide, 24, zip64.offset) !== readU64(wide, 32, zip64.offset))
      fail('entry-count', zip64.offset + 24, 'the two entry counts of the ZIP64 end record differ');
    // each field is either the same or the marker that sends the reader to the ZIP64 record (APPNOTE 4.3.16)
    count = merge64(count, 0xffff, readU64(wide, 32, zip64.offset), end.offset + 10);
    cdSize = merge64(cdSize, 0xffffffff, readU64(wide, 40, zip64.offset), end.offset + 12);
    cdOffset = merge64(cdOffset, 0xffffffff, readU64(wide, 48, zip64.offset), end.offset + 16);
  }
  if (count > MAX_ENTRIES)
    fail('too-many-entries', end.offset + 10, `${count} entries, at most ${MAX_ENTRIES} are read`);
  if (cdSize > MAX_DIRECTORY)
    fail(
      'directory-too-large',
      end.offset + 12,
      `directory of ${cdSize} bytes, at most ${MAX_DIRECTORY} are read`,
    );
  const limit = zip64?.offset ?? end.offset;
  if (cdOffset + cdSize > limit)
    fail(
      'directory-out-of-range',
      end.offset + 16,
      `directory at ${cdOffset} with ${cdSize} bytes ends behind ${limit}`,
    );

  const entries = readDirectory(source, { offset: cdOffset, size: cdSize }, count);
  const offsetOf = (index: number): number => entries[index]?.localOffset ?? 0;
  const dataOrder = entries.map((_, index) => index).sort((a, b) => offsetOf(a) - offsetOf(b) || a - b);
  let reached = 0;
  for (const index of dataOrder) {
    const entry = entries[index];
    if (entry === undefined) continue;
    if (entry.localOffset < reached)
      fail(
        'overlap',
        entry.localOffset,
        `entry ${index} starts at ${entry.localOffset}, before ${reached}, the end of another`,
      );
    reached = entry.end;
  }
  if (reached > cdOffset)
    fail('overlap', cdOffset, `the last entry ends at ${reached}, behind the directory's start ${cdOffset}`);
  return {
    size: source.size,
    entries,
    dataOrder,
    centralDirectory: { offset: cdOffset, size: cdSize },
    zip64,
    end,
    comment: { offset: end.offset + 22, size: record.readUInt16LE(20) },
  };
}

/**
 * The last end record, whose comment should reach the end of the file (else trailing bytes follow). Another signature
 * behind it, or an earlier one whose comment also ends with the file, means that readers may disagree about what the
 * archive holds: some take the last signature, some the first that fits. End records of archives stored inside lie
 * before it and reach nothing.
 */
function findEnd(source: ByteSource): Extent {
  const tailSize = Math.min(source.size, 22 + 0xffff);
  const tailOffset = source.size - tailSize;
  const tail = source.read(tailOffset, tailSize);
  let last: number | undefined;
  let behind: number | undefined;
  const reaching: number[] = [];
  for (
    let at = tail.indexOf(END_SIGNATURE, 0, 'latin1');
    at !== -1;
    at = tail.indexOf(END_SIGNATURE, at + 1, 'latin1')
  ) {
    const end = at + 22 > tail.length ? Infinity : at + 22 + tail.readUInt16LE(at + 20);
    if (end <= tail.length) {
      last = at;
      behind = undefined;
    } else behind ??= at;
    if (end === tail.length) reaching.push(at);
  }
  if (last === undefined)
    fail('no-end-record', tailOffset, 'not a ZIP archive: no end of central directory record');
  const other = reaching.find((at) => at !== last) ?? behind;
  if (other !== undefined)
    fail(
      'ambiguous-end-record',
      tailOffset + Math.max(last, other),
      `end of central directory signatures at ${tailOffset + Math.min(last, other)} and ${tailOffset + Math.max(last, other)}`,
    );
  return { offset: tailOffset + last, size: 22 };
}

function findZip64(source: ByteSource, endOffset: number): Extent | undefined {
  if (endOffset < 20 + 56) return undefined;
  const locator = Buffer.from(source.read(endOffset - 20, 20));
  if (locator.readUInt32LE(0) !== ZIP64_LOCATOR) return undefined;
  const offset = readU64(locator, 8, endOffset - 20);
  if (locator.readUInt32LE(4) !== 0 || locator.readUInt32LE(16) > 1)
    fail('multi-disk', endOffset - 20, 'the ZIP64 locator names another disk');
  if (offset + 56 > endOffset - 20)
    fail('zip64', endOffset - 12, `ZIP64 end record at ${offset} does not fit before ${endOffset - 20}`);
  const record = source.read(offset, 56);
  if (record.readUInt32LE(0) !== ZIP64_END)
    fail('zip64', offset, 'no ZIP64 end record where its locator points');
  const size = readU64(record, 4, offset) + 12;
  if (offset + size !== endOffset - 20)
    fail(
      'zip64',
      offset + 4,
      `ZIP64 end record of ${size} bytes does not reach its locator at ${endOffset - 20}`,
    );
  if (record.readUInt32LE(16) !== 0 || record.readUInt32LE(20) !== 0)
    fail('multi-disk', offset + 16, 'the ZIP64 end record names another disk');
  return { offset, size: endOffset - offset };
}

function merge64(value: number, marker: number, wide: number, offset: number): number {
  if (value !== marker && value !== wide)
    fail('zip64', offset, `end record says ${value}, ZIP64 end record ${wide}`);
  return wide;
}

function readU64(buffer: Buffer, at: number, base: number): number {
  const value = buffer.readBigUInt64LE(at);
  if (value > BigInt(Number.MAX_SAFE_INTEGER))
    fail('number-too-large', base + at, `${value} is larger than any file`);
  return Number(value);
}

function readDirectory(source: ByteSource, extent: Extent, count: number): ZipEntry[] {
  const directory = source.read(extent.offset, extent.size);
  const records: DirectoryBytes = { bytes: directory, offset: extent.offset };
  const entries: ZipEntry[] = [];
  for (let at = 0; at < extent.size;) {
    const offset = extent.offset + at;
    if (entries.length === count)
      fail('entry-count', offset, `more entries than the ${count} that the end record counts`);
    if (at + 46 > extent.size)
      fail('directory-truncated', offset, `${extent.size - at} bytes left, a record takes 46`);
    if (directory.readUInt32LE(at) !== CENTRAL)
      fail('bad-directory-record', offset, 'no central directory record here');
    const size =
      46 +
      directory.readUInt16LE(at + 28) +
      directory.readUInt16LE(at + 30) +
      directory.readUInt16LE(at + 32);
    if (at + size > extent.size)
      fail(
        'directory-truncated',
        offset,
        `record of ${size} bytes, ${extent.size - at} left in the directory`,
      );
    if (directory.readUInt16LE(at + 34) !== 0) fail('multi-disk', offset + 34, 'entry on another disk');
    entries.push(readEntry(source, records, offset, size));
    at += size;
  }
  if (entries.length !== count)
    fail(
      'entry-count',
      extent.offset + extent.size,
      `${entries.length} entries, the end record counts ${count}`,
    );
  return entries;
}

interface DirectoryBytes {
  readonly bytes: Buffer;
  /** Where they begin in the file. */
  readonly offset: number;
}

interface Location {
  readonly compressedSize: number;
  readonly size: number;
  readonly localOffset: number;
  readonly localNameLength: number;
  readonly localExtraLength: number;
  readonly descriptorSize: number;
  readonly findings: RecordFindings;
}

/** An entry that leaves in the directory what is there: an archive may have ten thousands of them. */
class DirectoryEntry implements ZipEntry {
  readonly #directory: DirectoryBytes;
  readonly cdOffset: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly localOffset: number;
  readonly localNameLength: number;
  readonly localExtraLength: number;
  readonly descriptorSize: number;
  readonly findings: RecordFindings;

  constructor(directory: DirectoryBytes, cdOffset: number, location: Location) {
    this.#directory = directory;
    this.cdOffset = cdOffset;
    this.compressedSize = location.compressedSize;
    this.size = location.size;
    this.localOffset = location.localOffset;
    this.localNameLength = location.localNameLength;
    this.localExtraLength = location.localExtraLength;
    this.descriptorSize = location.descriptorSize;
    this.findings = location.findings;
  }

  get rawName(): Buffer {
    const start = this.#at(46);
    return this.#directory.bytes.subarray(start, start + this.cdNameLength);
  }
  get cdSize(): number {
    const { bytes } = this.#directory;
    return 46 + this.cdNameLength + this.cdExtraLength + bytes.readUInt16LE(this.#at(32));
  }
  get flags(): number {
    return this.#directory.bytes.readUInt16LE(this.#at(8));
  }
  get method(): number {
    return this.#directory.bytes.readUInt16LE(this.#at(10));
  }
  get crc32(): number {
    return this.#directory.bytes.readUInt32LE(this.#at(16));
  }
  get cdNameLength(): number {
    return this.#directory.bytes.readUInt16LE(this.#at(28));
  }
  get cdExtraLength(): number {
    return this.#directory.bytes.readUInt16LE(this.#at(30));
  }
  get versionMadeBy(): number {
    return this.#directory.bytes.readUInt16LE(this.#at(4));
  }
  get versionNeeded(): number {
    return this.#directory.bytes.readUInt16LE(this.#at(6));
  }
  get externalAttributes(): number {
    return this.#directory.bytes.readUInt32LE(this.#at(38));
  }
  get dataOffset(): number {
    return this.localOffset + 30 + this.localNameLength + this.localExtraLength;
  }
  get end(): number {
    return this.dataOffset + this.compressedSize + this.descriptorSize;
  }

  #at(field: number): number {
    return this.cdOffset - this.#directory.offset + field;
  }
}

/** The central directory record at `cdOffset` of the file, of `cdSize` bytes. */
function readEntry(
  source: ByteSource,
  directory: DirectoryBytes,
  cdOffset: number,
  cdSize: number,
): ZipEntry {
  const { bytes, offset: directoryStart } = directory;
  const at = cdOffset - directoryStart;
  let compressedSize = bytes.readUInt32LE(at + 20);
  let size = bytes.readUInt32LE(at + 24);
  let localOffset = bytes.readUInt32LE(at + 42);
  const record = bytes.subarray(at, at + cdSize);
  const saturated = compressedSize === 0xffffffff || size === 0xffffffff || localOffset === 0xffffffff;
  if (saturated) {
    // ZIP64 extended information: only the fields that are saturated, in this order (APPNOTE 4.5.3)
    const field = findExtra(record, 46 + record.readUInt16LE(28), record.readUInt16LE(30), 0x0001);
    if (field === undefined) fail('zip64', cdOffset, 'saturated field without ZIP64 extended information');
    let next = field.offset;
    const take = (): number => {
      if (next + 8 > field.offset + field.size)
        fail('zip64', cdOffset + next, 'ZIP64 extended information is too short');
      next += 8;
      return readU64(record, next - 8, cdOffset);
    };
    if (size === 0xffffffff) size = take();
    if (compressedSize === 0xffffffff) compressedSize = take();
    if (localOffset === 0xffffffff) localOffset = take();
  }
  if (localOffset + 30 > directoryStart)
    fail(
      'local-header-out-of-range',
      cdOffset + 42,
      `local header at ${localOffset} lies behind ${directoryStart - 30}`,
    );
  // mostly all of it: name and extra field are looked at too
  const ahead = 30 + record.readUInt16LE(28) + EXTRA_AHEAD;
  const head = source.read(localOffset, Math.min(ahead, directoryStart - localOffset));
  if (head.readUInt32LE(0) !== LOCAL)
    fail('no-local-header', localOffset, 'no local file header where the directory points');
  const localNameLength = head.readUInt16LE(26);
  const localExtraLength = head.readUInt16LE(28);
  const dataOffset = localOffset + 30 + localNameLength + localExtraLength;
  const dataEnd = dataOffset + compressedSize;
  if (dataEnd > directoryStart)
    fail(
      'data-out-of-range',
      dataOffset,
      `${compressedSize} bytes of data end behind the directory's start ${directoryStart}`,
    );
  const crc32 = bytes.readUInt32LE(at + 16);
  const headerLength = 30 + localNameLength + localExtraLength;
  const local = headerLength <= head.length ? head : source.read(localOffset, headerLength);
  const truth = { crc32, compressedSize, size };
  const descriptorSize =
    (local.readUInt16LE(6) & 8) === 0
      ? 0
      : matchDescriptor(
          source.read(dataEnd, Math.min(24, directoryStart - dataEnd)),
          truth,
          // 4.3.9.2: sizes of 8 bytes where the local header has ZIP64 extended information
          saturated ||
            local.readUInt32LE(18) === 0xffffffff ||
            local.readUInt32LE(22) === 0xffffffff ||
            scanExtra(local, 30 + localNameLength, localExtraLength).zip64 !== undefined,
        );
  const findings = compareRecords({ local, directory: record, ...truth, descriptorSize });
  return new DirectoryEntry(directory, cdOffset, {
    compressedSize,
    size,
    localOffset,
    localNameLength,
    localExtraLength,
    descriptorSize,
    findings,
  });
}

/**
 * Size of a data descriptor (APPNOTE 4.3.9) that tells the truth, with or without its optional signature. Anything else
 * behind the data is not taken for one: it stays a gap.
 */
function matchDescriptor(
  bytes: Buffer,
  truth: { readonly crc32: number; readonly compressedSize: number; readonly size: number },
  wide: boolean,
): number {
  const fits = (start: number, wideSizes: boolean): boolean => {
    const need = start + 4 + (wideSizes ? 16 : 8);
    if (bytes.length < need || bytes.readUInt32LE(start) !== truth.crc32) return false;
    return wideSizes
      ? bytes.readBigUInt64LE(start + 4) === BigInt(truth.compressedSize) &&
          bytes.readBigUInt64LE(start + 12) === BigInt(truth.size)
      : bytes.readUInt32LE(start + 4) === truth.compressedSize &&
          bytes.readUInt32LE(start + 8) === truth.size;
  };
  const signed = bytes.length >= 4 && bytes.readUInt32LE(0) === DESCRIPTOR;
  if (signed && wide && fits(4, true)) return 24;
  if (signed && fits(4, false)) return 16;
  if (wide && fits(0, true)) return 20;
  return fits(0, false) ? 12 : 0;
}

/** The body of the first extra field with this id. `undefined` when absent or when the fields before it do not parse. */
export function findExtra(buffer: Buffer, offset: number, length: number, id: number): Extent | undefined {
  const end = offset + length;
  for (let at = offset; at + 4 <= end;) {
    const size = buffer.readUInt16LE(at + 2);
    if (at + 4 + size > end) return undefined;
    if (buffer.readUInt16LE(at) === id) return { offset: at + 4, size };
    at += 4 + size;
  }
  return undefined;
}

/** Unix mode of an entry made by a Unix writer (upper half of the external attributes), else undefined. */
export function unixMode(entry: ZipEntry): number | undefined {
  return entry.versionMadeBy >>> 8 === 3 ? entry.externalAttributes >>> 16 : undefined;
}
