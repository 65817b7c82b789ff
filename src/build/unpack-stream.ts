// SPDX-License-Identifier: Apache-2.0
/** One packed stream unpacked: by zlib where it can, else by the system's tool. */
import { createGunzip, createInflateRaw, gunzipSync, inflateRawSync } from 'node:zlib';
import { BufferSource, type ByteSource } from '../bytes.js';
import { FailedHere } from '../errors.js';
import { filter, type FilterEnd } from '../process.js';
import { HELD, Spill, type Spilled } from './spill.js';

export type Packing = 'deflate' | 'gzip' | 'xz' | 'zstd' | 'bzip2';

export interface UnpackOptions {
  /** Attacker-controlled streams end here. */
  readonly maxBytes: number;
  /** For what is too large for memory. */
  readonly temporaryDirectory: string;
  readonly signal?: AbortSignal;
}

export type Unpacked =
  | { readonly kind: 'unpacked'; readonly content: Spilled }
  /** `reason` is a code. */
  | { readonly kind: 'unopened'; readonly reason: string };

const CHUNK = 256 << 10;
/** Longer ones are not unpacked in one go. */
const AT_ONCE = 1 << 20;
const TOOLS = {
  xz: ['xz', '--decompress', '--stdout', '--threads=0', '--memlimit-decompress=512MiB'],
  zstd: ['zstd', '--decompress', '--stdout', '--quiet', '--memory=512MB'],
  bzip2: ['bzip2', '--decompress', '--stdout'],
} as const satisfies Partial<Record<Packing, readonly string[]>>;

export async function unpackStream(
  packing: Packing,
  source: ByteSource,
  options: UnpackOptions,
): Promise<Unpacked> {
  switch (packing) {
    case 'deflate':
    case 'gzip':
      return inOneGo(packing, source, options) ?? (await inflated(packing, source, options));
    case 'xz':
    case 'zstd':
    case 'bzip2':
      return await byTool(packing, source, options);
  }
}

/** Undefined for what is too large. */
function inOneGo(
  packing: 'deflate' | 'gzip',
  source: ByteSource,
  { maxBytes }: UnpackOptions,
): Unpacked | undefined {
  if (source.size > AT_ONCE) return undefined;
  const raw = source.read(0, source.size);
  const options = {
    maxOutputLength: Math.max(1, Math.min(HELD, maxBytes)),
    chunkSize: Math.min(CHUNK, Math.max(1024, source.size * 4)),
  };
  try {
    const bytes = packing === 'gzip' ? gunzipSync(raw, options) : inflateRawSync(raw, options);
    return { kind: 'unpacked', content: { source: new BufferSource(bytes), close: () => undefined } };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return undefined;
    return { kind: 'unopened', reason: `unreadable-${packing}` };
  }
}

async function inflated(
  packing: 'deflate' | 'gzip',
  source: ByteSource,
  { maxBytes, temporaryDirectory, signal }: UnpackOptions,
): Promise<Unpacked> {
  const stream =
    packing === 'gzip' ? createGunzip({ chunkSize: CHUNK }) : createInflateRaw({ chunkSize: CHUNK });
  // the loop below throws it; this only keeps one that comes after the loop from ending the process
  stream.on('error', () => undefined);
  const spill = new Spill(temporaryDirectory);
  let size = 0;
  const feed = (async (): Promise<void> => {
    for (const chunk of chunksOf(source)) {
      if (stream.destroyed) return;
      if (!stream.write(chunk))
        await new Promise<void>((resolve) => {
          const go = (): void => {
            stream.off('drain', go).off('close', go);
            resolve();
          };
          stream.on('drain', go).on('close', go);
        });
    }
    if (!stream.destroyed) stream.end();
  })();
  feed.catch(() => undefined);
  try {
    for await (const piece of stream) {
      const chunk = piece as Buffer;
      interruptedBy(signal);
      size += chunk.length;
      if (size > maxBytes) {
        spill.drop();
        return { kind: 'unopened', reason: 'limit-bytes' };
      }
      spill.push(chunk);
    }
  } catch (error) {
    spill.drop();
    if (error instanceof FailedHere) throw error;
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z_') !== true) throw error;
    return { kind: 'unopened', reason: `unreadable-${packing}` };
  } finally {
    stream.destroy();
  }
  return { kind: 'unpacked', content: spill.finish() };
}

async function byTool(
  packing: keyof typeof TOOLS,
  source: ByteSource,
  { maxBytes, temporaryDirectory, signal }: UnpackOptions,
): Promise<Unpacked> {
  const [tool, ...args] = TOOLS[packing];
  const spill = new Spill(temporaryDirectory);
  let end: FilterEnd;
  try {
    end = await filter(tool, args, chunksOf(source), (chunk) => spill.push(chunk), {
      maxBytes,
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    spill.drop();
    interruptedBy(signal);
    if (error instanceof FailedHere && error.code === 'missing-tool')
      return { kind: 'unopened', reason: `no-tool-${tool}` };
    throw error;
  }
  if (end.kind === 'done') return { kind: 'unpacked', content: spill.finish() };
  spill.drop();
  return { kind: 'unopened', reason: end.kind === 'too-much' ? 'limit-bytes' : `unreadable-${packing}` };
}

function* chunksOf(source: ByteSource): Generator<Buffer> {
  for (let at = 0; at < source.size; at += CHUNK)
    yield Buffer.from(source.read(at, Math.min(CHUNK, source.size - at)));
}

/** @throws FailedHere `interrupted` */
export function interruptedBy(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true)
    throw new FailedHere('interrupted', 'interrupted while looking into the inputs of the build');
}
