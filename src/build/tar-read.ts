// SPDX-License-Identifier: Apache-2.0
/** One file out of the tar stream that an engine copies out: regular files only, links are refused, the size is bounded. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { Parser, type ReadEntry } from 'tar';
import type { Sha256 } from '../model.js';

export interface TakenFile {
  readonly size: number;
  readonly sha256: Sha256;
}

/** Fed with the chunks of a tar stream that holds one entry. */
export class OneFile {
  readonly #parser: Parser;
  readonly #path: string | undefined;
  readonly #maxBytes: number;
  readonly #keep: boolean;
  readonly #kept: Buffer[] = [];
  #taken: Promise<TakenFile> | undefined;
  #refused: string | undefined;

  /** Without `path` the content is kept in memory, if at all. */
  constructor(path: string | undefined, maxBytes: number, keep: boolean) {
    this.#path = path;
    this.#keep = keep;
    this.#maxBytes = maxBytes;
    this.#parser = new Parser({ strict: true, onReadEntry: (entry) => this.#entry(entry) });
    this.#parser.on('error', () => undefined);
  }

  async push(chunk: Buffer): Promise<void> {
    if (this.#refused !== undefined) return;
    if (!this.#parser.write(chunk))
      await new Promise<void>((resolve) => {
        this.#parser.once('drain', () => resolve());
      });
  }

  /** Why there is none: `refused` names what was there instead. */
  async end(): Promise<TakenFile | { readonly refused: string } | undefined> {
    const closed = new Promise<void>((resolve) => {
      this.#parser.once('end', () => resolve());
      this.#parser.once('error', () => resolve());
    });
    this.#parser.end();
    await closed;
    if (this.#refused !== undefined) return { refused: this.#refused };
    return await this.#taken;
  }

  get text(): string {
    return Buffer.concat(this.#kept).toString('utf8');
  }

  #entry(entry: ReadEntry): void {
    const isFile = entry.type === 'File' || entry.type === 'OldFile';
    if (!isFile || this.#taken !== undefined || entry.size > this.#maxBytes) {
      this.#refused ??= isFile
        ? this.#taken === undefined
          ? `a file of ${entry.size} bytes, at most ${this.#maxBytes}`
          : 'more than one file'
        : `a ${entry.type}`;
      entry.resume();
      return;
    }
    this.#taken = this.#take(entry);
    // the rest must flow on, else whoever writes the stream waits for ever
    this.#taken.catch(() => entry.resume());
  }

  async #take(entry: ReadEntry): Promise<TakenFile> {
    const hash = createHash('sha256');
    const file = this.#path === undefined ? undefined : createWriteStream(this.#path, { flags: 'wx' });
    const written = file === undefined ? undefined : once(file, 'finish');
    written?.catch(() => undefined);
    let size = 0;
    for await (const chunk of entry) {
      hash.update(chunk);
      size += chunk.length;
      if (file === undefined) {
        if (this.#keep) this.#kept.push(Buffer.from(chunk));
      } else if (!file.write(chunk)) await Promise.race([once(file, 'drain'), written]);
    }
    file?.end();
    await written;
    if (size !== entry.size) throw new Error(`a file of ${entry.size} bytes came with ${size}`);
    return { size, sha256: hash.digest('hex') };
  }
}
