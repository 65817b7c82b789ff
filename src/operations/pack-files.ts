// SPDX-License-Identifier: Apache-2.0
/** The files of a packed run, before they are written: texts of ours, files of the disk, names that are plain. */
import { createHash } from 'node:crypto';
import { sha256OfFile } from '../inputs/cache.js';
import type { PackedFile } from './pack-archive.js';

/** Of a report or an attempt, before the README. */
export interface Packed {
  readonly title: string;
  readonly root: string;
  readonly files: readonly PackedFile[];
  readonly missing: readonly string[];
}

export function textFile(name: string, what: string, text: string): PackedFile {
  return {
    name,
    what,
    size: Buffer.byteLength(text),
    sha256: createHash('sha256').update(text).digest('hex'),
    content: { text },
  };
}

/** Read as a whole first: the archive says what it holds. */
export async function storedFile(name: string, what: string, file: string): Promise<PackedFile> {
  const { size, sha256 } = await sha256OfFile(file);
  return { name, what, size, sha256, content: { file } };
}

/** Names of others as plain names of files, each once. */
export class Names {
  readonly #taken = new Set<string>();

  plain(name: string): string {
    return this.#free(plainSegment(name));
  }

  path(name: string): string {
    return this.#free(
      name
        .split('/')
        .filter((part) => part !== '')
        .map(plainSegment)
        .join('/'),
    );
  }

  #free(name: string): string {
    let free = name;
    for (let n = 2; this.#taken.has(free.toLowerCase()); n++) free = `${name}-${n}`;
    this.#taken.add(free.toLowerCase());
    return free;
  }
}

function plainSegment(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9._+~-]/g, '_').replace(/^[^A-Za-z0-9]+/, '');
  return plain === '' ? 'file' : plain.slice(0, 100);
}
