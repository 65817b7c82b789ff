// SPDX-License-Identifier: Apache-2.0
/**
 * The content digests over everything but the signing block: chunked, or the root of an fs-verity tree.
 * https://source.android.com/docs/security/features/apksigning/v2#integrity-protected-contents
 */
import { createHash } from 'node:crypto';
import { eachChunk, type ByteSource } from '../bytes.js';
import { APK_VERITY_SALT, VERITY_BLOCK, VerityTree } from './verity-tree.js';

export type ContentDigest = ChunkedDigest | 'verity';
type ChunkedDigest = 'sha256' | 'sha512';

/** Where the signed sections lie; the signing block is what is between `entriesEnd` and the directory. */
export interface SignedSections {
  readonly entriesEnd: number;
  readonly centralDirectoryOffset: number;
  readonly centralDirectorySize: number;
  /** Of the end of central directory record; it reaches to the end of the file. */
  readonly endOffset: number;
}

const CHUNK = 1 << 20;

/**
 * Each asked digest, computed in one pass. Chunked: 1 MiB chunks, each hashed with its length, then all of them together.
 * fs-verity: the root hash, then the length of the content as u64 (apksig, ApkSigningBlockUtils.computeApkVerityDigest);
 * absent where the block does not begin on a page, since then no such digest is defined.
 */
export function contentDigests(
  source: ByteSource,
  sections: SignedSections,
  algorithms: ReadonlySet<ContentDigest>,
): ReadonlyMap<ContentDigest, Buffer> {
  const chunked = [...algorithms].filter((algorithm) => algorithm !== 'verity');
  const chunks = new Map<ChunkedDigest, Buffer[]>(chunked.map((algorithm) => [algorithm, []]));
  const tree =
    algorithms.has('verity') && sections.entriesEnd % VERITY_BLOCK === 0
      ? new VerityTree(APK_VERITY_SALT)
      : undefined;
  let size = 0;
  const prefix = Buffer.alloc(5, 0xa5);
  const add = (bytes: Buffer): void => {
    prefix.writeUInt32LE(bytes.length, 1);
    for (const [algorithm, list] of chunks)
      list.push(createHash(algorithm).update(prefix).update(bytes).digest());
    tree?.push(bytes);
    size += bytes.length;
  };
  eachChunk(source, 0, sections.entriesEnd, add, CHUNK);
  eachChunk(source, sections.centralDirectoryOffset, sections.centralDirectorySize, add, CHUNK);
  // the end record is hashed as if the directory began where the signing block does
  const end = Buffer.from(source.read(sections.endOffset, source.size - sections.endOffset));
  end.writeUInt32LE(sections.entriesEnd, 16);
  for (let at = 0; at < end.length; at += CHUNK) add(end.subarray(at, at + CHUNK));
  const digests = new Map<ContentDigest, Buffer>();
  for (const [algorithm, list] of chunks) {
    const count = Buffer.alloc(5, 0x5a);
    count.writeUInt32LE(list.length, 1);
    const top = createHash(algorithm).update(count);
    for (const digest of list) top.update(digest);
    digests.set(algorithm, top.digest());
  }
  if (tree !== undefined) {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(size));
    digests.set('verity', Buffer.concat([tree.finish().root, length]));
  }
  return digests;
}
