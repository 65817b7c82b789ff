// SPDX-License-Identifier: Apache-2.0
/**
 * A file while it arrives: beside its final name, hashed as it grows, kept aside for the next run when this one cannot
 * finish it. Nobody else reads or writes it: a run takes what was kept by renaming it, which succeeds for one of them.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream, promises as fs } from 'node:fs';
import path from 'node:path';
import type { Sha256 } from '../../model.js';
import { partName, publishPart } from '../atomic-file.js';

/** What a server said of the file that began to arrive: `If-Range` asks for the rest of that one only. */
export interface Validator {
  /** Strong: two answers with the same one have the same bytes (RFC 9110, section 8.8.1). */
  readonly etag?: string;
  readonly lastModified?: string;
}

const META = 'meta.json';
const DATA = 'data';
const KEPT_MS = 7 * 24 * 60 * 60 * 1000;

export class PartialFile {
  readonly #path: string;
  readonly #target: string;
  readonly #kept: string | undefined;
  readonly #handle: fs.FileHandle;
  #hash: Hash;
  size = 0;
  validator: Validator = {};

  private constructor(part: string, target: string, kept: string | undefined, handle: fs.FileHandle) {
    this.#path = part;
    this.#target = target;
    this.#kept = kept;
    this.#handle = handle;
    this.#hash = createHash('sha256');
  }

  /** `kept`: the directory in which an earlier run may have left its part, and which this one may leave its own in. */
  static async open(target: string, kept?: string): Promise<PartialFile> {
    await fs.mkdir(path.dirname(target), { recursive: true });
    const part = partName(target);
    const validator = kept === undefined ? undefined : await claim(kept, part);
    const handle = await fs.open(part, validator === undefined ? 'wx' : 'r+', 0o644);
    const file = new PartialFile(part, target, kept, handle);
    if (validator === undefined) return file;
    for await (const chunk of createReadStream(part) as AsyncIterable<Buffer>) {
      file.#hash.update(chunk);
      file.size += chunk.byteLength;
    }
    if (file.sha256() !== validator.sha256) await file.restart();
    else file.validator = validator.validator;
    return file;
  }

  async add(chunk: Uint8Array): Promise<void> {
    for (let done = 0; done < chunk.byteLength;) {
      const rest = chunk.byteLength - done;
      done += (await this.#handle.write(chunk, done, rest, this.size + done)).bytesWritten;
    }
    this.#hash.update(chunk);
    this.size += chunk.byteLength;
  }

  /** Forgets all that arrived. */
  async restart(): Promise<void> {
    await this.#handle.truncate(0);
    this.#hash = createHash('sha256');
    this.size = 0;
    this.validator = {};
  }

  /** Of what is there so far. */
  sha256(): Sha256 {
    return this.#hash.copy().digest('hex');
  }

  /** The file is complete: it gets its name. */
  async publish(): Promise<void> {
    await this.#handle.sync();
    await this.#handle.close();
    await publishPart(this.#path, this.#target);
  }

  /** For a run that goes on with it; without effect where none could, or where another run has left its own. */
  async keep(): Promise<void> {
    if (this.#kept === undefined || this.size === 0) return await this.discard();
    const aside = `${this.#path}-kept`;
    try {
      await this.#handle.close();
      await fs.mkdir(aside);
      const meta = { validator: this.validator, sha256: this.sha256() };
      await fs.writeFile(path.join(aside, META), JSON.stringify(meta));
      await fs.rename(this.#path, path.join(aside, DATA));
      await fs.mkdir(path.dirname(this.#kept), { recursive: true });
      await fs.rename(aside, this.#kept);
    } catch {
      await fs.rm(aside, { recursive: true, force: true });
      await this.discard();
    }
  }

  async discard(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    await fs.rm(this.#path, { force: true });
  }
}

/** Moves the data to `part`; nothing when there is none, or another run was faster. */
async function claim(
  kept: string,
  part: string,
): Promise<{ readonly validator: Validator; readonly sha256: string } | undefined> {
  const mine = `${part}-claimed`;
  try {
    await fs.rename(kept, mine);
  } catch {
    return undefined;
  }
  try {
    const text = await fs.readFile(path.join(mine, META), 'utf8');
    const { validator = {}, sha256 } = JSON.parse(text) as {
      readonly validator?: Record<string, unknown>;
      readonly sha256?: unknown;
    };
    const { etag, lastModified } = validator;
    if (typeof sha256 !== 'string') return undefined;
    await fs.rename(path.join(mine, DATA), part);
    return {
      sha256,
      validator: {
        ...(typeof etag === 'string' ? { etag } : {}),
        ...(typeof lastModified === 'string' ? { lastModified } : {}),
      },
    };
  } catch {
    // damaged: it arrives again
    return undefined;
  } finally {
    await fs.rm(mine, { recursive: true, force: true });
  }
}

/** Removes parts that no run came back for. */
export async function sweepKept(directory: string, olderThanMs = KEPT_MS): Promise<void> {
  for (const name of await fs.readdir(directory).catch(() => [])) {
    const kept = path.join(directory, name);
    const stat = await fs.stat(kept).catch(() => undefined);
    if (stat !== undefined && Date.now() - stat.mtimeMs > olderThanMs)
      await fs.rm(kept, { recursive: true, force: true });
  }
}
