// SPDX-License-Identifier: Apache-2.0
/** Extra fields of ZIP entries that hold times and owners, and nothing else. APPNOTE 4.5 and appendix; Info-ZIP's extrafld.txt. */

/** Extra fields that Info-ZIP and Apple's tools write: times and user ids. */
const TIME_FIELDS: ReadonlyMap<number, number> = new Map([
  [0x5455, 13],
  [0x5855, 12],
  [0x7855, 8],
  [0x7875, 15],
]);

/** Nothing else, and each once. */
export function holdsOnlyTimes(extra: Buffer): boolean {
  const seen = new Set<number>();
  let at = 0;
  for (; at + 4 <= extra.length;) {
    const [id, size] = [extra.readUInt16LE(at), extra.readUInt16LE(at + 2)];
    if (seen.has(id) || size > (TIME_FIELDS.get(id) ?? -1)) return false;
    seen.add(id);
    at += 4 + size;
  }
  return at === extra.length;
}
