// SPDX-License-Identifier: Apache-2.0
/**
 * Where a log that is served as files keeps its hashes and entries, and what such a file may hold.
 * https://c2sp.org/tlog-tiles; with the height in the path: https://pkg.go.dev/golang.org/x/mod/sumdb/tlog#Tile.Path
 */
import { FormatError } from '../errors.js';
import { innerHash, type TreeNode } from './merkle-tree.js';

export const TILE_HEIGHT = 8;
export const TILE_WIDTH = 256;
const HASH = 32;

export interface Tile {
  readonly level: number;
  readonly index: number;
  /** Hashes that the tree of this size has in it: 256 in a full one. */
  readonly width: number;
}

/** A complete subtree as hashes of one tile. */
export interface TilePlace {
  readonly tile: Tile;
  readonly start: number;
  readonly count: number;
}

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('log-tile', code, offset, message);
}

/** How wide the tile (or bundle of entries, at level 0) is in a tree of `size` entries; 0 where there is none. */
export function tileWidth(level: number, index: number, size: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** level) - index * TILE_WIDTH;
  return Math.max(0, Math.min(TILE_WIDTH, hashes));
}

export function placeOfNode({ level, index }: TreeNode, size: number): TilePlace {
  const tileLevel = Math.floor(level / TILE_HEIGHT);
  const count = 2 ** (level % TILE_HEIGHT);
  const tileIndex = Math.floor((index * count) / TILE_WIDTH);
  const start = (index * count) % TILE_WIDTH;
  return {
    tile: { level: tileLevel, index: tileIndex, width: tileWidth(tileLevel, tileIndex, size) },
    start,
    count,
  };
}

/** `1234067` as `x001/x234/067`, and `.p/<width>` unless the tile is full. */
export function tileNumber(index: number, width: number): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? [];
  const last = groups.length - 1;
  const path = groups.map((group, i) => (i < last ? `x${group}` : group)).join('/');
  return width === TILE_WIDTH ? path : `${path}.p/${width}`;
}

/** @throws FormatError `log-tile/length` */
export function readTile(bytes: Buffer, width: number): readonly Buffer[] {
  if (bytes.length !== width * HASH)
    fail('length', 0, `a tile of ${width} hashes has ${width * HASH} bytes, this one has ${bytes.length}`);
  return Array.from({ length: width }, (_, i) => bytes.subarray(i * HASH, (i + 1) * HASH));
}

/** Of hashes whose number is a power of two. */
export function subtreeHash(hashes: readonly Buffer[]): Buffer {
  let row = hashes;
  while (row.length > 1)
    row = Array.from({ length: row.length / 2 }, (_, i) =>
      innerHash(row[2 * i] ?? fail('length', 0, 'no hash'), row[2 * i + 1] ?? fail('length', 0, 'no hash')),
    );
  return row[0] ?? fail('length', 0, 'no hash');
}

/** Of a bundle, its longest form: 256 entries with a length of two bytes each. */
export const MAX_BUNDLE = TILE_WIDTH * (2 + 65_535);

/** @throws FormatError `log-tile/bundle-truncated`, `log-tile/bundle-count` */
export function readBundle(bytes: Buffer, width: number): readonly Buffer[] {
  const entries: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + 2 > bytes.length) fail('bundle-truncated', at, 'half a length');
    const end = at + 2 + bytes.readUInt16BE(at);
    if (end > bytes.length) fail('bundle-truncated', at, `an entry up to ${end} in ${bytes.length} bytes`);
    if (entries.length === width) fail('bundle-count', at, `more than ${width} entries`);
    entries.push(bytes.subarray(at + 2, end));
    at = end;
  }
  if (entries.length !== width)
    fail('bundle-count', bytes.length, `${entries.length} entries, expected ${width}`);
  return entries;
}
