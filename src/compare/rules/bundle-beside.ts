// SPDX-License-Identifier: Apache-2.0
/** A rule about a file of a bundle covers it only where there is a bundle. */
import type { ZipStructure } from '../../formats/zip.js';

/** Names of an archive; asked once for each entry that a rule may cover. */
const known = new WeakMap<ZipStructure, ReadonlySet<string>>();

function namesOf(zip: ZipStructure): ReadonlySet<string> {
  let names = known.get(zip);
  if (names === undefined) {
    names = new Set(zip.entries.map(({ rawName }) => rawName.toString('latin1')));
    known.set(zip, names);
  }
  return names;
}

/** `directory`: with `/` at its end, as Latin-1. Its Info.plist is compared with the other side's. */
export function isBundle(zip: ZipStructure, directory: string): boolean {
  return namesOf(zip).has(`${directory}Info.plist`);
}

/** How many entries lie in this directory, at any depth. */
export function countIn(zip: ZipStructure, directory: string): number {
  let count = 0;
  for (const name of namesOf(zip)) if (name.startsWith(directory) && name !== directory) count++;
  return count;
}
