// SPDX-License-Identifier: Apache-2.0
/** Several clean builds of one plan: which of them speaks for the source, and how firmly a mismatch stands. */
import type { Standing, VerdictKind } from '../model.js';
import type { LedgerNode, PairComparison, SetComparison } from './types.js';
import { decideVerdict } from './verdict.js';

/** One matching build is proof, whatever the others gave. */
export function matchesPublished(comparison: SetComparison): boolean {
  return RANK[resultOf(comparison)] <= RANK.equivalent;
}

/** What another build can confirm; bytes that nobody could read stay unread however often they are built. */
export function isMismatch(comparison: SetComparison): boolean {
  return resultOf(comparison) === 'unreproducible';
}

/** What the source gives does not depend on who signed the published file. */
function resultOf({ pairs, ...set }: SetComparison): VerdictKind {
  const comparison = { ...set, pairs: pairs.map((pair) => ({ ...pair, notAuthentic: [] })) };
  return decideVerdict({ comparison, unverifiable: [], notAuthentic: [] }).kind;
}

const RANK: Readonly<Record<VerdictKind, number>> = {
  reproducible: 0,
  equivalent: 1,
  unverifiable: 2,
  unreproducible: 3,
  unbuildable: 4,
  'not-authentic': 5,
};

/** Index of the build to report: the best one, the earliest of equals. */
export function bestBuild(comparisons: readonly SetComparison[]): number {
  const ranks = comparisons.map((comparison) => RANK[resultOf(comparison)]);
  return ranks.indexOf(Math.min(...ranks));
}

export interface Stability {
  readonly standing: Standing;
  /** Where our builds disagree and the published file differs from the reported one; sorted. */
  readonly unstable: readonly string[];
}

/**
 * `mismatch`: published against the reported build. `ours`: that build against each other one, paired in the same order.
 * No other build: `single`.
 */
export function stabilityOf(mismatch: SetComparison, ours: readonly SetComparison[]): Stability {
  if (ours.length === 0) return { standing: 'single', unstable: [] };
  const differing = placesOf(mismatch, 'rebuilt');
  // a file that only one of our builds made is as unstable as one with other bytes
  const disagreeing = new Set(ours.flatMap((comparison) => differingMembers(comparison)));
  const missing = mismatch.unpairedPublished.map((file) => file.name);
  const unstable = [...differing, ...missing].filter((place) => disagreeing.has(place)).sort();
  return { standing: unstable.length > 0 ? 'unstable' : 'confirmed', unstable };
}

/** Where two builds of ours differ, as far as bytes were read; sorted. */
export function differingMembers(ours: SetComparison): readonly string[] {
  const unpaired = [...ours.unpairedPublished, ...ours.unpairedRebuilt].map(({ name }) => name);
  return [...new Set([...placesOf(ours, 'published'), ...unpaired])].sort();
}

/** Whether `other` says more for the source than `comparison` does. */
export const isNearer = (other: SetComparison, comparison: SetComparison): boolean =>
  bestBuild([comparison, other]) === 1;

/** Leaves and container records that differ, under the name that our own build's file has. */
function placesOf(comparison: SetComparison, ours: 'published' | 'rebuilt'): Set<string> {
  return new Set(comparison.pairs.flatMap((pair) => differingPlaces(pair, pair[ours].name)));
}

const differs = (owner: string): boolean => owner === 'different' || owner === 'missing';

function differingPlaces(pair: PairComparison, file: string): string[] {
  const places: string[] = [];
  for (const node of pair.nodes) {
    const at = [file, ...node.path].join(' > ');
    for (const member of node.members)
      if (differs(member.owner) && member.node === undefined)
        places.push(`${at} > ${member.name}${member.occurrence === 0 ? '' : `#${member.occurrence}`}`);
    if (hasOwnDifference(node)) places.push(at);
  }
  return places;
}

/** Bytes that belong to no member: a leaf, or the container itself. */
function hasOwnDifference(node: LedgerNode): boolean {
  return [...node.published.runs, ...node.rebuilt.runs].some(
    (run) => run.member === undefined && differs(run.owner),
  );
}
