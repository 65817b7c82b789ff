// SPDX-License-Identifier: Apache-2.0
/** The decoded content of one small ZIP entry. */
import { crc32 } from 'node:zlib';
import type { ByteSource } from '../../bytes.js';
import type { ZipEntry } from '../../formats/zip.js';
import { inflateHeld } from '../decode/inflate.js';
import { holdsOnlyTimes } from './time-fields.js';

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

/** The local header repeats the directory and has nothing of its own but up to `padding` zero bytes. */
export function localHeaderAgrees(source: ByteSource, entry: ZipEntry, padding: number): boolean {
  return (
    entry.localExtraLength <= padding &&
    localFieldsAgree(source, entry, (extra) => extra.every((byte) => byte === 0))
  );
}

/** Both records say the same, and have nothing of their own but times: an entry that a rule leaves out has no other room. */
export function isPlainRecord(source: ByteSource, entry: ZipEntry): boolean {
  const extra = source.read(entry.cdOffset + 46 + entry.cdNameLength, entry.cdExtraLength);
  return (
    entry.cdSize === 46 + entry.cdNameLength + entry.cdExtraLength &&
    holdsOnlyTimes(extra) &&
    localFieldsAgree(source, entry, holdsOnlyTimes)
  );
}

function localFieldsAgree(source: ByteSource, entry: ZipEntry, isFine: (extra: Buffer) => boolean): boolean {
  if (entry.localNameLength !== entry.cdNameLength) return false;
  const local = source.read(entry.localOffset, entry.dataOffset - entry.localOffset);
  const [name, extra] = [
    local.subarray(30, 30 + entry.localNameLength),
    local.subarray(30 + entry.localNameLength),
  ];
  const values = [14, 18, 22].map((at) => local.readUInt32LE(at));
  const described = entry.descriptorSize > 0;
  return (
    name.equals(entry.rawName) &&
    isFine(extra) &&
    local.readUInt16LE(6) === entry.flags &&
    local.readUInt16LE(8) === entry.method &&
    ((entry.flags & 8) !== 0) === described &&
    [entry.crc32, entry.compressedSize, entry.size].every(
      (stated, at) => values[at] === stated || (described && values[at] === 0),
    )
  );
}
