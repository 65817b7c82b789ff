// SPDX-License-Identifier: Apache-2.0
/** A tar stream whose every header field is decided here: what goes into a container is the same on every machine. */
import { createReadStream } from 'node:fs';
import { Header, Pack, ReadEntry } from 'tar';

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
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'file'; readonly file: string; readonly size: number }
  );

function entryOf(item: TarItem): ReadEntry {
  const { path, mode, uid, gid } = item;
  const common = { path, mode, uid, gid, mtime: new Date(item.mtime * 1000) };
  switch (item.kind) {
    case 'directory':
      return new ReadEntry(new Header({ ...common, path: `${path}/`, type: 'Directory', size: 0 }));
    case 'link':
      return new ReadEntry(new Header({ ...common, type: 'SymbolicLink', linkpath: item.target, size: 0 }));
    case 'text':
      return new ReadEntry(new Header({ ...common, type: 'File', size: Buffer.byteLength(item.text) }));
    case 'file':
      return new ReadEntry(new Header({ ...common, type: 'File', size: item.size }));
  }
}

/** Bounded memory: one chunk of one file at a time. A file that changes its size while it is read is an error. */
export async function* tarStream(items: AsyncIterable<TarItem> | Iterable<TarItem>): AsyncGenerator<Buffer> {
  const pack = new Pack({ jobs: 1 });
  const filled = fill(pack, items).catch((error: unknown) => {
    pack.emit('error', error);
  });
  for await (const chunk of pack) yield chunk;
  await filled;
}

async function fill(pack: Pack, items: AsyncIterable<TarItem> | Iterable<TarItem>): Promise<void> {
  for await (const item of items) {
    const entry = entryOf(item);
    const done = new Promise<void>((resolve) => {
      entry.on('end', () => resolve());
    });
    pack.add(entry);
    if (item.kind === 'text') entry.write(Buffer.from(item.text));
    if (item.kind === 'file') await copyFile(item.file, item.size, entry);
    entry.end();
    await done;
  }
  pack.end();
}

async function copyFile(file: string, size: number, entry: ReadEntry): Promise<void> {
  let copied = 0;
  for await (const piece of createReadStream(file)) {
    const chunk = piece as Buffer;
    copied += chunk.length;
    if (copied > size) break;
    if (!entry.write(chunk))
      await new Promise<void>((resolve) => {
        entry.once('drain', () => resolve());
      });
  }
  if (copied !== size) throw new Error(`a file of ${size} bytes changed while it was read (${copied} bytes)`);
}
