// SPDX-License-Identifier: Apache-2.0
/** Gathers an inventory from contents as they are walked; what comes out does not depend on the order of the walk. */
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import { allocatedSectionsDigest } from '../formats/elf-digest.js';
import type { FormatId } from '../formats/detect.js';
import { readElf, type ElfFile } from '../formats/elf.js';
import type { InputInventory, Sha256, Unopened } from '../model.js';
import type { Content, Visitor } from './content-walk.js';

/** Shorter contents are nobody's origin: ELF has a header of 52 bytes, DEX of 112, a Java class more than this. */
const LEAST = 16;
const UNOPENED_SHOWN = 50;
/** Beyond this many they are only counted. */
const UNOPENED_KEPT = 100_000;

/** What `linkableInto` calls code for the Java and Android machines, and code for a machine that is not known. */
export const INTO_DEX = 'dex';
export const INTO_ANY = 'any';

const RANKS = ['source/', 'fetched/', 'image/'];
const rank = (place: string): number => RANKS.findIndex((prefix) => place.startsWith(prefix));

/** The nearer place first: in the source before fetched, a file before a member of an archive. */
export function comparePlaces(a: string, b: string): number {
  const depth = (place: string): number => place.split('!/').length;
  return rank(a) - rank(b) || depth(a) - depth(b) || (a < b ? -1 : a > b ? 1 : 0);
}

export class InventoryCollector implements Visitor<FormatId> {
  readonly #bySha256 = new Map<Sha256, string>();
  readonly #bySections = new Map<Sha256, string>();
  /** By place: what it can be linked into. */
  readonly #linkable = new Map<string, Set<string>>();
  readonly #unopened = new UnopenedList();
  files = 0;

  visit(content: Content<FormatId>): FormatId {
    const { source, sha256, format, place } = content;
    if (source.size >= LEAST) {
      keepNearer(this.#bySha256, sha256, place);
      this.#code(content);
    }
    return format;
  }

  #code({ place, source, format, archive, parent }: Content<FormatId>): void {
    // a member is listed as the archive that a linker is given
    const given = archive !== undefined && parent === 'ar' ? archive : place;
    if (format === 'elf') {
      const elf = elfOf(source);
      const digest = elf === undefined ? undefined : allocatedSectionsDigest(source);
      if (digest !== undefined) keepNearer(this.#bySections, digest, place);
      if (elf === undefined ? hasObjectName(place) : elf.type === 'rel')
        this.#link(given, elf?.machine ?? INTO_ANY);
    } else if (format === 'ar') {
      if (/\.(?:a|lib|rlib)$/i.test(place)) this.#link(place);
    } else if (format === 'java-class' || format === 'dex') this.#link(archive ?? place, INTO_DEX);
    else if (OTHER_OBJECTS.has(format) && hasObjectName(place) && !isPlainText(source))
      this.#link(given, INTO_ANY);
  }

  unopened(place: string, reason: string): void {
    this.#unopened.add(place, reason);
  }

  finish(treeSha256: Sha256): InputInventory {
    const into = new Map<string, string[]>();
    const linkable = [...this.#linkable.keys()].sort(comparePlaces);
    for (const place of linkable)
      for (const machine of this.#machines(place)) {
        const places = into.get(machine) ?? [];
        places.push(place);
        into.set(machine, places);
      }
    return {
      treeSha256,
      files: this.files,
      bySha256: this.#bySha256,
      byAllocatedSections: this.#bySections,
      linkable,
      linkableInto: into,
      unopened: this.#unopened.shown(),
    };
  }

  #link(place: string, machine?: string): void {
    const machines = this.#linkable.get(place) ?? new Set<string>();
    if (machine !== undefined) machines.add(machine);
    this.#linkable.set(place, machines);
  }

  #machines(place: string): readonly string[] {
    const machines = [...(this.#linkable.get(place) ?? [])];
    return machines.length === 0 ? [INTO_ANY] : machines;
  }
}

/** What could not be looked into: all counted, the first ones named. */
export class UnopenedList {
  readonly #places: { readonly place: string; readonly reason: string }[] = [];
  #count = 0;

  add(place: string, reason: string): void {
    this.#count++;
    if (this.#places.length < UNOPENED_KEPT) this.#places.push({ place, reason });
  }

  shown(): Unopened {
    const sorted = this.#places.toSorted((a, b) => comparePlaces(a.place, b.place));
    return { count: this.#count, shown: sorted.slice(0, UNOPENED_SHOWN) };
  }
}

function keepNearer(places: Map<string, string>, key: string, place: string): void {
  const known = places.get(key);
  if (known === undefined || comparePlaces(place, known) < 0) places.set(key, place);
}

/** COFF, bitcode and what Go writes have no format here; a text of such a name is none, such as a linker's script. */
const OTHER_OBJECTS: ReadonlySet<FormatId> = new Set(['unknown', 'mach-o', 'wasm']);

function hasObjectName(place: string): boolean {
  return /\.(?:o|obj|bc)$/i.test(place);
}

export function elfOf(source: ByteSource): ElfFile | undefined {
  try {
    return readElf(source);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

function isPlainText(source: ByteSource): boolean {
  return source
    .read(0, Math.min(4096, source.size))
    .every((byte) => byte >= 0x20 || (byte >= 9 && byte <= 13));
}
