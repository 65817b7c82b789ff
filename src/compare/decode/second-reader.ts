// SPDX-License-Identifier: Apache-2.0
/** The second opinion on a published ZIP: another reader that may only disagree with ours, never accept. */
import * as nodeFs from 'node:fs';
import StreamZip from 'node-stream-zip';
import type { ZipStructure } from '../../formats/zip.js';
import { printable } from '../../printable.js';

/** Of one file; an archive is read to its end in far fewer. */
const MAX_READS = 2_000_000;
/** The other reader's own time; ours has read the same bytes already. */
const MAX_SECONDS = 60;

/** What the other reader sees otherwise, in one line; `undefined` when both see the same entries in the same order. */
export async function secondReaderDisagrees(path: string, zip: ZipStructure): Promise<string | undefined> {
  const guard = new Guard();
  // one archive at a time: the library has one file system for all of its readers
  const before = turn;
  let done = (): void => undefined;
  turn = new Promise((resolve) => (done = resolve));
  await before;
  try {
    library.setFs(guard.fs);
    return await listing(path, zip, guard);
  } finally {
    library.setFs(nodeFs);
    done();
  }
}

/** Its types leave this out. */
const library = StreamZip as unknown as { readonly setFs: (fs: typeof nodeFs) => void };

let turn: Promise<void> = Promise.resolve();

async function listing(path: string, zip: ZipStructure, guard: Guard): Promise<string | undefined> {
  const entries = zip.entries;
  let timer: NodeJS.Timeout | undefined;
  let other: StreamZip | undefined;
  try {
    return await new Promise<string | undefined>((resolve) => {
      guard.onFailure = (what) => resolve(`it fails: ${printable(what)}`);
      timer = setTimeout(() => resolve(`it does not end within ${MAX_SECONDS} s`), MAX_SECONDS * 1000);
      // by event and not by its map, which loses duplicate names and `__proto__`
      other = new StreamZip({ file: path, storeEntries: false, skipEntryNameValidation: true });
      let seen = 0;
      let disagreement: string | undefined;
      other.on('entry', (theirs) => {
        const ours = entries[seen++];
        if (ours === undefined || disagreement !== undefined) return;
        const facts: readonly (readonly [string, unknown, unknown])[] = [
          ['name', theirs.name, ours.rawName.toString('utf8')],
          ['size', theirs.size, ours.size],
          ['compressed size', theirs.compressedSize, ours.compressedSize],
          ['crc32', theirs.crc, ours.crc32],
          ['method', theirs.method, ours.method],
          ['flags', theirs.flags, ours.flags],
          ['offset', theirs.offset, ours.localOffset],
        ];
        for (const [what, their, our] of facts)
          if (their !== our) {
            disagreement = `${what} of entry ${seen - 1}: ${printable(String(their))} against ${printable(String(our))}`;
            return;
          }
      });
      other.on('error', (error: unknown) =>
        resolve(`it refuses the file: ${printable(error instanceof Error ? error.message : String(error))}`),
      );
      other.on('ready', () => {
        if (disagreement === undefined && seen !== entries.length)
          disagreement = `${seen} entries against ${entries.length}`;
        resolve(disagreement);
      });
    });
  } finally {
    clearTimeout(timer);
    guard.stop();
    other?.close();
  }
}

type ReadCallback = (error: NodeJS.ErrnoException | null, bytes: number, buffer: Buffer) => void;

/**
 * The library parses in callbacks of the file system, where what it throws would end the process, and a hostile file
 * could keep it reading: it gets a file system that catches the one and counts the other.
 */
class Guard {
  onFailure: (what: string) => void = () => undefined;
  #reads = 0;
  #stopped = false;

  stop(): void {
    this.#stopped = true;
  }

  get fs(): typeof nodeFs {
    const caught =
      <A extends readonly unknown[]>(callback: (...args: A) => void) =>
      (...args: A): void => {
        if (this.#stopped) return;
        try {
          callback(...args);
        } catch (error) {
          this.#fail(error instanceof Error ? error.message : String(error));
        }
      };
    const read = (
      fd: number,
      buffer: Buffer,
      offset: number,
      length: number,
      position: number,
      callback: ReadCallback,
    ): void => {
      if (this.#stopped) return;
      if (++this.#reads > MAX_READS) return this.#fail(`more than ${MAX_READS} reads`);
      nodeFs.read(fd, buffer, offset, length, position, caught(callback));
    };
    const open = (
      file: string,
      flags: string,
      callback: (error: NodeJS.ErrnoException | null, fd: number) => void,
    ): void =>
      nodeFs.open(file, flags, (error, fd) => {
        if (this.#stopped && error === null) nodeFs.close(fd);
        else caught(callback)(error, fd);
      });
    const fstat = (
      fd: number,
      callback: (error: NodeJS.ErrnoException | null, stats: nodeFs.Stats) => void,
    ): void => nodeFs.fstat(fd, caught(callback));
    return Object.assign({}, nodeFs, { read, open, fstat });
  }

  #fail(what: string): void {
    this.#stopped = true;
    this.onFailure(what);
  }
}
