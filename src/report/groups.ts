// SPDX-License-Identifier: Apache-2.0
/** Members and findings of all pairs by what they mean to a reader: what runs first, then data, then packing. */
import { isWorse } from '../compare/ledger.js';
import type { Difference, LedgerNode, Member, MemberKind } from '../compare/types.js';
import { telling } from './describe-difference.js';
import type { Report } from './types.js';

export const GROUPS = ['code', 'data', 'container'] as const;
export type GroupName = (typeof GROUPS)[number];

export const GROUP_TITLES = {
  code: 'Executable code and manifest',
  data: 'Data',
  container: 'Container and signature',
} as const satisfies Record<GroupName, string>;

const GROUP_OF = {
  code: 'code',
  manifest: 'code',
  data: 'data',
  container: 'container',
  signature: 'container',
} as const satisfies Record<MemberKind, GroupName>;

export interface MemberEntry {
  /** Names from the published file to the member. */
  readonly place: readonly string[];
  readonly member: Member;
  /** Joins a member with its findings. */
  readonly key: string;
}

export interface FindingEntry {
  readonly file: string;
  readonly difference: Difference;
  readonly key: string;
  /** JSON pointer into the report. */
  readonly pointer: string;
}

export interface Group {
  readonly name: GroupName;
  /** Worst first, else in the order of the ledger. */
  readonly members: readonly MemberEntry[];
  /** Content before records, else in the order of the comparison. */
  readonly findings: readonly FindingEntry[];
}

const keyOf = (pair: number, path: readonly string[]): string => JSON.stringify([pair, ...path]);

export function groupsOf({ statement }: Report): readonly Group[] {
  const members: Record<GroupName, MemberEntry[]> = { code: [], data: [], container: [] };
  const findings: Record<GroupName, FindingEntry[]> = { code: [], data: [], container: [] };
  for (const [at, pair] of (statement.comparison?.pairs ?? []).entries()) {
    const kinds = new Map<string, GroupName>();
    for (const { node, member } of membersOf(pair.nodes)) {
      const path = [...node.path, member.name];
      const key = keyOf(at, path);
      const group = GROUP_OF[member.kind];
      kinds.set(key, group);
      members[group].push({ place: [pair.published.name, ...path], member, key });
    }
    // a pair of plain files has one leaf, which is the file itself
    const whole: GroupName = kinds.size === 0 ? 'data' : 'container';
    for (const [index, difference] of pair.differences.entries()) {
      const key = keyOf(at, difference.path);
      const entry: FindingEntry = {
        file: pair.published.name,
        difference,
        key,
        pointer: `/statement/comparison/pairs/${at}/differences/${index}`,
      };
      findings[groupAbove(kinds, at, difference.path) ?? whole].push(entry);
    }
  }
  return GROUPS.map((name) => ({
    name,
    members: worstFirst(members[name]),
    findings: findings[name].sort((a, b) => telling(a.difference) - telling(b.difference)),
  }));
}

function* membersOf(nodes: readonly LedgerNode[]): Generator<{ node: LedgerNode; member: Member }> {
  for (const node of nodes) for (const member of node.members) yield { node, member };
}

/** That of the nearest member on the way to the root. */
function groupAbove(
  kinds: ReadonlyMap<string, GroupName>,
  pair: number,
  path: readonly string[],
): GroupName | undefined {
  for (let length = path.length; length > 0; length--) {
    const group = kinds.get(keyOf(pair, path.slice(0, length)));
    if (group !== undefined) return group;
  }
  return undefined;
}

function worstFirst(entries: MemberEntry[]): MemberEntry[] {
  const rank = (a: MemberEntry, b: MemberEntry): number => {
    if (isWorse(a.member.owner, b.member.owner)) return -1;
    return isWorse(b.member.owner, a.member.owner) ? 1 : 0;
  };
  return entries.sort(rank);
}
