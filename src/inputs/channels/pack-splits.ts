// SPDX-License-Identifier: Apache-2.0
/**
 * A directory of splits as one archive, so that what is compared later is what was hashed now: a ZIP of stored files in
 * the order of their names, the same bytes for the same files.
 * https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { FailedHere, UsageError } from '../../errors.js';
import { localFiles } from '../local-files.js';

const CHUNK = 1 << 20;
/** No ZIP64: splits of one app are far from it. */
const MAX_BYTES = 0xffffffff;
const MAX_FILES = 0xfffe;
/** 1980-01-01, the first that a ZIP can state. */
const DATE = 0x21;
const UTF8_NAME = 0x0800;

interface Packed {
  readonly name: Buffer;
  readonly crc: number;
  readonly size: number;
  readonly offset: number;
}

/**
 * @throws UsageError `set-too-large`
 * @throws FailedHere `unreadable-input`
 */
export async function packSplits(directory: string, target: string): Promise<void> {
  const files = await localFiles(directory);
  if (files.length > MAX_FILES)
    throw new UsageError('set-too-large', `${files.length} files, at most ${MAX_FILES} are one set`);
  const out = await fs.open(target, 'wx');
  try {
    let at = 0;
    const write = async (bytes: Buffer): Promise<void> => {
      await out.writeFile(bytes);
      at += bytes.length;
      if (at > MAX_BYTES) throw new UsageError('set-too-large', `more than ${MAX_BYTES} bytes in one set`);
    };
    const packed: Packed[] = [];
    for (const file of files) {
      const name = Buffer.from(file.name);
      const { crc, size } = await measure(file.path);
      const offset = at;
      await write(Buffer.concat([local({ name, crc, size }), name]));
      const written = await eachPart(file.path, write);
      if (written !== size)
        throw new FailedHere(
          'unreadable-input',
          `${file.name} changed while it was read: ${size} bytes, then ${written}`,
        );
      packed.push({ name, crc, size, offset });
    }
    const start = at;
    for (const entry of packed) await write(Buffer.concat([central(entry), entry.name]));
    await write(end(packed.length, at - start, start));
  } finally {
    await out.close();
  }
}

async function measure(file: string): Promise<{ readonly crc: number; readonly size: number }> {
  let crc = 0;
  const size = await eachPart(file, (part) => {
    crc = crc32(part, crc);
    return Promise.resolve();
  });
  return { crc, size };
}

async function eachPart(file: string, visit: (part: Buffer) => Promise<void>): Promise<number> {
  let handle: fs.FileHandle;
  try {
    handle = await fs.open(file, 'r');
  } catch (cause) {
    throw new FailedHere('unreadable-input', `cannot read ${path.basename(file)}`, {
      cause,
      hint: 'check the path and its permissions',
    });
  }
  try {
    const buffer = Buffer.allocUnsafe(CHUNK);
    let size = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, CHUNK, size);
      if (bytesRead === 0) return size;
      await visit(buffer.subarray(0, bytesRead));
      size += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

/** What both headers of an entry have in common, from the flags to the length of the name. */
function common({ name, crc, size }: Omit<Packed, 'offset'>): Buffer {
  const fields = Buffer.alloc(22);
  fields.writeUInt16LE(UTF8_NAME, 0);
  fields.writeUInt16LE(DATE, 6);
  fields.writeUInt32LE(crc, 8);
  fields.writeUInt32LE(size, 12);
  fields.writeUInt32LE(size, 16);
  fields.writeUInt16LE(name.length, 20);
  return fields;
}

function local(entry: Omit<Packed, 'offset'>): Buffer {
  return Buffer.concat([Buffer.from('PK\x03\x04\x0a\x00', 'latin1'), common(entry), Buffer.alloc(2)]);
}

function central(entry: Packed): Buffer {
  const rest = Buffer.alloc(16);
  rest.writeUInt32LE(entry.offset, 12);
  return Buffer.concat([Buffer.from('PK\x01\x02\x0a\x00\x0a\x00', 'latin1'), common(entry), rest]);
}

function end(count: number, size: number, offset: number): Buffer {
  const record = Buffer.alloc(22);
  record.write('PK\x05\x06', 0, 'latin1');
  record.writeUInt16LE(count, 8);
  record.writeUInt16LE(count, 10);
  record.writeUInt32LE(size, 12);
  record.writeUInt32LE(offset, 16);
  return record;
}
