// SPDX-License-Identifier: Apache-2.0
/**
 * How the signing tools align stored entries: by zeros behind the extra field, or by a field of its own.
 * https://android.googlesource.com/platform/build/+/refs/heads/main/tools/zipalign/ZipAlign.cpp
 * https://android.googlesource.com/platform/tools/apksig/+/refs/heads/main/src/main/java/com/android/apksig/ApkSigner.java
 * https://android.googlesource.com/platform/tools/base/+/refs/heads/main/zipflinger/
 */
import type { ZipEntry } from '../../formats/zip.js';

/** One entry on its way into the file that is made. */
export interface Placing {
  readonly name: string;
  readonly entry: ZipEntry;
  /** Its local extra field in the rebuilt file. */
  readonly original: Buffer;
  /** Of its local header in the file that is made. */
  readonly offset: number;
}

export interface LayoutProfile {
  readonly name: string;
  /** The local extra field that the tool writes. */
  readonly extra: (placing: Placing) => Buffer;
}

/** Covers every signer that leaves the layout alone. */
export const PLAIN: LayoutProfile = { name: 'plain', extra: ({ original }) => original };

const STORED = 0;
const ALIGNMENT_FIELD = 0xd935;

const alignmentOf = (name: string, libraries: number): number => (name.endsWith('.so') ? libraries : 4);

/** Zeros that make what begins at `at` aligned. */
const zerosFor = (at: number, alignment: number): number => (alignment - (at % alignment)) % alignment;

/** `added`: to the extra field as it is (zipalign). `replaced`: in place of one that is nothing but zeros (zipflinger). */
export function alignedByZeros(name: string, libraries: number, zeros: 'added' | 'replaced'): LayoutProfile {
  return {
    name,
    extra({ name: entryName, entry, original, offset }) {
      if (entry.method !== STORED) return original;
      const kept = zeros === 'replaced' && original.every((byte) => byte === 0) ? Buffer.alloc(0) : original;
      const data = offset + 30 + entry.localNameLength + kept.length;
      return Buffer.concat([kept, Buffer.alloc(zerosFor(data, alignmentOf(entryName, libraries)))]);
    },
  };
}

/**
 * All padding is replaced by a 0xd935 field (ApkSigner.createExtraFieldToAlignData): in every stored entry, or only where
 * one that was aligned has come to lie otherwise.
 */
export function alignedByField(
  name: string,
  libraries: number,
  when: 'always' | 'where moved',
): LayoutProfile {
  return {
    name,
    extra({ name: entryName, entry, original, offset }) {
      if (entry.method !== STORED) return original;
      const fields = readFields(original);
      const alignment = fields.alignment ?? alignmentOf(entryName, libraries);
      if (alignment <= 1) return original;
      if (
        when === 'where moved' &&
        (entry.localOffset % alignment === offset % alignment || entry.dataOffset % alignment !== 0)
      )
        return original;
      const smallest = offset + 30 + entry.localNameLength + fields.others.length + 6;
      const zeros = zerosFor(smallest, alignment);
      const field = Buffer.alloc(6 + zeros);
      field.writeUInt16LE(ALIGNMENT_FIELD, 0);
      field.writeUInt16LE(2 + zeros, 2);
      field.writeUInt16LE(alignment, 4);
      return Buffer.concat([fields.others, field]);
    },
  };
}

/** Fields other than padding, and the alignment that a 0xd935 field asks for. */
function readFields(extra: Buffer): { readonly others: Buffer; readonly alignment: number | undefined } {
  const others: Buffer[] = [];
  let alignment: number | undefined;
  for (let at = 0; at + 4 <= extra.length;) {
    const id = extra.readUInt16LE(at);
    const size = extra.readUInt16LE(at + 2);
    if (at + 4 + size > extra.length) break;
    if (id === ALIGNMENT_FIELD) {
      if (size >= 2) alignment ??= extra.readUInt16LE(at + 4);
    } else if (id !== 0 || size !== 0) others.push(extra.subarray(at, at + 4 + size));
    at += 4 + size;
  }
  return { others: Buffer.concat(others), alignment };
}
