// SPDX-License-Identifier: Apache-2.0
/** The tree of a prepared image as a tar in another order, and that what was made of it is the same tree. */
import { createWriteStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { FileSource } from '../bytes.js';
import { FailedHere } from '../errors.js';
import { throwIfAborted } from './engine-failure.js';
import type { PreparedState } from './prepared-container.js';
import { runLabel } from './run-names.js';
import { treeMembers, type TreeMember } from './tree-members.js';
import { firstDifference, shuffled, tarOf, treeRecord, type TreeRecord } from './tree-order.js';

export interface TreeCopy {
  /** The tar in another order. */
  readonly file: string;
  readonly record: TreeRecord;
  /** That a tmpfs takes for it. */
  readonly mebibytes: number;
}

const PAGE = 4096;
/** Of the kernel, for one file. */
const INODE = 1024;

/** Out of an export: copied out, the files have not with every engine the owner that they have. @throws FailedHere */
export async function copyTree(
  { engine, request: { run, directory }, leftovers, image }: PreparedState,
  tree: string,
  signal: AbortSignal | undefined,
): Promise<TreeCopy> {
  const exported = path.join(directory, 'tree-exported.tar');
  const file = path.join(directory, 'tree-ordered.tar');
  const name = leftovers.container(`samesource-${run}-tree-export`);
  try {
    throwIfAborted(signal, 'before the tree was copied');
    await engine.checked(['create', '--name', name, ...runLabel(run), '--entrypoint', 'sh', image]);
    await written(exported, engine.exportContainer(name, directory, signal));
    return await withFile(exported, async (source) => {
      const members = treeMembers(source, tree.slice(1));
      const record = await treeRecord(source, members, engine.description.copyOutOwners);
      await written(file, tarOf(source, shuffled(members)));
      return { file, record, mebibytes: memoryOf(members) };
    });
  } catch (error) {
    // half of it on a full disk would be in the way of the build that is made without it
    await rm(file, { force: true });
    throw error;
  } finally {
    await rm(exported, { force: true });
    await leftovers.removeContainer(name);
  }
}

/** What an engine or a kernel does not keep must not look like something that the order changed. @throws FailedHere */
export async function assertSameTree(
  { engine, request: { directory } }: PreparedState,
  container: string,
  tree: string,
  { record }: TreeCopy,
  signal: AbortSignal | undefined,
): Promise<void> {
  const file = path.join(directory, 'tree-back.tar');
  try {
    const back = await open(file, 'w');
    try {
      await engine.copyTarOut(container, tree, (chunk) => diskChecked(back.appendFile(chunk)), signal);
    } finally {
      await back.close();
    }
    await withFile(file, async (source) => {
      const members = treeMembers(source, path.posix.basename(tree));
      const found = await treeRecord(source, members, engine.description.copyOutOwners);
      const other = firstDifference(record, found);
      if (other === undefined) return;
      const shown = JSON.stringify(Buffer.from(other, 'latin1').toString());
      throw new FailedHere('engine-died', `${engine.kind} copied the tree otherwise than it is: ${shown}`);
    });
  } finally {
    await rm(file, { force: true });
  }
}

function memoryOf(members: readonly TreeMember[]): number {
  const bytes = members.reduce((sum, { data }) => sum + Math.ceil(data.size / PAGE) * PAGE + INODE, 0);
  return Math.ceil(bytes / 2 ** 20);
}

async function withFile<T>(file: string, use: (source: FileSource) => Promise<T>): Promise<T> {
  const source = FileSource.open(file);
  try {
    return await use(source);
  } finally {
    source.close();
  }
}

const written = (file: string, chunks: AsyncIterable<Uint8Array>): Promise<void> =>
  diskChecked(pipeline(chunks, createWriteStream(file)));

async function diskChecked(writing: Promise<void>): Promise<void> {
  try {
    await writing;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    throw new FailedHere('disk-full', 'the disk is full where the tree of the image is copied to', {
      cause: error,
    });
  }
}
