// SPDX-License-Identifier: Apache-2.0
/**
 * An APK's ZIP: stored entries, data aligned by the extra field 0xd935, one fixed date.
 * https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT (4.3.7, 4.3.12, 4.3.16)
 */
import { crc32 } from './crc32.mjs';

// 1981-01-01 01:01:02, the date that Android's build tools give to every entry
const TIME = 0x0821;
const DATE = 0x0221;
const ALIGNMENT_EXTRA = 0xd935;

export function writeZip(entries) {
  const parts = [];
  const directory = [];
  let offset = 0;
  const push = (bytes) => {
    parts.push(bytes);
    offset += bytes.length;
  };

  for (const { name, data, alignment } of entries) {
    const rawName = Buffer.from(name, 'utf8');
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(10, 0); // version needed: 1.0
    fields.writeUInt16LE(0x0800, 2); // names are UTF-8
    fields.writeUInt16LE(TIME, 6);
    fields.writeUInt16LE(DATE, 8);
    fields.writeUInt32LE(crc32(data), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(data.length, 18);
    fields.writeUInt16LE(rawName.length, 22);

    const start = offset;
    const extra = alignmentExtra(start + 30 + rawName.length, alignment);
    const local = Buffer.from(fields);
    local.writeUInt16LE(extra.length, 24);
    push(Buffer.concat([signature(0x04034b50), local, rawName, extra]));
    push(data);

    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(start, 10);
    const madeBy = Buffer.alloc(2);
    directory.push(Buffer.concat([signature(0x02014b50), madeBy, fields, rest, rawName]));
  }

  const directoryStart = offset;
  for (const record of directory) push(record);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(offset - directoryStart, 8);
  end.writeUInt32LE(directoryStart, 12);
  push(Buffer.concat([signature(0x06054b50), end]));
  return Buffer.concat(parts);
}

function signature(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** Id, size, the alignment itself, then as many zeros as bring the data to their place. */
function alignmentExtra(position, alignment) {
  const zeros = (alignment - ((position + 6) % alignment)) % alignment;
  const extra = Buffer.alloc(6 + zeros);
  extra.writeUInt16LE(ALIGNMENT_EXTRA, 0);
  extra.writeUInt16LE(2 + zeros, 2);
  extra.writeUInt16LE(alignment, 4);
  return extra;
}
