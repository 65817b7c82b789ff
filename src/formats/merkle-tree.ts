// SPDX-License-Identifier: Apache-2.0
/**
 * The hash tree of a log: RFC 6962, section 2.1 (hashes, which hashes a proof is made of), and RFC 9162, sections 2.1.3.2
 * and 2.1.4.2 (checking one). Proofs are checked by another algorithm than they are made with.
 */
import { createHash } from 'node:crypto';
import { FormatError } from '../errors.js';

/** A complete subtree: 2^level entries from index × 2^level on. */
export interface TreeNode {
  readonly level: number;
  readonly index: number;
}

/** Entries from `from` up to and without `to`. */
export interface EntryRange {
  readonly from: number;
  readonly to: number;
}

const LEAF = Buffer.from([0]);
const INNER = Buffer.from([1]);

export const emptyRoot = (): Buffer => createHash('sha256').digest();
export const leafHash = (entry: Buffer): Buffer => createHash('sha256').update(LEAF).update(entry).digest();
export const innerHash = (left: Buffer, right: Buffer): Buffer =>
  createHash('sha256').update(INNER).update(left).update(right).digest();

function fail(code: string, message: string): never {
  throw new FormatError('merkle-tree', code, 0, message);
}

/** Of neighbours, the root over them: sizes are powers of two that fall from left to right. */
export function rootOver(hashes: readonly Buffer[]): Buffer {
  return (
    hashes.reduceRight<Buffer | undefined>(
      (right, left) => (right === undefined ? left : innerHash(left, right)),
      undefined,
    ) ?? emptyRoot()
  );
}

/** The complete subtrees that make up a range which a split of some tree gave. */
export function nodesOf({ from, to }: EntryRange): readonly TreeNode[] {
  const nodes: TreeNode[] = [];
  for (let at = from; at < to;) {
    let level = 0;
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= to) level++;
    nodes.push({ level, index: at / 2 ** level });
    at += 2 ** level;
  }
  return nodes;
}

/** The largest power of two below `count`, which is at least 2. */
function splitOf(count: number): number {
  let half = 1;
  while (half * 2 < count) half *= 2;
  return half;
}

/** The neighbours on the way from an entry up to the root. */
export function inclusionRanges(index: number, size: number): readonly EntryRange[] {
  const ranges: EntryRange[] = [];
  let [from, to] = [0, size];
  while (to - from > 1) {
    const middle = from + splitOf(to - from);
    if (index < middle) {
      ranges.push({ from: middle, to });
      to = middle;
    } else {
      ranges.push({ from, to: middle });
      from = middle;
    }
  }
  return ranges.reverse();
}

/** What shows that the tree of `before` entries is the beginning of the one of `size`. */
export function consistencyRanges(before: number, size: number): readonly EntryRange[] {
  const ranges: EntryRange[] = [];
  let [from, to] = [0, size];
  let isOldRoot = true;
  while (before !== to) {
    const middle = from + splitOf(to - from);
    if (before <= middle) {
      ranges.push({ from: middle, to });
      to = middle;
    } else {
      ranges.push({ from, to: middle });
      from = middle;
      isOldRoot = false;
    }
  }
  if (!isOldRoot) ranges.push({ from, to });
  return ranges.reverse();
}

/** @throws FormatError `merkle-tree/proof-length`, `merkle-tree/index` */
export function rootByInclusion(leaf: Buffer, index: number, size: number, path: readonly Buffer[]): Buffer {
  if (index < 0 || index >= size) fail('index', `entry ${index} of a log of ${size}`);
  let [at, last] = [BigInt(index), BigInt(size) - 1n];
  let root = leaf;
  for (const hash of path) {
    if (last === 0n) fail('proof-length', `${path.length} hashes are too many for entry ${index} of ${size}`);
    if (at % 2n === 1n || at === last) {
      root = innerHash(hash, root);
      while (at % 2n === 0n && at !== 0n) [at, last] = [at >> 1n, last >> 1n];
    } else root = innerHash(root, hash);
    [at, last] = [at >> 1n, last >> 1n];
  }
  if (last !== 0n) fail('proof-length', `${path.length} hashes are too few for entry ${index} of ${size}`);
  return root;
}

/**
 * Both roots, as one proof gives them.
 * @throws FormatError `merkle-tree/proof-length`
 */
export function rootsByConsistency(
  before: { readonly size: number; readonly root: Buffer },
  size: number,
  path: readonly Buffer[],
): { readonly before: Buffer; readonly now: Buffer } {
  // a complete tree is a node of the larger one, which the proof leaves out
  const isComplete = Number.isInteger(Math.log2(before.size));
  const [first, ...rest] = isComplete ? [before.root, ...path] : path;
  if (first === undefined || before.size < 1 || before.size > size)
    fail('proof-length', `no proof from ${before.size} to ${size} entries`);
  let [at, last] = [BigInt(before.size) - 1n, BigInt(size) - 1n];
  while (at % 2n === 1n) [at, last] = [at >> 1n, last >> 1n];
  let roots = { before: first, now: first };
  for (const hash of rest) {
    if (last === 0n) fail('proof-length', `${path.length} hashes are too many`);
    if (at % 2n === 1n || at === last) {
      roots = { before: innerHash(hash, roots.before), now: innerHash(hash, roots.now) };
      while (at % 2n === 0n && at !== 0n) [at, last] = [at >> 1n, last >> 1n];
    } else roots = { before: roots.before, now: innerHash(roots.now, hash) };
    [at, last] = [at >> 1n, last >> 1n];
  }
  if (last !== 0n) fail('proof-length', `${path.length} hashes are too few`);
  return roots;
}

/** The root over entries that come in their order, one at a time or as complete subtrees. */
export class GrowingTree {
  readonly #nodes: { readonly level: number; readonly hash: Buffer }[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(hash: Buffer, level = 0): void {
    if (this.#size % 2 ** level !== 0) throw new RangeError('a subtree where none begins');
    this.#size += 2 ** level;
    let node = { level, hash };
    for (;;) {
      const left = this.#nodes.at(-1);
      if (left?.level !== node.level) break;
      this.#nodes.pop();
      node = { level: node.level + 1, hash: innerHash(left.hash, node.hash) };
    }
    this.#nodes.push(node);
  }

  root(): Buffer {
    return rootOver(this.#nodes.map(({ hash }) => hash));
  }
}
