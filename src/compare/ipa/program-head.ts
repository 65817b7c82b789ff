// SPDX-License-Identifier: Apache-2.0
/** Whether an entry of an archive is a program of Apple's platforms, and its header and load commands if it is. */
import type { ByteSource } from '../../bytes.js';
import { FormatError } from '../../errors.js';
import { isFat } from '../../formats/macho-fat.js';
import { LARGEST_COMMANDS, sizeOfCommands } from '../../formats/macho-encryption.js';
import type { ZipEntry } from '../../formats/zip.js';
import { inflateChunks } from '../decode/inflate.js';

const HEADER = 32;
const STORED = 0;
const DEFLATED = 8;

/** Decoded no further than that; `undefined` for what is no program. */
export async function programHead(
  source: ByteSource,
  entry: ZipEntry,
): Promise<Buffer | 'too-large' | undefined> {
  if ((entry.flags & 1) !== 0) return undefined;
  if (entry.method === STORED) {
    const head = source.read(entry.dataOffset, Math.min(HEADER, entry.compressedSize));
    const wanted = wantedOf(head);
    if (wanted === undefined) return undefined;
    if (wanted > LARGEST_COMMANDS) return 'too-large';
    return Buffer.from(source.read(entry.dataOffset, Math.min(wanted, entry.compressedSize)));
  }
  if (entry.method !== DEFLATED) return undefined;
  const parts: Buffer[] = [];
  let length = 0;
  let wanted: number | undefined;
  try {
    for await (const chunk of inflateChunks(source, entry.dataOffset, entry.compressedSize, entry.size)) {
      parts.push(Buffer.from(chunk));
      length += chunk.length;
      if (length < HEADER) continue;
      wanted ??= wantedOf(Buffer.concat(parts));
      if (wanted === undefined) return undefined;
      if (wanted > LARGEST_COMMANDS) return 'too-large';
      if (length >= wanted) break;
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
  const head = Buffer.concat(parts);
  return wantedOf(head) === undefined ? undefined : head;
}

/** Bytes that say what a program is. */
function wantedOf(head: Buffer): number | undefined {
  return isFat(head) ? HEADER : sizeOfCommands(head);
}
