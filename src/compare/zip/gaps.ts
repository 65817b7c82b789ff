// SPDX-License-Identifier: Apache-2.0
/** Bytes that no record owns. */
import { SliceSource } from '../../bytes.js';
import { compareLeaf } from '../leaf.js';
import type { LedgerBuilder } from '../ledger.js';
import type { Side } from '../types.js';
import type { Place, Walk } from '../walk.js';
import { isVirtualEntry } from './virtual-entry.js';
import type { Anchor, Gap, ZipSide } from './zip-side.js';

export type Sides = Readonly<Record<Side, LedgerBuilder>>;

/** Bytes that no record owns, compared with those before the same structure of the other side. */
export function compareGaps(
  walk: Walk,
  sides: Sides,
  p: ZipSide,
  r: ZipSide,
  partner: ReadonlyMap<number, number>,
  layoutExplained: boolean,
  place: Place,
): void {
  const rebuiltGaps = new Map(r.gaps.map((gap) => [gap.anchor, gap]));
  const ownVirtual = (side: ZipSide, gap: Gap): boolean => {
    if (!layoutExplained || !isVirtualEntry(side, gap)) return false;
    sides[side.side].add(gap.offset, gap.size, 'signature', 'apk/virtual-entry', -1, 'apk-alignment');
    walk.coverByRule('apk-alignment', side.side, gap.size);
    return true;
  };
  for (const gap of p.gaps) {
    const anchor: Anchor | undefined = typeof gap.anchor === 'number' ? partner.get(gap.anchor) : gap.anchor;
    const other = anchor === undefined ? undefined : rebuiltGaps.get(anchor);
    const region = gapRegion(gap.offset, gap.anchor);
    if (other === undefined) {
      if (ownVirtual(p, gap)) continue;
      sides.published.add(gap.offset, gap.size, 'different', region);
      reportHidden(walk, place, p, region, gap.offset, gap.size);
      continue;
    }
    rebuiltGaps.delete(other.anchor);
    let differs = false;
    compareLeaf(slice(p, gap), slice(r, other), (side, offset, length, owner) => {
      sides[side].add((side === 'published' ? gap : other).offset + offset, length, owner, region);
      differs ||= length > 0 && owner !== 'identical';
    });
    if (differs) reportHidden(walk, place, p, region, gap.offset, gap.size);
  }
  for (const gap of rebuiltGaps.values()) {
    if (ownVirtual(r, gap)) continue;
    const region = gapRegion(gap.offset, gap.anchor);
    sides.rebuilt.add(gap.offset, gap.size, 'missing', region);
    reportHidden(walk, place, r, region, gap.offset, gap.size);
  }
}

function gapRegion(offset: number, anchor: Anchor): string {
  if (anchor === 'end-of-file') return 'zip/trailing-bytes';
  return offset === 0 ? 'zip/prefix' : `zip/gap-before-${typeof anchor === 'number' ? 'entry' : anchor}`;
}

export function slice(
  side: ZipSide,
  extent: { readonly offset: number; readonly size: number },
): SliceSource {
  return new SliceSource(side.source, extent.offset, extent.size);
}

export function reportHidden(
  walk: Walk,
  place: Place,
  side: ZipSide,
  region: string,
  offset: number,
  length: number,
): void {
  const hex = side.source.read(offset, Math.min(64, length)).toString('hex');
  walk.report({ kind: 'hidden', path: place.path, side: side.side, region, offset, length, hex });
}
