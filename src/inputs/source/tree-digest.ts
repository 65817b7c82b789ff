// SPDX-License-Identifier: Apache-2.0
/** The manifest of a source tree on this machine (`src/tree-manifest.ts`). */
import { createHash } from 'node:crypto';
import { promises as fs, type Dirent } from 'node:fs';
import { FailedHere } from '../../errors.js';
import type { Sha256 } from '../../model.js';
import {
  digestOfEntries,
  quotedPath,
  UNTRACKED,
  type TreeDigest,
  type TreeEntry,
} from '../../tree-manifest.js';
import { sha256OfFile } from '../cache.js';

const hashOf = (bytes: Buffer): Sha256 => createHash('sha256').update(bytes).digest('hex');
const SLASH = Buffer.from('/');
async function* walk(
  root: Buffer,
  below: Buffer,
): AsyncGenerator<{ readonly path: Buffer; readonly entry: Dirent<Buffer> }> {
  const directory = below.length === 0 ? root : Buffer.concat([root, SLASH, below]);
  const entries = await fs.readdir(directory, { withFileTypes: true, encoding: 'buffer' });
  for (const entry of entries) {
    if (entry.name.equals(Buffer.from(UNTRACKED))) continue;
    const path = below.length === 0 ? entry.name : Buffer.concat([below, SLASH, entry.name]);
    if (entry.isDirectory()) yield* walk(root, path);
    else yield { path, entry };
  }
}

const AT_ONCE = 8;
const SMALL = 1 << 20;

async function describe(root: Buffer, path: Buffer, entry: Dirent<Buffer>): Promise<TreeEntry> {
  const full = Buffer.concat([root, SLASH, path]);
  if (entry.isSymbolicLink()) {
    const target = await fs.readlink(full, { encoding: 'buffer' });
    return { mode: '120000', size: target.length, sha256: hashOf(target), path };
  }
  if (!entry.isFile())
    throw new FailedHere(
      'unreadable-input',
      `${quotedPath(path)} in the source tree is neither a file nor a link`,
    );
  const stat = await fs.lstat(full);
  const mode = (stat.mode & 0o100) !== 0 ? '100755' : '100644';
  if (stat.size > SMALL) return { mode, ...(await sha256OfFile(full)), path };
  const content = await fs.readFile(full);
  return { mode, size: content.length, sha256: hashOf(content), path };
}

/** Every file of the tree, hashed, in byte order of the paths. Links are never followed. */
export async function treeEntries(directory: string, signal?: AbortSignal): Promise<readonly TreeEntry[]> {
  const root = Buffer.from(directory);
  const entries: TreeEntry[] = [];
  let batch: { readonly path: Buffer; readonly entry: Dirent<Buffer> }[] = [];
  const flush = async (): Promise<void> => {
    entries.push(...(await Promise.all(batch.map(({ path, entry }) => describe(root, path, entry)))));
    batch = [];
  };
  for await (const found of walk(root, Buffer.alloc(0))) {
    if (signal?.aborted === true)
      throw new FailedHere('interrupted', 'interrupted while hashing the source tree');
    batch.push(found);
    if (batch.length >= AT_ONCE) await flush();
  }
  await flush();
  return entries.toSorted((one, other) => one.path.compare(other.path));
}

export async function treeDigest(directory: string, signal?: AbortSignal): Promise<TreeDigest> {
  return digestOfEntries(await treeEntries(directory, signal));
}
