// SPDX-License-Identifier: Apache-2.0
/** Files of a bundle that the signature of its program has hashes of: Info.plist and the list of resources. */
import { BufferSource } from '../../bytes.js';
import { FormatError } from '../../errors.js';
import type { SlotContent } from '../../formats/code-signature-check.js';
import { plistString, readPlist } from '../../formats/plist.js';
import type { ZipStructure } from '../../formats/zip.js';
import { printableBytes } from '../../printable.js';
import type { Opened } from '../container.js';
import type { Side } from '../types.js';
import { zipEntryContent } from '../zip/entry-content.js';

const MAX_FILE = 32 << 20;
const MAX_INFO = 4 << 20;
const NAMES: Readonly<Record<number, string>> = { 1: 'Info.plist', 3: '_CodeSignature/CodeResources' };

/** By the path of a node, whose first part is the printable name of the entry. */
export function bundleSlots(
  sides: Readonly<Record<Side, Opened<ZipStructure>>>,
): (side: Side, path: readonly string[], slot: number) => ReturnType<SlotContent> {
  const entries = {
    published: byName(sides.published.structure),
    rebuilt: byName(sides.rebuilt.structure),
  };
  return (side, path, slot) => {
    const [name = ''] = path;
    const at = name.lastIndexOf('/');
    const directory = name.slice(0, at + 1);
    const { source } = sides[side];
    const read = (file: string, limit: number): ReturnType<SlotContent> => {
      const found = entries[side].get(file);
      if (found === undefined) return 'absent';
      // of two entries with a name nobody knows which one is meant
      return found === 'twice' ? undefined : zipEntryContent(source, found, limit);
    };
    const info = read(`${directory}Info.plist`, MAX_INFO);
    if (!(info instanceof Buffer) || executableOf(info) !== name.slice(at + 1)) return undefined;
    const file = NAMES[slot];
    return file === undefined ? undefined : read(`${directory}${file}`, MAX_FILE);
  };
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

/** The program of a bundle, by its Info.plist. */
export function executableOf(info: Buffer): string | undefined {
  try {
    return plistString(readPlist(new BufferSource(info)).root, 'CFBundleExecutable');
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
