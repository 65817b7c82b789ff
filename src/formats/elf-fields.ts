// SPDX-License-Identifier: Apache-2.0
/**
 * Numbers in the headers of ELF, of either class and byte order.
 * https://gabi.xinuos.com/elf/01-intro.html#data-representation
 */
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';

/** Fixed-size fields of either width and byte order, at absolute offsets. */
export class ElfFields {
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #littleEndian: boolean;
  readonly #wide: boolean;

  constructor(source: ByteSource, start: number, size: number, littleEndian: boolean, wide: boolean) {
    if (start + size > source.size)
      throw new FormatError(
        'elf',
        'truncated',
        Math.min(start, source.size),
        `${size} bytes expected at ${start} of ${source.size}`,
      );
    this.#bytes = Buffer.from(source.read(start, size));
    this.#start = start;
    this.#littleEndian = littleEndian;
    this.#wide = wide;
  }

  half(at: number): number {
    return this.#littleEndian ? this.#bytes.readUInt16LE(at) : this.#bytes.readUInt16BE(at);
  }

  word(at: number): number {
    return this.#littleEndian ? this.#bytes.readUInt32LE(at) : this.#bytes.readUInt32BE(at);
  }

  /** An address: 4 or 8 bytes by the class of the file. */
  address(at: number): bigint {
    if (!this.#wide) return BigInt(this.word(at));
    return this.#littleEndian ? this.#bytes.readBigUInt64LE(at) : this.#bytes.readBigUInt64BE(at);
  }

  /** An offset or a size; attacker-controlled. */
  number(at: number): number {
    const value = Number(this.address(at));
    if (!Number.isSafeInteger(value))
      throw new FormatError('elf', 'number', this.#start + at, 'an offset or a size beyond 2^53');
    return value;
  }

  /** The low half of an 8-byte field, or a 4-byte field. */
  low(at: number): number {
    return this.word(this.#wide && !this.#littleEndian ? at + 4 : at);
  }
}
