// SPDX-License-Identifier: Apache-2.0
/** Keeps the evidence of a report within its bound. Ledgers are never cut: the verdict is recomputed from them. */
import { printable } from '../printable.js';
import type { Difference, PairComparison, SetComparison } from '../compare/types.js';

/** Of the findings of all pairs together, in all files of a stored report: report.json and pages. */
export const EVIDENCE_BYTES = 2_000_000;

/** Lines of a text patch that stay when not everything fits. */
const PATCH_LINES = [200, 40, 10] as const;
/** What a page puts around one finding, its place repeated. */
const MARKUP = 250;

/**
 * Patches are shortened first, and their lines counted in `cutLines`; then findings are dropped and counted in
 * `differencesCut`: first those beyond the first of a member, from the end. A pair that needs less leaves its share to
 * the others.
 */
export function boundEvidence(comparison: SetComparison, limit = EVIDENCE_BYTES): SetComparison {
  let pairs = comparison.pairs;
  const needs = (): number[] =>
    pairs.map((pair) => pair.differences.reduce((sum, one) => sum + cost(one), 0));
  for (const lines of PATCH_LINES) {
    if (needs().reduce((sum, need) => sum + need, 0) <= limit) break;
    pairs = pairs.map((pair) => ({
      ...pair,
      differences: pair.differences.map((one) => shortened(one, lines)),
    }));
  }
  const shares = fairShares(needs(), limit);
  return { ...comparison, pairs: pairs.map((pair, at) => boundPair(pair, shares[at] ?? 0)) };
}

/** What each gets of `limit`: never more than it needs, else the same as the others that need more. */
export function fairShares(needs: readonly number[], limit: number): number[] {
  const shares = needs.map(() => 0);
  let left = limit;
  const order = [...needs.keys()].sort((a, b) => (needs[a] ?? 0) - (needs[b] ?? 0));
  for (const [at, index] of order.entries()) {
    const share = Math.min(needs[index] ?? 0, Math.floor(left / (order.length - at)));
    shares[index] = share;
    left -= share;
  }
  return shares;
}

function boundPair(pair: PairComparison, limit: number): PairComparison {
  let left = limit;
  const kept = new Set<Difference>();
  const keep = (difference: Difference): void => {
    const bytes = cost(difference);
    if (bytes > left) return;
    left -= bytes;
    kept.add(difference);
  };
  const places = new Set<string>();
  const later: Difference[] = [];
  for (const difference of pair.differences) {
    const place = JSON.stringify(difference.path);
    if (places.has(place)) later.push(difference);
    else keep(difference);
    places.add(place);
  }
  for (const difference of later) keep(difference);
  const cut = pair.differences.length - kept.size;
  return cut === 0
    ? pair
    : {
        ...pair,
        differences: pair.differences.filter((difference) => kept.has(difference)),
        differencesCut: pair.differencesCut + cut,
      };
}

function shortened(difference: Difference, lines: number): Difference {
  if (difference.kind !== 'text') return difference;
  const all = difference.patch.replace(/\n$/, '').split('\n');
  if (all.length <= lines) return difference;
  return {
    ...difference,
    patch: `${all.slice(0, lines).join('\n')}\n`,
    cutLines: difference.cutLines + all.length - lines,
  };
}

/**
 * An upper bound of what it takes in report.json and on a page, where a quote or a bracket is up to six bytes, a line of
 * a patch can be marked, and a dump has spaces, offsets and characters.
 */
function cost(difference: Difference): number {
  const json = JSON.stringify(difference);
  const texts = textsOf(difference);
  // control and bidi characters become names of themselves
  const escaped = (texts.match(/[&<>"'`\\]/g)?.length ?? 0) + (printable(texts).length - texts.length);
  const lines = texts.match(/\n/g)?.length ?? 0;
  return 2 * Buffer.byteLength(json) + 6 * escaped + 11 * lines + 2 * hexOf(difference) + MARKUP;
}

function textsOf(difference: Difference): string {
  const values: readonly unknown[] = Object.values(difference);
  const cause = 'cause' in difference ? (difference.cause?.evidence ?? '') : '';
  return [...difference.path, ...values.filter((value) => typeof value === 'string'), cause].join('');
}

function hexOf(difference: Difference): number {
  if (difference.kind === 'bytes') return difference.publishedHex.length + difference.rebuiltHex.length;
  return difference.kind === 'hidden' ? difference.hex.length : 0;
}
