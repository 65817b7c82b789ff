// SPDX-License-Identifier: Apache-2.0
/** The second opinion on a published ZIP: another reader that may only disagree with ours, never accept. */
import * as nodeFs from 'node:fs';
import StreamZip from 'node-stream-zip';
import type { ByteSource } from '../../bytes.js';
import type { ZipStructure } from '../../formats/zip.js';
import { printable } from '../../printable.js';

/** Of one archive; it is read to its end in far fewer. */
const MAX_READS = 2_000_000;
/** The other reader's own time; ours has read the same bytes already. */
const MAX_SECONDS = 60;

/** What the other reader sees otherwise, in one line; `undefined` when both see the same entries in the same order. */
export async function secondReaderDisagrees(
  source: ByteSource,
  zip: ZipStructure,
): Promise<string | undefined> {
  const guard = new Guard(source);
  // one archive at a time: the library has one file system for all of its readers
  const before = turn;
  let done = (): void => undefined;
  turn = new Promise((resolve) => (done = resolve));
  await before;
  try {
    library.setFs(guard.fs);
    return await listing(zip, guard);
  } finally {
    library.setFs(nodeFs);
    done();
  }
}

/** Its types leave this out. */
const library = StreamZip as unknown as { readonly setFs: (fs: typeof nodeFs) => void };

let turn: Promise<void> = Promise.resolve();

async function listing(zip: ZipStructure, guard: Guard): Promise<string | undefined> {
  const entries = zip.entries;
  let timer: NodeJS.Timeout | undefined;
  let other: StreamZip | undefined;
  try {
    return await new Promise<string | undefined>((resolve, reject) => {
      guard.onFailure = (what) => resolve(`it fails: ${printable(what)}`);
      guard.onUnreadable = reject;
      timer = setTimeout(() => resolve(`it does not end within ${MAX_SECONDS} s`), MAX_SECONDS * 1000);
      // by event and not by its map, which loses duplicate names and `__proto__`
      other = new StreamZip({ file: NAME, storeEntries: false, skipEntryNameValidation: true });
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

/** The library opens one file, which is the source whatever it is called. */
const NAME = 'archive';
/** Of no file of this process, should it ever be closed as one. */
const DESCRIPTOR = 0x7fffffff;

type Callback<A extends readonly unknown[]> = (error: NodeJS.ErrnoException | null, ...args: A) => void;

/**
 * The library parses in callbacks of the file system, where what it throws would end the process, and a hostile file
 * could keep it reading: it gets a file system that catches the one, counts the other, and has the source in it.
 */
class Guard {
  onFailure: (what: string) => void = () => undefined;
  /** The source itself could not be read: nobody's archive is to blame. */
  onUnreadable: (error: unknown) => void = () => undefined;
  readonly #source: ByteSource;
  #reads = 0;
  #stopped = false;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  stop(): void {
    this.#stopped = true;
  }

  get fs(): typeof nodeFs {
    const later = <A extends readonly unknown[]>(callback: Callback<A>, ...args: A): void =>
      void setImmediate(() => {
        if (this.#stopped) return;
        try {
          callback(null, ...args);
        } catch (error) {
          this.#fail(error instanceof Error ? error.message : String(error));
        }
      });
    const read = (
      _fd: number,
      buffer: Buffer,
      at: number,
      length: number,
      position: number,
      callback: Callback<[bytes: number, buffer: Buffer]>,
    ): void => {
      if (this.#stopped) return;
      if (++this.#reads > MAX_READS) return this.#fail(`more than ${MAX_READS} reads`);
      later(callback, this.#read(buffer, at, length, position), buffer);
    };
    const { size } = this.#source;
    return Object.assign({}, nodeFs, {
      read,
      open: (_file: string, _flags: string, callback: Callback<[fd: number]>) => later(callback, DESCRIPTOR),
      fstat: (_fd: number, callback: Callback<[stats: { readonly size: number }]>) =>
        later(callback, { size }),
      close: (_fd: number, callback: Callback<[]>) => void setImmediate(callback, null),
    });
  }

  /** As a file system does it: fewer bytes at the end, none behind it. */
  #read(buffer: Buffer, at: number, length: number, position: number): number {
    const { size } = this.#source;
    const count = Number.isSafeInteger(position) && position >= 0 ? Math.min(length, size - position) : 0;
    if (count <= 0) return 0;
    try {
      return this.#source.read(position, count).copy(buffer, at);
    } catch (error) {
      this.#stopped = true;
      this.onUnreadable(error);
      return 0;
    }
  }

  #fail(what: string): void {
    this.#stopped = true;
    this.onFailure(what);
  }
}
