// SPDX-License-Identifier: Apache-2.0
/** Two buffers through the whole comparison, and the verdict of that one pair. */
import { BufferSource } from '../../src/bytes.js';
import { compareSources, type CompareOptions } from '../../src/compare/compare.js';
import type { PairComparison } from '../../src/compare/types.js';
import { decideVerdict } from '../../src/compare/verdict.js';
import type { Verdict } from '../../src/model.js';

export interface Compared {
  readonly pair: PairComparison;
  readonly verdict: Verdict;
}

export async function compareBuffers(
  published: Buffer,
  rebuilt: Buffer,
  options: CompareOptions = {},
): Promise<Compared> {
  const pair = await compareSources(new BufferSource(published), new BufferSource(rebuilt), options);
  return { pair, verdict: verdictOf(pair) };
}

export function verdictOf(pair: PairComparison): Verdict {
  return decideVerdict({
    comparison: {
      pairs: [pair],
      unpairedPublished: [],
      notObtained: [],
      unpairedRebuilt: [],
      notPublished: [],
    },
    unverifiable: [],
    notAuthentic: [],
  });
}
