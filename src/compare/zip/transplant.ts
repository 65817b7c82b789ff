// SPDX-License-Identifier: Apache-2.0
/**
 * The strongest proof: the published file made again from the rebuilt one plus the published signature. Equal bytes, and
 * so an equal SHA-256, prove every byte that was not taken from the published file. Taken are the entries of the
 * signature, their places, and the signing block; all else comes from the rebuilt file or from a named profile.
 */
import { createHash } from 'node:crypto';
import { eachChunk, equalForward, ForwardReader, type ByteSource } from '../../bytes.js';
import type { Proof } from '../types.js';
import { localExtra, type Layout, type LayoutSearch } from './layout.js';
import { virtualEntry } from './virtual-entry.js';
import type { ZipSide } from './zip-side.js';

/** What the file that is made consists of, in order: bytes, or a range of a source. */
export type Piece = Buffer | SourcePiece;

interface SourcePiece {
  readonly source: ByteSource;
  readonly offset: number;
  readonly length: number;
  /** The published file is known to have these bytes in the same place. */
  readonly known: boolean;
}

export interface Transplant {
  readonly profile: string;
  readonly pieces: readonly Piece[];
  /** From the published file. */
  readonly takenBytes: number;
}

/** Why there is none. `offset`: where the published file is another one than any profile makes. */
export interface NoTransplant {
  readonly why: string;
  readonly offset?: number;
}

/** `isEqual`: the twins of these indices, published and rebuilt, are known to have equal local records. */
export function planTransplant(
  published: ZipSide,
  rebuilt: ZipSide,
  search: LayoutSearch,
  isEqual: (published: number, rebuilt: number) => boolean,
): Transplant | NoTransplant {
  if (rebuilt.zip.zip64 !== undefined || published.zip.zip64 !== undefined)
    return { why: 'ZIP64 end records are not transplanted' };
  if (search.layout === undefined) {
    const [nearest] = [...search.misses].sort((a, b) => b.offset - a.offset);
    const place =
      nearest === undefined
        ? ''
        : `; ${nearest.profile} comes as far as offset ${nearest.offset}: ${nearest.why}`;
    return {
      why: `no known signing tool, run on the rebuilt file, gives the published layout${place}`,
      ...(nearest === undefined ? {} : { offset: nearest.offset }),
    };
  }
  const { layout } = search;
  const list: Piece[] = layout.prefix === 0 ? [] : [virtualEntry(layout.prefix)];
  for (const placed of layout.placed) {
    const { entry } = placed;
    const length = entry.end - entry.localOffset;
    if (placed.kind === 'taken') {
      take(list, { source: published.source, offset: entry.localOffset, length, known: true });
      continue;
    }
    if (placed.extra.equals(localExtra(rebuilt.source, entry))) {
      const known = isEqual(placed.published, placed.index);
      take(list, { source: rebuilt.source, offset: entry.localOffset, length, known });
      continue;
    }
    const header = Buffer.from(rebuilt.source.read(entry.localOffset, 30 + entry.localNameLength));
    header.writeUInt16LE(placed.extra.length, 28);
    list.push(header, placed.extra);
    const data = entry.dataOffset;
    take(list, { source: rebuilt.source, offset: data, length: entry.end - data, known: false });
  }
  const { block } = published;
  if (block !== undefined) {
    list.push(Buffer.alloc(block.fill));
    take(list, { source: published.source, offset: block.offset, length: block.size, known: true });
  }
  const { records, takenBytes } = directory(published, rebuilt, layout);
  const start = layout.end + (block?.fill ?? 0) + (block?.size ?? 0);
  list.push(records, endRecord(rebuilt, layout.placed.length, records.length, start));
  const takenEntries = layout.placed.reduce(
    (sum, { kind, entry }) => sum + (kind === 'taken' ? entry.end - entry.localOffset : 0),
    0,
  );
  return {
    profile: layout.profile,
    pieces: list,
    takenBytes: (block?.size ?? 0) + takenEntries + takenBytes,
  };
}

/** A range of a source; one that goes on where the last one ended becomes part of it. */
function take(list: Piece[], piece: SourcePiece): void {
  const last = list.at(-1);
  if (
    last === undefined ||
    Buffer.isBuffer(last) ||
    last.source !== piece.source ||
    last.known !== piece.known ||
    last.offset + last.length !== piece.offset
  )
    list.push(piece);
  else list[list.length - 1] = { ...last, length: last.length + piece.length };
}

/** Records of the rebuilt file with the offsets that the layout gives, those of the signature where they are. */
function directory(
  published: ZipSide,
  rebuilt: ZipSide,
  layout: Layout,
): { readonly records: Buffer; readonly takenBytes: number } {
  const taken = new Set<number>();
  const offsets = new Map<number, number>();
  for (const placed of layout.placed)
    if (placed.kind === 'taken') taken.add(placed.published);
    else offsets.set(placed.index, placed.offset);
  const own = [...rebuilt.zip.entries.keys()].filter((index) => offsets.has(index));
  const records: Buffer[] = [];
  let next = 0;
  let takenBytes = 0;
  for (const index of published.zip.entries.keys()) {
    const isTaken = taken.has(index);
    const side = isTaken ? published : rebuilt;
    const from = isTaken ? index : (own[next++] ?? -1);
    const entry = side.zip.entries[from];
    if (entry === undefined) continue;
    const record = Buffer.from(side.source.read(entry.cdOffset, entry.cdSize));
    const offset = offsets.get(from);
    if (isTaken) takenBytes += record.length;
    else if (offset !== undefined) record.writeUInt32LE(offset, 42);
    records.push(record);
  }
  return { records: Buffer.concat(records), takenBytes };
}

/** With the comment of the rebuilt file. */
function endRecord({ source, zip }: ZipSide, count: number, size: number, offset: number): Buffer {
  const end = Buffer.from(source.read(zip.end.offset, zip.end.size + zip.comment.size));
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(offset, 16);
  return end;
}

export function proveByTransplant(
  published: ZipSide,
  made: Transplant | NoTransplant,
  publishedSha256: string,
): Proof {
  if ('why' in made) return { kind: 'none', why: made.why };
  const at = departsAt(made.pieces, published.source);
  // the published file byte for byte has its digest; anything else gets one of its own
  const sha256 = at === undefined ? publishedSha256 : digest(made.pieces);
  return {
    kind: 'transplant',
    profile: made.profile,
    sha256,
    equal: sha256 === publishedSha256,
    takenBytes: made.takenBytes,
    ...(at === undefined ? {} : { departsAt: at }),
  };
}

const STEP = 1 << 20;

/** Where the pieces one after the other are not the bytes of `whole`; `undefined` where they are. */
export function departsAt(made: readonly Piece[], whole: ByteSource): number | undefined {
  const size = made.reduce((sum, { length }) => sum + length, 0);
  const expected = new ForwardReader(whole);
  const readers = new Map<ByteSource, ForwardReader>();
  let at = 0;
  for (const piece of made) {
    if (at + piece.length > whole.size) return whole.size;
    if (Buffer.isBuffer(piece)) {
      for (let done = 0; done < piece.length; done += STEP) {
        const part = piece.subarray(done, done + STEP);
        const there = expected.read(at + done, part.length);
        if (!there.equals(part)) return at + done + firstUnequal(there, part);
      }
    } else if (!piece.known) {
      const reader = readers.get(piece.source) ?? new ForwardReader(piece.source);
      readers.set(piece.source, reader);
      for (let done = 0; done < piece.length; done += STEP) {
        const length = Math.min(STEP, piece.length - done);
        if (!equalForward(expected, at + done, reader, piece.offset + done, length)) {
          const there = Buffer.from(whole.read(at + done, length));
          return at + done + firstUnequal(there, piece.source.read(piece.offset + done, length));
        }
      }
    }
    at += piece.length;
  }
  return size === whole.size ? undefined : size;
}

function firstUnequal(a: Uint8Array, b: Uint8Array): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return at;
}

function digest(made: readonly Piece[]): string {
  const hash = createHash('sha256');
  eachPiece(made, (bytes) => hash.update(bytes));
  return hash.digest('hex');
}

/** All bytes of the file that is made, in order. */
export function eachPiece(made: readonly Piece[], each: (bytes: Uint8Array) => void): void {
  for (const piece of made)
    if (Buffer.isBuffer(piece)) each(piece);
    else eachChunk(piece.source, piece.offset, piece.length, each);
}
