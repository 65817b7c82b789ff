// SPDX-License-Identifier: Apache-2.0
/** A file system as a row of entries: out of the tar that a container engine exports, or a directory of this machine. */
import { promises as fs } from 'node:fs';
import { FileSource, SliceSource, type ByteSource } from '../bytes.js';
import { TarReader } from '../formats/tar.js';

export type FileSystemEntry = {
  /** Raw bytes below the root, `/` between parts. */
  readonly path: Buffer;
} & (
  | {
      readonly kind: 'file';
      readonly mode: number;
      readonly size: number;
      /** Readable during the call only. */
      read<T>(use: (source: ByteSource) => Promise<T>): Promise<T>;
    }
  | { readonly kind: 'symbolic-link'; readonly target: Buffer }
  /** `target`: as `path`. */
  | { readonly kind: 'hard-link'; readonly target: Buffer }
  | { readonly kind: 'directory' }
  /** A device, FIFO or socket. */
  | { readonly kind: 'special' }
);

export interface FileSystem {
  /** In bytes, where it is known before. */
  readonly size: number | undefined;
  entries(): AsyncIterable<FileSystemEntry>;
}

const SLASH = 0x2f;
const DOT = 0x2e;

/** `./usr/bin` and `/usr/bin/` are `usr/bin`. */
export function plainPath(name: Buffer): Buffer {
  let from = 0;
  while (
    name[from] === SLASH ||
    (name[from] === DOT && (name[from + 1] === SLASH || from + 1 === name.length))
  )
    from++;
  let to = name.length;
  while (to > from && name[to - 1] === SLASH) to--;
  return name.subarray(from, to);
}

export function tarFileSystem(tar: FileSource): FileSystem {
  return {
    size: tar.size,
    // oxlint-disable-next-line require-await
    async *entries() {
      for (const member of new TarReader(tar)) {
        const path = plainPath(member.name);
        const { type, mode, data } = member;
        if (type === '0' || type === '7') {
          const source = new SliceSource(tar, data.offset, data.size);
          yield { path, kind: 'file', mode, size: data.size, read: async (use) => await use(source) };
        } else if (type === '1') yield { path, kind: 'hard-link', target: plainPath(member.linkName) };
        else if (type === '2') yield { path, kind: 'symbolic-link', target: member.linkName };
        else yield { path, kind: type === '5' ? 'directory' : 'special' };
      }
    },
  };
}

/** Links are never followed. */
export function directoryFileSystem(directory: string): FileSystem {
  const root = Buffer.from(directory);
  return { size: undefined, entries: () => walk(root, Buffer.alloc(0)) };
}

async function* walk(root: Buffer, below: Buffer): AsyncGenerator<FileSystemEntry> {
  const join = (...parts: readonly Buffer[]): Buffer =>
    Buffer.concat(parts.flatMap((part, at) => (at === 0 ? [part] : [Buffer.of(SLASH), part])));
  const directory = below.length === 0 ? root : join(root, below);
  for (const entry of await fs.readdir(directory, { withFileTypes: true, encoding: 'buffer' })) {
    const path = below.length === 0 ? entry.name : join(below, entry.name);
    const full = join(root, path);
    if (entry.isDirectory()) {
      yield { path, kind: 'directory' };
      yield* walk(root, path);
    } else if (entry.isSymbolicLink())
      yield { path, kind: 'symbolic-link', target: await fs.readlink(full, { encoding: 'buffer' }) };
    else if (!entry.isFile()) yield { path, kind: 'special' };
    else {
      const { mode, size } = await fs.lstat(full);
      const read = async <T>(use: (source: ByteSource) => Promise<T>): Promise<T> => {
        const source = FileSource.open(full);
        try {
          return await use(source);
        } finally {
          source.close();
        }
      };
      yield { path, kind: 'file', mode, size, read };
    }
  }
}
