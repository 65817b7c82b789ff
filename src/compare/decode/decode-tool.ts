// SPDX-License-Identifier: Apache-2.0
/** Decoding by the system's tool where Node 20 has no decoder of its own (xz, zstd); its version goes on record. */
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
  const end = await filter(tool, args, chunksOf(source), (chunk) => sink.push(chunk), {
    maxBytes,
    ...(walk.options.signal === undefined ? {} : { signal: walk.options.signal }),
  });
  if (end.kind === 'done') return { kind: 'decoded' };
  return { kind: 'failed', code: end.kind === 'too-much' ? 'larger-than-stated' : `invalid-${tool}` };
}
