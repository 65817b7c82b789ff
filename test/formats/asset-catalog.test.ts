// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { BufferSource, sha256 } from '../../src/bytes.js';
import { FormatError, VerifyError } from '../../src/errors.js';
import { isAssetCatalog, readAssetCatalog, type AssetCatalog } from '../../src/formats/asset-catalog.js';
import {
  buildBom,
  buildCar,
  nodeBlock,
  renditionBlock,
  treeBlock,
  type BomParts,
  type CarSpec,
} from '../helpers/build-car.js';

const SPEC: CarSpec = {
  facets: { AppIcon: 100, Background: 200 },
  renditions: [
    { name: 'icon@2x.png', key: [2, 100], data: Buffer.alloc(3000, 1) },
    { name: 'icon@3x.png', key: [3, 100], data: Buffer.alloc(5000, 2) },
    { name: 'bg.pdf', key: [1, 200], data: Buffer.from('%PDF') },
    { name: 'lost.png', key: [1, 300], data: Buffer.alloc(0) },
  ],
};

const read = (bytes: Buffer): AssetCatalog => readAssetCatalog(new BufferSource(bytes));

test('header, facets and renditions', (t) => {
  const car = read(buildCar(SPEC));
  t.true(isAssetCatalog(new BufferSource(buildCar(SPEC))));
  t.deepEqual(car.findings, []);
  t.deepEqual(car.header, {
    coreUiVersion: 900,
    storageVersion: 17,
    storageTimestamp: 1_700_000_000,
    renditionCount: 4,
    mainVersion: '@(#)PROGRAM:CoreUI-1\n',
    version: 'Xcode 26.0',
    uuid: '07'.repeat(16),
    schemaVersion: 0,
  });
  t.deepEqual(car.keyFormat, [12, 17]);
  t.deepEqual([...car.facets.keys()], ['AppIcon', 'Background']);
  t.deepEqual(
    car.renditions.map(({ name, facet, key, size }) => [name, facet, key, size]),
    [
      ['icon@2x.png', 'AppIcon', [2, 100], 3184],
      ['icon@3x.png', 'AppIcon', [3, 100], 5184],
      ['bg.pdf', 'Background', [1, 200], 188],
      ['lost.png', undefined, [1, 300], 184],
    ],
  );
  t.like(car.renditions[0], {
    width: 10,
    height: 20,
    scale: 200,
    pixelFormat: 'ARGB',
    layout: 12,
    sha256: sha256(
      new BufferSource(renditionBlock(SPEC.renditions[0] ?? { name: '', key: [], data: Buffer.alloc(0) })),
    ),
  });
  t.deepEqual([...car.others.keys()], ['EXTENDED_METADATA']);
  t.false(isAssetCatalog(new BufferSource(buildBom({ blocks: [], variables: {} }))));
  t.false(isAssetCatalog(new BufferSource(Buffer.from('BOMStore'))));
});

test('bytes of nothing are findings', (t) => {
  const findings = (parts: Partial<BomParts>): (readonly [string, number])[] =>
    read(buildCar({ ...SPEC, parts })).findings.map(({ code, length }) => [code, length]);
  t.deepEqual(findings({ gap: Buffer.from('evil') }), [['gap', 4]]);
  t.deepEqual(findings({ gap: Buffer.alloc(4) }), []);
  t.deepEqual(findings({ trailing: Buffer.from('evil!') }), [['gap', 5]]);
  t.deepEqual(findings({ blocks: [Buffer.from('evil')] }), [['unnamed-block', 4]]);
  t.deepEqual(findings({ pointers: { 1: [512, 440] } }), [['overlap', 4]]);
  const head = buildCar(SPEC);
  head.write('evil', 100);
  t.deepEqual(
    read(head).findings.map(({ code }) => code),
    ['header'],
  );
});

const tree = (blocks: readonly Buffer[]): Partial<BomParts> => ({
  // 19 blocks lie in front of these
  blocks,
  variables: { RENDITIONS: 20 },
});

const refuses = test.macro({
  exec(t, code: string, bytes: () => Buffer) {
    t.throws(() => read(bytes()), { instanceOf: FormatError, code });
  },
  title: (title) => `refused: ${title ?? ''}`,
});
const car = (parts: Partial<BomParts>) => (): Buffer => buildCar({ ...SPEC, parts });

test('no store', refuses, 'bom/magic', () => Buffer.alloc(100));
test('another version', refuses, 'bom/version', car({ version: 2 }));
test('a block beyond the file', refuses, 'bom/past-end', car({ pointers: { 3: [0xffffffff, 0xffffffff] } }));
test('2^32-1 blocks', refuses, 'bom/index', car({ blockCount: 0xffffffff }));
test('a variable of no block', refuses, 'bom/no-block', car({ variables: { EVIL: 99 } }));
test('a variable that is no tree', refuses, 'bom/tree', car({ variables: { RENDITIONS: 1 } }));
test(
  'a leaf that follows itself',
  refuses,
  'bom/cycle',
  car(tree([treeBlock(21, 0), nodeBlock(true, [], 21)])),
);
test(
  'leaves in a circle',
  refuses,
  'bom/cycle',
  car(tree([treeBlock(21, 0), nodeBlock(true, [], 22), nodeBlock(true, [], 21)])),
);
test(
  'a branch into itself',
  refuses,
  'bom/cycle',
  car(tree([treeBlock(21, 0), nodeBlock(false, [[21, 1]])])),
);
test('branches without end', refuses, 'bom/too-deep', () =>
  buildCar({
    ...SPEC,
    parts: tree([
      treeBlock(21, 0),
      ...Array.from({ length: 100 }, (_, at) => nodeBlock(false, [[22 + at, 1]])),
    ]),
  }),
);
test(
  'more entries than the node has',
  refuses,
  'bom/node',
  car(tree([treeBlock(21, 0), Buffer.from([0, 1, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0])])),
);
test(
  'an entry of no block',
  refuses,
  'bom/no-block',
  car(tree([treeBlock(21, 1), nodeBlock(true, [[99, 99]])])),
);
test(
  'a rendition that is none',
  refuses,
  'car/rendition',
  car(tree([treeBlock(21, 1), nodeBlock(true, [[1, 2]])])),
);
test('no header', refuses, 'car/no-variable', () => buildBom({ blocks: [], variables: {} }));
test('half a header', refuses, 'car/header', car({ variables: { CARHEADER: 2 } }));
test('another key format', refuses, 'car/key-format', car({ variables: { KEYFORMAT: 1 } }));
test('a rendition that states more than it has', refuses, 'car/rendition-size', () =>
  buildCar({ ...SPEC, renditions: [{ name: 'x', key: [1, 1], data: Buffer.alloc(4), statedSize: 5 }] }),
);
test('blocks that lie in one another a thousand times', refuses, 'car/overlap', () => {
  const entries = Array.from({ length: 500 }, (_, at) => [22 + at, 2] as const);
  const own = buildCar(SPEC);
  return buildCar({
    ...SPEC,
    parts: {
      ...tree([treeBlock(21, 500), nodeBlock(true, entries), ...entries.map(() => Buffer.alloc(1))]),
      pointers: Object.fromEntries(entries.map(([index]) => [index, [own.indexOf('ISTC'), 3184] as const])),
    },
  });
});

test('cut anywhere, it is refused or tells less', (t) => {
  const whole = buildCar(SPEC);
  for (let size = 0; size < whole.length - 8; size += 7) {
    const error = t.throws(() => read(whole.subarray(0, size)), { instanceOf: VerifyError }, `${size}`);
    t.regex(error?.code ?? '', /^(?:bom|car)\//);
  }
});
