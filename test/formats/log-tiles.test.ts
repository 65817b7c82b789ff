// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { FormatError } from '../../src/errors.js';
import {
  placeOfNode,
  readBundle,
  readTile,
  subtreeHash,
  tileNumber,
  tileWidth,
} from '../../src/formats/log-tiles.js';
import { otherEntries, treeHash, uint16 } from '../helpers/build-log.js';

test('paths and widths are those of the specification', (t) => {
  t.is(tileNumber(1234067, 256), 'x001/x234/067');
  t.is(tileNumber(0, 256), '000');
  t.is(tileNumber(999, 1), '999.p/1');
  t.is(tileNumber(1000, 255), 'x001/000.p/255');
  // 70,000 entries: 273 full tiles and one of 112; one full and one of 17; one of 1
  t.deepEqual(
    [
      [0, 272],
      [0, 273],
      [0, 274],
      [1, 0],
      [1, 1],
      [1, 2],
      [2, 0],
      [2, 1],
    ].map(([level = 0, index = 0]) => tileWidth(level, index, 70_000)),
    [256, 112, 0, 256, 17, 0, 1, 0],
  );
  t.is(tileWidth(1, 0, 256), 1);
});

test('a node is found in the tile that holds it', (t) => {
  t.deepEqual(placeOfNode({ level: 0, index: 300 }, 400), {
    tile: { level: 0, index: 1, width: 144 },
    start: 44,
    count: 1,
  });
  t.deepEqual(placeOfNode({ level: 7, index: 3 }, 512), {
    tile: { level: 0, index: 1, width: 256 },
    start: 128,
    count: 128,
  });
  t.deepEqual(placeOfNode({ level: 9, index: 0 }, 600), {
    tile: { level: 1, index: 0, width: 2 },
    start: 0,
    count: 2,
  });
});

test('the hash over a part of a tile is the one of its entries', (t) => {
  const entries = otherEntries(8);
  const tile = readTile(Buffer.concat(entries.map((entry) => treeHash([entry]))), 8);
  t.deepEqual(subtreeHash(tile), treeHash(entries));
  t.deepEqual(subtreeHash(tile.slice(4, 6)), treeHash(entries.slice(4, 6)));
});

test('a tile of another length is refused', (t) => {
  for (const length of [0, 31, 63, 65, 96])
    t.throws(() => readTile(Buffer.alloc(length), 2), { instanceOf: FormatError, code: 'log-tile/length' });
});

const entry = (text: string): Buffer => Buffer.concat([uint16(text.length), Buffer.from(text)]);
test('a bundle is its entries, also empty ones; cut, short or long it is refused', (t) => {
  const bundle = Buffer.concat([entry('one'), entry(''), entry('three')]);
  t.deepEqual(readBundle(bundle, 3).map(String), ['one', '', 'three']);
  for (let length = 0; length < bundle.length; length++)
    t.regex(
      t.throws(() => readBundle(bundle.subarray(0, length), 3), { instanceOf: FormatError })?.code ?? '',
      /^log-tile\/bundle-(?:truncated|count)$/,
    );
  for (const width of [2, 4]) t.throws(() => readBundle(bundle, width), { code: 'log-tile/bundle-count' });
});
