// SPDX-License-Identifier: Apache-2.0
/** How many bytes of two ranges differ: by position when they are as long, else what common ends do not cover. */
import { commonPrefix, commonSuffix, SliceSource, type ByteSource } from '../../bytes.js';

export interface Range {
  readonly offset: number;
  readonly size: number;
}

const CHUNK = 1 << 20;
const STEP = 4096;

export function countDifferent(published: ByteSource, p: Range, rebuilt: ByteSource, r: Range): number {
  if (p.size !== r.size) {
    const a = new SliceSource(published, p.offset, p.size);
    const b = new SliceSource(rebuilt, r.offset, r.size);
    const prefix = commonPrefix(a, b);
    return Math.max(p.size, r.size) - prefix - commonSuffix(a, b, prefix);
  }
  let count = 0;
  for (let at = 0; at < p.size; at += CHUNK) {
    const n = Math.min(CHUNK, p.size - at);
    count += countByPosition(published.read(p.offset + at, n), rebuilt.read(r.offset + at, n));
  }
  return count;
}

/** Of two buffers of one length. */
function countByPosition(published: Buffer, rebuilt: Buffer): number {
  if (published.equals(rebuilt)) return 0;
  let count = 0;
  for (let from = 0; from < published.length; from += STEP) {
    const to = Math.min(published.length, from + STEP);
    if (published.compare(rebuilt, from, to, from, to) === 0) continue;
    for (let i = from; i < to; i++) if (published[i] !== rebuilt[i]) count++;
  }
  return count;
}
