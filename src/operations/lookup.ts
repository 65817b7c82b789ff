// SPDX-License-Identifier: Apache-2.0
/** What the reports say about files, by their SHA-256 and nothing else. */
import { UsageError } from '../errors.js';
import { packageRoot } from '../inputs/package-files.js';
import type { Sha256 } from '../model.js';
import { newestOfTargets, standingOf, type NotStanding, type PlacedEntry } from '../report/standing.js';
import type { Note, Report } from '../report/types.js';
import type { OperationOptions } from './options.js';
import { defaultStores, openStore, type ReportStore } from './report-store.js';
import type { UnreadReport } from './scan-reports.js';

export interface LookupRequest {
  readonly sha256: readonly Sha256[];
  /** Directory or address of reports; default `reports/` here, then those of this package. */
  readonly reports?: string;
}

export interface StandingVerdict {
  readonly entry: PlacedEntry;
  readonly report: Report;
  readonly notes: readonly Note[];
  readonly location: string;
  readonly inOtherWords: boolean;
  /** How many files the report is about: the verdict is of all of them together. */
  readonly files: number;
}

export interface LookupResult {
  readonly sha256: readonly Sha256[];
  /** Where it was looked for. */
  readonly where: readonly string[];
  /** Of each target the newest that stands and names every one of the files; the newest of all first. */
  readonly standing: readonly StandingVerdict[];
  /** Older reports that stand as well. */
  readonly earlier: readonly PlacedEntry[];
  readonly notStanding: readonly NotStanding[];
  /** Where only some of several files are known. */
  readonly known: readonly { readonly sha256: Sha256; readonly places: readonly string[] }[];
  readonly unread: readonly UnreadReport[];
}

const SHA256 = /^(?:sha256:)?([0-9a-f]{64})$/i;

/** The digest that a word of the command line is, if it is one. */
export function sha256In(word: string): Sha256 | undefined {
  return SHA256.exec(word)?.[1]?.toLowerCase();
}

/** The stores that a request means, opened. */
export async function storesOf(
  reports: string | undefined,
  options: OperationOptions,
): Promise<readonly ReportStore[]> {
  const places = reports === undefined ? await defaultStores(packageRoot()) : [reports];
  const stores: ReportStore[] = [];
  for (const place of places) stores.push(await openStore(place, options));
  return stores;
}

/**
 * @throws UsageError `bad-sha256`, `bad-url`, `bad-index`, `no-reports`, `report-not-as-indexed`
 * @throws FailedHere `unreadable-input`, `network`
 */
export async function lookup(request: LookupRequest, options: OperationOptions = {}): Promise<LookupResult> {
  return await lookUpIn(await storesOf(request.reports, options), request.sha256);
}

/** The first store that has a report of all the files answers. */
export async function lookUpIn(
  stores: readonly ReportStore[],
  asked: readonly Sha256[],
): Promise<LookupResult> {
  const sha256 = [...new Set(asked.map((word) => sha256In(word) ?? refuse(word)))];
  let last: LookupResult | undefined;
  for (const store of stores) {
    const result = await one(store, sha256);
    if (result.standing.length > 0 || result.notStanding.length > 0) return result;
    last = {
      ...result,
      where: [...(last?.where ?? []), ...result.where],
      known: [...(last?.known ?? []), ...result.known],
      unread: [...(last?.unread ?? []), ...result.unread],
    };
  }
  return last ?? { sha256, where: [], standing: [], earlier: [], notStanding: [], known: [], unread: [] };
}

async function one(store: ReportStore, sha256: readonly Sha256[]): Promise<LookupResult> {
  const { files } = store.index;
  const placesOf = (digest: Sha256): readonly string[] =>
    Object.hasOwn(files, digest) ? (files[digest]?.map(({ report }) => report) ?? []) : [];
  const [first = [], ...others] = sha256.map(placesOf);
  const about = new Set(first.filter((place) => others.every((places) => places.includes(place))));
  const { standing, notStanding } = standingOf(store.index, ({ place }) => about.has(place));
  const newest = newestOfTargets(standing);
  const verdicts: StandingVerdict[] = [];
  for (const entry of newest) {
    const { report, notes, location, inOtherWords } = await store.open(entry.place);
    const count = report.statement.subject.published.length;
    verdicts.push({ entry, report, notes, location, inOtherWords, files: count });
  }
  return {
    sha256,
    where: [store.where],
    standing: verdicts,
    earlier: standing.filter((entry) => !newest.includes(entry)),
    notStanding,
    known: sha256.flatMap((digest) => {
      const places = placesOf(digest);
      return places.length === 0 ? [] : [{ sha256: digest, places }];
    }),
    unread: store.unread,
  };
}

function refuse(word: string): never {
  throw new UsageError(
    'bad-sha256',
    `${JSON.stringify(word.slice(0, 100))} is no SHA-256: 64 hexadecimal digits`,
  );
}
