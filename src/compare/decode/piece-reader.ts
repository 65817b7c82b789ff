// SPDX-License-Identifier: Apache-2.0
/** A decoded stream, read once, in pieces of any length. */
import { FormatError } from '../../errors.js';
import type { StreamSummary } from './inflate.js';

const HEAD = 4096;

/** Hands out bytes of a stream in pieces of any asked length. */
export class PieceReader {
  readonly #chunks: AsyncGenerator<Buffer, StreamSummary>;
  #buffer: Buffer = Buffer.alloc(0);
  #fault: unknown;
  summary: StreamSummary | undefined;

  constructor(chunks: AsyncGenerator<Buffer, StreamSummary>) {
    this.#chunks = chunks;
  }

  /**
   * What is at hand, at least one byte; empty at the end.
   * @throws FormatError where the stream is at fault, and again whenever it is asked there
   */
  async peek(): Promise<Buffer> {
    if (this.#fault !== undefined) throw this.#fault;
    try {
      while (this.#buffer.length === 0 && this.summary === undefined) {
        const step = await this.#chunks.next();
        if (step.done === true) this.summary = step.value;
        else this.#buffer = step.value;
      }
    } catch (error) {
      this.#fault = error;
      throw error;
    }
    return this.#buffer;
  }

  /** A copy of the first bytes, which are still to come; `undefined` when there are none. */
  async head(): Promise<Buffer | undefined> {
    try {
      const piece = await this.peek();
      return piece.length === 0 ? undefined : Buffer.from(piece.subarray(0, HEAD));
    } catch (error) {
      if (error instanceof FormatError) return undefined;
      throw error;
    }
  }

  take(length: number): Buffer {
    const piece = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length);
    return piece;
  }

  async close(): Promise<void> {
    await this.#chunks.return({ size: 0, crc32: 0, issues: [] });
  }
}
