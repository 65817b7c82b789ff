// SPDX-License-Identifier: Apache-2.0
/** Ends an exchange that is silent for too long, or that brings a byte now and then for ever. */

export interface PaceLimits {
  /** Longest silence of the server. */
  readonly idleMs: number;
  /** Less than this many bytes within `windowMs` is too slow. */
  readonly minBytes: number;
  readonly windowMs: number;
}

/** 1 KiB a second over a minute: slower than any line on which the file could be wanted. */
export const PACE: PaceLimits = { idleMs: 60_000, minBytes: 60 << 10, windowMs: 60_000 };

/** The abort reasons have codes that `transportFailure` knows. */
export class Pace {
  readonly #controller = new AbortController();
  readonly #idle: NodeJS.Timeout;
  readonly #window: NodeJS.Timeout;
  #bytes = 0;

  constructor({ idleMs, minBytes, windowMs }: PaceLimits) {
    const abort = (code: string, message: string): void =>
      this.#controller.abort(Object.assign(new Error(message), { code }));
    this.#idle = setTimeout(() => abort('UND_ERR_BODY_TIMEOUT', `nothing arrived for ${idleMs} ms`), idleMs);
    this.#window = setInterval(() => {
      if (this.#bytes < minBytes)
        abort('TOO_SLOW', `${this.#bytes} bytes in ${windowMs} ms, expected ${minBytes} at least`);
      this.#bytes = 0;
    }, windowMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  arrived(bytes: number): void {
    this.#idle.refresh();
    this.#bytes += bytes;
  }

  stop(): void {
    clearTimeout(this.#idle);
    clearInterval(this.#window);
  }
}
