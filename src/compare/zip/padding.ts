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
}

/**
 * Splits off a tail of a named style that makes `dataOffset` aligned. A tail of anything else, or one longer than its
 * alignment needs, is no padding: then `fields` is the whole extra field.
 */
export function splitPadding(extra: Buffer, dataOffset: number): SplitExtra {
  const whole: SplitExtra = { fields: extra.length, style: 'none' };
  let at = 0;
  while (at < extra.length) {
    if (isZero(extra, at)) {
      const count = extra.length - at;
      return ALIGNMENTS.some((alignment) => dataOffset % alignment === 0 && count < alignment)
        ? { fields: at, style: 'zeros' }
        : whole;
    }
    if (at + 4 > extra.length) return whole;
    const size = extra.readUInt16LE(at + 2);
    if (at + 4 + size > extra.length) return whole;
    if (extra.readUInt16LE(at) === ALIGNMENT_FIELD && at + 4 + size === extra.length && size >= 2) {
      const alignment = extra.readUInt16LE(at + 4);
      const named = ALIGNMENTS.some((known) => known === alignment);
      // 6 bytes of header and alignment, then fewer zeros than the alignment
      const fits = dataOffset % alignment === 0 && size - 2 < alignment && isZero(extra, at + 6);
      return named && fits ? { fields: at, style: 'd935' } : whole;
    }
    at += 4 + size;
  }
  return whole;
}

function isZero(bytes: Buffer, from: number): boolean {
  for (let at = from; at < bytes.length; at++) if (bytes[at] !== 0) return false;
  return true;
}

/** The largest alignment that Android asks of a stored entry with this name: 1 where it does not matter. */
export function demandedAlignment(name: string): number {
  if (name.endsWith('.so')) return 4096;
  return name === 'resources.arsc' ? 4 : 1;
}
