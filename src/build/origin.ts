// SPDX-License-Identifier: Apache-2.0
/**
 * Where the executable members of rebuilt files come from: their bytes existed before the build phase began (`carried`), or
 * they came out of it (`built`). "Built from source" is more than that: an executable that came out of the build may still
 * hold what a linker was given. So everything of its kind is listed that existed before and could be in it, and every input
 * that nobody could look into; only where that list is empty may the words be used. Scripts are data here.
 */
import { FileSource, type ByteSource } from '../bytes.js';
import { allocatedSectionsDigest } from '../formats/elf-digest.js';
import type { FormatId } from '../formats/detect.js';
import type { InputInventory, Origin, Sha256, Unopened } from '../model.js';
import { ContentWalk, type Content, type WalkLimits } from './content-walk.js';
import { comparePlaces, elfOf, INTO_ANY, INTO_DEX, UnopenedList } from './inventory-collector.js';

export interface OriginOptions {
  readonly temporaryDirectory: string;
  readonly limits?: Partial<WalkLimits>;
  readonly signal?: AbortSignal;
}

export interface Origins {
  /** Each executable member once, in the order of the outputs and of their bytes. */
  readonly origins: readonly Origin[];
  /** Members of the outputs that could not be looked into: they may hold executables that are not listed. */
  readonly unopened: Unopened;
}

const SHOWN = 20;

const EXECUTABLE: ReadonlySet<FormatId> = new Set(['elf', 'dex', 'java-class', 'mach-o', 'pe', 'wasm']);

/** `path`: on this machine; `name`: as the report calls it. */
export async function originsOf(
  rebuilt: readonly { readonly name: string; readonly path: string }[],
  inventory: InputInventory,
  options: OriginOptions,
): Promise<Origins> {
  const reader = new OriginReader(inventory);
  const walk = new ContentWalk(reader, options);
  for (const { name, path } of rebuilt) {
    const source = FileSource.open(path);
    try {
      await walk.open(source, name);
    } finally {
      source.close();
    }
  }
  return { origins: reader.origins, unopened: reader.unopenedList.shown() };
}

/** Where a file with this content lies among the inputs; for the published file that is `artifact-in-inputs`. */
export function findInInputs(inventory: InputInventory, sha256: Sha256): string | undefined {
  return inventory.bySha256.get(sha256);
}

class OriginReader {
  readonly origins: Origin[] = [];
  readonly unopenedList = new UnopenedList();
  readonly #inventory: InputInventory;
  readonly #linkable = new Map<string, Pick<Extract<Origin, { kind: 'built' }>, 'mayContain' | 'more'>>();

  constructor(inventory: InputInventory) {
    this.#inventory = inventory;
  }

  /** Returns where the content existed before, for its members to inherit. */
  visit({ place, source, sha256, format, archive, parent }: Content<string | undefined>): string | undefined {
    // a whole archive of the inputs carries all its members, also where the inventory could not look into it
    const inherited =
      parent === undefined || archive === undefined ? undefined : parent + place.slice(archive.length);
    const from = this.#inventory.bySha256.get(sha256) ?? inherited;
    if (EXECUTABLE.has(format)) this.origins.push(this.#origin(place, source, format, from));
    return from;
  }

  unopened(place: string, reason: string): void {
    this.unopenedList.add(place, reason);
  }

  #origin(member: string, source: ByteSource, format: FormatId, from: string | undefined): Origin {
    if (from !== undefined) return { kind: 'carried', member, from, by: 'bytes' };
    const elf = format === 'elf' ? elfOf(source) : undefined;
    const sections = elf === undefined ? undefined : allocatedSectionsDigest(source);
    const loaded = sections === undefined ? undefined : this.#inventory.byAllocatedSections.get(sections);
    if (loaded !== undefined) return { kind: 'carried', member, from: loaded, by: 'allocated-sections' };
    const isJava = format === 'dex' || format === 'java-class';
    return { kind: 'built', member, ...this.#mayContain(isJava ? INTO_DEX : (elf?.machine ?? INTO_ANY)) };
  }

  #mayContain(machine: string): Pick<Extract<Origin, { kind: 'built' }>, 'mayContain' | 'more'> {
    const known = this.#linkable.get(machine);
    if (known !== undefined) return known;
    const { linkableInto, unopened } = this.#inventory;
    const kinds = machine === INTO_DEX || machine === INTO_ANY ? [machine] : [machine, INTO_ANY];
    const linkable = kinds.flatMap((kind) => linkableInto.get(kind) ?? []);
    const places = new Set([...linkable, ...unopened.shown.map(({ place }) => place)]);
    // a place beyond those that the inventory shows is one more all the same
    const count = places.size + unopened.count - unopened.shown.length;
    const mayContain = [...places].sort(comparePlaces).slice(0, SHOWN);
    const result =
      count > mayContain.length ? { mayContain, more: count - mayContain.length } : { mayContain };
    this.#linkable.set(machine, result);
    return result;
  }
}
