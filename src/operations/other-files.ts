// SPDX-License-Identifier: Apache-2.0
/** Reports of the same app, version and channel about another file than the one at hand: somebody has to explain that. */
import { packageRoot } from '../inputs/package-files.js';
import type { Sha256, Target } from '../model.js';
import { placeOf } from '../report/report-index.js';
import { entriesOf, newestFirst, type PlacedEntry } from '../report/standing.js';
import type { Report } from '../report/types.js';
import type { OperationOptions } from './options.js';
import { defaultStores, openStore, type ReportStore } from './report-store.js';

export interface OtherFile {
  readonly name: string;
  readonly sha256: Sha256;
  readonly entry: PlacedEntry;
}

export interface HeldFile {
  readonly name: string;
  readonly sha256: Sha256;
}

/** Of one file against reports of one file; of sets only where a file of the same name was another one. */
export function otherFiles(
  stores: readonly ReportStore[],
  targets: readonly (Omit<Target, 'version'> & { readonly version?: string | undefined })[],
  held: readonly HeldFile[],
): readonly OtherFile[] {
  return stores.flatMap((store) => {
    const entries = entriesOf(store.index)
      // a file that was not the publisher's is nobody's measure
      .filter(({ verdict }) => verdict !== 'not-authentic')
      .filter((entry) =>
        targets.some(
          ({ app, version, channel }) =>
            entry.app === app && entry.version === version && entry.channel === channel,
        ),
      )
      .sort(newestFirst);
    return entries.flatMap((entry) => {
      const subjects = Object.entries(store.index.files).flatMap(([sha256, uses]) =>
        uses.flatMap(({ name, report }) => (report === entry.place ? [{ name, sha256 }] : [])),
      );
      const single = subjects.length === 1 && new Set(held.map(({ sha256 }) => sha256)).size === 1;
      return subjects.flatMap(({ name, sha256 }) => {
        if (held.some((one) => one.sha256 === sha256)) return [];
        const same = single || held.some((one) => one.name === name);
        return same ? [{ name, sha256, entry }] : [];
      });
    });
  });
}

/** Of the files that a report is about, against the reports here and those of this package. */
export async function otherFilesThanIn(
  { statement }: Report,
  options: OperationOptions = {},
): Promise<readonly OtherFile[]> {
  const { target, published } = statement.subject;
  if (target === undefined || published.length === 0) return [];
  const stores: ReportStore[] = [];
  for (const place of await defaultStores(packageRoot()))
    stores.push(await openStore(place, options, placeOf(target)));
  return otherFiles(stores, [target], published);
}
