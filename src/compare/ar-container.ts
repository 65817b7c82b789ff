// SPDX-License-Identifier: Apache-2.0
/** ar archives: the outer layer of .deb packages, and static libraries. */
import { readAr, type ArArchive } from '../formats/ar.js';
import type { Container } from './container.js';
import { worst } from './ledger.js';
import { compareOrdered, type OrderedContainer, type RegionPolicy } from './ordered-container.js';

const policy: RegionPolicy = {
  format: 'ar',
  unequal(kind, { data, sizesDiffer, published, rebuilt }) {
    // true by structure: the reader found the next member where this size says
    if (kind === 'ar/size') return sizesDiffer ? worst('reencoded', data) : undefined;
    // there because the other side's data have another parity
    if (kind === 'ar/padding' && (published === undefined || rebuilt === undefined) && sizesDiffer)
      return worst('reencoded', data);
    return undefined;
  },
};

export const arContainer: Container<ArArchive> = {
  format: 'ar',
  recognizes: (source) => source.size >= 8 && source.read(0, 8).toString('latin1') === '!<arch>\n',
  parse: readAr,
  compare: (walk, published, rebuilt, place, index) =>
    compareOrdered(
      walk,
      policy,
      { source: published.source, container: layOutAr(published.structure) },
      { source: rebuilt.source, container: layOutAr(rebuilt.structure) },
      place,
      index,
    ),
};

function layOutAr({ magic, members, trailing }: ArArchive): OrderedContainer {
  return { head: [magic], members, tail: trailing === undefined ? [] : [trailing] };
}
