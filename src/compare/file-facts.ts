// SPDX-License-Identifier: Apache-2.0
/**
 * What is asked of one file alone, while both are being compared: SHA-256 of each, the published signature. Large files
 * are read for it on a thread of its own.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { FileSource, sha256, type ByteSource, type OpenFile } from '../bytes.js';
import { checkApkSignature, type ApkSections, type ApkSignatureCheck } from '../formats/apk-signature.js';
import type { Side } from './types.js';

export type FactQuestion =
  | { readonly kind: 'sha256'; readonly file: OpenFile }
  | { readonly kind: 'signature'; readonly file: OpenFile; readonly sections: ApkSections };

export type FactAnswer =
  | { readonly kind: 'sha256'; readonly sha256: string }
  | { readonly kind: 'signature'; readonly check: ApkSignatureCheck }
  /** Asked again on the main thread, where the error has its type. */
  | { readonly kind: 'failed' };

/** Below this size of both together a thread takes longer to start than to answer. */
const WORTHWHILE = 8 << 20;

/** Questions are answered in the order in which they are asked; `close` it. */
export class FileFacts {
  readonly #sources: Readonly<Record<Side, ByteSource>>;
  readonly #digests: Partial<Record<Side, Promise<string>>> = {};
  readonly #threaded: boolean;
  #thread: FactThread | undefined;

  constructor(published: ByteSource, rebuilt: ByteSource) {
    this.#sources = { published, rebuilt };
    this.#threaded = published.size + rebuilt.size >= WORTHWHILE && availableParallelism() > 1;
  }

  sha256(side: Side): Promise<string> {
    return (this.#digests[side] ??= this.#sha256(this.#sources[side]));
  }

  /** Lets the thread begin, if there is one, with what will be asked later. */
  prefetch(...sides: readonly Side[]): void {
    // who asks gets the error; until then nobody waits
    if (this.#threaded) for (const side of sides) this.sha256(side).catch(() => undefined);
  }

  /** Of the published file. The promise may wait for a while to be asked for its result. */
  signature(sections: ApkSections): Promise<ApkSignatureCheck> {
    const check = this.#signature(sections);
    check.catch(() => undefined);
    return check;
  }

  async #signature(sections: ApkSections): Promise<ApkSignatureCheck> {
    const { published } = this.#sources;
    if (this.#threaded && published instanceof FileSource) {
      const answer = await this.#ask({ kind: 'signature', file: published.lend(), sections });
      if (answer.kind === 'signature') return answer.check;
    }
    return checkApkSignature(published, sections);
  }

  async close(): Promise<void> {
    await this.#thread?.close();
  }

  async #sha256(source: ByteSource): Promise<string> {
    if (this.#threaded && source instanceof FileSource) {
      const answer = await this.#ask({ kind: 'sha256', file: source.lend() });
      if (answer.kind === 'sha256') return answer.sha256;
    }
    return sha256(source);
  }

  #ask(question: FactQuestion): Promise<FactAnswer> {
    this.#thread ??= new FactThread();
    return this.#thread.ask(question);
  }
}

class FactThread {
  readonly #worker = new Worker(new URL('./file-facts-worker.js', import.meta.url));
  readonly #waiting: ((answer: FactAnswer) => void)[] = [];
  #failed = false;

  constructor() {
    this.#worker.on('message', (answer: FactAnswer) => this.#waiting.shift()?.(answer));
    this.#worker.on('error', () => this.#fail());
  }

  ask(question: FactQuestion): Promise<FactAnswer> {
    if (this.#failed) return Promise.resolve({ kind: 'failed' });
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#worker.postMessage(question);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
    this.#fail();
  }

  #fail(): void {
    this.#failed = true;
    for (const resolve of this.#waiting.splice(0)) resolve({ kind: 'failed' });
  }
}
