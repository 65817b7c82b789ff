// SPDX-License-Identifier: Apache-2.0
/** What is found about the data of one paired ZIP entry. */
import type { ZipEntry } from '../../formats/zip.js';
import type { StreamSummary } from '../decode/inflate.js';
import { undecoded, type DecodeOutcome } from '../decode/undecoded.js';
import { worst } from '../ledger.js';
import type { RuleName } from '../../model.js';
import type { ContentRule } from '../rules/rule.js';
import type { LedgerNode, Owner } from '../types.js';
import type { Place, Walk } from '../walk.js';

export interface EntryData {
  readonly owner: Owner;
  /** The directory's CRC and sizes are what the data have, on both sides; only asked where the raw bytes differ. */
  readonly statedTruly: boolean;
  /** Node of the content; `splice` when the stored bytes are the content. */
  readonly child?: { readonly index: number; readonly splice: boolean };
  /** What an encoder nobody named must not leave behind. */
  readonly issues: readonly string[];
  /** The rule that leaves the content out, or some of its bytes. */
  readonly covered?: { readonly rule: RuleName; readonly leavesOut: ContentRule['leavesOut'] };
  /** The rule that leaves bytes of the content out, where its node has some and nothing worse. */
  readonly excludedBy?: RuleName;
}

/** The raw bytes are equal: nothing is decoded, and what the directory states is not asked. */
export const EQUAL_DATA: EntryData = { owner: 'identical', statedTruly: true, issues: [] };

export function opaque(owner: Owner, issues: readonly string[] = []): EntryData {
  return { owner, statedTruly: false, issues };
}

/** An opaque result when a side does not decode. */
export function failure(walk: Walk, place: Place, a: DecodeOutcome, b: DecodeOutcome): EntryData | undefined {
  const owner = undecoded(walk, place.path, a, b);
  return owner === undefined ? undefined : opaque(owner);
}

export type Facts = Pick<StreamSummary, 'crc32' | 'issues'>;

/** Equal content in another encoding, so far; an encoding with room for hidden bytes is a difference. */
export function judge(p: ZipEntry, a: Facts, r: ZipEntry, b: Facts): EntryData {
  const issues = [
    ...a.issues.map((code) => `published: ${code}`),
    ...b.issues.map((code) => `rebuilt: ${code}`),
  ];
  return {
    owner: issues.length === 0 ? 'reencoded' : 'different',
    statedTruly: a.crc32 === p.crc32 && b.crc32 === r.crc32,
    issues,
  };
}

export function withChild(
  summary: EntryData,
  index: number,
  childWorst: Owner,
  excludedBy?: RuleName,
): EntryData {
  const owner = worst(summary.owner, childWorst);
  return {
    ...summary,
    owner: owner === 'missing' ? 'different' : owner,
    child: { index, splice: false },
    ...(owner === 'excluded' && excludedBy !== undefined ? { excludedBy } : {}),
  };
}

/** The first rule that leaves something out of a node. */
export function excludingRule(node: LedgerNode | undefined): RuleName | undefined {
  return [...(node?.published.runs ?? []), ...(node?.rebuilt.runs ?? [])].find(
    ({ owner }) => owner === 'excluded',
  )?.rule;
}
