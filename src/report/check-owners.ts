// SPDX-License-Identifier: Apache-2.0
/** Owners that the bytes of a node can have: by its format, by its place, by the rule that covers them. */
import { rules } from '../compare/rules/index.js';
import type { LedgerNode, Owner } from '../compare/types.js';
import type { Found } from './check.js';

const SIDES = ['published', 'rebuilt'] as const;

/** Formats without members, and the owners that their bytes can have. */
const LEAVES: Readonly<Record<string, ReadonlySet<Owner>>> = {
  equal: new Set(['identical']),
  data: new Set(['identical', 'different', 'missing']),
  unread: new Set(['unread']),
};

/** Counts and sizes that follow from an entry that a rule left out. */
const FOLLOWING: ReadonlySet<string> = new Set(['zip/entry-count', 'zip/directory-size']);

/** @param at JSON pointer of the node */
export function checkOwners(node: LedgerNode, isRoot: boolean, at: string, found: Found): void {
  const allowed = LEAVES[node.format];
  if (allowed !== undefined && node.members.length > 0)
    found('ledger', `${at}/members`, `${node.members.length} members of ${node.format}`);
  for (const side of SIDES)
    for (const [index, run] of node[side].runs.entries()) {
      const where = `${at}/${side}/runs/${index}`;
      if (allowed?.has(run.owner) === false)
        found('ledger', where, `${run.owner} bytes in a node of format ${node.format}`);
      if (side === 'published' && run.owner === 'missing')
        found('ledger', where, 'only rebuilt bytes can be missing');
      if (!isRoot && (run.owner === 'signature' || run.owner === 'excluded'))
        found('ledger', where, `${run.owner} bytes inside of a member`);
      const byRule = run.rule !== undefined && rules[run.rule].class === 'store-edit';
      if (run.owner === 'excluded' ? !byRule && !FOLLOWING.has(run.region) : byRule)
        found('ledger', where, `${run.owner} bytes by ${run.rule ?? 'no rule'}`);
      if (run.owner !== 'signature' && run.rule !== undefined && rules[run.rule].class === 'signature')
        found('ledger', where, `${run.owner} bytes by ${run.rule}`);
    }
}
