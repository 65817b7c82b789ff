// SPDX-License-Identifier: Apache-2.0
/** Keeps the evidence of a report within its bound. Ledgers are never cut: the verdict is recomputed from them. */
import type { Difference, PairComparison, SetComparison } from '../compare/types.js';

/** Of the findings of all pairs together, as JSON. */
export const EVIDENCE_BYTES = 1 << 20;

/** Findings beyond the bound are dropped from the end of each pair and counted in `differencesCut`. */
export function boundEvidence(comparison: SetComparison, limit = EVIDENCE_BYTES): SetComparison {
  const share = Math.floor(limit / Math.max(1, comparison.pairs.length));
  return { ...comparison, pairs: comparison.pairs.map((pair) => boundPair(pair, share)) };
}

function boundPair(pair: PairComparison, limit: number): PairComparison {
  const kept: Difference[] = [];
  let left = limit;
  for (const difference of pair.differences) {
    left -= JSON.stringify(difference).length;
    if (left < 0) break;
    kept.push(difference);
  }
  const cut = pair.differences.length - kept.length;
  return cut === 0 ? pair : { ...pair, differences: kept, differencesCut: pair.differencesCut + cut };
}
