// SPDX-License-Identifier: Apache-2.0
/**
 * Raw deflate streams (RFC 1951): their structure without their output, and what an unnamed encoder may have done.
 * https://www.rfc-editor.org/rfc/rfc1951
 */
import { DeflateWalker, type DeflateInfo } from './deflate-walker.js';

export { DeflateWalker, type DeflateBlockType, type DeflateInfo } from './deflate-walker.js';

const walker = new DeflateWalker();

/**
 * The structure of the stream at the start of `raw`; what follows `endOffset` is not looked at.
 * @throws FormatError `deflate/…` where zlib refuses too
 */
export function walkDeflate(raw: Uint8Array): DeflateInfo {
  // one walker serves all: it does not leave this function, and its tables are dear to make for small streams
  try {
    walker.push(raw);
    return walker.finish();
  } finally {
    walker.reset();
  }
}

/** What an encoder nobody named must not leave behind: room for bytes that do not show in what the stream decodes to. */
export type DeflateIssue =
  /** Bytes after the stream, inside of what the container gave it. */
  | 'slack'
  /** It decodes to another size than stated. */
  | 'decoded-size'
  /** A block without content that no encoder needed. */
  | 'empty-block'
  | 'padding-bits'
  /** Longer than the content stored in plain. */
  | 'oversize';

/**
 * A last block without content is what zlib writes when its buffer was full just where the input ended, and it is then
 * a stored or fixed one, of which every bit is determined; a dynamic one would have room for a message in its header.
 */
function hasNeedlessBlock(info: DeflateInfo): boolean {
  if (info.emptyBlocks === 0) return false;
  return info.emptyBlocks > 1 || info.lastBlock.decodedSize > 0 || info.lastBlock.type === 'dynamic';
}

/** zlib gives up on content that does not compress after 16,383 literals, which a stored block then holds. */
export function deflateBound(decodedSize: number): number {
  return decodedSize + 5 * Math.ceil(decodedSize / 16_383) + 16;
}

/** Whether `rawSize` bytes hold nothing but one tight stream of `decodedSize` bytes: no issue, no room. */
export function deflateIssues(
  info: DeflateInfo,
  rawSize: number,
  decodedSize: number,
): readonly DeflateIssue[] {
  const issues: DeflateIssue[] = [];
  if (info.endOffset !== rawSize) issues.push('slack');
  if (info.decodedSize !== decodedSize) issues.push('decoded-size');
  if (hasNeedlessBlock(info)) issues.push('empty-block');
  if (!info.paddingBitsZero) issues.push('padding-bits');
  if (rawSize > deflateBound(decodedSize)) issues.push('oversize');
  return issues;
}
