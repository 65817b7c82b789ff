// SPDX-License-Identifier: Apache-2.0
/**
 * One file out of the tar stream that an engine copies out: a regular file of the name that was asked for (an engine that
 * followed a link gives the name of its target), of a bounded size.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { Parser, type ReadEntry } from 'tar';
import { firstOf } from '../process.js';
import type { Sha256 } from '../model.js';

export interface TakenFile {
  readonly size: number;
  readonly sha256: Sha256;
}

export interface OneFileOptions {
  /** Where it goes; without, its content is kept in memory. */
  readonly file?: string;
  /** False: only its size and digest are wanted. */
  readonly keep?: boolean;
  readonly maxBytes: number;
}

/** Fed with the chunks of a tar stream that holds one entry. */
export class OneFile {
  readonly #parser: Parser;
  readonly #name: string;
  readonly #options: OneFileOptions;
  readonly #kept: Buffer[] = [];
  #taken: Promise<TakenFile> | undefined;
  #refused: string | undefined;
  #error: Error | undefined;

  constructor(name: string, options: OneFileOptions) {
    this.#name = name;
    this.#options = options;
    this.#parser = new Parser({ strict: true, onReadEntry: (entry) => this.#entry(entry) });
    this.#parser.on('error', (error: unknown) => {
      this.#error ??= error instanceof Error ? error : new Error(String(error));
    });
  }

  async push(chunk: Buffer): Promise<void> {
    if (this.#refused !== undefined || this.#error !== undefined) return;
    if (this.#parser.write(chunk)) return;
    // a parser that gave up says "not now" for ever
    if (!this.#gaveUp()) await firstOf(this.#parser, 'drain', 'error');
  }

  /** A write can end in an error that the parser tells at once. */
  #gaveUp(): boolean {
    return this.#error !== undefined;
  }

  /** Why there is none: `refused` names what was there instead. Throws for what is no tar stream. */
  async end(): Promise<TakenFile | { readonly refused: string } | undefined> {
    if (this.#error === undefined && this.#refused === undefined) {
      const closed = new Promise<void>((resolve) => {
        this.#parser.once('end', () => resolve());
        this.#parser.once('error', () => resolve());
      });
      this.#parser.end();
      await closed;
    }
    if (this.#refused !== undefined) return { refused: this.#refused };
    if (this.#error !== undefined) throw this.#error;
    return await this.#taken;
  }

  get text(): string {
    return Buffer.concat(this.#kept).toString('utf8');
  }

  #entry(entry: ReadEntry): void {
    const refused = this.#whyNot(entry);
    if (refused !== undefined) {
      this.#refused ??= refused;
      entry.resume();
      return;
    }
    this.#taken = this.#take(entry);
    // the rest must flow on, else whoever writes the stream waits for ever
    this.#taken.catch(() => entry.resume());
  }

  #whyNot({ type, path, size }: ReadEntry): string | undefined {
    const { maxBytes } = this.#options;
    if (type !== 'File' && type !== 'OldFile') return `a ${type}`;
    if (this.#taken !== undefined) return 'more than one file';
    if (path !== this.#name) return `a link to ${JSON.stringify(path)}`;
    return size > maxBytes ? `a file of ${size} bytes, at most ${maxBytes}` : undefined;
  }

  async #take(entry: ReadEntry): Promise<TakenFile> {
    const hash = createHash('sha256');
    const { file: to, keep } = this.#options;
    const file = to === undefined ? undefined : createWriteStream(to, { flags: 'wx' });
    const written = file === undefined ? undefined : once(file, 'finish');
    written?.catch(() => undefined);
    let size = 0;
    for await (const chunk of entry) {
      hash.update(chunk);
      size += chunk.length;
      if (file === undefined) {
        if (keep !== false) this.#kept.push(Buffer.from(chunk));
      } else if (!file.write(chunk)) await Promise.race([once(file, 'drain'), written]);
    }
    file?.end();
    await written;
    if (size !== entry.size) throw new Error(`a file of ${entry.size} bytes came with ${size}`);
    return { size, sha256: hash.digest('hex') };
  }
}
