// SPDX-License-Identifier: Apache-2.0
/** Writes ZIP archives, the odd ones too: every field of every record can be set by hand. */
import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipMember {
  readonly name: string | Buffer;
  readonly data?: string | Buffer;
  /** 0 or 8; default 8. Others keep the data as they are. */
  readonly method?: number;
  readonly level?: number;
  /** The compressed bytes, instead of those that `data` gives. */
  readonly raw?: Buffer;
  readonly flags?: number;
  readonly time?: number;
  readonly date?: number;
  readonly extra?: Buffer;
  /** Default: `extra`. */
  readonly localExtra?: Buffer;
  readonly comment?: Buffer;
  readonly madeBy?: number;
  readonly externalAttributes?: number;
  /** A data descriptor: sets flag bit 3 and zeroes the local fields. */
  readonly descriptor?: 'signed' | 'plain' | 'wide' | 'absent';
  /** Bytes put before the local header that no record owns. */
  readonly gapBefore?: Buffer;
  /** Written into the local header and the directory in place of the truth. */
  readonly crc32?: number;
  readonly size?: number;
  readonly localCrc32?: number;
  readonly localName?: string | Buffer;
  readonly localMethod?: number;
  readonly localFlags?: number;
  /** Left out of the directory: an orphan. */
  readonly orphan?: true;
  /** Pads the local extra field with zeros so that the data are aligned. */
  readonly align?: number;
}

export interface ZipLayout {
  readonly prefix?: Buffer;
  /** Between the last entry and the central directory (a signing block, or anything). */
  readonly beforeDirectory?: Buffer;
  readonly betweenDirectoryAndEnd?: Buffer;
  readonly comment?: Buffer;
  readonly trailing?: Buffer;
  /** Indices of members in directory order. */
  readonly directoryOrder?: readonly number[];
  readonly entryCount?: number;
  /** Writes a ZIP64 end record and locator. */
  readonly zip64?: true;
  /** The extensible data sector of that record. */
  readonly zip64Extension?: Buffer;
}

const bytes = (value: string | Buffer): Buffer => (typeof value === 'string' ? Buffer.from(value) : value);

function fields(...parts: readonly (readonly [size: 2 | 4 | 8, value: number])[]): Buffer {
  const buffer = Buffer.alloc(parts.reduce((sum, [size]) => sum + size, 0));
  let at = 0;
  for (const [size, value] of parts) {
    if (size === 8) buffer.writeBigUInt64LE(BigInt(value), at);
    else buffer.writeUIntLE(value, at, size);
    at += size;
  }
  return buffer;
}

export function buildZip(members: readonly ZipMember[], layout: ZipLayout = {}): Buffer {
  const parts: Buffer[] = [layout.prefix ?? Buffer.alloc(0)];
  let offset = parts[0]?.length ?? 0;
  const push = (part: Buffer): void => {
    parts.push(part);
    offset += part.length;
  };
  const records: (Buffer | undefined)[] = [];
  for (const member of members) {
    const name = bytes(member.name);
    const data = bytes(member.data ?? '');
    const method = member.method ?? 8;
    const raw = member.raw ?? (method === 8 ? deflateRawSync(data, { level: member.level ?? 6 }) : data);
    const sum = member.crc32 ?? crc32(data);
    const size = member.size ?? data.length;
    const described = member.descriptor !== undefined;
    const flags = (member.flags ?? 0) | (described ? 8 : 0);
    push(member.gapBefore ?? Buffer.alloc(0));
    const localOffset = offset;
    const localName = bytes(member.localName ?? name);
    let localExtra = member.localExtra ?? member.extra ?? Buffer.alloc(0);
    if (member.align !== undefined) {
      const at = localOffset + 30 + localName.length + localExtra.length;
      localExtra = Buffer.concat([
        localExtra,
        Buffer.alloc((member.align - (at % member.align)) % member.align),
      ]);
    }
    push(
      Buffer.concat([
        fields(
          [4, 0x04034b50],
          [2, 20],
          [2, member.localFlags ?? flags],
          [2, member.localMethod ?? method],
          [2, member.time ?? 0],
          [2, member.date ?? 0x0221],
          [4, described ? 0 : (member.localCrc32 ?? sum)],
          [4, described ? 0 : raw.length],
          [4, described ? 0 : size],
          [2, localName.length],
          [2, localExtra.length],
        ),
        localName,
        localExtra,
      ]),
    );
    push(raw);
    if (member.descriptor !== undefined && member.descriptor !== 'absent') {
      const width = member.descriptor === 'wide' ? 8 : 4;
      push(
        Buffer.concat([
          member.descriptor === 'plain' ? Buffer.alloc(0) : fields([4, 0x08074b50]),
          fields([4, sum], [width, raw.length], [width, size]),
        ]),
      );
    }
    const extra = member.extra ?? Buffer.alloc(0);
    const comment = member.comment ?? Buffer.alloc(0);
    records.push(
      member.orphan === true
        ? undefined
        : Buffer.concat([
            fields(
              [4, 0x02014b50],
              [2, member.madeBy ?? 20],
              [2, 20],
              [2, flags],
              [2, method],
              [2, member.time ?? 0],
              [2, member.date ?? 0x0221],
              [4, sum],
              [4, raw.length],
              [4, size],
              [2, name.length],
              [2, extra.length],
              [2, comment.length],
              [2, 0],
              [2, 0],
              [4, member.externalAttributes ?? 0],
              [4, localOffset],
            ),
            name,
            extra,
            comment,
          ]),
    );
  }
  push(layout.beforeDirectory ?? Buffer.alloc(0));
  const directoryOffset = offset;
  const order = layout.directoryOrder ?? members.map((_, index) => index);
  let count = 0;
  for (const index of order) {
    const record = records[index];
    if (record === undefined) continue;
    push(record);
    count++;
  }
  const directorySize = offset - directoryOffset;
  push(layout.betweenDirectoryAndEnd ?? Buffer.alloc(0));
  if (layout.zip64 === true) {
    const endOffset = offset;
    push(
      fields(
        [4, 0x06064b50],
        [8, 44 + (layout.zip64Extension?.length ?? 0)],
        [2, 45],
        [2, 45],
        [4, 0],
        [4, 0],
        [8, count],
        [8, count],
        [8, directorySize],
        [8, directoryOffset],
      ),
    );
    push(layout.zip64Extension ?? Buffer.alloc(0));
    push(fields([4, 0x07064b50], [4, 0], [8, endOffset], [4, 1]));
  }
  const stated = layout.entryCount ?? count;
  const comment = layout.comment ?? Buffer.alloc(0);
  const narrow = (value: number, marker: number): number => (layout.zip64 === true ? marker : value);
  push(
    fields(
      [4, 0x06054b50],
      [2, 0],
      [2, 0],
      [2, narrow(stated & 0xffff, 0xffff)],
      [2, narrow(stated & 0xffff, 0xffff)],
      [4, narrow(directorySize, 0xffffffff)],
      [4, narrow(directoryOffset, 0xffffffff)],
      [2, comment.length],
    ),
  );
  push(comment);
  push(layout.trailing ?? Buffer.alloc(0));
  return Buffer.concat(parts);
}
