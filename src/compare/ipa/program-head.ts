// SPDX-License-Identifier: Apache-2.0
/** Whether an entry of an archive is a program of Apple's platforms, and its header and load commands if it is. */
import type { ByteSource } from '../../bytes.js';
import { FormatError } from '../../errors.js';
import { isFat } from '../../formats/macho-fat.js';
import { isThin } from '../../formats/macho.js';
import type { ZipEntry } from '../../formats/zip.js';
import { inflateChunks } from '../decode/inflate.js';

/** Load commands lie at the start; what is larger has none that matters. */
const HEAD = 1 << 20;
const STORED = 0;
const DEFLATED = 8;

/** Decoded no further than that; `undefined` for what is no program. */
export async function programHead(source: ByteSource, entry: ZipEntry): Promise<Buffer | undefined> {
  if ((entry.flags & 1) !== 0) return undefined;
  if (entry.method === STORED) {
    const head = Buffer.from(source.read(entry.dataOffset, Math.min(HEAD, entry.compressedSize)));
    return isThin(head) || isFat(head) ? head : undefined;
  }
  if (entry.method !== DEFLATED) return undefined;
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of inflateChunks(source, entry.dataOffset, entry.compressedSize, entry.size)) {
      parts.push(Buffer.from(chunk));
      length += chunk.length;
      if (length < 16) continue;
      const head = Buffer.concat(parts).subarray(0, 16);
      if (!isThin(head) && !isFat(head)) return undefined;
      if (isFat(head) || length >= HEAD) break;
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
  const head = Buffer.concat(parts);
  return isThin(head) || isFat(head) ? head : undefined;
}
