// SPDX-License-Identifier: Apache-2.0
/**
 * BOM stores: numbered blocks, variables that name some of them, trees in them. Compiled asset catalogs are such files.
 * Apple publishes no specification; the structures are those of
 * https://github.com/hogliux/bomutils/blob/master/src/bom.h
 */
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';

export interface BomBlock {
  readonly index: number;
  readonly offset: number;
  readonly size: number;
}

/** What no block, no table and no header is. */
export interface BomFinding {
  readonly code: 'gap' | 'overlap' | 'header' | 'unnamed-block';
  readonly offset: number;
  readonly length: number;
}

export interface BomEntry {
  readonly key: BomBlock;
  readonly value: BomBlock;
}

export interface BomStore {
  readonly source: ByteSource;
  /** By number; those without bytes are left out. */
  readonly blocks: ReadonlyMap<number, BomBlock>;
  readonly variables: ReadonlyMap<string, number>;
  readonly index: BomBlock;
  readonly names: BomBlock;
}

const HEADER = 32;
/** The header's own size on disk; what follows its fields is zero. */
const HEADER_SPACE = 512;
const MAX_BLOCKS = 1 << 20;
const MAX_VARIABLES = 1000;
const MAX_NODES = 100_000;
const MAX_DEPTH = 32;
const MAX_TREE_ENTRIES = 100_000;

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('bom', code, offset, message);
}

export function isBomStore(source: ByteSource): boolean {
  return source.size >= HEADER && source.read(0, 8).toString('latin1') === 'BOMStore';
}

/** @throws FormatError `bom/…` */
export function readBomStore(source: ByteSource): BomStore {
  if (!isBomStore(source)) fail('magic', 0, 'no BOM store');
  const head = source.read(0, HEADER);
  const version = head.readUInt32BE(8);
  if (version !== 1) fail('version', 8, `version ${version}, expected 1`);
  const part = (index: number, at: number): BomBlock => {
    const [offset, size] = [head.readUInt32BE(at), head.readUInt32BE(at + 4)];
    inFile(source, offset, size, at);
    return { index, offset, size };
  };
  const [index, names] = [part(-1, 16), part(-2, 24)];
  return { source, blocks: readBlocks(source, index), variables: readVariables(source, names), index, names };
}

function inFile(source: ByteSource, offset: number, size: number, at: number): void {
  if (offset + size > source.size)
    fail('past-end', at, `${size} bytes at ${offset}, the file has ${source.size}`);
}

/** Number of pointers, the pointers, then a list of free ones in the same form. */
function readBlocks(source: ByteSource, table: BomBlock): ReadonlyMap<number, BomBlock> {
  if (table.size < 4) fail('index', table.offset, `a table of ${table.size} bytes`);
  const count = source.read(table.offset, 4).readUInt32BE(0);
  if (count > MAX_BLOCKS || 4 + 8 * count > table.size)
    fail('index', table.offset, `${count} blocks in a table of ${table.size} bytes`);
  const pointers = source.read(table.offset + 4, 8 * count);
  const blocks = new Map<number, BomBlock>();
  for (let index = 0; index < count; index++) {
    const [offset, size] = [pointers.readUInt32BE(8 * index), pointers.readUInt32BE(8 * index + 4)];
    if (offset === 0 && size === 0) continue;
    inFile(source, offset, size, table.offset + 4 + 8 * index);
    blocks.set(index, { index, offset, size });
  }
  return blocks;
}

function readVariables(source: ByteSource, part: BomBlock): ReadonlyMap<string, number> {
  const bytes = source.read(part.offset, part.size);
  if (bytes.length < 4) fail('variables', part.offset, `variables of ${bytes.length} bytes`);
  const count = bytes.readUInt32BE(0);
  if (count > MAX_VARIABLES) fail('variables', part.offset, `${count} variables`);
  const variables = new Map<string, number>();
  let at = 4;
  for (let index = 0; index < count; index++) {
    const length = bytes[at + 4];
    if (length === undefined || at + 5 + length > bytes.length)
      fail('variables', part.offset + at, 'a variable beyond the end');
    const name = bytes.toString('latin1', at + 5, at + 5 + length);
    if (variables.has(name)) fail('variables', part.offset + at, `variable ${JSON.stringify(name)} again`);
    variables.set(name, bytes.readUInt32BE(at));
    at += 5 + length;
  }
  return variables;
}

export function blockOf(store: BomStore, index: number, at: number): BomBlock {
  const block = store.blocks.get(index);
  if (block === undefined) fail('no-block', at, `block ${index} is not there`);
  return block;
}

/** The content of a block, from the file. */
export function bytesOf({ source }: BomStore, { offset, size }: BomBlock, limit: number): Buffer {
  if (size > limit) fail('too-large', offset, `a block of ${size} bytes, at most ${limit} are read`);
  return source.read(offset, size);
}

/** The entries of a tree in order; `seen` collects the blocks that it is made of. */
export function readTree(store: BomStore, variable: string, seen?: Set<number>): BomEntry[] | undefined {
  const root = store.variables.get(variable);
  if (root === undefined) return undefined;
  const block = blockOf(store, root, store.names.offset);
  const head = bytesOf(store, block, 1 << 16);
  if (head.length < 21 || head.toString('latin1', 0, 4) !== 'tree')
    fail('tree', block.offset, `${JSON.stringify(variable)} is no tree`);
  seen?.add(root);
  const walk: TreeWalk = { store, nodes: new Set(), entries: [] };
  collect(walk, head.readUInt32BE(8), 0, block.offset + 8);
  for (const node of walk.nodes) seen?.add(node);
  for (const { key, value } of walk.entries) seen?.add(key.index).add(value.index);
  return walk.entries;
}

interface TreeWalk {
  readonly store: BomStore;
  readonly nodes: Set<number>;
  readonly entries: BomEntry[];
}

/** Down the first branch to the leaves, then from leaf to leaf; no node is entered twice. */
function collect(walk: TreeWalk, start: number, depth: number, from: number): void {
  const { store, nodes, entries } = walk;
  for (let index = start; index !== 0;) {
    const block = blockOf(store, index, from);
    if (nodes.has(index)) fail('cycle', block.offset, `block ${index} of a tree again`);
    if (nodes.size >= MAX_NODES || depth > MAX_DEPTH)
      fail('too-deep', block.offset, `a tree of more than ${MAX_NODES} nodes or ${MAX_DEPTH} levels`);
    nodes.add(index);
    const bytes = bytesOf(store, block, 1 << 20);
    const count = bytes.length < 12 ? 0 : bytes.readUInt16BE(2);
    if (bytes.length < 12 + 8 * count)
      fail('node', block.offset, `${count} entries in a node of ${bytes.length} bytes`);
    const isLeaf = bytes.readUInt16BE(0) === 1;
    for (let at = 12; at < 12 + 8 * count; at += 8) {
      const [first, second] = [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)];
      const place = block.offset + at;
      if (!isLeaf) {
        if (at === 12) collect(walk, first, depth + 1, place);
        continue;
      }
      if (entries.length >= MAX_TREE_ENTRIES)
        fail('too-many-entries', place, `more than ${MAX_TREE_ENTRIES}`);
      entries.push({ value: blockOf(store, first, place), key: blockOf(store, second, place) });
    }
    // branches point to all leaves; their chain is followed from the first one alone
    index = isLeaf ? bytes.readUInt32BE(4) : 0;
    from = block.offset + 4;
  }
}

/** Bytes that are not zero and belong to nothing, blocks that lie in others, blocks that nothing names. */
export function accountFor(store: BomStore, used: ReadonlySet<number>): readonly BomFinding[] {
  const findings: BomFinding[] = [];
  const { source } = store;
  const parts = [
    { index: -3, offset: 0, size: Math.min(HEADER_SPACE, source.size) },
    store.index,
    store.names,
    ...store.blocks.values(),
  ].toSorted((a, b) => a.offset - b.offset || a.size - b.size);
  if (!isZero(source, HEADER, Math.min(HEADER_SPACE, source.size)) && firstOffset(store) >= HEADER_SPACE)
    findings.push({ code: 'header', offset: HEADER, length: HEADER_SPACE - HEADER });
  let at = 0;
  for (const { offset, size } of parts) {
    if (offset > at && !isZero(source, at, offset))
      findings.push({ code: 'gap', offset: at, length: offset - at });
    if (offset < at && size > 0)
      findings.push({ code: 'overlap', offset, length: Math.min(size, at - offset) });
    at = Math.max(at, offset + size);
  }
  if (at < source.size && !isZero(source, at, source.size))
    findings.push({ code: 'gap', offset: at, length: source.size - at });
  for (const { index, offset, size } of store.blocks.values())
    if (!used.has(index)) findings.push({ code: 'unnamed-block', offset, length: size });
  return findings;
}

function firstOffset({ index, names, blocks }: BomStore): number {
  return [...blocks.values()].reduce(
    (first, { offset }) => Math.min(first, offset),
    Math.min(index.offset, names.offset),
  );
}

function isZero(source: ByteSource, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1 << 16)
    if (source.read(at, Math.min(1 << 16, to - at)).some((byte) => byte !== 0)) return false;
  return true;
}
