// SPDX-License-Identifier: Apache-2.0
/** All files of a directory out of the tar stream that an engine copies out, each put at its path below a directory of ours. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import type { ReadEntry } from 'tar';
import type { TreeBounds, TreeFile } from './file-tree.js';
import { takeEntry } from './tar-read.js';
import { TarStream } from './tar-stream.js';

const WORDS: Readonly<Record<string, string>> = { SymbolicLink: 'a link', Link: 'a second name of a file' };

/** Fed with the chunks of a tar stream; `name` is what the directory is called in it. */
export class TreeReader {
  readonly #stream: TarStream;
  readonly #name: string;
  readonly #into: string;
  readonly #bounds: TreeBounds;
  readonly #files: Promise<TreeFile>[] = [];
  readonly #members = new Set<string>();
  #refused: string | undefined;
  #error: unknown;

  constructor(name: string, into: string, bounds: TreeBounds) {
    this.#name = name;
    this.#into = into;
    this.#bounds = bounds;
    this.#stream = new TarStream((entry) => this.#entry(entry));
  }

  async push(chunk: Buffer): Promise<void> {
    if (this.#refused === undefined && this.#error === undefined) await this.#stream.push(chunk);
  }

  /**
   * `refused` names what was there instead of a directory. Throws for what is no tar stream.
   * @throws FailedHere `output-refused` for what the directory may not hold
   */
  async end(): Promise<readonly TreeFile[] | { readonly refused: string }> {
    if (this.#refused === undefined && this.#error === undefined) await this.#stream.end();
    if (this.#error !== undefined) throw this.#error;
    if (this.#refused !== undefined) return { refused: this.#refused };
    return await Promise.all(this.#files);
  }

  #entry(entry: ReadEntry): void {
    try {
      const member = this.#memberOf(entry);
      if (member !== undefined) {
        const taken = this.#take(entry, member);
        this.#files.push(taken);
        taken.catch((error: unknown) => {
          this.#error ??= error;
          // the rest must flow on, else whoever writes the stream waits for ever
          entry.resume();
        });
        return;
      }
    } catch (error) {
      this.#error ??= error;
    }
    entry.resume();
  }

  /** Of a file that is to be taken; a directory says nothing beyond its name. */
  #memberOf({ path: full, type, size }: ReadEntry): string | undefined {
    const name = full.replace(/\/+$/, '');
    const isDirectory = type === 'Directory';
    if (name === this.#name) {
      if (!isDirectory) this.#refused ??= `a ${type}`;
      return undefined;
    }
    if (!name.startsWith(`${this.#name}/`)) {
      this.#refused ??= `a link to ${JSON.stringify(full.slice(0, 200))}`;
      return undefined;
    }
    const member = name.slice(this.#name.length + 1);
    if (isDirectory) {
      this.#bounds.admitName(member);
      return undefined;
    }
    if (type !== 'File' && type !== 'OldFile') this.#bounds.refuse(member, WORDS[type] ?? `a ${type}`);
    if (this.#members.has(member)) this.#bounds.refuse(member, 'two files');
    this.#members.add(member);
    this.#bounds.admit(member, size);
    return member;
  }

  async #take(entry: ReadEntry, member: string): Promise<TreeFile> {
    const to = path.join(this.#into, member);
    await fs.mkdir(path.dirname(to), { recursive: true });
    return { member, path: to, ...(await takeEntry(entry, to)) };
  }
}
