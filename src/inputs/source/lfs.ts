// SPDX-License-Identifier: Apache-2.0
/** Git LFS pointers in a tree (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md): what is not there. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { FailedHere } from '../../errors.js';
import { treeEntries } from './tree-digest.js';

export interface LfsPointer {
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
}

const MAX_POINTER = 1024;
const POINTER =
  /^version https:\/\/git-lfs\.github\.com\/spec\/v1\n(?:.+\n)*oid sha256:([0-9a-f]{64})\n(?:.+\n)*size (\d+)\n/;

/** @throws FailedHere where the build needs their content, which nobody here can fetch yet */
export async function lfsPointers(directory: string, needed: boolean): Promise<readonly LfsPointer[]> {
  const pointers: LfsPointer[] = [];
  for (const entry of await treeEntries(directory)) {
    if (entry.size > MAX_POINTER || entry.mode === '120000') continue;
    const name = entry.path.toString('utf8');
    const match = POINTER.exec(await fs.readFile(path.join(directory, name), 'utf8').catch(() => ''));
    if (match?.[1] !== undefined) pointers.push({ path: name, sha256: match[1], size: Number(match[2]) });
  }
  if (needed && pointers.length > 0)
    throw new FailedHere(
      'missing-tool',
      `${pointers.length} files of the source are Git LFS pointers, which are not fetched`,
      {
        hint: 'check the source out with git-lfs and hand it over with --source DIR',
      },
    );
  return pointers;
}
