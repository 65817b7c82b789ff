// SPDX-License-Identifier: Apache-2.0
/** A tar stream whose every header field is decided here: what goes into a container is the same on every machine. */
import { createReadStream } from 'node:fs';
import { Header, Pax } from 'tar';

export interface TarOwner {
  readonly uid: number;
  readonly gid: number;
}

export type TarItem = TarOwner & {
  /** Relative, without a leading slash. */
  readonly path: string;
  readonly mode: number;
  /** Seconds since the epoch. */
  readonly mtime: number;
} & (
    | { readonly kind: 'directory' }
    | { readonly kind: 'link'; readonly target: string }
    | { readonly kind: 'text'; readonly text: string | Uint8Array }
    | { readonly kind: 'file'; readonly file: string; readonly size: number }
  );

const BLOCK = 512;
const TYPES = { directory: 'Directory', link: 'SymbolicLink', text: 'File', file: 'File' } as const;

const sizeOf = (item: TarItem): number =>
  item.kind === 'file' ? item.size : item.kind === 'text' ? Buffer.byteLength(item.text) : 0;

/** The header, with a pax record before it for what a header cannot hold, such as a long name. */
function headerOf(item: TarItem): Buffer {
  const { mode, uid, gid } = item;
  const path = item.kind === 'directory' ? `${item.path}/` : item.path;
  const size = sizeOf(item);
  const linkpath = item.kind === 'link' ? { linkpath: item.target } : {};
  const fields = { path, mode, uid, gid, size, mtime: new Date(item.mtime * 1000), ...linkpath };
  const block = Buffer.alloc(BLOCK);
  if (!new Header({ ...fields, type: TYPES[item.kind] }).encode(block)) return block;
  return Buffer.concat([new Pax({ path, size, ...linkpath }).encode(), block]);
}

const padding = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);

/** Bounded memory: one chunk of one file at a time. A file that changes its size while it is read is an error. */
export async function* tarStream(items: AsyncIterable<TarItem> | Iterable<TarItem>): AsyncGenerator<Buffer> {
  for await (const item of items) {
    const header = headerOf(item);
    if (item.kind === 'text') yield Buffer.concat([header, Buffer.from(item.text as Uint8Array)]);
    else yield header;
    if (item.kind === 'file') yield* contentOf(item.file, item.size);
    yield padding(sizeOf(item));
  }
  yield Buffer.alloc(2 * BLOCK);
}

async function* contentOf(file: string, size: number): AsyncGenerator<Buffer> {
  let read = 0;
  for await (const piece of createReadStream(file)) {
    const chunk = piece as Buffer;
    read += chunk.length;
    if (read > size) break;
    yield chunk;
  }
  if (read !== size) throw new Error(`a file of ${size} bytes changed while it was read (${read} bytes)`);
}
