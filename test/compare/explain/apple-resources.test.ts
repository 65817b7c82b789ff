// SPDX-License-Identifier: Apache-2.0
/** Asset catalogs, nibs and texts of an app that differ, told by what they hold. */
import test from 'ava';
import type { Difference } from '../../../src/compare/types.js';
import { binaryPlist } from '../../helpers/build-plist.js';
import { buildCar, type CarSpec } from '../../helpers/build-car.js';
import { buildNib, type NibSpec } from '../../helpers/build-nib.js';
import { buildZip } from '../../helpers/build-zip.js';
import { compareBuffers } from '../../helpers/compare-buffers.js';

async function told(name: string, published: Buffer, rebuilt: Buffer): Promise<readonly string[]> {
  const zip = (data: Buffer): Buffer => buildZip([{ name, data }]);
  const { pair, verdict } = await compareBuffers(zip(published), zip(rebuilt));
  // an explanation moves no verdict
  if (verdict.kind !== 'unreproducible') throw new Error(verdict.kind);
  return pair.differences.filter(({ path }) => path.at(-1) === name).flatMap(inOneLine);
}

function inOneLine(found: Difference): string[] {
  if (found.kind === 'field' && /^(?:car|nib|strings|plist)\//.test(found.field))
    return [
      `${found.field}: ${found.published} / ${found.rebuilt}${found.cause === undefined ? '' : ` (${found.cause.kind})`}`,
    ];
  if (found.kind === 'hidden') return [`${found.region} ${found.side} ${found.length}`];
  return found.kind === 'bytes' || found.kind === 'text' ? [found.kind] : [];
}

const CAR: CarSpec = {
  facets: { Icon: 100 },
  renditions: [
    { name: 'a.png', key: [2, 100], data: Buffer.alloc(100, 1) },
    { name: 'b.png', key: [3, 100], data: Buffer.alloc(100, 2) },
  ],
};

test('an asset catalog by rendition', async (t) => {
  const [a, b] = CAR.renditions;
  const other = buildCar({
    ...CAR,
    time: 1_700_000_060,
    program: 'CoreUI-2',
    renditions: [
      { name: a?.name ?? '', key: a?.key ?? [], data: Buffer.alloc(101, 1) },
      { name: 'c.png', key: [1, 300], data: b?.data ?? Buffer.alloc(0) },
    ],
  });
  const found = await told('Assets.car', buildCar(CAR), other);
  t.deepEqual(
    found.map((line) => line.replaceAll(/SHA-256 [0-9a-f]{64}/g, '#')),
    [
      'car/time: 2023-11-14T22:13:20.000Z / 2023-11-14T22:14:20.000Z (timestamp)',
      'car/program: @(#)PROGRAM:CoreUI-1 / @(#)PROGRAM:CoreUI-2 (toolchain-version)',
      'car/rendition Icon [2 100]: a.png, 10 x 20 at 2, ARGB, layout 12, 284 bytes, # / a.png, 10 x 20 at 2, ARGB, layout 12, 285 bytes, #',
      'car/rendition Icon [3 100]: b.png, 10 x 20 at 2, ARGB, layout 12, 284 bytes, # / absent',
      'car/rendition c.png [1 300]: absent / c.png, 10 x 20 at 2, ARGB, layout 12, 284 bytes, #',
    ],
  );
  t.deepEqual(
    await told('Assets.car', buildCar(CAR), buildCar({ ...CAR, parts: { trailing: Buffer.from('evil') } })),
    ['car/gap rebuilt 4'],
  );
  t.deepEqual(
    await told('Assets.car', buildCar(CAR), buildCar({ ...CAR, parts: { gap: Buffer.alloc(8) } })),
    ['bytes'],
  );
  t.deepEqual(
    await told('Assets.car', buildCar(CAR), Buffer.from('BOMStore and no more than that, nothing')),
    ['bytes'],
  );
});

test('a nib by its keys', async (t) => {
  const label = (text: string): readonly NibSpec[] => [
    { className: 'NSObject', values: [['UIObjects', { object: 1 }]] },
    { className: 'UILabel', values: [['UIText', text]] },
  ];
  t.deepEqual(await told('Main.nib', buildNib(label('Hello')), buildNib(label('Evil\u202e'))), [
    'nib/UIObjects.UIText: "Hello" / "Evil\\u{202e}"',
  ]);
  t.deepEqual(await told('Main.nib', buildNib(label('a')), buildNib(label('a'), Buffer.from([1]))), [
    'nib/bytes behind the classes: 0 / 1',
  ]);
});

test('texts by their keys, compiled or not', async (t) => {
  t.deepEqual(await told('de.strings', Buffer.from('"a" = "b";'), Buffer.from('"a" = "c";\n"d" = "e";')), [
    'strings/a: "b" / "c"',
    'strings/d: absent / "e"',
  ]);
  t.deepEqual(
    await told('de.strings', Buffer.from('\ufeff"a" = "b";', 'utf16le'), Buffer.from('"a" = "b";')),
    ['strings/encoding: utf-16le / utf-8'],
  );
  t.deepEqual(await told('de.strings', binaryPlist({ a: 'b' }), binaryPlist({ a: 'c' })), [
    'plist/a: "b" / "c"',
  ]);
  t.deepEqual(await told('de.strings', Buffer.from('"a"="b";'), Buffer.from('"a"  = "b";')), ['text']);
});
