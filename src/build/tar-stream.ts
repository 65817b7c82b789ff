// SPDX-License-Identifier: Apache-2.0
/** A tar stream that comes in chunks, entry by entry: whoever gets an entry reads it or lets it flow (`resume`). */
import { Parser, type ReadEntry } from 'tar';
import { firstOf } from '../process.js';

export class TarStream {
  readonly #parser: Parser;
  #error: Error | undefined;

  constructor(onEntry: (entry: ReadEntry) => void) {
    this.#parser = new Parser({ strict: true, onReadEntry: onEntry });
    this.#parser.on('error', (error: unknown) => {
      this.#error ??= error instanceof Error ? error : new Error(String(error));
    });
  }

  async push(chunk: Buffer): Promise<void> {
    if (this.#error !== undefined || this.#parser.write(chunk)) return;
    // a parser that gave up says "not now" for ever
    if (!this.#gaveUp()) await firstOf(this.#parser, 'drain', 'error');
  }

  /** A write can end in an error that the parser tells at once. */
  #gaveUp(): boolean {
    return this.#error !== undefined;
  }

  /** Throws for what is no tar stream. */
  async end(): Promise<void> {
    if (this.#error === undefined) {
      const closed = new Promise<void>((resolve) => {
        this.#parser.once('end', () => resolve());
        this.#parser.once('error', () => resolve());
      });
      this.#parser.end();
      await closed;
    }
    if (this.#error !== undefined) throw this.#error;
  }
}
