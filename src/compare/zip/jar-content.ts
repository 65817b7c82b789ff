// SPDX-License-Identifier: Apache-2.0
/** The content of an entry of a signature, and whether a known encoder packs it so, leaving no choice to anybody. */
import { inflateRawSync } from 'node:zlib';
import type { ByteSource } from '../../bytes.js';
import type { ZipEntry } from '../../formats/zip.js';

export interface SignatureContent {
  readonly bytes: Buffer;
  /** As it is stored; the same where it is not packed. */
  readonly raw: Buffer;
}

const STORED = 0;
const DEFLATED = 8;
/** apksigner, Java's default, zipflinger. */
const LEVELS = [9, 6, 1] as const;

/** Bytes that are packed again to see how. */
const PACKED_AGAIN = 8 << 20;

/** A code where it cannot be read. */
export function signatureContent(
  source: ByteSource,
  { flags, method, size, compressedSize, dataOffset }: ZipEntry,
  limit: number,
): SignatureContent | string {
  if ((flags & 1) !== 0) return 'encrypted';
  if (Math.max(size, compressedSize) > limit) return 'too-large';
  const raw = Buffer.from(source.read(dataOffset, compressedSize));
  if (method === STORED) return size === raw.length ? { bytes: raw, raw } : 'other-size-than-stated';
  if (method !== DEFLATED) return 'unknown-method';
  try {
    const bytes = inflateRawSync(raw, { maxOutputLength: Math.max(1, size) });
    return bytes.length === size ? { bytes, raw } : 'other-size-than-stated';
  } catch {
    return 'invalid-deflate';
  }
}

/** Stored, or the very bytes that zlib (the vanilla one, which Node's is not) gives at a level that signing tools use. */
export async function isPackedByTool({ bytes, raw }: SignatureContent): Promise<boolean> {
  if (bytes === raw) return true;
  if (bytes.length > PACKED_AGAIN) return false;
  // loaded for files with a JAR signature only
  const { deflateRaw } = await import('pako');
  return LEVELS.some((level) => raw.equals(deflateRaw(bytes, { level })));
}
