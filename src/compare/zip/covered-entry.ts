// SPDX-License-Identifier: Apache-2.0
/** Entries that a rule over whole entries covers. */
import type { ZipEntry } from '../../formats/zip.js';
import type { RuleName } from '../../model.js';
import type { LedgerBuilder } from '../ledger.js';
import { rules } from '../rules/index.js';
import type { Rule } from '../rules/rule.js';
import type { Walk } from '../walk.js';
import { isContested, rawNameOf, type ZipSide } from './zip-side.js';

/** The first rule asked for that covers what this entry is on both sides; for entries that differ. */
export function coveringRule(
  walk: Walk,
  p: ZipSide,
  a: ZipEntry,
  r: ZipSide,
  b: ZipEntry,
): RuleName | undefined {
  for (const name of walk.options.rules) {
    if (covers(name, p, a) && covers(name, r, b)) return name;
  }
  return undefined;
}

/** A rule covers one entry of the file itself: stores edit no archive inside, and of several entries with a name none is meant. */
export function covers(name: RuleName, side: ZipSide, entry: ZipEntry): boolean {
  const rule: Rule = rules[name];
  return isCovered(rule.coversEntry, side, entry);
}

/** … or of an entry that one side has alone. */
export function coversAlone(name: RuleName, side: ZipSide, entry: ZipEntry): boolean {
  const rule: Rule = rules[name];
  return isCovered(rule.coversEntry, side, entry) || isCovered(rule.coversAlone, side, entry);
}

function isCovered(check: Rule['coversEntry'], side: ZipSide, entry: ZipEntry): boolean {
  const { source, zip, nested, signature } = side;
  if (nested || check === undefined) return false;
  const stamps = signature.stamps.map(({ certificateSha256 }) => certificateSha256);
  return check(source, entry, stamps, zip) && !isContested(side, entry);
}

/** By a rule that was asked for. */
export function coveredBy(walk: Walk): (side: ZipSide, entry: ZipEntry) => boolean {
  return (side, entry) => [...walk.options.rules].some((name) => covers(name, side, entry));
}

export function coverEntry(
  walk: Walk,
  ledger: LedgerBuilder,
  side: ZipSide,
  entry: ZipEntry,
  member: number,
  rule: RuleName,
): void {
  const size = entry.end - entry.localOffset;
  ledger.add(entry.localOffset, size, 'excluded', 'zip/entry', member, rule);
  ledger.add(entry.cdOffset, entry.cdSize, 'excluded', 'zip/directory-record', member, rule);
  walk.coverByRule(rule, side.side, size + entry.cdSize);
  if (rule !== 'play-stamp-cert' || side.side !== 'published' || side.signature.stamps.length > 0) return;
  walk.report({
    kind: 'unread',
    path: [rawNameOf(entry)],
    code: 'stamp-unchecked',
    detail: 'no source stamp in the signing block that its 32 bytes could be compared with',
  });
}
