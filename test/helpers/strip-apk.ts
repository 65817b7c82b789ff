// SPDX-License-Identifier: Apache-2.0
/**
 * An APK without its signature: no signing block and fill, no JAR signature entries and no records of them. All other
 * bytes stay, in their order, and only the offsets that have to follow do. Reads the archive by itself, so that it
 * shares no mistake with what is tested. For archives without ZIP64, of which no entry overlaps another.
 */
const SIGNATURE = /^META-INF\/([^/]+\.(SF|RSA|DSA|EC)|MANIFEST\.MF)$/i;
const MAGIC = 'APK Sig Block 42';

export interface ApkRecord {
  readonly name: string;
  /** Of the local header. */
  readonly offset: number;
  readonly nameLength: number;
  readonly extraLength: number;
  readonly data: number;
  readonly dataLength: number;
  /** Of the directory record. */
  readonly record: number;
  readonly recordLength: number;
  readonly stored: boolean;
}

export interface ApkLayout {
  /** In directory order. */
  readonly records: readonly ApkRecord[];
  /** Where the last entry ends: there the fill begins, if there is one. */
  readonly entriesEnd: number;
  /** Where the signing block begins; `directory` without one. */
  readonly block: number;
  readonly directory: number;
  readonly end: number;
}

export function layoutOf(apk: Buffer): ApkLayout {
  const end = apk.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  const directory = apk.readUInt32LE(end + 16);
  const hasBlock = directory >= 32 && apk.toString('latin1', directory - 16, directory) === MAGIC;
  const block = hasBlock ? directory - 8 - Number(apk.readBigUInt64LE(directory - 24)) : directory;
  const records: ApkRecord[] = [];
  let at = directory;
  for (let index = 0; index < apk.readUInt16LE(end + 10); index++) {
    const [name, extra, comment] = [28, 30, 32].map((field) => apk.readUInt16LE(at + field));
    const recordLength = 46 + (name ?? 0) + (extra ?? 0) + (comment ?? 0);
    const offset = apk.readUInt32LE(at + 42);
    const [nameLength, extraLength] = [apk.readUInt16LE(offset + 26), apk.readUInt16LE(offset + 28)];
    records.push({
      name: apk.toString('latin1', at + 46, at + 46 + (name ?? 0)),
      offset,
      nameLength,
      extraLength,
      data: offset + 30 + nameLength + extraLength,
      dataLength: apk.readUInt32LE(at + 20),
      record: at,
      recordLength,
      stored: apk.readUInt16LE(at + 10) === 0,
    });
    at += recordLength;
  }
  const ends = records.map((record) => endOf(apk, record, block));
  return { records, entriesEnd: Math.max(0, ...ends), block, directory, end };
}

/** With a data descriptor, whichever form it has. */
function endOf(apk: Buffer, { offset, data, dataLength }: ApkRecord, block: number): number {
  const end = data + dataLength;
  if ((apk.readUInt16LE(offset + 6) & 8) === 0) return end;
  return Math.min(block, end + (apk.readUInt32LE(end) === 0x08074b50 ? 16 : 12));
}

export const isSignatureName = (name: string): boolean => SIGNATURE.test(name);

export function stripApk(apk: Buffer): Buffer {
  const { records, entriesEnd, end } = layoutOf(apk);
  const parts: Buffer[] = [];
  const moved = new Map<ApkRecord, number>();
  const inOrder = [...records].sort((a, b) => a.offset - b.offset);
  let length = 0;
  let from = 0;
  const keep = (to: number): void => {
    parts.push(apk.subarray(from, to));
    length += to - from;
  };
  for (const [index, record] of inOrder.entries()) {
    // what lies in front of an entry stays, also where the entry goes
    keep(record.offset);
    from = record.offset;
    const next = inOrder[index + 1]?.offset ?? entriesEnd;
    if (isSignatureName(record.name)) from = Math.min(next, endOf(apk, record, entriesEnd));
    else {
      moved.set(record, length);
      keep(next);
      from = next;
    }
  }
  const kept = records.filter((record) => moved.has(record));
  const newRecords = kept.map((record) => {
    const bytes = Buffer.from(apk.subarray(record.record, record.record + record.recordLength));
    bytes.writeUInt32LE(moved.get(record) ?? 0, 42);
    return bytes;
  });
  const last = Buffer.from(apk.subarray(end));
  last.writeUInt16LE(kept.length, 8);
  last.writeUInt16LE(kept.length, 10);
  last.writeUInt32LE(
    newRecords.reduce((sum, record) => sum + record.length, 0),
    12,
  );
  last.writeUInt32LE(length, 16);
  return Buffer.concat([...parts, ...newRecords, last]);
}
