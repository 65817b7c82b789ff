// SPDX-License-Identifier: Apache-2.0
/**
 * The APK Signing Block: ID-value pairs between the entries and the central directory.
 * https://source.android.com/docs/security/features/apksigning/v2#apk-signing-block-format
 *
 *   u64 size (of all that follows) · pairs: u64 length, u32 id, value · u64 size again · 16 bytes magic
 */
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';

export interface SigningBlockPair {
  readonly id: number;
  /** Of the value, in the file. */
  readonly offset: number;
  readonly size: number;
}

/** Header, pairs, `rest` and footer tile it. */
export interface SigningBlock {
  readonly offset: number;
  readonly size: number;
  readonly pairs: readonly SigningBlockPair[];
  /** Where pairs cannot be told apart any more: Android looks for a pair up to there. */
  readonly rest?: { readonly offset: number; readonly why: string };
}

export const PAIR_ID = {
  v2: 0x7109871a,
  v3: 0xf05368c0,
  v31: 0x1b93ad61,
  /** Hybrid signatures; no released version of Android looks at it. */
  v32: 0x70e1c89f,
  verityPadding: 0x42726577,
  dependencyInfo: 0x504b4453,
  playFrosting: 0x2146444e,
  sourceStampV1: 0x2b09189e,
  sourceStampV2: 0x6dff800d,
} as const;

const MAGIC = 'APK Sig Block 42';
const FOOTER = 24;
const MIN_SIZE = 8 + FOOTER;
const MAX_SIZE = 32 << 20;
const MAX_PAIRS = 64;

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('apk-signing-block', code, offset, message);
}

/** The block that ends at `centralDirectoryOffset`; `undefined` when no magic is there. @throws FormatError */
export function readSigningBlock(
  source: ByteSource,
  centralDirectoryOffset: number,
): SigningBlock | undefined {
  const end = centralDirectoryOffset;
  if (end < MIN_SIZE) return undefined;
  const footer = Buffer.from(source.read(end - FOOTER, FOOTER));
  if (footer.toString('latin1', 8) !== MAGIC) return undefined;
  const stated = footer.readBigUInt64LE(0);
  if (stated < BigInt(FOOTER) || stated > BigInt(Math.min(MAX_SIZE, end - 8)))
    fail('size', end - FOOTER, `size ${stated}, expected ${FOOTER} to ${Math.min(MAX_SIZE, end - 8)}`);
  const size = Number(stated) + 8;
  const offset = end - size;
  const block = source.read(offset, size);
  if (block.readBigUInt64LE(0) !== stated)
    fail('size-mismatch', offset, `size ${block.readBigUInt64LE(0)} in the header, ${stated} in the footer`);
  return { offset, size, ...readPairs(block, offset, size - FOOTER) };
}

function readPairs(block: Buffer, offset: number, end: number): Pick<SigningBlock, 'pairs' | 'rest'> {
  const pairs: SigningBlockPair[] = [];
  for (let at = 8; at < end;) {
    const ends = (why: string): Pick<SigningBlock, 'pairs' | 'rest'> => ({
      pairs,
      rest: { offset: offset + at, why },
    });
    if (at + 12 > end) return ends(`${end - at} bytes left, a pair takes 12`);
    const length = block.readBigUInt64LE(at);
    if (length < 4n || length > BigInt(end - at - 8))
      return ends(`pair of ${length} bytes, ${end - at - 8} left`);
    if (pairs.length === MAX_PAIRS) return ends(`more than ${MAX_PAIRS} pairs`);
    pairs.push({ id: block.readUInt32LE(at + 8), offset: offset + at + 12, size: Number(length) - 4 });
    at += 8 + Number(length);
  }
  return { pairs };
}
