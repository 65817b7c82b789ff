// SPDX-License-Identifier: Apache-2.0
/** Decoding by the system's tool where Node 20 has no decoder of its own (xz, zstd); its version goes on record. */
import { createHash } from 'node:crypto';
import type { ByteSource } from '../../bytes.js';
import { filter, toolVersion } from '../../process.js';
import type { Walk } from '../walk.js';
import type { ContentSink } from './content-sink.js';

/** What a decoder says of one stream. `code` is what the report shows. */
export type DecodeEnd =
  | { readonly kind: 'decoded' }
  | { readonly kind: 'failed'; readonly code: string }
  | { readonly kind: 'missing-tool'; readonly tool: string };

const CHUNK = 1 << 20;
/** Of a .deb, what says its name is asked for several times, and to start a program takes longer than to decode that. */
const SMALL = 256 << 10;
const SMALL_DECODED = 4 << 20;
const RECENT_BYTES = 16 << 20;
/** Of a stream that holds nothing. */
const LEAST_BYTES = 1024;

/** What small streams hold, by all that decides it; the last one used comes last. */
const recent = new Map<string, Buffer>();
let recentBytes = 0;

function keyOf(tool: string, args: readonly string[], source: ByteSource): string {
  const content = createHash('sha256').update(source.read(0, source.size)).digest('hex');
  return [tool, ...args, content].join(' ');
}

function remember(key: string, decoded: Buffer): void {
  forget(key);
  recent.set(key, decoded);
  recentBytes += decoded.length + LEAST_BYTES;
  for (const oldest of recent.keys()) {
    if (recentBytes <= RECENT_BYTES) return;
    forget(oldest);
  }
}

function forget(key: string): void {
  const known = recent.get(key);
  if (known === undefined) return;
  recent.delete(key);
  recentBytes -= known.length + LEAST_BYTES;
}

function* chunksOf(source: ByteSource): Generator<Buffer> {
  for (let at = 0; at < source.size; at += CHUNK)
    yield Buffer.from(source.read(at, Math.min(CHUNK, source.size - at)));
}

/** `maxBytes`: what the stream states, or the limit of a member where it states nothing. */
export async function decodeWithTool(
  walk: Walk,
  tool: string,
  args: readonly string[],
  source: ByteSource,
  maxBytes: number,
  sink: ContentSink,
): Promise<DecodeEnd> {
  const version = await toolVersion(tool);
  if (version === undefined) return { kind: 'missing-tool', tool };
  walk.decoders.set(tool, version);
  const key = source.size > SMALL ? undefined : keyOf(tool, args, source);
  const known = key === undefined ? undefined : recent.get(key);
  if (key !== undefined && known !== undefined && known.length <= maxBytes) {
    remember(key, known);
    sink.push(known);
    return { kind: 'decoded' };
  }
  const held: Buffer[] = [];
  let size = 0;
  const onChunk = (chunk: Buffer): void => {
    size += chunk.length;
    if (key !== undefined && size <= SMALL_DECODED) held.push(chunk);
    sink.push(chunk);
  };
  const end = await filter(tool, args, chunksOf(source), onChunk, {
    maxBytes,
    ...(walk.options.signal === undefined ? {} : { signal: walk.options.signal }),
  });
  if (end.kind === 'done') {
    if (key !== undefined && size <= SMALL_DECODED) remember(key, Buffer.concat(held));
    return { kind: 'decoded' };
  }
  return { kind: 'failed', code: end.kind === 'too-much' ? 'larger-than-stated' : `invalid-${tool}` };
}
