// SPDX-License-Identifier: Apache-2.0
/** How much of the content was matched. Shown, never read by a verdict. */
import type { Coverage, LedgerNode, Member, MemberSide, Owner, Side, VerdictInput } from './types.js';
import type { Verdict } from '../model.js';

/** Nothing that deflate stores grows by more than this factor, so a directory cannot claim more weight. */
const DEFLATE_MAX = 1032;

interface Weights {
  matched: number;
  total: number;
}

/** Over one pair's nodes; the smaller of both sides. */
export function coverageOf(nodes: readonly LedgerNode[], verdictAllowsAll: boolean): Coverage {
  return combine([nodes], verdictAllowsAll);
}

/** Over a whole set. `all`: the verdict allows 100 %. */
function combine(pairs: readonly (readonly LedgerNode[])[], verdictAllowsAll: boolean): Coverage {
  const sides = (['published', 'rebuilt'] as const).map((side) => {
    const sum: Weights = { matched: 0, total: 0 };
    for (const nodes of pairs) {
      const weights = contentWeights(nodes, 0, side);
      sum.matched += weights.matched;
      sum.total += weights.total;
    }
    return sum;
  });
  const [published, rebuilt] = sides as [Weights, Weights];
  const smaller = ratio(published) <= ratio(rebuilt) ? published : rebuilt;
  const root = { matched: 0, total: 0 };
  for (const nodes of pairs) {
    const sums = nodes[0]?.published.sums;
    if (sums === undefined) continue;
    root.matched += sums.identical + sums.reencoded;
    root.total += (nodes[0]?.published.size ?? 0) - sums.signature;
  }
  const rounded = Math.floor(ratio(smaller) * 10_000) / 10_000;
  return {
    matched: smaller.matched,
    total: smaller.total,
    ratio: verdictAllowsAll ? rounded : Math.min(rounded, 0.9999),
    rootMatched: root.matched,
    rootTotal: root.total,
  };
}

function ratio({ matched, total }: Weights): number {
  return total === 0 ? 0 : matched / total;
}

/** 100 % is said only of `reproducible`, or of `equivalent` without exclusions. */
export function allowsFullCoverage(verdict: Verdict): boolean {
  return verdict.kind === 'reproducible' || (verdict.kind === 'equivalent' && verdict.excludedBytes === 0);
}

export function setCoverage(input: VerdictInput, verdict: Verdict): Coverage {
  return combine(input.comparison?.pairs.map((pair) => pair.nodes) ?? [], allowsFullCoverage(verdict));
}

/** A leaf weighs its decoded size, everything else its bytes; signature bytes weigh nothing. */
function contentWeights(nodes: readonly LedgerNode[], index: number, side: Side): Weights {
  const node = nodes[index];
  if (node === undefined) return { matched: 0, total: 0 };
  const sums = node[side].sums;
  const weights: Weights = {
    matched: sums.identical + sums.reencoded,
    total: node[side].size - sums.signature,
  };
  for (const member of node.members) {
    const data = member[side];
    if (data !== undefined) replaceByContent(weights, nodes, member, data, side);
  }
  return weights;
}

function replaceByContent(
  weights: Weights,
  nodes: readonly LedgerNode[],
  member: Member,
  data: MemberSide,
  side: Side,
): void {
  const isMatched = (owner: Owner): boolean => owner === 'identical' || owner === 'reencoded';
  if (member.node !== undefined) {
    const child = contentWeights(nodes, member.node, side);
    const sums = nodes[member.node]?.[side].sums;
    if (data.encoded === true) {
      weights.total -= data.storedSize;
      if (isMatched(member.data)) weights.matched -= data.storedSize;
    } else if (sums !== undefined) {
      weights.total -= data.storedSize - sums.signature;
      weights.matched -= sums.identical + sums.reencoded;
    }
    weights.total += child.total;
    weights.matched += child.matched;
  } else if (data.encoded === true && isMatched(member.data)) {
    const growth = Math.min(data.size, DEFLATE_MAX * data.storedSize) - data.storedSize;
    weights.total += growth;
    weights.matched += growth;
  }
}
