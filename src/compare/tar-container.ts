// SPDX-License-Identifier: Apache-2.0
/** tar archives, as inside of .deb packages. */
import { FormatError } from '../errors.js';
import { TarReader, type TarMember } from '../formats/tar.js';
import type { Container } from './container.js';
import { worst } from './ledger.js';
import {
  compareOrdered,
  type OrderedContainer,
  type OrderedMember,
  type RegionPolicy,
} from './ordered-container.js';

const TYPES: Readonly<Record<string, string>> = {
  '1': 'hard link',
  '2': 'symbolic link',
  '3': 'character device',
  '4': 'block device',
  '5': 'directory',
  '6': 'fifo',
};

const MAX_MEMBERS = 1 << 20;

const policy: RegionPolicy = {
  format: 'tar',
  unequal(kind, { data, fields, sizesDiffer, published, rebuilt }) {
    // true by structure: the reader found the next header where this size says
    if (kind === 'tar/size') return sizesDiffer ? worst('reencoded', data) : undefined;
    // the reader refuses a checksum that is not true, so it follows the fields that it sums up
    if (kind === 'tar/checksum') return worst('reencoded', fields, data);
    // zeros up to the block, of another length because the data are
    if (kind === 'tar/padding') return sizesDiffer ? worst('reencoded', data) : undefined;
    // two blocks of zeros, or those and zeros up to the record: the reader calls nothing else by this name
    if (kind === 'tar/end' && published !== undefined && rebuilt !== undefined) return 'reencoded';
    return undefined;
  },
};

export const tarContainer: Container<OrderedContainer> = {
  format: 'tar',
  recognizes: (source) => source.size >= 512 && source.read(257, 5).toString('latin1') === 'ustar',
  parse(source) {
    const reader = new TarReader(source);
    const members: OrderedMember[] = [];
    for (const member of reader) {
      if (members.length === MAX_MEMBERS)
        throw new FormatError(
          'tar',
          'too-many-members',
          member.data.offset,
          `more than ${MAX_MEMBERS} members`,
        );
      members.push(orderedMember(member));
    }
    return { head: [], members, tail: reader.end };
  },
  compare: (walk, published, rebuilt, place, index) =>
    compareOrdered(
      walk,
      policy,
      { source: published.source, container: published.structure },
      { source: rebuilt.source, container: rebuilt.structure },
      place,
      index,
    ),
};

/** Regions are made when asked for: an archive of a million members holds none of them. */
function orderedMember(member: TarMember): OrderedMember {
  const { name, data, type } = member;
  const special = TYPES[type];
  return {
    name,
    data,
    get regions() {
      return member.regions;
    },
    ...(special === undefined ? {} : { type: special }),
  };
}
