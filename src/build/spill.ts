// SPDX-License-Identifier: Apache-2.0
/** Decoded content on its way to a reader: in memory while it is small, in a file of a temporary directory beyond that. */
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { BufferSource, FileSource, type ByteSource } from '../bytes.js';
import { FailedHere } from '../errors.js';

/** Of these there is one for each level that archives are nested in. */
export const HELD = 4 << 20;

export interface Spilled {
  readonly source: ByteSource;
  /** Removes the file, if there is one. */
  close(): void;
}

export class Spill {
  readonly #directory: string;
  readonly #chunks: Buffer[] = [];
  #held = 0;
  #file: { readonly path: string; readonly fd: number } | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** @throws FailedHere `disk-full` */
  push(chunk: Buffer): void {
    if (this.#file === undefined && this.#held + chunk.length <= HELD) {
      // a decoder may use its buffer again
      this.#chunks.push(Buffer.from(chunk));
      this.#held += chunk.length;
      return;
    }
    if (this.#file === undefined) {
      const file = path.join(this.#directory, `spill-${randomBytes(8).toString('hex')}`);
      this.#file = { path: file, fd: openSync(file, 'wx', 0o600) };
      for (const held of this.#chunks.splice(0)) this.#write(held);
    }
    this.#write(chunk);
  }

  finish(): Spilled {
    if (this.#file === undefined)
      return { source: new BufferSource(Buffer.concat(this.#chunks)), close: () => undefined };
    closeSync(this.#file.fd);
    const { path: file } = this.#file;
    this.#file = undefined;
    const source = FileSource.open(file);
    return {
      source,
      close: () => {
        source.close();
        rmSync(file, { force: true });
      },
    };
  }

  /** Instead of `finish`: nothing is left. */
  drop(): void {
    this.#chunks.length = 0;
    if (this.#file === undefined) return;
    closeSync(this.#file.fd);
    rmSync(this.#file.path, { force: true });
    this.#file = undefined;
  }

  #write(chunk: Buffer): void {
    if (this.#file === undefined) return;
    try {
      for (let done = 0; done < chunk.length;)
        done += writeSync(this.#file.fd, chunk, done, chunk.length - done);
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code;
      if (code !== 'ENOSPC' && code !== 'EDQUOT') throw cause;
      throw new FailedHere('disk-full', 'no space left for looking into the inputs of the build', {
        cause,
        hint: 'free some space, or point TMPDIR to a larger file system',
      });
    }
  }
}
