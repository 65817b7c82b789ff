// SPDX-License-Identifier: Apache-2.0
/** Bytes without structure, compared position by position, or by common prefix and suffix when the lengths differ. */
import { commonPrefix, commonSuffix, type ByteSource } from '../bytes.js';
import type { Owner, Side } from './types.js';

export type EmitRun = (side: Side, offset: number, length: number, owner: Owner) => void;

/** Where a leaf differs, for the explanation. Lengths of 0 say that a side has nothing there. */
export interface LeafDifference {
  readonly publishedOffset: number;
  readonly publishedLength: number;
  readonly rebuiltOffset: number;
  readonly rebuiltLength: number;
}

const CHUNK = 1 << 20;
const STEP = 4096;
/** Runs beyond this many in one leaf are joined when fewer than `JOIN` equal bytes lie between them. */
const EXACT_RUNS = 10_000;
const JOIN = 256;

/** Gives every byte of both sides an owner: `identical` or `different` (`missing` where the published side has none). */
export function compareLeaf(published: ByteSource, rebuilt: ByteSource, emit: EmitRun): LeafDifference[] {
  return published.size === rebuilt.size
    ? compareByPosition(published, rebuilt, emit)
    : compareByEnds(published, rebuilt, emit);
}

function compareByEnds(published: ByteSource, rebuilt: ByteSource, emit: EmitRun): LeafDifference[] {
  const prefix = commonPrefix(published, rebuilt);
  const suffix = commonSuffix(published, rebuilt, prefix);
  const publishedMiddle = published.size - prefix - suffix;
  const rebuiltMiddle = rebuilt.size - prefix - suffix;
  emit('published', 0, prefix, 'identical');
  emit('rebuilt', 0, prefix, 'identical');
  emit('published', prefix, publishedMiddle, 'different');
  emit('rebuilt', prefix, rebuiltMiddle, publishedMiddle === 0 ? 'missing' : 'different');
  emit('published', published.size - suffix, suffix, 'identical');
  emit('rebuilt', rebuilt.size - suffix, suffix, 'identical');
  return [
    {
      publishedOffset: prefix,
      publishedLength: publishedMiddle,
      rebuiltOffset: prefix,
      rebuiltLength: rebuiltMiddle,
    },
  ];
}

function compareByPosition(published: ByteSource, rebuilt: ByteSource, emit: EmitRun): LeafDifference[] {
  const scanner = new PositionScanner(emit);
  for (let at = 0; at < published.size; at += CHUNK) {
    const n = Math.min(CHUNK, published.size - at);
    scanner.push(published.read(at, n), rebuilt.read(at, n));
  }
  return scanner.finish();
}

/** The position-by-position comparison of two streams in lockstep: equal lengths, pushed chunk by chunk. */
export class PositionScanner {
  readonly #emit: EmitRun;
  readonly #differences: LeafDifference[] = [];
  #at = 0;
  #emitted = 0;
  #openStart = -1;
  #openEnd = -1;

  constructor(emit: EmitRun) {
    this.#emit = emit;
  }

  /** Both chunks have the same length. */
  push(published: Buffer, rebuilt: Buffer): void {
    const base = this.#at;
    this.#at += published.length;
    if (published.equals(rebuilt)) return;
    for (let from = 0; from < published.length; from += STEP) {
      const to = Math.min(published.length, from + STEP);
      if (published.compare(rebuilt, from, to, from, to) === 0) continue;
      for (let i = from; i < to; i++) if (published[i] !== rebuilt[i]) this.#differs(base + i);
    }
  }

  finish(): LeafDifference[] {
    this.#close();
    this.#identicalUpTo(this.#at);
    return this.#differences;
  }

  #differs(position: number): void {
    const join = this.#differences.length < EXACT_RUNS ? 0 : JOIN;
    if (this.#openStart !== -1 && position - this.#openEnd <= join) {
      this.#openEnd = position + 1;
      return;
    }
    this.#close();
    this.#openStart = position;
    this.#openEnd = position + 1;
  }

  #close(): void {
    if (this.#openStart === -1) return;
    const length = this.#openEnd - this.#openStart;
    this.#identicalUpTo(this.#openStart);
    this.#emit('published', this.#openStart, length, 'different');
    this.#emit('rebuilt', this.#openStart, length, 'different');
    this.#differences.push({
      publishedOffset: this.#openStart,
      publishedLength: length,
      rebuiltOffset: this.#openStart,
      rebuiltLength: length,
    });
    this.#emitted = this.#openEnd;
    this.#openStart = -1;
  }

  #identicalUpTo(position: number): void {
    this.#emit('published', this.#emitted, position - this.#emitted, 'identical');
    this.#emit('rebuilt', this.#emitted, position - this.#emitted, 'identical');
    this.#emitted = position;
  }
}
