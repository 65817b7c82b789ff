// SPDX-License-Identifier: Apache-2.0
/** "Did you mean …?": the nearest of the known words by edit distance. */

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(
        Math.min(
          (row[j] ?? 0) + 1,
          (next[j - 1] ?? 0) + 1,
          (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
        ),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The known word that a typo most likely meant. */
export function nearestWord(given: string, known: readonly string[]): string | undefined {
  // An attacker's long word is no typo; and the distance costs the product of both lengths.
  if (given.length > 60) return undefined;
  const ranked = known
    .map((candidate) => ({
      candidate,
      distance: editDistance(given.toLowerCase(), candidate.toLowerCase()),
    }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(2, Math.floor(best.candidate.length / 3))
    ? best.candidate
    : undefined;
}
