// SPDX-License-Identifier: Apache-2.0
/** The content of one small ZIP entry, where a reader of signatures needs it: of a single name, true by CRC and size. */
import { crc32, inflateRawSync } from 'node:zlib';
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import { readZip, type ZipEntry } from './zip.js';

const MAX_SIZE = 64 << 20;
const STORED = 0;
const DEFLATED = 8;

/** Reads the directory when it is first asked. `undefined` where readers could see something else, or nothing. */
export function smallEntries(source: ByteSource): (name: string) => Buffer | undefined {
  let entries: readonly ZipEntry[] | undefined;
  const read = new Map<string, Buffer | undefined>();
  return (name) => {
    if (!read.has(name)) read.set(name, contentOf(source, (entries ??= entriesOf(source)), name));
    return read.get(name);
  };
}

function entriesOf(source: ByteSource): readonly ZipEntry[] {
  try {
    return readZip(source).entries;
  } catch (error) {
    if (error instanceof FormatError) return [];
    throw error;
  }
}

function contentOf(source: ByteSource, entries: readonly ZipEntry[], name: string): Buffer | undefined {
  const [entry, second] = entries.filter(({ rawName }) => rawName.toString('latin1') === name);
  if (entry === undefined || second !== undefined || (entry.flags & 1) !== 0) return undefined;
  if (entry.size > MAX_SIZE || entry.compressedSize > MAX_SIZE) return undefined;
  const raw = Buffer.from(source.read(entry.dataOffset, entry.compressedSize));
  const bytes =
    entry.method === STORED ? raw : entry.method === DEFLATED ? inflated(raw, entry.size) : undefined;
  return bytes?.length === entry.size && crc32(bytes) === entry.crc32 ? bytes : undefined;
}

function inflated(raw: Buffer, size: number): Buffer | undefined {
  try {
    return inflateRawSync(raw, { maxOutputLength: size + 1 });
  } catch {
    return undefined;
  }
}
