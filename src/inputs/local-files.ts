// SPDX-License-Identifier: Apache-2.0
/** Files that the user hands over by path: one file, or a directory with everything below it. */
import { promises as fs, type Stats } from 'node:fs';
import path from 'node:path';
import { FailedHere, UsageError } from '../errors.js';

/** What a symbolic link inside of a directory is: its words, which nobody follows. */
export interface LocalLink {
  readonly name: string;
  readonly target: string;
}

export interface LocalFile {
  /** Relative to the directory, with `/`; a single file's base name. */
  readonly name: string;
  readonly path: string;
}

const MAX_FILES = 100_000;

async function statOf(file: string): Promise<Stats> {
  try {
    return await fs.stat(file);
  } catch (cause) {
    throw new FailedHere('unreadable-input', `cannot open ${file}: ${(cause as Error).message}`, {
      cause,
      hint: 'check the path and its permissions',
    });
  }
}

/**
 * Sorted by name. Symbolic links inside of a directory are refused: what they lead to is not part of it.
 * @throws FailedHere `unreadable-input`
 */
export async function localFiles(place: string): Promise<readonly LocalFile[]> {
  const { files, links } = await localTree(place);
  assertNoLinks(place, links);
  return files;
}

/** @throws FailedHere `unreadable-input` */
export function assertNoLinks(place: string, [link]: readonly LocalLink[]): void {
  if (link !== undefined) throw refused(path.join(place, link.name));
}

/** Two targets of other bytes are never the same text. @throws FailedHere `unreadable-input` */
async function targetOf(link: string): Promise<string> {
  // the name itself may be no UTF-8, and then leads nowhere
  const words = await fs.readlink(link, { encoding: 'buffer' }).catch(() => undefined);
  const target = words?.toString('utf8') ?? '';
  if (words === undefined || !Buffer.from(target).equals(words))
    throw new FailedHere('unreadable-input', `the name or the target of the link ${link} is no UTF-8`);
  return target;
}

function refused(at: string): FailedHere {
  return new FailedHere('unreadable-input', `${at} is neither a regular file nor a directory`, {
    hint: 'hand over a directory with regular files only',
  });
}

/**
 * With the symbolic links, where bundles may have some; none is followed. Both sorted by name.
 * @throws FailedHere `unreadable-input`
 */
export async function localTree(
  place: string,
): Promise<{ readonly files: readonly LocalFile[]; readonly links: readonly LocalLink[] }> {
  const stat = await statOf(place);
  if (!stat.isDirectory()) return { files: [{ name: path.basename(place), path: place }], links: [] };
  const files: LocalFile[] = [];
  const links: LocalLink[] = [];
  const visit = async (directory: string, prefix: string): Promise<void> => {
    for (const entry of await fs.readdir(directory, { withFileTypes: true })) {
      const at = path.join(directory, entry.name);
      if (entry.isDirectory()) await visit(at, `${prefix}${entry.name}/`);
      else if (entry.isFile()) files.push({ name: `${prefix}${entry.name}`, path: at });
      else if (entry.isSymbolicLink())
        links.push({ name: `${prefix}${entry.name}`, target: await targetOf(at) });
      else throw refused(at);
      if (files.length + links.length > MAX_FILES)
        throw new FailedHere('unreadable-input', `${place} holds more than ${MAX_FILES} files`);
    }
  };
  await visit(place, '');
  if (files.length === 0) assertNoLinks(place, links);
  if (files.length === 0)
    throw new FailedHere('unreadable-input', `${place} holds no files`, {
      hint: 'hand over the file itself, or a directory with the files of one release',
    });
  const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
    a.name < b.name ? -1 : 1;
  return { files: files.sort(byName), links: links.sort(byName) };
}

/**
 * The sizes of both together, of directories next to nothing; `mixed`: one is a directory, the other is none.
 * @throws UsageError `same-file` when both paths lead to one file or directory
 */
export async function assertTwoSides(
  published: string,
  rebuilt: string,
): Promise<{ readonly bytes: number; readonly mixed: boolean }> {
  const [p, r] = [await statOf(published), await statOf(rebuilt)];
  if (p.dev === r.dev && p.ino === r.ino)
    throw new UsageError(
      'same-file',
      `${published} and ${rebuilt} are the same ${p.isDirectory() ? 'directory' : 'file'}`,
      {
        hint: 'name the published file first, then the rebuilt one',
      },
    );
  return { bytes: p.size + r.size, mixed: p.isDirectory() !== r.isDirectory() };
}

/** A directory with nothing in it. */
export async function isEmpty(place: string): Promise<boolean> {
  return (await statOf(place)).isDirectory() && (await fs.readdir(place)).length === 0;
}

/** For what is no set of splits. */
export function fileAndDirectory(published: string, rebuilt: string): UsageError {
  return new UsageError(
    'file-and-directory',
    `one of ${published} and ${rebuilt} is a directory, the other is a file`,
    { hint: 'compare two files, or two directories' },
  );
}
