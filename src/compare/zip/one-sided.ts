// SPDX-License-Identifier: Apache-2.0
/** Entries without partner: of a signature, of a rule, or of one side alone. */
import { JAR_ISSUES } from '../../formats/jar-issue.js';
import { protectionOf } from '../explain/store-protection.js';
import { LedgerBuilder, oneSided, worst } from '../ledger.js';
import type { Owner, Side } from '../types.js';
import type { Place, Walk } from '../walk.js';
import { coverEntry, coversAlone } from './covered-entry.js';
import type { JarCheck } from './jar-check.js';
import type { SignatureEntryOwners, SignatureExtent } from './jar-entries.js';
import type { MemberTable } from './member-table.js';
import type { ZipSide } from './zip-side.js';

/** Totals of what one side has and the other does not, for the counts and sizes of the end record. */
export interface OneSidedTotals {
  worst: Owner;
  /** Of entries that belong to a signature. */
  readonly signed: Readonly<Record<Side, SignatureExtent>>;
}

export function addOneSided(
  walk: Walk,
  ledger: LedgerBuilder,
  side: ZipSide,
  entryIndex: number,
  members: MemberTable,
  place: Place,
  totals: OneSidedTotals,
  signatureOwners: SignatureEntryOwners,
): void {
  const entry = side.zip.entries[entryIndex];
  if (entry === undefined) return;
  const signed = signatureOwners(side, entryIndex);
  // what is proven is not left out
  const rule =
    signed?.owner === 'signature'
      ? undefined
      : [...walk.options.rules].find((name) => coversAlone(name, side, entry));
  if (rule !== undefined) {
    const member = members.single(side.side, entry, 'excluded');
    coverEntry(walk, ledger, side, entry, member, rule);
    totals.worst = worst(totals.worst, 'excluded');
    return;
  }
  const owner: Owner = signed?.owner ?? oneSided(side.side);
  const member = members.single(side.side, entry, owner);
  const region = signed?.region ?? 'zip/entry';
  const size = entry.end - entry.localOffset;
  const ruleOf = signed?.rule ?? '';
  ledger.add(entry.localOffset, size, owner, region, member, ruleOf);
  ledger.add(entry.cdOffset, entry.cdSize, owner, signed?.region ?? 'zip/directory-record', member, ruleOf);
  totals.worst = worst(totals.worst, owner);
  if (signed !== undefined) {
    if (signed.rule !== '') walk.coverByRule(signed.rule, side.side, size + entry.cdSize);
    const extent = totals.signed[side.side];
    extent.entries += 1;
    extent.records += entry.cdSize;
    extent.data += size;
    return;
  }
  walk.report({
    kind: side.side === 'published' ? 'only-published' : 'only-rebuilt',
    path: [...place.path, members.nameOf(entry)],
    size: entry.size,
    ...(side.side === 'published' && !side.nested ? protectionOf(entry) : {}),
  });
}

/** What keeps the entries of the published signature from having an owner other than `unread`. */
export function reportJarSignature(walk: Walk, place: Place, check: JarCheck, found: Owner): void {
  if (found !== 'unread') return;
  const codes = new Set<string>();
  for (const { code, message, offset } of check.issues) {
    const { effect } = JAR_ISSUES[code];
    if (effect !== 'invalid' && effect !== 'open' && effect !== 'loose') continue;
    codes.add(code);
    walk.report({ kind: 'unread', path: place.path, code, detail: `${message} (offset ${offset})` });
  }
  if (codes.size > 0)
    walk.cannotVerify('unread', `the JAR signature leaves bytes open: ${[...codes].sort().join(', ')}`);
}
