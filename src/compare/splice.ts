// SPDX-License-Identifier: Apache-2.0
/** A stored member's bytes are its node's bytes: the parent takes over the owners run by run. */
import type { LedgerBuilder } from './ledger.js';
import type { SideLedger } from './types.js';

/** `base`: where the member's data begin in the parent. */
export function splice(target: LedgerBuilder, base: number, child: SideLedger, member: number): void {
  let cursor = 0;
  for (const run of child.runs) {
    target.add(base + cursor, run.offset - cursor, 'identical', '');
    target.add(base + run.offset, run.length, run.owner, run.region, member, run.rule ?? '');
    cursor = run.offset + run.length;
  }
  target.add(base + cursor, child.size - cursor, 'identical', '');
}
