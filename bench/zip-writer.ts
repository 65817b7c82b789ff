// SPDX-License-Identifier: Apache-2.0
/** Writes an archive of any size straight to a file, entry by entry: plain headers, no ZIP64, data given as they are stored. */
import { closeSync, openSync, writeSync } from 'node:fs';

export interface StoredEntry {
  readonly name: string;
  readonly method: 0 | 8;
  readonly crc32: number;
  /** Decoded. */
  readonly size: number;
  /** As they lie in the archive. */
  readonly raw: Buffer;
}

const VERSION = 20;
const UTF8 = 0x0800;
const DATE = 0x0221;

export class ZipWriter {
  readonly #fd: number;
  readonly #directory: Buffer[] = [];
  #offset = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'wx');
  }

  get size(): number {
    return this.#offset;
  }

  add(entry: StoredEntry): void {
    const local = this.#offset;
    const name = Buffer.from(entry.name);
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50, 0);
    describe(header, 4, entry, entry.raw.length, name.length);
    this.#write(header, name, entry.raw);
    this.#record(entry, entry.raw.length, name, local);
  }

  /** An entry whose stored bytes come in pieces; CRC and sizes are known when the last one has been taken. */
  async stream(
    name: string,
    method: 0 | 8,
    pieces: AsyncIterable<Buffer>,
    facts: () => { readonly crc32: number; readonly size: number },
  ): Promise<void> {
    const local = this.#offset;
    const bytes = Buffer.from(name);
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50, 0);
    this.#write(header, bytes);
    let stored = 0;
    for await (const piece of pieces) {
      stored += piece.length;
      this.#write(piece);
    }
    const entry = { name, method, ...facts() };
    describe(header, 4, entry, stored, bytes.length);
    writeSync(this.#fd, header, 0, header.length, local);
    this.#record(entry, stored, bytes, local);
  }

  finish(): void {
    const start = this.#offset;
    const directory = Buffer.concat(this.#directory);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(this.#directory.length, 8);
    end.writeUInt16LE(this.#directory.length, 10);
    end.writeUInt32LE(directory.length, 12);
    end.writeUInt32LE(start, 16);
    this.#write(directory, end);
    closeSync(this.#fd);
  }

  #record(entry: Omit<StoredEntry, 'raw'>, stored: number, name: Buffer, local: number): void {
    const record = Buffer.alloc(46);
    record.writeUInt32LE(0x02014b50, 0);
    record.writeUInt16LE(VERSION, 4);
    describe(record, 6, entry, stored, name.length);
    record.writeUInt32LE(local, 42);
    this.#directory.push(Buffer.concat([record, name]));
  }

  #write(...parts: readonly Buffer[]): void {
    for (const part of parts) {
      for (let done = 0; done < part.length;)
        done += writeSync(this.#fd, part, done, part.length - done, this.#offset + done);
      this.#offset += part.length;
    }
  }
}

/** The fields that local header and directory record share, in the same order. */
function describe(
  target: Buffer,
  at: number,
  entry: Omit<StoredEntry, 'raw' | 'name'>,
  stored: number,
  nameLength: number,
): void {
  target.writeUInt16LE(VERSION, at);
  target.writeUInt16LE(UTF8, at + 2);
  target.writeUInt16LE(entry.method, at + 4);
  target.writeUInt16LE(0, at + 6);
  target.writeUInt16LE(DATE, at + 8);
  target.writeUInt32LE(entry.crc32, at + 10);
  target.writeUInt32LE(stored, at + 14);
  target.writeUInt32LE(entry.size, at + 18);
  target.writeUInt16LE(nameLength, at + 22);
}
