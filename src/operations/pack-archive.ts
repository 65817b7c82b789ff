// SPDX-License-Identifier: Apache-2.0
/** Files as one archive, the same bytes for the same files on every machine: names, order, times and packing are ours. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { Deflate } from 'pako';
import { tarStream, type TarItem } from '../build/tar-write.js';
import { UsageError } from '../errors.js';
import { storageFailure, writeAside } from '../inputs/atomic-file.js';
import type { Sha256 } from '../model.js';

export interface PackedFile {
  /** Below the archive's one directory; plain segments. */
  readonly name: string;
  readonly size: number;
  readonly sha256: Sha256;
  /** What it is, for people. */
  readonly what: string;
  readonly content: { readonly text: string } | { readonly file: string };
}

/**
 * Writes `files` below `root` to `out`, which must not exist.
 * @throws UsageError `out-exists`; FailedHere `disk-full`, `unreadable-input`
 */
export async function writeArchive(out: string, root: string, files: readonly PackedFile[]): Promise<void> {
  const target = path.resolve(out);
  if ((await fs.lstat(target).catch(() => undefined)) !== undefined)
    throw new UsageError('out-exists', `${out} exists already`, {
      hint: 'name another file with --out: nothing is ever overwritten',
    });
  try {
    await writeAside(target, async (handle) => {
      // not the zlib of this Node, which is another one from version to version
      const gzip = new Deflate({ gzip: true, level: 9 });
      const chunks: Uint8Array[] = [];
      gzip.onData = (chunk) => void chunks.push(chunk as Uint8Array);
      const write = async (): Promise<void> => {
        for (const chunk of chunks.splice(0)) await handle.writeFile(chunk);
      };
      for await (const chunk of tarStream(items(root, files))) {
        gzip.push(chunk, false);
        await write();
      }
      gzip.push(new Uint8Array(0), true);
      await write();
    });
  } catch (cause) {
    throw storageFailure(cause, 'the archive', out);
  }
}

function* items(root: string, files: readonly PackedFile[]): Generator<TarItem> {
  const common = { uid: 0, gid: 0, mode: 0o644, mtime: 0 };
  for (const { name, size, content } of files) {
    const at = { ...common, path: `${root}/${name}` };
    if ('text' in content) yield { ...at, kind: 'text', text: content.text };
    else yield { ...at, kind: 'file', file: content.file, size };
  }
}
