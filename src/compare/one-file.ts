// SPDX-License-Identifier: Apache-2.0
/** One file read without its twin: its members decoded within limits, for what is said about it beside a comparison. */
import { tmpdir } from 'node:os';
import { crc32, inflateRawSync } from 'node:zlib';
import { BufferSource, eachChunk, SliceSource, type ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import type { ZipEntry } from '../formats/zip.js';
import { ContentSink } from './decode/content-sink.js';
import { inflateChunks } from './decode/inflate.js';
import { gzip } from './encoded/gzip.js';
import { xz } from './encoded/xz.js';
import { zstd } from './encoded/zstd.js';
import { FileFacts } from './file-facts.js';
import { DEFAULT_LIMITS, HELD_BYTES, Walk } from './walk.js';

export interface OneFileOptions {
  readonly temporaryDirectory?: string;
  readonly signal?: AbortSignal;
}

/** Content of a member; `close` it, what was spilled to disk is gone then. `unread` has a code of why. */
export type Content =
  | { readonly kind: 'content'; readonly source: ByteSource; readonly close: () => void }
  | { readonly kind: 'unread'; readonly code: string };

const ENCODINGS = [gzip, xz, zstd] as const;
const STORED = 0;
const NO_FILE = new BufferSource(Buffer.alloc(0));
const DEFLATED = 8;

/** State for decoders; `close` it. Nothing is compared, so nothing descends. */
export function oneFileWalk(options: OneFileOptions = {}): Walk {
  const nothing = (): never => {
    throw new Error('one file has no twin to descend into');
  };
  return new Walk(
    {
      limits: DEFAULT_LIMITS,
      rules: new Set(),
      temporaryDirectory: options.temporaryDirectory ?? tmpdir(),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    },
    new FileFacts(NO_FILE, NO_FILE),
    { compareNode: nothing, looksLikeContainer: nothing },
  );
}

const unread = (code: string): Content => ({ kind: 'unread', code });
const kept = (source: ByteSource): Content => ({ kind: 'content', source, close: () => undefined });

/**
 * What a reader of the archive gets: true by its CRC and size, under one name in both headers. Never throws for what
 * the file holds.
 */
export async function entryContent(
  walk: Walk,
  source: ByteSource,
  entry: ZipEntry,
  maxBytes: number,
): Promise<Content> {
  if ((entry.flags & 1) !== 0) return unread('encrypted');
  if (entry.size > maxBytes) return unread('too-large');
  if (!source.read(entry.localOffset + 30, entry.localNameLength).equals(entry.rawName))
    return unread('local-name-differs');
  if (entry.method === STORED) {
    if (entry.size !== entry.compressedSize) return unread('other-size-than-stated');
    const content = new SliceSource(source, entry.dataOffset, entry.size);
    let sum = 0;
    eachChunk(content, 0, content.size, (chunk) => (sum = crc32(chunk, sum)));
    return sum === entry.crc32 ? kept(content) : unread('crc32');
  }
  if (entry.method !== DEFLATED) return unread('unknown-method');
  if (Math.max(entry.size, entry.compressedSize) <= HELD_BYTES) return heldEntry(source, entry);
  return await intoSink(walk, async (sink) => {
    const chunks = inflateChunks(source, entry.dataOffset, entry.compressedSize, entry.size);
    for (let step = await chunks.next(); ; step = await chunks.next()) {
      if (step.done !== true) sink.push(step.value);
      else return step.value.crc32 === entry.crc32 ? undefined : 'crc32';
    }
  });
}

/** What is small is not streamed: most candidates are. */
function heldEntry(source: ByteSource, entry: ZipEntry): Content {
  const raw = source.read(entry.dataOffset, entry.compressedSize);
  let bytes: Buffer;
  try {
    bytes = inflateRawSync(raw, { maxOutputLength: entry.size + 1 });
  } catch {
    return unread('invalid-deflate');
  }
  if (bytes.length !== entry.size) return unread('other-size-than-stated');
  return crc32(bytes) === entry.crc32 ? kept(new BufferSource(bytes)) : unread('crc32');
}

/** The content of a gzip, xz or zstd stream; any other file as it is. Never throws for what the file holds. */
export async function decodedContent(walk: Walk, source: ByteSource, maxBytes: number): Promise<Content> {
  const encoding = ENCODINGS.find((candidate) => candidate.recognizes(source));
  if (encoding === undefined) return source.size > maxBytes ? unread('too-large') : kept(source);
  return await intoSink(walk, async (sink) => {
    const stream = encoding.read(source);
    if ((stream.statedSize ?? 0) > maxBytes) return 'too-large';
    const end = await stream.decode(walk, source, stream.statedSize ?? maxBytes, sink);
    if (end.kind === 'missing-tool') return 'missing-tool';
    if (end.kind === 'failed') return end.code;
    return stream.statedSize === undefined || sink.size === stream.statedSize
      ? undefined
      : 'other-size-than-stated';
  });
}

/** `fill` answers with the code of a failure, if it is one. */
async function intoSink(
  walk: Walk,
  fill: (sink: ContentSink) => Promise<string | undefined>,
): Promise<Content> {
  const sink = new ContentSink(walk);
  let failed: string | undefined = 'aborted';
  try {
    failed = await fill(sink);
    return failed === undefined
      ? { kind: 'content', source: sink.finish(), close: () => sink.close() }
      : unread(failed);
  } catch (error) {
    if (error instanceof FormatError) return unread((failed = error.code));
    throw error;
  } finally {
    if (failed !== undefined) sink.close();
  }
}

/** Small content, held whole. */
export async function heldContent(content: Promise<Content>): Promise<Buffer | string> {
  const found = await content;
  if (found.kind === 'unread') return found.code;
  try {
    return Buffer.from(found.source.read(0, found.source.size));
  } finally {
    found.close();
  }
}
