// SPDX-License-Identifier: Apache-2.0
/** Which reports still stand: not withdrawn, not superseded, about the publisher's own source, of a plan of ours. */
import type { IndexedReport, ReportIndex } from './report-index.js';

export interface PlacedEntry extends IndexedReport {
  /** Directory below `reports/`. */
  readonly place: string;
}

export type NotStanding =
  | { readonly kind: 'superseded'; readonly entry: PlacedEntry; readonly by: string }
  | { readonly kind: 'withdrawn'; readonly entry: PlacedEntry }
  | { readonly kind: 'other-source'; readonly entry: PlacedEntry }
  | { readonly kind: 'replay'; readonly entry: PlacedEntry }
  | { readonly kind: 'other-app'; readonly entry: PlacedEntry };

export interface Standing {
  /** Newest first. */
  readonly standing: readonly PlacedEntry[];
  readonly notStanding: readonly NotStanding[];
}

export const sameTarget = (
  a: Pick<IndexedReport, 'app' | 'version' | 'channel'>,
  b: Pick<IndexedReport, 'app' | 'version' | 'channel'>,
): boolean => a.app === b.app && a.version === b.version && a.channel === b.channel;

export const entriesOf = ({ reports }: ReportIndex): readonly PlacedEntry[] =>
  Object.entries(reports).map(([place, entry]) => ({ place, ...entry }));

/** Of two at the same time, the one that says less good comes first. */
const RANK = [
  'not-authentic',
  'unreproducible',
  'unbuildable',
  'unverifiable',
  'equivalent',
  'reproducible',
] as const satisfies readonly IndexedReport['verdict'][];

export function newestFirst(a: PlacedEntry, b: PlacedEntry): number {
  return (
    Date.parse(b.time) - Date.parse(a.time) ||
    RANK.indexOf(a.verdict) - RANK.indexOf(b.verdict) ||
    (a.place < b.place ? -1 : 1)
  );
}

/**
 * Of `which` reports, default all of the index. A report takes the place only of one of the same target that is not newer;
 * it does so even when it was withdrawn itself: what somebody took back does not come again by itself.
 */
export function standingOf(index: ReportIndex, which?: (entry: PlacedEntry) => boolean): Standing {
  const all = entriesOf(index);
  const standing: PlacedEntry[] = [];
  const notStanding: NotStanding[] = [];
  for (const entry of [...all].filter(which ?? (() => true)).sort(newestFirst)) {
    const by = all.find(
      (other) =>
        other.place !== entry.place &&
        other.supersedes === entry.statementSha256 &&
        sameTarget(other, entry) &&
        Date.parse(other.time) >= Date.parse(entry.time),
    );
    if (entry.notes?.some(({ kind }) => kind === 'withdrawal') === true)
      notStanding.push({ kind: 'withdrawn', entry });
    else if (by !== undefined) notStanding.push({ kind: 'superseded', entry, by: by.place });
    else if (entry.otherSource === true) notStanding.push({ kind: 'other-source', entry });
    else if (entry.replay === true) notStanding.push({ kind: 'replay', entry });
    else if (entry.otherApp === true) notStanding.push({ kind: 'other-app', entry });
    else standing.push(entry);
  }
  return { standing, notStanding };
}

/** Of each target the newest that stands. */
export function newestOfTargets(standing: readonly PlacedEntry[]): readonly PlacedEntry[] {
  return [...standing]
    .sort(newestFirst)
    .filter((entry, at, all) => all.findIndex((other) => sameTarget(other, entry)) === at);
}
