// SPDX-License-Identifier: Apache-2.0
/** Where in a log a file stands. A log has no index: all entries are read, from the newest on, until one fits. */
import { createReadStream } from 'node:fs';
import { FailedHere, FormatError } from '../../errors.js';
import { subtreeHash, TILE_WIDTH, tileWidth } from '../../formats/log-tiles.js';
import { GrowingTree, leafHash } from '../../formats/merkle-tree.js';
import type { OnProgress, Sha256 } from '../../model.js';
import type { LogFiles } from './log-files.js';

export interface LoggedFile {
  readonly sha256: Sha256;
  readonly package: string;
  readonly versionCode: string;
}

export interface Found {
  readonly index: number;
  readonly entry: Buffer;
}

export interface SearchResult {
  readonly found?: Found;
  /** Entries for the same package and version with other files. */
  readonly otherFiles: number;
  /** Entries for the same package at all. */
  readonly samePackage: number;
  /** What the entries that were read add up to; nothing where one was missing. */
  readonly root?: Buffer;
}

/** Seven times what Google's log had in its first half year. */
const MAX_ENTRIES = 2 ** 24;
const AT_ONCE = 16;
const MAX_LINE = 4096;

export const entryOf = (file: LoggedFile): Buffer =>
  Buffer.from(`${file.sha256}\nSHA256(APK)\n${file.package}\n${file.versionCode}\n`);

class Search {
  readonly #wanted: LoggedFile;
  readonly #entry: Buffer;
  found: Found | undefined;
  /** The file under another name: only if no entry has it under its own. */
  #otherwise: Found | undefined;
  otherFiles = 0;
  samePackage = 0;

  constructor(wanted: LoggedFile) {
    this.#wanted = wanted;
    this.#entry = entryOf(wanted);
  }

  look(index: number, entry: Buffer): void {
    // a log holds texts of others: compared, never used as names
    const [hash, , name, code] = entry.toString('latin1').split('\n', 4);
    const { sha256, package: wanted, versionCode } = this.#wanted;
    if (entry.equals(this.#entry)) this.found ??= { index, entry };
    else if (hash === sha256) this.#otherwise ??= { index, entry };
    if (name !== wanted) return;
    this.samePackage++;
    if (code === versionCode && hash !== sha256) this.otherFiles++;
  }

  result(root?: Buffer): SearchResult {
    const { found = this.#otherwise, otherFiles, samePackage } = this;
    return {
      otherFiles,
      samePackage,
      ...(found === undefined ? {} : { found }),
      ...(root === undefined ? {} : { root }),
    };
  }
}

function assertReadable(size: number): void {
  if (size > MAX_ENTRIES)
    throw new FailedHere(
      'unreadable-input',
      `the log has ${size} entries, more than the ${MAX_ENTRIES} that are searched`,
    );
}

/** @throws FormatError `log-tile/bundle-…` */
export async function searchBundles(
  files: LogFiles,
  size: number,
  wanted: LoggedFile,
  onProgress?: OnProgress,
): Promise<SearchResult> {
  assertReadable(size);
  const search = new Search(wanted);
  const bundles = Math.ceil(size / TILE_WIDTH);
  const full: Buffer[] = [];
  let partial: readonly Buffer[] = [];
  for (let end = bundles; end > 0; end -= AT_ONCE) {
    const begin = Math.max(0, end - AT_ONCE);
    const numbers = Array.from({ length: end - begin }, (_, i) => begin + i);
    const read = await Promise.all(
      numbers.map(async (index) => await files.bundle(index, tileWidth(0, index, size))),
    );
    for (const [i, entries] of [...read.entries()].reverse()) {
      const index = begin + i;
      entries.forEach((entry, at) => search.look(index * TILE_WIDTH + at, entry));
      const hashes = entries.map(leafHash);
      if (entries.length === TILE_WIDTH) full[index] = subtreeHash(hashes);
      else partial = hashes;
    }
    onProgress?.({
      kind: 'phase-progress',
      phase: 'log',
      done: size - begin * TILE_WIDTH,
      total: size,
      unit: 'entries',
    });
    if (search.found !== undefined) return search.result();
  }
  const tree = new GrowingTree();
  for (const hash of full) tree.add(hash, 8);
  for (const hash of partial) tree.add(hash);
  return search.result(tree.root());
}

/**
 * Records are a number, the lines of the entry, and an empty line.
 * @throws FormatError `log-listing/…`
 */
export async function searchListing(
  files: LogFiles,
  names: readonly string[],
  size: number,
  wanted: LoggedFile,
): Promise<SearchResult> {
  assertReadable(size);
  const search = new Search(wanted);
  const tree = new GrowingTree();
  let inOrder = true;
  let there = 0;
  for (const name of names) {
    const { kind } = await files.listing(name, async (file) => {
      for await (const { index, entry } of recordsOf(file)) {
        // a listing is written apart from the checkpoint and may be ahead of it
        if (index >= size) continue;
        search.look(index, entry);
        if (index === tree.size) tree.add(leafHash(entry));
        else inOrder = false;
      }
    });
    if (kind === 'done') there++;
    if (search.found !== undefined) return search.result();
  }
  if (there === 0)
    throw new FailedHere(
      'mirror-incomplete',
      `the log does not have its list of entries (${names.join(', ')})`,
    );
  return search.result(inOrder && tree.size === size ? tree.root() : undefined);
}

async function* recordsOf(file: string): AsyncGenerator<Found> {
  let record: string[] = [];
  let offset = 0;
  const done = (): Found | undefined => {
    const [digits = '', ...lines] = record;
    record = [];
    if (digits === '' && lines.length === 0) return undefined;
    const index = /^\d{1,15}$/.test(digits) ? Number(digits) : -1;
    if (index < 0 || lines.length === 0)
      throw new FormatError('log-listing', 'record', offset, 'expected a number and the lines of an entry');
    return { index, entry: Buffer.from(`${lines.join('\n')}\n`, 'latin1') };
  };
  for await (const line of linesOf(file)) {
    if (line !== '') record.push(line);
    const complete = line === '' || record.length > 100 ? done() : undefined;
    if (complete !== undefined) yield complete;
    offset += line.length + 1;
  }
  const last = done();
  if (last !== undefined) yield last;
}

async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of createReadStream(file, { encoding: 'latin1', highWaterMark: 1 << 20 })) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE) throw new FormatError('log-listing', 'line', 0, `a line beyond ${MAX_LINE}`);
    yield* lines;
  }
  if (rest !== '') yield rest;
}
