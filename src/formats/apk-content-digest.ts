// SPDX-License-Identifier: Apache-2.0
/**
 * The chunked content digest over everything but the signing block.
 * https://source.android.com/docs/security/features/apksigning/v2#integrity-protected-contents
 */
import { createHash } from 'node:crypto';
import { eachChunk, type ByteSource } from '../bytes.js';

export type ContentDigest = 'sha256' | 'sha512';

/** Where the signed sections lie; the signing block is what is between `entriesEnd` and the directory. */
export interface SignedSections {
  readonly entriesEnd: number;
  readonly centralDirectoryOffset: number;
  readonly centralDirectorySize: number;
  /** Of the end of central directory record; it reaches to the end of the file. */
  readonly endOffset: number;
}

const CHUNK = 1 << 20;

/** Each asked digest, computed in one pass: 1 MiB chunks, each hashed with its length, then all of them together. */
export function contentDigests(
  source: ByteSource,
  sections: SignedSections,
  algorithms: ReadonlySet<ContentDigest>,
): ReadonlyMap<ContentDigest, Buffer> {
  const chunks = new Map<ContentDigest, Buffer[]>([...algorithms].map((algorithm) => [algorithm, []]));
  const prefix = Buffer.alloc(5, 0xa5);
  const add = (bytes: Buffer): void => {
    prefix.writeUInt32LE(bytes.length, 1);
    for (const [algorithm, list] of chunks)
      list.push(createHash(algorithm).update(prefix).update(bytes).digest());
  };
  eachChunk(source, 0, sections.entriesEnd, add, CHUNK);
  eachChunk(source, sections.centralDirectoryOffset, sections.centralDirectorySize, add, CHUNK);
  // the end record is hashed as if the directory began where the signing block does
  const end = Buffer.from(source.read(sections.endOffset, source.size - sections.endOffset));
  end.writeUInt32LE(sections.entriesEnd, 16);
  for (let at = 0; at < end.length; at += CHUNK) add(end.subarray(at, at + CHUNK));
  return new Map(
    [...chunks].map(([algorithm, list]) => {
      const count = Buffer.alloc(5, 0x5a);
      count.writeUInt32LE(list.length, 1);
      const top = createHash(algorithm).update(count);
      for (const digest of list) top.update(digest);
      return [algorithm, top.digest()];
    }),
  );
}
