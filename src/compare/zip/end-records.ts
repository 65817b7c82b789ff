// SPDX-License-Identifier: Apache-2.0
/** The end records and the archive comment: APPNOTE.TXT 4.3.14 to 4.3.16. */
import { equalRange } from '../../bytes.js';
import { compareLeaf } from '../leaf.js';
import { worst } from '../ledger.js';
import type { Owner } from '../types.js';
import type { Place, Walk } from '../walk.js';
import { reportHidden, type Sides, slice } from './gaps.js';
import type { OneSidedTotals } from './one-sided.js';
import type { ZipSide } from './zip-side.js';

/** Bytes that signing added before the central directory. */
function signatureBytes(side: ZipSide): number {
  return side.block === undefined || !side.block.trusted ? 0 : side.block.size + side.block.fill;
}

/** The end records and the archive comment; offsets are those of 4.3.16. */
export function compareEnd(
  walk: Walk,
  sides: Sides,
  p: ZipSide,
  r: ZipSide,
  { worst: oneSidedWorst, signed }: OneSidedTotals,
  layoutExplained: boolean,
  place: Place,
): void {
  const field = (region: string, at: number, size: number, owner: Owner, rebuiltAt = at): void => {
    const a = p.zip.end.offset + at;
    const b = r.zip.end.offset + rebuiltAt;
    const equal = equalRange(p.source, a, r.source, b, size);
    sides.published.add(a, size, equal ? 'identical' : owner, region);
    sides.rebuilt.add(b, size, equal ? 'identical' : owner, region);
    if (!equal && owner === 'different')
      walk.report({
        kind: 'field',
        path: place.path,
        field: region,
        published: hexOf(p, a, size),
        rebuilt: hexOf(r, b, size),
        owner,
      });
  };
  // what one side has alone explains other counts and sizes, and is owned there
  const explained: Owner =
    oneSidedWorst === 'identical'
      ? 'reencoded'
      : worst('reencoded', oneSidedWorst === 'missing' ? 'different' : oneSidedWorst);
  const signing = [
    signatureBytes(p) + signed.published.data,
    signatureBytes(r) + signed.rebuilt.data,
  ] as const;
  const net = (published: number, rebuilt: number): boolean =>
    oneSidedWorst === 'signature' && published === rebuilt;
  const netOffset =
    layoutExplained ||
    (signing[0] + signing[1] > 0 &&
      p.zip.centralDirectory.offset - signing[0] === r.zip.centralDirectory.offset - signing[1]);
  const counts: Owner = net(
    p.zip.entries.length - signed.published.entries,
    r.zip.entries.length - signed.rebuilt.entries,
  )
    ? 'signature'
    : oneSidedWorst === 'identical'
      ? 'different'
      : explained;
  const sizes: Owner = net(
    p.zip.centralDirectory.size - signed.published.records,
    r.zip.centralDirectory.size - signed.rebuilt.records,
  )
    ? 'signature'
    : explained;
  field('zip/end-signature', 0, 8, 'different');
  field('zip/entry-count', 8, 4, counts);
  field('zip/directory-size', 12, 4, sizes);
  field('zip/directory-offset', 16, 4, netOffset ? 'signature' : 'reencoded');
  field('zip/comment-length', 20, 2, 'different');
  compareExtent(walk, sides, p, p.zip.comment, r, r.zip.comment, 'zip/comment', place);
  const [a, b] = [p.zip.zip64, r.zip.zip64];
  if (a === undefined || b === undefined || a.size !== b.size) {
    const nothing = { offset: 0, size: 0 };
    compareExtent(walk, sides, p, a ?? nothing, r, b ?? nothing, 'zip/zip64-end', place);
    return;
  }
  // 4.3.14, then what may extend it, then the locator (4.3.15)
  const wide = (region: string, at: number, size: number, owner: Owner): void =>
    field(region, a.offset + at - p.zip.end.offset, size, owner, b.offset + at - r.zip.end.offset);
  const locator = a.size - 20;
  wide('zip/zip64-end', 0, 24, 'different');
  wide('zip/entry-count', 24, 16, counts);
  wide('zip/directory-size', 40, 8, sizes);
  wide('zip/directory-offset', 48, 8, netOffset ? 'signature' : 'reencoded');
  wide('zip/zip64-end', 56, locator - 56, 'different');
  wide('zip/zip64-locator', locator, 8, 'different');
  wide('zip/zip64-end-offset', locator + 8, 8, 'reencoded');
  wide('zip/zip64-locator', locator + 16, 4, 'different');
}

function compareExtent(
  walk: Walk,
  sides: Sides,
  p: ZipSide,
  a: { readonly offset: number; readonly size: number },
  r: ZipSide,
  b: { readonly offset: number; readonly size: number },
  region: string,
  place: Place,
): void {
  let differs = false;
  compareLeaf(slice(p, a), slice(r, b), (side, offset, length, owner) => {
    sides[side].add((side === 'published' ? a : b).offset + offset, length, owner, region);
    differs ||= length > 0 && owner !== 'identical';
  });
  if (differs && a.size > 0) reportHidden(walk, place, p, region, a.offset, a.size);
  else if (differs) reportHidden(walk, place, r, region, b.offset, b.size);
}

function hexOf(side: ZipSide, offset: number, size: number): string {
  return side.source.read(offset, size).toString('hex');
}
