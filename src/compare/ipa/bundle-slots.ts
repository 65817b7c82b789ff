// SPDX-License-Identifier: Apache-2.0
/** Files of a bundle in an archive that the signature of its program has hashes of. */
import type { SlotContent } from '../../formats/code-signature-check.js';
import type { ZipStructure } from '../../formats/zip.js';
import { printableBytes } from '../../printable.js';
import type { Opened } from '../container.js';
import type { Side } from '../types.js';
import { zipEntryContent } from '../zip/entry-content.js';
import { slotContent } from './slot-files.js';

/** By the path of a node, whose first part is the printable name of the entry. */
export function bundleSlots(
  sides: Readonly<Record<Side, Opened<ZipStructure>>>,
): (side: Side, path: readonly string[], slot: number) => ReturnType<SlotContent> {
  const entries = {
    published: byName(sides.published.structure),
    rebuilt: byName(sides.rebuilt.structure),
  };
  return (side, [name = ''], slot) =>
    slotContent(name, slot, (file, limit) => {
      const found = entries[side].get(file);
      if (found === undefined) return 'absent';
      // of two entries with a name nobody knows which one is meant
      return found === 'twice' ? undefined : zipEntryContent(sides[side].source, found, limit);
    });
}

type Entry = ZipStructure['entries'][number];

function byName({ entries }: ZipStructure): ReadonlyMap<string, Entry | 'twice'> {
  const names = new Map<string, Entry | 'twice'>();
  for (const entry of entries) {
    const name = printableBytes(entry.rawName);
    names.set(name, names.has(name) ? 'twice' : entry);
  }
  return names;
}
