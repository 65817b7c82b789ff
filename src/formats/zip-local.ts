// SPDX-License-Identifier: Apache-2.0
/**
 * The local header and descriptor of an entry against its directory record.
 * Specification: APPNOTE.TXT 6.3.10, 4.3.7, 4.3.9, 4.3.12
 */
import { RECORD_CODES, type RecordCode } from './zip-code.js';
import { scanExtra, type ExtraScan } from './zip-extra.js';

/** One bit for each code of `RECORD_CODES`. */
export type RecordFindings = number;

const BITS = new Map<RecordCode, number>(RECORD_CODES.map((code, at) => [code, 1 << at]));

export function recordCodes(findings: RecordFindings): RecordCode[] {
  return findings === 0 ? [] : RECORD_CODES.filter((code) => (findings & (BITS.get(code) ?? 0)) !== 0);
}

export interface EntryRecords {
  /** From its signature to the end of its extra field, or more. */
  readonly local: Buffer;
  readonly directory: Buffer;
  readonly crc32: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly descriptorSize: number;
}

const LEVEL_BITS = 6;
const DESCRIPTOR_BIT = 8;
const DESCRIPTOR = 0x08074b50;
const WIDE = 0xffffffff;

/** What the two records of one entry, and its descriptor, leave to the reader's taste. */
export function compareRecords(records: EntryRecords): RecordFindings {
  const { local, directory } = records;
  const nameLength = local.readUInt16LE(26);
  const directoryName = directory.readUInt16LE(28);
  const extraLength = local.readUInt16LE(28);
  const directoryExtra = directory.readUInt16LE(30);
  // from the version needed to the length of the name the fields are the same ones in the same order
  const sameFields = local.compare(directory, 6, 30, 4, 28) === 0;
  const sameName =
    nameLength === directoryName &&
    local.compare(directory, 46, 46 + directoryName, 30, 30 + nameLength) === 0;
  const plain = extraLength + directoryExtra === 0 && records.descriptorSize === 0;
  if (sameFields && sameName && plain && (local[6] ?? 0) < DESCRIPTOR_BIT && !needsZip64(records)) return 0;
  let found = 0;
  const note = (code: RecordCode, holds: boolean): void => {
    if (holds) found |= BITS.get(code) ?? 0;
  };
  note('zip/local-name', !sameName);
  const [flags, stated] = [local.readUInt16LE(6), directory.readUInt16LE(8)];
  const method = directory.readUInt16LE(10);
  if (flags !== stated) {
    // bits 1 and 2 tell how hard deflate tried, which no reader asks for
    const level = method === 8 && ((flags ^ stated) & ~LEVEL_BITS) === 0;
    note(level ? 'zip/local-level' : 'zip/local-flags', true);
  }
  if (local.readUInt16LE(8) !== method) note('zip/local-method', true);
  // date and time
  if (local.readUInt32LE(10) !== directory.readUInt32LE(12)) note('zip/local-time', true);
  if (local.readUInt16LE(4) !== directory.readUInt16LE(6)) note('zip/local-version-needed', true);

  const own = scanExtra(local, 30 + nameLength, extraLength);
  const other = scanExtra(directory, 46 + directoryName, directoryExtra);
  if (extraLength + directoryExtra > 0) compareExtras(records, own, other, note);
  compareStated(records, own, (flags & DESCRIPTOR_BIT) !== 0, note);

  const { descriptorSize } = records;
  if (((flags | stated) & DESCRIPTOR_BIT) !== 0) {
    note('zip/descriptor-missing', descriptorSize === 0);
    const signed = descriptorSize === 16 || descriptorSize === 24;
    note('zip/descriptor-unsigned', descriptorSize > 0 && !signed);
    // a reader that looks for the signature takes the checksum for it
    note('zip/descriptor-ambiguous', descriptorSize > 0 && !signed && records.crc32 === DESCRIPTOR);
    note('zip/descriptor-zip64', descriptorSize >= 20 && !needsZip64(records));
    note('zip/descriptor-stored', method === 0);
  }
  return found;
}

type Note = (code: RecordCode, holds: boolean) => void;

function needsZip64({ compressedSize, size }: EntryRecords): boolean {
  return compressedSize >= WIDE || size >= WIDE;
}

function compareExtras(records: EntryRecords, own: ExtraScan, other: ExtraScan, note: Note): void {
  const { local, directory } = records;
  note('zip/local-extra', own.common !== other.common);
  note('zip/extra-malformed', own.malformed || other.malformed);
  note('zip/extra-repeated', own.repeated || other.repeated);
  note('zip/padding-not-zero', own.badPadding || other.badPadding);
  note('zip/extra-unicode-path', own.unicodePath || other.unicodePath);
  note('zip/extra-unicode-comment', own.unicodeComment || other.unicodeComment);
  // 4.5.3: only for fields that are saturated, in this order; libziparchive takes 24 bytes for all three, needed or not
  const saturated = [20, 24, 42].filter((at) => directory.readUInt32LE(at) === WIDE).length;
  const wide = [18, 22].filter((at) => local.readUInt32LE(at) === WIDE).length;
  note(
    'zip/zip64-extra-unneeded',
    (other.zip64 !== undefined && saturated === 0) || (own.zip64 !== undefined && wide === 0),
  );
  note(
    'zip/zip64-extra-length',
    (other.zip64 !== undefined && saturated > 0 && other.zip64.size !== saturated * 8) ||
      (own.zip64 !== undefined && wide > 0 && own.zip64.size !== 16),
  );
}

/** CRC and sizes of the local header: those of the directory, or zero where a descriptor follows. */
function compareStated(records: EntryRecords, extra: ExtraScan, described: boolean, note: Note): void {
  const { local } = records;
  let compressedSize = local.readUInt32LE(18);
  let size = local.readUInt32LE(22);
  if (compressedSize === WIDE || size === WIDE) {
    const body = extra.zip64;
    // "MUST include BOTH" sizes (4.5.3); libziparchive refuses any other
    if (body === undefined || body.size < 16 || compressedSize !== size) note('zip/zip64-local', true);
    else {
      size = Number(local.readBigUInt64LE(body.offset));
      compressedSize = Number(local.readBigUInt64LE(body.offset + 8));
    }
  }
  const check = (code: RecordCode, value: number, truth: number): void => {
    if (value !== truth) note(code, !described || value !== 0);
    else if (described && value !== 0) note('zip/descriptor-and-sizes', true);
  };
  check('zip/local-crc32', local.readUInt32LE(14), records.crc32);
  check('zip/local-compressed-size', compressedSize, records.compressedSize);
  check('zip/local-size', size, records.size);
}
