// SPDX-License-Identifier: Apache-2.0
/**
 * One file out of the tar stream that an engine copies out: a regular file of the name that was asked for (an engine that
 * followed a link gives the name of its target), of a bounded size.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import type { ReadEntry } from 'tar';
import type { Sha256 } from '../model.js';
import { TarStream } from './tar-stream.js';

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
  readonly #stream: TarStream;
  readonly #name: string;
  readonly #options: OneFileOptions;
  readonly #kept: Buffer[] = [];
  #taken: Promise<TakenFile> | undefined;
  #refused: string | undefined;

  constructor(name: string, options: OneFileOptions) {
    this.#name = name;
    this.#options = options;
    this.#stream = new TarStream((entry) => this.#entry(entry));
  }

  async push(chunk: Buffer): Promise<void> {
    if (this.#refused === undefined) await this.#stream.push(chunk);
  }

  /** Why there is none: `refused` names what was there instead. Throws for what is no tar stream. */
  async end(): Promise<TakenFile | { readonly refused: string } | undefined> {
    if (this.#refused === undefined) await this.#stream.end();
    return this.#refused === undefined ? await this.#taken : { refused: this.#refused };
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
    const { file, keep } = this.#options;
    this.#taken = takeEntry(entry, file, file === undefined && keep !== false ? this.#kept : undefined);
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
}

/** Its content goes to `file`, which must not be there, or is added to `kept`. */
export async function takeEntry(
  entry: ReadEntry,
  to: string | undefined,
  kept?: Buffer[],
): Promise<TakenFile> {
  const hash = createHash('sha256');
  const file = to === undefined ? undefined : createWriteStream(to, { flags: 'wx' });
  const written = file === undefined ? undefined : once(file, 'finish');
  written?.catch(() => undefined);
  let size = 0;
  for await (const chunk of entry) {
    hash.update(chunk);
    size += chunk.length;
    if (file === undefined) kept?.push(Buffer.from(chunk));
    else if (!file.write(chunk)) await Promise.race([once(file, 'drain'), written]);
  }
  file?.end();
  await written;
  if (size !== entry.size) throw new Error(`a file of ${entry.size} bytes came with ${size}`);
  return { size, sha256: hash.digest('hex') };
}
