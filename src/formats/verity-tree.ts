// SPDX-License-Identifier: Apache-2.0
/**
 * The root hash of an fs-verity Merkle tree as apksig builds it: SHA-256 over blocks of 4,096 bytes, each with a salt of
 * eight zero bytes in front (or none: v4), zeros behind the last block of each level.
 * https://source.android.com/docs/security/features/apksigning/v4#apk-hash-tree
 */
import { createHash } from 'node:crypto';

export const VERITY_BLOCK = 4096;

export const APK_VERITY_SALT: Buffer = Buffer.alloc(8);

/** Content in pieces of any length, in order. */
export class VerityTree {
  readonly #salt: Buffer;
  #rest: Buffer = Buffer.alloc(0);
  readonly #digests: Buffer[] = [];

  constructor(salt: Buffer) {
    this.#salt = salt;
  }

  push(piece: Buffer): void {
    let at = 0;
    if (this.#rest.length > 0) {
      at = Math.min(piece.length, VERITY_BLOCK - this.#rest.length);
      this.#rest = Buffer.concat([this.#rest, piece.subarray(0, at)]);
      if (this.#rest.length < VERITY_BLOCK) return;
      this.#digests.push(this.#hash(this.#rest));
      this.#rest = Buffer.alloc(0);
    }
    for (; at + VERITY_BLOCK <= piece.length; at += VERITY_BLOCK)
      this.#digests.push(this.#hash(piece.subarray(at, at + VERITY_BLOCK)));
    if (at < piece.length) this.#rest = Buffer.from(piece.subarray(at));
  }

  /** Levels above the content, the lowest first, and the hash of the topmost block. */
  finish(): { readonly root: Buffer; readonly levels: readonly Buffer[] } {
    if (this.#rest.length > 0) this.#digests.push(this.#hash(padded(this.#rest)));
    let level = padded(Buffer.concat(this.#digests));
    const levels = [level];
    while (level.length > VERITY_BLOCK) {
      const digests: Buffer[] = [];
      for (let at = 0; at < level.length; at += VERITY_BLOCK)
        digests.push(this.#hash(level.subarray(at, at + VERITY_BLOCK)));
      level = padded(Buffer.concat(digests));
      levels.push(level);
    }
    return { root: this.#hash(level), levels };
  }

  #hash(block: Buffer): Buffer {
    return createHash('sha256').update(this.#salt).update(block).digest();
  }
}

function padded(bytes: Buffer): Buffer {
  const missing = -bytes.length & (VERITY_BLOCK - 1);
  return missing === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(missing)]);
}
