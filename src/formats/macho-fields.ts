// SPDX-License-Identifier: Apache-2.0
/**
 * Numbers and names in Mach-O headers and load commands, of either byte order.
 * https://github.com/apple-oss-distributions/xnu/blob/main/EXTERNAL_HEADERS/mach-o/loader.h
 */
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';

/** Offsets are relative to `start`; codes name the place in the source. */
export class MachOFields {
  readonly bytes: Buffer;
  readonly start: number;
  readonly #littleEndian: boolean;

  constructor(source: ByteSource, start: number, size: number, littleEndian: boolean) {
    if (!Number.isSafeInteger(start + size) || start < 0 || start + size > source.size)
      throw new FormatError(
        'macho',
        'truncated',
        Math.max(0, Math.min(start, source.size)),
        `${size} bytes expected at ${start} of ${source.size}`,
      );
    this.bytes = Buffer.from(source.read(start, size));
    this.start = start;
    this.#littleEndian = littleEndian;
  }

  word(at: number): number {
    this.#need(at, 4);
    return this.#littleEndian ? this.bytes.readUInt32LE(at) : this.bytes.readUInt32BE(at);
  }

  long(at: number): bigint {
    this.#need(at, 8);
    return this.#littleEndian ? this.bytes.readBigUInt64LE(at) : this.bytes.readBigUInt64BE(at);
  }

  /** An offset or a size of 8 bytes; attacker-controlled. */
  number(at: number): number {
    const value = Number(this.long(at));
    if (!Number.isSafeInteger(value))
      throw new FormatError('macho', 'number', this.start + at, 'an offset or a size beyond 2^53');
    return value;
  }

  /** A name in a field of `size` bytes, which may fill it. */
  name(at: number, size: number): string {
    this.#need(at, size);
    const field = this.bytes.subarray(at, at + size);
    const end = field.indexOf(0);
    return field.toString('latin1', 0, end === -1 ? size : end);
  }

  /** A text up to its NUL, or to the end of the command. */
  text(at: number): string {
    if (at > this.bytes.length)
      throw new FormatError(
        'macho',
        'string-range',
        this.start,
        `a text at ${at} of a command of ${this.bytes.length} bytes`,
      );
    return this.name(at, this.bytes.length - at);
  }

  #need(at: number, size: number): void {
    if (at + size > this.bytes.length)
      throw new FormatError(
        'macho',
        'command-size',
        this.start,
        `${this.bytes.length} bytes, a field ends at ${at + size}`,
      );
  }
}
