// SPDX-License-Identifier: Apache-2.0
/**
 * The strongest proof: the published file rebuilt from the rebuilt one plus the published signature. Equal bytes, and so
 * an equal SHA-256, prove every byte that was not taken from the published file.
 */
import { createHash } from 'node:crypto';
import { eachChunk, equalForward, ForwardReader, type ByteSource } from '../../bytes.js';
import type { Proof } from '../types.js';
import { findLayout, localExtra, type Layout } from './layout.js';
import type { ZipSide } from './zip-side.js';

export function transplant(published: ZipSide, rebuilt: ZipSide, publishedSha256: string): Proof {
  const layout = findLayout(published, rebuilt);
  if (layout === undefined)
    return {
      kind: 'none',
      why: 'no known signing tool, run on the rebuilt file, gives the published layout',
    };
  if (rebuilt.zip.zip64 !== undefined) return { kind: 'none', why: 'ZIP64 end records are not transplanted' };
  const made = pieces(published, rebuilt, layout);
  // the published file byte for byte has its digest; anything else gets one of its own
  const sha256 = isAllOf(made, published.source) ? publishedSha256 : digest(made);
  return {
    kind: 'transplant',
    profile: layout.profile,
    sha256,
    equal: sha256 === publishedSha256,
    takenBytes: published.block?.size ?? 0,
  };
}

/** What the made file consists of, in order: bytes, or a range of a source. */
type Piece = Buffer | { readonly source: ByteSource; readonly offset: number; readonly length: number };

function pieces(published: ZipSide, rebuilt: ZipSide, layout: Layout): readonly Piece[] {
  const list: Piece[] = [];
  for (const { entry, extra } of layout.placed) {
    if (extra.equals(localExtra(rebuilt.source, entry))) {
      take(list, rebuilt.source, entry.localOffset, entry.end - entry.localOffset);
      continue;
    }
    const header = Buffer.from(rebuilt.source.read(entry.localOffset, 30 + entry.localNameLength));
    header.writeUInt16LE(extra.length, 28);
    list.push(header, extra);
    take(list, rebuilt.source, entry.dataOffset, entry.end - entry.dataOffset);
  }
  const block = published.block;
  if (block !== undefined)
    list.push(Buffer.alloc(block.fill), {
      source: published.source,
      offset: block.offset,
      length: block.size,
    });
  const directoryOffset = layout.end + (block?.fill ?? 0) + (block?.size ?? 0);
  const end = Buffer.from(
    rebuilt.source.read(rebuilt.zip.end.offset, rebuilt.zip.end.size + rebuilt.zip.comment.size),
  );
  end.writeUInt32LE(directoryOffset, 16);
  list.push(directory(rebuilt, layout), end);
  return list;
}

/** A range of the source; one that goes on where the last one ended becomes part of it. */
function take(list: Piece[], source: ByteSource, offset: number, length: number): void {
  const last = list.at(-1);
  if (
    last === undefined ||
    Buffer.isBuffer(last) ||
    last.source !== source ||
    last.offset + last.length !== offset
  )
    list.push({ source, offset, length });
  else list[list.length - 1] = { ...last, length: last.length + length };
}

/** The rebuilt central directory with the offsets that the layout gives. */
function directory(rebuilt: ZipSide, layout: Layout): Buffer {
  const { offset, size } = rebuilt.zip.centralDirectory;
  const bytes = Buffer.from(rebuilt.source.read(offset, size));
  for (const placed of layout.placed) bytes.writeUInt32LE(placed.offset, placed.entry.cdOffset - offset + 42);
  return bytes;
}

const STEP = 1 << 20;

/** Whether the pieces one after the other are exactly the bytes of `whole`. */
function isAllOf(made: readonly Piece[], whole: ByteSource): boolean {
  const size = made.reduce((sum, { length }) => sum + length, 0);
  if (size !== whole.size) return false;
  const expected = new ForwardReader(whole);
  const readers = new Map<ByteSource, ForwardReader>();
  let at = 0;
  for (const piece of made) {
    if (Buffer.isBuffer(piece)) {
      for (let done = 0; done < piece.length; done += STEP) {
        const part = piece.subarray(done, done + STEP);
        if (!expected.read(at + done, part.length).equals(part)) return false;
      }
    } else {
      const reader = readers.get(piece.source) ?? new ForwardReader(piece.source);
      readers.set(piece.source, reader);
      if (!equalForward(expected, at, reader, piece.offset, piece.length)) return false;
    }
    at += piece.length;
  }
  return true;
}

function digest(made: readonly Piece[]): string {
  const hash = createHash('sha256');
  for (const piece of made)
    if (Buffer.isBuffer(piece)) hash.update(piece);
    else eachChunk(piece.source, piece.offset, piece.length, (chunk) => hash.update(chunk));
  return hash.digest('hex');
}
