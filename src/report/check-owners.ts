// SPDX-License-Identifier: Apache-2.0
/** Owners that the bytes of a node can have: by its format, by its place, by the rule that covers them. */
import { mayExclude, maySign } from '../compare/rules/index.js';
import type { LedgerNode, Owner } from '../compare/types.js';
import type { RuleName } from '../model.js';
import type { Found } from './check.js';

const SIDES = ['published', 'rebuilt'] as const;

/** Formats without members, and the owners that their bytes can have. */
const LEAVES: ReadonlyMap<string, ReadonlySet<Owner>> = new Map([
  ['equal', new Set<Owner>(['identical'])],
  ['data', new Set<Owner>(['identical', 'different', 'missing'])],
  ['unread', new Set<Owner>(['unread'])],
]);

/** Counts and sizes that follow from an entry that a rule left out. */
const FOLLOWING: ReadonlySet<string> = new Set(['zip/entry-count', 'zip/directory-size']);

/** Inside of an app each program is signed by itself. */
const PROGRAMS: ReadonlySet<string> = new Set(['mach-o', 'mach-o-universal']);
const OF_PROGRAMS: ReadonlySet<RuleName> = new Set(['macho-code-signature', 'appstore-encryption-info']);

/** @param at JSON pointer of the node */
export function checkOwners(node: LedgerNode, isRoot: boolean, at: string, found: Found): void {
  const allowed = LEAVES.get(node.format);
  if (allowed !== undefined && node.members.length > 0)
    found('ledger', `${at}/members`, `${node.members.length} members of ${node.format}`);
  for (const side of SIDES)
    for (const [index, run] of node[side].runs.entries()) {
      const where = `${at}/${side}/runs/${index}`;
      if (allowed?.has(run.owner) === false)
        found('ledger', where, `${run.owner} bytes in a node of format ${node.format}`);
      if (side === 'published' && run.owner === 'missing')
        found('ledger', where, 'only rebuilt bytes can be missing');
      const isProgram = PROGRAMS.has(node.format) && run.rule !== undefined && OF_PROGRAMS.has(run.rule);
      if (!isRoot && !isProgram && (run.owner === 'signature' || run.owner === 'excluded'))
        found('ledger', where, `${run.owner} bytes inside of a member`);
      if (
        run.rule === undefined
          ? run.owner === 'excluded' && !FOLLOWING.has(run.region)
          : !owns(run.rule, run.owner)
      )
        found('ledger', where, `${run.owner} bytes by ${run.rule ?? 'no rule'}`);
    }
}

/** A rule leaves bytes out, or its bytes are a signature. */
function owns(rule: RuleName, owner: Owner): boolean {
  return owner === 'excluded' ? mayExclude(rule) : owner === 'signature' && maySign(rule);
}
