// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '../../bytes.js';
import type { ZipEntry } from '../../formats/zip.js';
import { localHeaderAgrees, zipEntryContent } from '../zip/entry-content.js';
import type { Rule } from './rule.js';

export const playStampCert: Rule = {
  class: 'store-edit',
  title: 'Source stamp certificate digest',
  reason:
    'Google Play adds the SHA-256 of its stamp certificate to every APK that it delivers: one entry of exactly 32 bytes, those of the certificate wherever the signing block has the stamp',
  reference: 'https://source.android.com/docs/security/features/apksigning/v4#source-stamp',
  coversEntry(source, entry, stamps) {
    if (entry.rawName.toString('latin1') !== 'stamp-cert-sha256') return false;
    // no room beside the 32 bytes: no extra fields, no comment, little enough packing, nothing said twice otherwise
    const plain =
      entry.cdExtraLength === 0 && entry.cdSize === 46 + entry.cdNameLength && entry.compressedSize <= 64;
    if (!plain || !isPlainRecord(source, entry) || !localHeaderAgrees(source, entry, 3)) return false;
    const digest = zipEntryContent(source, entry, 32);
    return digest?.length === 32 && stamps.every((certificate) => digest.toString('hex') === certificate);
  },
};

const STORED = 0;
const VERSION = 20;
const FLAGS: ReadonlySet<number> = new Set([0, 8, 0x0800, 0x0808]);
const DYNAMIC = 2;
/** A deflate block of 32 bytes as they are. */
const MOST = 32 + 5;

/** Times and permissions are all that can be chosen: no tool packs a digest by codes of its own, which would have room. */
function isPlainRecord(source: ByteSource, entry: ZipEntry): boolean {
  const record = source.read(entry.cdOffset, 46);
  const local = source.read(entry.localOffset, 30);
  const mode = entry.externalAttributes >>> 16;
  const isFile = (entry.externalAttributes & 0xffff) === 0 && [0, 0o100].includes(mode >>> 9);
  const isPacked =
    entry.method === STORED ||
    (entry.compressedSize > 0 &&
      entry.compressedSize <= MOST &&
      (((source.read(entry.dataOffset, 1)[0] ?? 0) >>> 1) & 3) !== DYNAMIC);
  return (
    isFile &&
    isPacked &&
    FLAGS.has(entry.flags) &&
    [0, 3].includes(record[5] ?? 0) &&
    (record[4] ?? 0) <= 63 &&
    record.readUInt16LE(6) <= VERSION &&
    // version needed, flags, method, time and date of both headers
    local.subarray(4, 14).equals(record.subarray(6, 16)) &&
    // disk and internal attributes
    record.readUInt32LE(34) === 0
  );
}
