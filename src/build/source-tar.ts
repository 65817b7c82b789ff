// SPDX-License-Identifier: Apache-2.0
/** A source tree as tar items: sorted by the bytes of their paths, modes as git knows them, one owner, one time. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { FailedHere } from '../errors.js';
import type { TarItem, TarOwner } from './tar-write.js';

export interface TreeOptions extends TarOwner {
  /** Where the tree goes, relative: `build/demo`. */
  readonly prefix: string;
  readonly mtime: number;
  readonly signal?: AbortSignal;
}

/** @throws FailedHere `unreadable-input` for what is neither a file, a directory nor a link, or has a name that is not text */
export async function* treeItems(directory: string, options: TreeOptions): AsyncGenerator<TarItem> {
  const { uid, gid, mtime, prefix, signal } = options;
  const common = { uid, gid, mtime };
  const names = (await fs.readdir(directory, { encoding: 'buffer' })).sort((one, other) =>
    one.compare(other),
  );
  for (const bytes of names) {
    if (signal?.aborted === true) throw new FailedHere('interrupted', 'interrupted while copying the source');
    const name = textOf(bytes);
    const full = path.join(directory, name);
    const inside = prefix === '' ? name : `${prefix}/${name}`;
    const stat = await fs.lstat(full);
    if (stat.isDirectory()) {
      yield { ...common, kind: 'directory', path: inside, mode: 0o755 };
      yield* treeItems(full, { ...options, prefix: inside });
    } else if (stat.isSymbolicLink())
      yield { ...common, kind: 'link', path: inside, mode: 0o777, target: await fs.readlink(full) };
    else if (stat.isFile()) {
      const mode = (stat.mode & 0o100) === 0 ? 0o644 : 0o755;
      yield { ...common, kind: 'file', path: inside, mode, file: full, size: stat.size };
    } else
      throw new FailedHere(
        'unreadable-input',
        `${JSON.stringify(inside)} in the source tree is neither a file nor a link`,
      );
  }
}

function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new FailedHere(
      'unreadable-input',
      `a file name in the source tree is not UTF-8: ${JSON.stringify(bytes.toString('latin1'))}`,
      { cause },
    );
  }
}

/** The directories that lead to an absolute path, and the path itself. */
export function* directoriesTo(absolute: string, owner: TarOwner, mtime: number): Generator<TarItem> {
  const parts = absolute.split('/').filter((part) => part !== '');
  for (let count = 1; count <= parts.length; count++) {
    const own = count === parts.length ? owner : { uid: 0, gid: 0 };
    yield { ...own, kind: 'directory', path: parts.slice(0, count).join('/'), mode: 0o755, mtime };
  }
}
