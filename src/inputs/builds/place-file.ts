// SPDX-License-Identifier: Apache-2.0
/**
 * Where the contents of an inventory were, as lines of digest and place in the order of the digests. There can be a million
 * of them, of which a report asks for a few: they are looked for where they lie, and no map is made of them.
 */
import type { PlaceIndex, Sha256 } from '../../model.js';

const DIGEST = 64;
const NEW_LINE = 0x0a;

export class PlaceFile implements PlaceIndex {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get(digest: Sha256): string | undefined {
    const wanted = Buffer.from(digest, 'latin1');
    if (wanted.length !== DIGEST) return undefined;
    let [low, high] = [0, this.#bytes.length];
    while (low < high) {
      const start = this.#startOf((low + high) >>> 1);
      const end = this.#endOf(start);
      const order = this.#bytes.compare(wanted, 0, DIGEST, start, Math.min(start + DIGEST, end));
      if (order === 0) return this.#bytes.toString('utf8', start + DIGEST + 1, end);
      if (order < 0) low = end + 1;
      else high = start;
    }
    return undefined;
  }

  *[Symbol.iterator](): Iterator<readonly [Sha256, string]> {
    for (let at = 0; at < this.#bytes.length;) {
      const end = this.#endOf(at);
      yield [
        this.#bytes.toString('latin1', at, at + DIGEST),
        this.#bytes.toString('utf8', at + DIGEST + 1, end),
      ];
      at = end + 1;
    }
  }

  #startOf(at: number): number {
    return at === 0 ? 0 : this.#bytes.lastIndexOf(NEW_LINE, at - 1) + 1;
  }

  #endOf(at: number): number {
    const end = this.#bytes.indexOf(NEW_LINE, at);
    return end === -1 ? this.#bytes.length : end;
  }
}

/** The same places, in the form that `PlaceFile` reads; in parts, so that not all of them are one string. */
export function* placeLines(index: PlaceIndex): Generator<string> {
  const PART = 4096;
  const entries = [...index].sort(([one], [other]) => (one < other ? -1 : 1));
  for (let at = 0; at < entries.length; at += PART)
    yield entries
      .slice(at, at + PART)
      .map(([digest, place]) => `${digest} ${place}\n`)
      .join('');
}
