// SPDX-License-Identifier: Apache-2.0
/** A cursor over the nested, length-prefixed regions of the signing block; all integers are little-endian. */
import { FormatError } from '../errors.js';

/** Over one region; offsets are those of the file. */
export class SignedCursor {
  readonly #bytes: Buffer;
  readonly #base: number;
  #at = 0;

  constructor(bytes: Buffer, base: number) {
    this.#bytes = bytes;
    this.#base = base;
  }

  get offset(): number {
    return this.#base + this.#at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(what: string): number {
    return this.#take(1, what).readUInt8(0);
  }

  u32(what: string): number {
    return this.#take(4, what).readUInt32LE(0);
  }

  /** A length and that many bytes, as a cursor of their own. */
  region(what: string): SignedCursor {
    const length = this.u32(`length of ${what}`);
    const base = this.offset;
    return new SignedCursor(this.#take(length, what), base);
  }

  bytes(what: string): Buffer {
    const length = this.u32(`length of ${what}`);
    return this.#take(length, what);
  }

  rest(): Buffer {
    return this.#take(this.left, 'rest');
  }

  /** All bytes, read or not. */
  get whole(): Buffer {
    return this.#bytes;
  }

  #take(length: number, what: string): Buffer {
    if (length > this.left)
      throw new FormatError(
        'apk-signature',
        'truncated',
        this.offset,
        `${what} of ${length} bytes, ${this.left} left`,
      );
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

/** Places where bytes follow what the format has: nothing reads them, so they are free. */
export interface Leftover {
  readonly offset: number;
  readonly size: number;
}

/** Notes what is left of a region that has been read. */
export type Close = (cursor: SignedCursor) => void;
