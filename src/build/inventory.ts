// SPDX-License-Identifier: Apache-2.0
/**
 * What exists right before the build phase, to the last member of every archive: it tells what a build made from what it
 * merely carried along. Files of fewer than 16 bytes are counted but are nobody's origin: no executable format is that
 * short, and an empty file would make every other empty file "carried".
 *
 * Not looked into: archives behind a program, file systems in a file, and (told as unopened) git's objects.
 */
import { hash, randomBytes } from 'node:crypto';
import { createWriteStream, promises as fs } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { FileSource } from '../bytes.js';
import { FailedHere } from '../errors.js';
import type { InputInventory, OnProgress, Sha256 } from '../model.js';
import { printableBytes } from '../printable.js';
import { digestOfEntries, quotedPath, UNTRACKED, type TreeEntry } from '../tree-manifest.js';
import { ContentWalk, type WalkLimits } from './content-walk.js';
import { directoryFileSystem, plainPath, tarFileSystem, type FileSystem } from './file-system.js';
import { InventoryCollector } from './inventory-collector.js';

export interface InventoryOptions {
  /** Absolute: inside the container; for a directory of this machine, here. */
  readonly sourceDirectory: string;
  readonly temporaryDirectory: string;
  /** Contents of the base image: what is in it is placed in `image/…` and not in `fetched/…`. */
  readonly image?: ReadonlySet<Sha256>;
  readonly limits?: Partial<WalkLimits>;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/**
 * `exported`: an uncompressed tar of the whole file system, as container engines export it. It is kept in the temporary
 * directory meanwhile, so that members are read where they lie and never held.
 * @throws FailedHere `disk-full`, `interrupted`, `unreadable-input` (a source tree with a device in it)
 */
export async function takeInventory(
  exported: AsyncIterable<Uint8Array>,
  options: InventoryOptions,
): Promise<InputInventory> {
  const file = path.join(options.temporaryDirectory, `export-${randomBytes(8).toString('hex')}.tar`);
  try {
    await writeAll(file, exported, options.signal);
    return await takeInventoryOfTar(file, options);
  } finally {
    await fs.rm(file, { force: true });
  }
}

export async function takeInventoryOfTar(file: string, options: InventoryOptions): Promise<InputInventory> {
  const tar = FileSource.open(file);
  try {
    return await inventoryOf(tarFileSystem(tar), plainPath(Buffer.from(options.sourceDirectory)), options);
  } finally {
    tar.close();
  }
}

/** Everything below `directory`, in which the source directory lies or which it is. */
export async function takeInventoryOfDirectory(
  directory: string,
  options: InventoryOptions,
): Promise<InputInventory> {
  const root = Buffer.from(path.relative(directory, options.sourceDirectory));
  return await inventoryOf(directoryFileSystem(directory), root, options);
}

/** Digests of the files in the uncompressed tar of a base image, for `InventoryOptions.image`. */
export async function imageContents(file: string, signal?: AbortSignal): Promise<ReadonlySet<Sha256>> {
  const contents = new Set<Sha256>();
  const visitor = { visit: () => undefined, unopened: () => undefined };
  const walk = new ContentWalk<undefined>(visitor, {
    temporaryDirectory: '',
    // archives in it are found again as a whole, and with them what they hold
    limits: { depth: 0 },
    ...(signal === undefined ? {} : { signal }),
  });
  const tar = FileSource.open(file);
  try {
    for await (const entry of tarFileSystem(tar).entries())
      if (entry.kind === 'file')
        await entry.read(async (source) => contents.add(await walk.open(source, '')));
    return contents;
  } finally {
    tar.close();
  }
}

async function inventoryOf(
  fileSystem: FileSystem,
  root: Buffer,
  options: InventoryOptions,
): Promise<InputInventory> {
  const collector = new InventoryCollector();
  const walk = new ContentWalk(collector, options);
  const tree: TreeEntry[] = [];
  const links = new Map<string, Buffer[]>();
  const repositories = new Set<string>();
  const progress = progressOf(options.onProgress, fileSystem.size);
  for await (const entry of fileSystem.entries()) {
    const inTree = pathBelow(entry.path, root);
    const tracked = inTree !== undefined && isTracked(inTree) ? inTree : undefined;
    switch (entry.kind) {
      case 'file': {
        const name = printableBytes(inTree ?? entry.path);
        const place = (digest: Sha256): string =>
          `${inTree !== undefined ? 'source' : options.image?.has(digest) === true ? 'image' : 'fetched'}/${name}`;
        const sha256 = await entry.read(async (source) => await walk.open(source, place));
        collector.files++;
        if (tracked !== undefined)
          tree.push({ ...modeOf(entry.mode), size: entry.size, sha256, path: tracked });
        const repository = /^(.*\/)?\.git\/objects\//.exec(name);
        if (repository !== null)
          repositories.add(`${inTree === undefined ? 'fetched' : 'source'}/${repository[1] ?? ''}`);
        progress(entry.size);
        break;
      }
      case 'symbolic-link':
        if (tracked !== undefined)
          tree.push({
            mode: '120000',
            size: entry.target.length,
            sha256: hash('sha256', entry.target),
            path: tracked,
          });
        break;
      case 'hard-link':
        if (tracked !== undefined) {
          const target = entry.target.toString('latin1');
          links.set(target, [...(links.get(target) ?? []), tracked]);
        }
        break;
      case 'directory':
        break;
      case 'special':
        if (tracked !== undefined)
          throw new FailedHere(
            'unreadable-input',
            `${quotedPath(tracked)} in the source tree is neither a file nor a link`,
          );
        break;
    }
  }
  if (links.size > 0) tree.push(...(await linkedEntries(fileSystem, links)));
  for (const repository of repositories) collector.unopened(`${repository}${UNTRACKED}`, 'git-objects');
  const sorted = tree.toSorted((one, other) => one.path.compare(other.path));
  return collector.finish(digestOfEntries(sorted).sha256);
}

/** A hard link is the file that it names, which may lie anywhere: a second pass, only where there are any. */
async function linkedEntries(
  fileSystem: FileSystem,
  links: ReadonlyMap<string, readonly Buffer[]>,
): Promise<readonly TreeEntry[]> {
  const walk = new ContentWalk<undefined>(
    { visit: () => undefined, unopened: () => undefined },
    { temporaryDirectory: '', limits: { depth: 0 } },
  );
  const found = new Map<string, readonly TreeEntry[]>();
  for await (const entry of fileSystem.entries()) {
    const paths = links.get(entry.path.toString('latin1'));
    if (paths === undefined || entry.kind !== 'file') continue;
    const { mode, size } = entry;
    const sha256 = await entry.read(async (source) => await walk.open(source, ''));
    found.set(
      entry.path.toString('latin1'),
      paths.map((at) => ({ ...modeOf(mode), size, sha256, path: at })),
    );
  }
  for (const [target, paths] of links)
    if (!found.has(target))
      throw new FailedHere(
        'unreadable-input',
        `${paths.map((at) => quotedPath(at)).join(', ')} in the source tree is a link to a file that is not there`,
      );
  return [...found.values()].flat();
}

function modeOf(mode: number): Pick<TreeEntry, 'mode'> {
  return { mode: (mode & 0o100) !== 0 ? '100755' : '100644' };
}

function pathBelow(file: Buffer, root: Buffer): Buffer | undefined {
  if (root.length === 0) return file;
  if (file.length <= root.length + 1 || file[root.length] !== 0x2f) return undefined;
  return file.subarray(0, root.length).equals(root) ? file.subarray(root.length + 1) : undefined;
}

function isTracked(file: Buffer): boolean {
  return !file.includes(UNTRACKED) || !file.toString('latin1').split('/').includes(UNTRACKED);
}

async function writeAll(
  file: string,
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await pipeline(
      chunks,
      createWriteStream(file, { flags: 'wx', mode: 0o600 }),
      signal === undefined ? {} : { signal },
    );
  } catch (cause) {
    if (signal?.aborted === true)
      throw new FailedHere('interrupted', 'interrupted while reading the file system of the build', {
        cause,
      });
    const code = (cause as NodeJS.ErrnoException).code;
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw cause;
    throw new FailedHere('disk-full', 'no space left for the file system of the build', {
      cause,
      hint: 'free some space, or point TMPDIR to a larger file system',
    });
  }
}

const PROGRESS_EVERY = 32 << 20;

function progressOf(onProgress: OnProgress | undefined, total: number | undefined): (bytes: number) => void {
  let done = 0;
  let told = 0;
  return (bytes) => {
    done += bytes;
    if (done - told < PROGRESS_EVERY) return;
    told = done;
    onProgress?.({
      kind: 'phase-progress',
      phase: 'inventory',
      done,
      ...(total === undefined ? {} : { total }),
      unit: 'bytes',
    });
  };
}
