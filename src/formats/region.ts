// SPDX-License-Identifier: Apache-2.0
/** How the readers of containers describe them: regions that tile the whole input, so that every byte has an owner. */

/** A run of bytes with one meaning. Offsets are relative to the source that was read. */
export interface Region {
  readonly offset: number;
  readonly size: number;
  /** Format and part, e.g. `xz/index`. Bytes that a structure leaves to chance have a kind of their own: `tar/slack`. */
  readonly kind: string;
  /**
   * How the value is spelled, where the format leaves a choice: two regions of one kind and one form differ in nothing
   * but the value. Absent where a value has one spelling only, or where the bytes are the value.
   */
  readonly form?: string;
}

/** A member of a container. Its regions follow one another and tile it, header and padding included. */
export interface ContainerMember {
  /** The bytes that pair members, without the marks and padding of the way a container stores names. */
  readonly name: Buffer;
  readonly regions: readonly Region[];
  /** The content as stored: one of `regions`, there also when it is empty. */
  readonly data: Region;
}

/** Consecutive regions, from field sizes: `[kind, size]` or `[kind, size, form]`. */
export function layOut(offset: number, fields: readonly (readonly [string, number, string?])[]): Region[] {
  let at = offset;
  return fields.map(([kind, size, form]) => {
    const region = form === undefined ? { offset: at, size, kind } : { offset: at, size, kind, form };
    at += size;
    return region;
  });
}

/** The first place where `regions` do not follow one another from `from` to `to`; undefined when they tile it. */
export function untiled(regions: Iterable<Region>, from: number, to: number): number | undefined {
  let at = from;
  for (const { offset, size } of regions) {
    if (offset !== at || size < 0) return at;
    at += size;
  }
  return at === to ? undefined : at;
}
