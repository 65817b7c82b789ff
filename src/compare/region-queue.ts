// SPDX-License-Identifier: Apache-2.0
/** Regions of one side waiting for their partners, by kind and in order; an .xz file of a megabyte can have a million. */
import type { Region } from '../formats/region.js';

export class RegionQueue {
  readonly #byKind = new Map<string, { readonly list: Region[]; next: number }>();

  constructor(regions: Iterable<Region>) {
    for (const region of regions) {
      const waiting = this.#byKind.get(region.kind);
      if (waiting === undefined) this.#byKind.set(region.kind, { list: [region], next: 0 });
      else waiting.list.push(region);
    }
  }

  peek(kind: string): Region | undefined {
    const waiting = this.#byKind.get(kind);
    return waiting?.list[waiting.next];
  }

  take(kind: string): Region | undefined {
    const waiting = this.#byKind.get(kind);
    return waiting?.list[waiting.next++];
  }

  /** Those that nobody took. */
  *rest(): Generator<Region, void, undefined> {
    for (const { list, next } of this.#byKind.values()) yield* list.slice(next);
  }
}
