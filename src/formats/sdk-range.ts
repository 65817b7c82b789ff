// SPDX-License-Identifier: Apache-2.0
/** Versions of Android by API level, both ends included. */
export interface SdkRange {
  readonly from: number;
  readonly to: number;
}

export const FIRST_SDK = 1;
export const LAST_SDK = 0x7fffffff;
/** First version of Android that looks at the scheme. */
export const FIRST_V2 = 24;
export const FIRST_V3 = 28;
export const FIRST_V31 = 33;
export const EVERY_SDK: SdkRange = { from: FIRST_SDK, to: LAST_SDK };

/** What none of the ranges holds, in order. */
export function outside(ranges: readonly SdkRange[]): SdkRange[] {
  const gaps: SdkRange[] = [];
  let next = FIRST_SDK;
  for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
    if (from > next) gaps.push({ from: next, to: from - 1 });
    next = Math.max(next, to + 1);
  }
  if (next <= LAST_SDK) gaps.push({ from: next, to: LAST_SDK });
  return gaps;
}
