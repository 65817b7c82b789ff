// SPDX-License-Identifier: Apache-2.0
/**
 * Extra fields of ZIP records, and what in them readers take differently.
 * Specification: APPNOTE.TXT 6.3.10, 4.5 and 4.6.9; padding: apksig ApkSigner.java, "ALIGNMENT_ZIP_EXTRA"
 */
import type { Extent } from './zip.js';

/** Of one extra field as a whole. */
export interface ExtraScan {
  readonly malformed: boolean;
  readonly repeated: boolean;
  readonly badPadding: boolean;
  readonly unicodePath: boolean;
  readonly unicodeComment: boolean;
  /** Body of the first ZIP64 field. */
  readonly zip64: Extent | undefined;
  /** What both records of an entry should agree on: no padding, no field that has another form in each. */
  readonly common: string;
}

export const ZIP64_FIELD = 0x0001;
const ALIGNMENT_FIELD = 0xd935;
const UNICODE_COMMENT = 0x6375;
const UNICODE_PATH = 0x7075;
/** They are shorter in the directory by their own specifications (times, owners), or made for one record only. */
const OF_ONE_RECORD: ReadonlySet<number> = new Set([
  ZIP64_FIELD,
  ALIGNMENT_FIELD,
  0x5455,
  0x5855,
  0x7855,
  0x7875,
]);

const NOTHING: ExtraScan = {
  malformed: false,
  repeated: false,
  badPadding: false,
  unicodePath: false,
  unicodeComment: false,
  zip64: undefined,
  common: '',
};

export function scanExtra(bytes: Buffer, offset: number, length: number): ExtraScan {
  if (length === 0) return NOTHING;
  const end = offset + length;
  // found once: a tail of zeros is padding, wherever the last field before it ended
  let zeros = end;
  while (zeros > offset && bytes[zeros - 1] === 0) zeros--;
  if (zeros === offset) return NOTHING;
  let [malformed, repeated, badPadding, unicodePath, unicodeComment] = [false, false, false, false, false];
  let zip64: Extent | undefined;
  let common = '';
  const seen = new Set<number>();
  for (let at = offset; at < zeros;) {
    const size = at + 4 > end ? end : bytes.readUInt16LE(at + 2);
    if (at + 4 + size > end) {
      malformed = true;
      break;
    }
    const id = bytes.readUInt16LE(at);
    const body = { offset: at + 4, size };
    if (seen.has(id)) repeated = true;
    seen.add(id);
    if (id === ZIP64_FIELD) zip64 ??= body;
    else if (id === ALIGNMENT_FIELD) badPadding ||= size < 2 || !isZero(bytes, at + 6, at + 4 + size);
    unicodePath ||= id === UNICODE_PATH;
    unicodeComment ||= id === UNICODE_COMMENT;
    if (!OF_ONE_RECORD.has(id)) common += bytes.toString('latin1', at, at + 4 + size);
    at += 4 + size;
  }
  return { malformed, repeated, badPadding, unicodePath, unicodeComment, zip64, common };
}

function isZero(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] !== 0) return false;
  return true;
}
