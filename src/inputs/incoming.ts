// SPDX-License-Identifier: Apache-2.0
/** Bytes on their way into the cache: they get a place there when they are whole, under their own SHA-256 and no other. */
import { createHash, randomBytes } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import type { Sha256 } from '../model.js';
import { sweepParts } from './atomic-file.js';
import { slot } from './cache.js';

export class Incoming {
  readonly #cache: string;
  readonly #part: string;
  readonly #handle: fs.FileHandle;
  readonly #hash = createHash('sha256');
  size = 0;

  private constructor(cache: string, part: string, handle: fs.FileHandle) {
    this.#cache = cache;
    this.#part = part;
    this.#handle = handle;
  }

  static async open(cache: string): Promise<Incoming> {
    const part = path.join(cache, 'incoming', `.body.part-${process.pid}-${randomBytes(6).toString('hex')}`);
    return new Incoming(cache, part, await fs.open(part, 'wx', 0o644));
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    this.size += chunk.length;
    for (let at = 0; at < chunk.length;)
      at += (await this.#handle.write(chunk, at, chunk.length - at)).bytesWritten;
  }

  /** The whole content has been written. */
  async keep(): Promise<Sha256> {
    const sha256 = this.#hash.digest('hex');
    const file = slot(this.#cache, sha256);
    await this.#handle.close();
    await fs.mkdir(path.dirname(file), { recursive: true });
    // a damaged file of that name is replaced by this; what is lost with the power is found out when it is read
    await fs.rename(this.#part, file);
    return sha256;
  }

  async drop(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    await fs.rm(this.#part, { force: true });
  }
}

/** Before the first of them is opened. */
export async function readyForIncoming(cache: string): Promise<void> {
  const directory = path.join(cache, 'incoming');
  await fs.mkdir(directory, { recursive: true });
  await sweepParts(directory);
}
