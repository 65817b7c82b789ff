// SPDX-License-Identifier: Apache-2.0
/**
 * One digest for a source tree: SHA-256 over the lines `<mode> <sha256> <path>\n`, sorted by the bytes of the path.
 *
 * Modes are git's (gitformat-index(5)): 100644, 100755 (executable by its owner), 120000 (symbolic link; the digest is that
 * of its target text). Directories have no line. Anything named `.git` is left out: git refuses to track such a name, so it
 * is our own bookkeeping, whose packs differ between machines. A path with a line feed is written as in `git ls-files`
 * without `-z`: in double quotes, with C escapes for control characters, quotes, backslashes and bytes above 0x7e. By hand:
 * `git ls-files`-like listings and `sha256sum` make the same lines.
 */
import { createHash } from 'node:crypto';
import { promises as fs, type Dirent } from 'node:fs';
import { FailedHere } from '../errors.js';
import type { Sha256 } from '../model.js';
import { sha256OfFile } from './cache.js';

export interface TreeEntry {
  readonly mode: '100644' | '100755' | '120000';
  readonly size: number;
  readonly sha256: Sha256;
  /** Raw bytes below the root, `/` between parts: a hostile tree may hold names that are not UTF-8. */
  readonly path: Buffer;
}

export interface TreeDigest {
  readonly sha256: Sha256;
  readonly files: number;
}

const hashOf = (bytes: Buffer): Sha256 => createHash('sha256').update(bytes).digest('hex');
const SLASH = Buffer.from('/');
const ESCAPES: Readonly<Record<number, string>> = {
  7: 'a',
  8: 'b',
  9: 't',
  10: 'n',
  11: 'v',
  12: 'f',
  13: 'r',
  34: '"',
  92: '\\',
};

/** git's quoting (core.quotePath): plain when nothing needs it. */
export function quotedPath(path: Buffer): string {
  let plain = true;
  let quoted = '';
  for (const byte of path) {
    const escape = ESCAPES[byte];
    if (escape !== undefined) quoted += `\\${escape}`;
    else if (byte < 0x20 || byte > 0x7e) quoted += `\\${byte.toString(8).padStart(3, '0')}`;
    else {
      quoted += String.fromCharCode(byte);
      continue;
    }
    plain = false;
  }
  return plain ? quoted : `"${quoted}"`;
}

async function* walk(
  root: Buffer,
  below: Buffer,
): AsyncGenerator<{ readonly path: Buffer; readonly entry: Dirent<Buffer> }> {
  const directory = below.length === 0 ? root : Buffer.concat([root, SLASH, below]);
  const entries = await fs.readdir(directory, { withFileTypes: true, encoding: 'buffer' });
  for (const entry of entries) {
    if (entry.name.equals(Buffer.from('.git'))) continue;
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

/** The digest over entries that are sorted already. */
export function digestOfEntries(entries: readonly TreeEntry[]): TreeDigest {
  const hash = createHash('sha256');
  for (const { mode, sha256, path } of entries) hash.update(`${mode} ${sha256} ${quotedPath(path)}\n`);
  return { sha256: hash.digest('hex'), files: entries.length };
}

export async function treeDigest(directory: string, signal?: AbortSignal): Promise<TreeDigest> {
  return digestOfEntries(await treeEntries(directory, signal));
}
