// SPDX-License-Identifier: Apache-2.0
/** The rules that left bytes of a pair out of its verdict. */
import type { RuleName } from '../model.js';
import type { PairComparison, Side } from './types.js';

const SIDES: readonly Side[] = ['published', 'rebuilt'];

/** Rules of class `store-edit` that were needed; of class `signature`, where its bytes could not be verified. */
export function excludingRules({ rules, nodes }: PairComparison): RuleName[] {
  const root = nodes[0];
  const left = new Set(
    SIDES.flatMap((side) =>
      (root?.[side].runs ?? []).flatMap(({ owner, rule }) =>
        owner === 'excluded' && rule !== undefined ? [rule] : [],
      ),
    ),
  );
  return rules
    .filter((rule) => rule.needed && (rule.class === 'store-edit' || left.has(rule.rule)))
    .map(({ rule }) => rule);
}
