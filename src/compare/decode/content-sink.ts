// SPDX-License-Identifier: Apache-2.0
/** Where decoded content goes while it arrives: memory up to a bound, a temporary file beyond it. */
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { BufferSource, FileSource, type ByteSource } from '../../bytes.js';
import { FailedHere } from '../../errors.js';
import { HELD_BYTES, type Walk } from '../walk.js';

/** `finish` it or not, `close` it in any case: the content is gone then. */
export class ContentSink {
  readonly #walk: Walk;
  #held: Buffer[] = [];
  #size = 0;
  #path: string | undefined;
  #fd: number | undefined;
  #file: FileSource | undefined;

  constructor(walk: Walk) {
    this.#walk = walk;
  }

  get size(): number {
    return this.#size;
  }

  /** @throws FailedHere `disk-full` */
  push(chunk: Buffer): void {
    this.#walk.checkAborted();
    this.#size += chunk.length;
    if (this.#fd === undefined && this.#size <= HELD_BYTES) {
      this.#held.push(Buffer.from(chunk));
      return;
    }
    if (this.#fd === undefined) {
      this.#path = this.#walk.spillPath();
      this.#fd = openSync(this.#path, 'wx');
      for (const before of this.#held) this.#write(before);
      this.#held = [];
    }
    this.#write(chunk);
  }

  finish(): ByteSource {
    if (this.#fd === undefined || this.#path === undefined)
      return new BufferSource(Buffer.concat(this.#held));
    closeSync(this.#fd);
    this.#fd = undefined;
    this.#file = FileSource.open(this.#path);
    return this.#file;
  }

  close(): void {
    this.#held = [];
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#file?.close();
    if (this.#path !== undefined) unlinkSync(this.#path);
    this.#path = undefined;
  }

  #write(chunk: Buffer): void {
    try {
      for (let done = 0; done < chunk.length;)
        done += writeSync(this.#fd as number, chunk, done, chunk.length - done);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOSPC') throw cause;
      throw new FailedHere('disk-full', `no space for decoded content in the temporary directory`, {
        cause,
        hint: 'free some space, or set TMPDIR to a directory on a larger disk',
      });
    }
  }
}
