// SPDX-License-Identifier: Apache-2.0
/** The thread behind `file-facts.ts`: answers questions about files in the order in which they are asked. */
import { Worker } from 'node:worker_threads';
import type { OpenFile } from '../bytes.js';
import type { ApkSections, ApkSignatureCheck } from '../formats/apk-signature.js';

export type FactQuestion =
  | { readonly kind: 'sha256'; readonly file: OpenFile }
  | { readonly kind: 'signature'; readonly file: OpenFile; readonly sections: ApkSections };

export type FactAnswer =
  | { readonly kind: 'sha256'; readonly sha256: string }
  | { readonly kind: 'signature'; readonly check: ApkSignatureCheck }
  /** Asked again on the main thread, where the error has its type. */
  | { readonly kind: 'failed' };

/** Files below this size together are read before a thread has started. */
export const WORTH_A_THREAD = 32 << 20;

let spare: FactThread | undefined;

/** `close` it. */
export class FactThread {
  readonly #worker = new Worker(new URL('./file-facts-worker.js', import.meta.url));
  readonly #waiting: ((answer: FactAnswer) => void)[] = [];
  #failed = false;

  private constructor() {
    this.#worker.on('message', (answer: FactAnswer) => this.#waiting.shift()?.(answer));
    this.#worker.on('error', () => this.#fail()).on('exit', () => this.#fail());
  }

  /** Starts a thread for the next one to `take`, who may still be loading. It does not keep the process alive. */
  static startEarly(): void {
    if (spare !== undefined) return;
    spare = new FactThread();
    spare.#worker.unref();
  }

  static take(): FactThread {
    const thread = spare ?? new FactThread();
    spare = undefined;
    thread.#worker.ref();
    return thread;
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
