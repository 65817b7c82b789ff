// SPDX-License-Identifier: Apache-2.0
/**
 * Alignment padding in the extra field of a local header, as the Android tools write it: plain zeros (zipalign, AGP)
 * or a 0xd935 field (apksigner: u16 alignment, then zeros).
 * https://android.googlesource.com/platform/tools/apksig/ ApkSigner.java, "ALIGNMENT_ZIP_EXTRA"
 */
const ALIGNMENTS = [4, 4096, 16384] as const;
const ALIGNMENT_FIELD = 0xd935;

export type PaddingStyle = 'none' | 'zeros' | 'd935';

/** An extra field cut into what it says and its padding tail. */
export interface SplitExtra {
  /** Length of the fields before the tail. */
  readonly fields: number;
  readonly style: PaddingStyle;
  /** What the tail is there for: as it says itself, or the least for which so many zeros are needed; 1 without a tail. */
  readonly alignment: number;
}

/**
 * Splits off a tail of a named style that makes `dataOffset` aligned. A tail of anything else, or one longer than its
 * alignment needs, is no padding: then `fields` is the whole extra field.
 */
export function splitPadding(extra: Buffer, dataOffset: number): SplitExtra {
  const whole: SplitExtra = { fields: extra.length, style: 'none', alignment: 1 };
  // found once: looking for it from every field on would be quadratic
  let zeros = extra.length;
  while (zeros > 0 && extra[zeros - 1] === 0) zeros--;
  let at = 0;
  while (at < extra.length) {
    if (at >= zeros) {
      const count = extra.length - at;
      const least = ALIGNMENTS.find((alignment) => dataOffset % alignment === 0 && count < alignment);
      return least === undefined ? whole : { fields: at, style: 'zeros', alignment: least };
    }
    if (at + 4 > extra.length) return whole;
    const size = extra.readUInt16LE(at + 2);
    if (at + 4 + size > extra.length) return whole;
    if (extra.readUInt16LE(at) === ALIGNMENT_FIELD && at + 4 + size === extra.length && size >= 2) {
      const alignment = extra.readUInt16LE(at + 4);
      const named = ALIGNMENTS.some((known) => known === alignment);
      // 6 bytes of header and alignment, then fewer zeros than the alignment
      const fits = dataOffset % alignment === 0 && size - 2 < alignment && at + 6 >= zeros;
      return named && fits ? { fields: at, style: 'd935', alignment } : whole;
    }
    at += 4 + size;
  }
  return whole;
}

/**
 * The alignment that Android asks of a stored entry with this name: 1 where it does not matter. A library that was padded
 * for pages of 16 KiB is meant for devices that have them.
 */
export function demandedAlignment(name: string, padded: number): number {
  if (name.endsWith('.so')) return Math.max(4096, padded);
  return name === 'resources.arsc' ? 4 : 1;
}
