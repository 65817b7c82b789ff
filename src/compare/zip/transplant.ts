// SPDX-License-Identifier: Apache-2.0
/**
 * The strongest proof: the published file rebuilt from the rebuilt one plus the published signature. Equal SHA-256
 * proves every byte that was not taken from the published file.
 */
import { createHash } from 'node:crypto';
import { eachChunk } from '../../bytes.js';
import type { Proof } from '../types.js';
import { findLayout, type Layout } from './layout.js';
import type { ZipSide } from './zip-side.js';

export function transplant(published: ZipSide, rebuilt: ZipSide, publishedSha256: string): Proof {
  const layout = findLayout(published, rebuilt);
  if (layout === undefined)
    return {
      kind: 'none',
      why: 'no known signing tool, run on the rebuilt file, gives the published layout',
    };
  if (rebuilt.zip.zip64 !== undefined) return { kind: 'none', why: 'ZIP64 end records are not transplanted' };
  const hash = createHash('sha256');
  const copy = (side: ZipSide, offset: number, length: number): void =>
    eachChunk(side.source, offset, length, (chunk) => hash.update(chunk));
  for (const { entry, extra } of layout.placed) {
    const header = Buffer.from(rebuilt.source.read(entry.localOffset, 30 + entry.localNameLength));
    header.writeUInt16LE(extra.length, 28);
    hash.update(header).update(extra);
    copy(rebuilt, entry.dataOffset, entry.end - entry.dataOffset);
  }
  const block = published.block;
  if (block !== undefined) {
    hash.update(Buffer.alloc(block.fill));
    copy(published, block.offset, block.size);
  }
  const takenBytes = block?.size ?? 0;
  const directoryOffset = layout.end + (block?.fill ?? 0) + takenBytes;
  hash.update(directory(rebuilt, layout));
  const end = Buffer.from(
    rebuilt.source.read(rebuilt.zip.end.offset, rebuilt.zip.end.size + rebuilt.zip.comment.size),
  );
  end.writeUInt32LE(directoryOffset, 16);
  hash.update(end);
  const sha256 = hash.digest('hex');
  return {
    kind: 'transplant',
    profile: layout.profile,
    sha256,
    equal: sha256 === publishedSha256,
    takenBytes,
  };
}

/** The rebuilt central directory with the offsets that the layout gives. */
function directory(rebuilt: ZipSide, layout: Layout): Buffer {
  const { offset, size } = rebuilt.zip.centralDirectory;
  const bytes = Buffer.from(rebuilt.source.read(offset, size));
  for (const placed of layout.placed) bytes.writeUInt32LE(placed.offset, placed.entry.cdOffset - offset + 42);
  return bytes;
}
