// SPDX-License-Identifier: Apache-2.0
/** Digests of the decoded content of one archive entry; nothing of the content is kept. */
import { createHash, hash } from 'node:crypto';
import { createInflateRaw, inflateRawSync } from 'node:zlib';
import { eachChunk, type ByteSource, type ForwardReader } from '../../bytes.js';
import { release } from './release.js';

export interface DigestJob {
  /** Index of the entry. */
  readonly entry: number;
  readonly offset: number;
  readonly length: number;
  /** Of the content, as stated: any other size is a failure. */
  readonly size: number;
  readonly method: number;
  readonly algorithms: readonly string[];
}

/** Hex, in the order of the algorithms asked for; a code where the content cannot be read. */
export type EntryDigests = readonly string[] | string;

const STORED = 0;
const DEFLATED = 8;
/** Up to this size it is held while it is hashed. */
const HELD = 16 << 20;
/** No byte of deflate decodes to more than this many. */
const GROWTH = 1032;
const CHUNK = 256 << 10;

export function digestEntry(
  source: ByteSource,
  reader: ForwardReader,
  job: DigestJob,
): EntryDigests | Promise<EntryDigests> {
  const { offset, length, size, method, algorithms } = job;
  if (method !== STORED && method !== DEFLATED) return 'unknown-method';
  if (method === STORED ? length !== size : size > length * GROWTH) return 'other-size-than-stated';
  if (Math.max(length, size) > HELD) return digestStream(source, job);
  const raw = reader.read(offset, length);
  if (method === STORED) return algorithms.map((algorithm) => hash(algorithm, raw, 'hex'));
  let content: Buffer;
  try {
    content = inflateRawSync(raw, { maxOutputLength: size + 1, chunkSize: Math.max(64, size + 1) });
  } catch {
    return 'invalid-deflate';
  }
  const digests = algorithms.map((algorithm) => hash(algorithm, content, 'hex'));
  const isWhole = content.length === size;
  release(content);
  return isWhole ? digests : 'other-size-than-stated';
}

async function digestStream(
  source: ByteSource,
  { offset, length, size, method, algorithms }: DigestJob,
): Promise<EntryDigests> {
  const hashes = algorithms.map((algorithm) => createHash(algorithm));
  if (method === STORED)
    eachChunk(source, offset, length, (chunk) => hashes.forEach((one) => one.update(chunk)));
  else {
    const code = await inflateInto(source, offset, length, size, (chunk) =>
      hashes.forEach((one) => one.update(chunk)),
    );
    if (code !== undefined) return code;
  }
  return hashes.map((one) => one.digest('hex'));
}

async function inflateInto(
  source: ByteSource,
  offset: number,
  length: number,
  size: number,
  take: (chunk: Buffer) => void,
): Promise<string | undefined> {
  const inflate = createInflateRaw({ chunkSize: CHUNK });
  // the loop below throws it; this only keeps one that comes after the loop from ending the process
  inflate.on('error', () => undefined);
  const feed = (async (): Promise<void> => {
    for (let at = offset; at < offset + length && !inflate.destroyed; at += CHUNK) {
      // the source reads into one buffer again and again
      const chunk = Buffer.from(source.read(at, Math.min(CHUNK, offset + length - at)));
      if (!inflate.write(chunk))
        await new Promise<void>((resolve) => inflate.once('drain', resolve).once('close', resolve));
    }
    inflate.end();
  })();
  let done = 0;
  try {
    for await (const chunk of inflate as AsyncIterable<Buffer>) {
      done += chunk.length;
      if (done > size) return 'other-size-than-stated';
      take(chunk);
    }
  } catch {
    return 'invalid-deflate';
  } finally {
    inflate.destroy();
    await feed.catch(() => undefined);
  }
  return done === size ? undefined : 'other-size-than-stated';
}
