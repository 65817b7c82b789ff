// SPDX-License-Identifier: Apache-2.0
import { MAX_ARSC, readTypesCounts, saysTypesCounts } from '../../formats/arsc.js';
import { unlessMalformed } from './malformed.js';
import type { Rule } from './rule.js';

export const playTypesCount: Rule = {
  class: 'store-edit',
  title: 'Counts of types in the resource table',
  reason:
    'newer tools write in each type specification how many types follow, older ones zero: two bytes each, all of them zero or all of them true; every other byte of both tables is the same',
  reference:
    'https://android.googlesource.com/platform/frameworks/base/+/refs/heads/main/libs/androidfw/include/androidfw/ResourceTypes.h',
  content: {
    name: /^resources\.arsc$/,
    limit: MAX_ARSC,
    leavesOut: 'differing-bytes',
    covers: (published, rebuilt) =>
      published.length === rebuilt.length &&
      unlessMalformed(() => {
        const [p, r] = [withoutCounts(published), withoutCounts(rebuilt)];
        return p !== undefined && r !== undefined && p.equals(r);
      }),
  },
};

/** `undefined` where the counts say something else. */
function withoutCounts(table: Buffer): Buffer | undefined {
  const counts = readTypesCounts(table);
  if (!saysTypesCounts(counts)) return undefined;
  const out = Buffer.from(table);
  for (const { offset } of counts) out.writeUInt16LE(0, offset);
  return out;
}
