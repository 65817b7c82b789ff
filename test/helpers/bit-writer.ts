// SPDX-License-Identifier: Apache-2.0
/** Deflate streams written bit by bit: the odd ones that no encoder writes. */

export class BitWriter {
  readonly #bytes: number[] = [];
  #used = 0;

  /** `count` bits of `value`, least significant first (RFC 1951, section 3.1.1). */
  bits(value: number, count: number): this {
    for (let i = 0; i < count; i++) {
      if (this.#used % 8 === 0) this.#bytes.push(0);
      const last = this.#bytes.length - 1;
      this.#bytes[last] = (this.#bytes[last] ?? 0) | (((value >>> i) & 1) << (this.#used % 8));
      this.#used++;
    }
    return this;
  }

  /** A Huffman code written as in the specification, e.g. `0011 0000`. */
  code(digits: string): this {
    for (const digit of digits.replaceAll(' ', '')) this.bits(Number(digit), 1);
    return this;
  }

  /** Fills up to the byte boundary with ones or zeros. */
  align(bit = 0): this {
    while (this.#used % 8 !== 0) this.bits(bit, 1);
    return this;
  }

  stored(last: boolean, content: string, padding = 0): this {
    this.bits(last ? 1 : 0, 3).align(padding);
    this.bits(content.length, 16).bits(~content.length, 16);
    for (const byte of Buffer.from(content, 'latin1')) this.bits(byte, 8);
    return this;
  }

  /** A fixed block of literals below 144. */
  fixed(last: boolean, content: string): this {
    this.bits(last ? 1 : 0, 1).bits(1, 2);
    for (const byte of Buffer.from(content, 'latin1')) this.code((0x30 + byte).toString(2).padStart(8, '0'));
    return this.code('0000000');
  }

  /** The header of a last dynamic block with the code lengths given as symbols of the code length code, each of 5 bits. */
  dynamic(literals: number, distances: number, symbols: readonly (readonly [number, number?])[]): this {
    this.bits(1, 1)
      .bits(2, 2)
      .bits(literals - 257, 5)
      .bits(distances - 1, 5)
      .bits(15, 4);
    // 19 codes: 13 of 4 bits and 6 of 5 bits make a complete code; symbols 0..12 get 4 bits, 13..18 get 5
    for (const symbol of [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15])
      this.bits(symbol < 13 ? 4 : 5, 3);
    for (const [symbol, repeat] of symbols) {
      this.code(
        symbol < 13 ? symbol.toString(2).padStart(4, '0') : (26 + symbol - 13).toString(2).padStart(5, '0'),
      );
      if (symbol === 16) this.bits((repeat ?? 3) - 3, 2);
      if (symbol === 17) this.bits((repeat ?? 3) - 3, 3);
      if (symbol === 18) this.bits((repeat ?? 11) - 11, 7);
    }
    return this;
  }

  done(): Buffer {
    return Buffer.from(this.#bytes);
  }
}
