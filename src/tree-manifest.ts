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
import type { Sha256 } from './model.js';

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

/** Neither listed nor followed: see above. */
export const UNTRACKED = '.git';

/** The digest over entries that are sorted already. */
export function digestOfEntries(entries: readonly TreeEntry[]): TreeDigest {
  const hash = createHash('sha256');
  for (const { mode, sha256, path } of entries) hash.update(`${mode} ${sha256} ${quotedPath(path)}\n`);
  return { sha256: hash.digest('hex'), files: entries.length };
}
