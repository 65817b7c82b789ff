// SPDX-License-Identifier: Apache-2.0
/** A rule about a file of a bundle covers it only where there is a bundle. */
import type { ZipEntry, ZipStructure } from '../../formats/zip.js';

interface Sorted {
  /** Latin-1, as many as entries. */
  readonly names: readonly string[];
  readonly entries: readonly ZipEntry[];
}

/** By name: a rule asks for each entry that it may cover, and there may be as many of those as entries. */
const known = new WeakMap<ZipStructure, Sorted>();

function sortedOf(zip: ZipStructure): Sorted {
  let sorted = known.get(zip);
  if (sorted === undefined) {
    const named = zip.entries
      .map((entry) => ({ name: entry.rawName.toString('latin1'), entry }))
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    sorted = { names: named.map(({ name }) => name), entries: named.map(({ entry }) => entry) };
    known.set(zip, sorted);
  }
  return sorted;
}

/** How many names are smaller. */
function rankOf(names: readonly string[], name: string): number {
  let [from, to] = [0, names.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((names[middle] ?? '') < name) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** `directory`: with `/` at its end, as Latin-1. Its Info.plist is compared with the other side's. */
export function isBundle(zip: ZipStructure, directory: string): boolean {
  const [{ names }, name] = [sortedOf(zip), `${directory}Info.plist`];
  return names[rankOf(names, name)] === name;
}

/** Which of the sorted ones lie in this directory at any depth, without itself. */
function rangeOf({ names }: Sorted, directory: string): readonly [from: number, to: number] {
  // `0` is what comes after `/`
  return [rankOf(names, `${directory}\0`), rankOf(names, `${directory.slice(0, -1)}0`)];
}

export function countIn(zip: ZipStructure, directory: string): number {
  const [from, to] = rangeOf(sortedOf(zip), directory);
  return to - from;
}

export function entriesIn(zip: ZipStructure, directory: string): readonly ZipEntry[] {
  const sorted = sortedOf(zip);
  return sorted.entries.slice(...rangeOf(sorted, directory));
}
