// SPDX-License-Identifier: Apache-2.0
/** The trees of a build without a container: copied in, copied for each attempt, read at its end. */
import { createHash } from 'node:crypto';
import { createReadStream, promises as fs } from 'node:fs';
import path from 'node:path';
import type { PrepareRequest } from './executor.js';
import type { TreeBounds, TreeFile } from './file-tree.js';
import type { OutputSource } from './outputs.js';
import { treeItems } from './source-tar.js';
import type { TakenFile } from './tar-read.js';

export interface Place {
  readonly root: string;
  /** Where every attempt runs, so that all have the same path. */
  readonly tree: string;
  readonly prepared: string;
}

export const COPY = { recursive: true, verbatimSymlinks: true, preserveTimestamps: true } as const;

export async function remove(directory: string): Promise<void> {
  await fs.rm(directory, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
}

/** As it goes into a container: git's modes, one time for all. */
export async function copySource(
  source: NonNullable<PrepareRequest['source']>,
  into: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { commitTime } = source;
  const directories = [into];
  await fs.mkdir(into, { recursive: true });
  const items = treeItems(source.directory, {
    uid: 0,
    gid: 0,
    prefix: '',
    mtime: commitTime,
    ...(signal === undefined ? {} : { signal }),
  });
  for await (const item of items) {
    const to = path.join(into, item.path);
    switch (item.kind) {
      case 'directory':
        await fs.mkdir(to, { mode: item.mode });
        directories.push(to);
        break;
      case 'link':
        await fs.symlink(item.target, to);
        await fs.lutimes(to, commitTime, commitTime);
        break;
      case 'file':
        await fs.copyFile(item.file, to);
        await fs.chmod(to, item.mode);
        await fs.utimes(to, commitTime, commitTime);
        break;
      case 'text':
        await fs.writeFile(to, item.text, { mode: item.mode });
    }
  }
  for (const directory of directories.reverse()) await fs.utimes(directory, commitTime, commitTime);
}

export async function filesBelow(directory: string): Promise<string[]> {
  const entries = await fs.readdir(directory, { recursive: true, withFileTypes: true });
  return entries.map((entry) => path.join(entry.parentPath, entry.name));
}

/** Paths are those of the plan; the directory of the plan is the temporary one here. */
export function outputsOf({ plan }: PrepareRequest, place: Place, before: ReadonlySet<string>): OutputSource {
  const { directory } = plan.environment;
  const here = (inside: string): string => path.join(place.tree, path.posix.relative(directory, inside));
  return {
    async take(from, to, maxBytes) {
      const file = here(from);
      // no link on the way either: it could lead to a file that nobody built
      const real = await fs.realpath(file).catch(() => undefined);
      if (real === undefined) return undefined;
      const stat = await fs.lstat(file);
      if (real !== file) return { refused: 'a link, or below one' };
      if (!stat.isFile()) return { refused: 'no regular file' };
      if (stat.size > maxBytes) return { refused: `a file of ${stat.size} bytes, at most ${maxBytes}` };
      return await copyHashed(file, to);
    },
    async takeTree(from, into, bounds) {
      const tree = here(from);
      const real = await fs.realpath(tree).catch(() => undefined);
      if (real === undefined) return undefined;
      if (real !== tree) return { refused: 'a link, or below one' };
      if (!(await fs.lstat(tree)).isDirectory()) return { refused: 'no directory' };
      return await takeBelow(tree, '', into, bounds);
    },
    async added(directories) {
      const found: string[] = [];
      for (const inside of directories) {
        const names = await fs.readdir(here(inside)).catch(() => [] as string[]);
        found.push(
          ...names
            .filter((name) => !before.has(path.join(here(inside), name)))
            .map((name) => path.posix.join(inside, name)),
        );
      }
      return found.sort();
    },
  };
}

async function copyHashed(file: string, to: string): Promise<TakenFile> {
  await fs.copyFile(file, to, fs.constants.COPYFILE_EXCL);
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of createReadStream(to)) {
    hash.update(chunk as Buffer);
    size += (chunk as Buffer).length;
  }
  return { size, sha256: hash.digest('hex') };
}

async function takeBelow(
  directory: string,
  prefix: string,
  into: string,
  bounds: TreeBounds,
): Promise<readonly TreeFile[]> {
  const files: TreeFile[] = [];
  for (const entry of await fs.readdir(directory, { withFileTypes: true })) {
    const member = `${prefix}${entry.name}`;
    const file = path.join(directory, entry.name);
    bounds.admitName(member);
    if (entry.isDirectory()) files.push(...(await takeBelow(file, `${member}/`, into, bounds)));
    else if (!entry.isFile()) bounds.refuse(member, entry.isSymbolicLink() ? 'a link' : 'no regular file');
    else {
      bounds.admit(member, (await fs.lstat(file)).size);
      const to = path.join(into, member);
      await fs.mkdir(path.dirname(to), { recursive: true });
      files.push({ member, path: to, ...(await copyHashed(file, to)) });
    }
  }
  return files;
}
