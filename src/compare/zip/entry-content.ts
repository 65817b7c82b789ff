// SPDX-License-Identifier: Apache-2.0
/** The decoded content of one small ZIP entry. */
import { crc32 } from 'node:zlib';
import type { ByteSource } from '../../bytes.js';
import type { ZipEntry } from '../../formats/zip.js';
import { inflateHeld } from '../decode/inflate.js';

/** `undefined` when the entry is larger than `limit`, encrypted, of an unread method, or not what its CRC says. */
export function zipEntryContent(source: ByteSource, entry: ZipEntry, limit: number): Buffer | undefined {
  if ((entry.flags & 1) !== 0 || entry.size > limit || entry.compressedSize > limit + 1024) return undefined;
  const raw = source.read(entry.dataOffset, entry.compressedSize);
  if (entry.method === 0)
    return entry.size === raw.length && crc32(raw) === entry.crc32 ? Buffer.from(raw) : undefined;
  if (entry.method !== 8) return undefined;
  const inflated = inflateHeld(raw, entry.size);
  return inflated.kind === 'decoded' && inflated.crc32 === entry.crc32 && inflated.issues.length === 0
    ? inflated.bytes
    : undefined;
}
