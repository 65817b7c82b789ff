// SPDX-License-Identifier: Apache-2.0
/** Where each app stands, channel by channel: the verdicts on its last versions, from the reports and nothing else. */
import type { Platform, VerdictKind } from '../model.js';
import { schemeOf } from '../recipe/candidates.js';
import type { Recipe } from '../recipe/schema.js';
import { compareVersions, RANGE_PATTERN, VERSION_PATTERN } from '../recipe/version.js';
import type { ReportIndex } from '../report/report-index.js';
import { entriesOf, standingOf, type PlacedEntry } from '../report/standing.js';
import { storesOf } from './lookup.js';
import type { OperationOptions } from './options.js';
import { recipes } from './recipes.js';

export interface VersionStatus {
  readonly version: string;
  readonly verdict: VerdictKind;
  readonly title: string;
  /** YYYY-MM-DD */
  readonly date: string;
  /** Directory below `reports/`. */
  readonly place: string;
  /** Reports of this version that stand, this one among them: they may be about several files. */
  readonly reports: number;
}

/** One app on one channel. Rows of different channels are about different files: they are not compared. */
export interface StatusRow {
  readonly app: string;
  readonly title?: string;
  readonly platform?: Platform;
  readonly channel: string;
  /** Newest version first. */
  readonly versions: readonly VersionStatus[];
  readonly summary: string;
}

export interface StatusRequest {
  /** Directory or address of reports; default `reports/` here and those of this package. */
  readonly reports?: string;
}

/** @throws FailedHere `unreadable-input`, `network`; UsageError `bad-index` … */
export async function status(
  request: StatusRequest = {},
  options: OperationOptions = {},
): Promise<readonly StatusRow[]> {
  const stores = await storesOf(request.reports, options);
  const all = Object.fromEntries(stores.flatMap(({ index }) => Object.entries(index.reports)));
  const loaded = await recipes();
  return statusRows(
    loaded.map(({ recipe }) => recipe),
    { schemaVersion: 1, files: {}, reports: all },
  );
}

/** Every channel of every recipe, and what reports are about besides. */
export function statusRows(known: readonly Recipe[], index: ReportIndex): readonly StatusRow[] {
  const { standing } = standingOf(index);
  const rows: StatusRow[] = known.flatMap((recipe) => {
    const { app, title, platform } = recipe;
    const channels = [
      ...Object.keys(recipe.channels),
      ...recipe.unsupportedChannels.map(({ channel }) => channel),
    ];
    return (channels.length === 0 ? ['any'] : channels).map((channel): StatusRow => {
      const own = standing.filter((entry) => entry.app === app && entry.channel === channel);
      const elsewhere = recipe.unsupportedChannels.find((other) => other.channel === channel)?.platform;
      return { app, title, platform: elsewhere ?? platform, channel, ...versionsOf(own, schemeOf(recipe)) };
    });
  });
  const listed = new Set(rows.map(({ app, channel }) => `${app} ${channel}`));
  const others = new Map(
    entriesOf(index)
      .filter(({ app, channel }) => !listed.has(`${app} ${channel}`))
      .map(({ app, channel }) => [`${app} ${channel}`, { app, channel }]),
  );
  for (const { app, channel } of others.values()) {
    const own = standing.filter((entry) => entry.app === app && entry.channel === channel);
    const recipe = known.find((one) => one.app === app);
    rows.push({
      app,
      channel,
      ...(recipe === undefined ? {} : { title: recipe.title, platform: recipe.platform }),
      ...versionsOf(own, recipe === undefined ? 'dotted' : schemeOf(recipe)),
    });
  }
  return rows;
}

function versionsOf(
  entries: readonly PlacedEntry[],
  scheme: 'dotted' | 'debian',
): Pick<StatusRow, 'versions' | 'summary'> {
  // newest report first, as standingOf gives them
  const newest = new Map<string, VersionStatus>();
  for (const { version, verdict, title, time, place } of entries) {
    const other = newest.get(version);
    newest.set(
      version,
      other === undefined
        ? { version, verdict, title, date: time.slice(0, 10), place, reports: 1 }
        : { ...other, reports: other.reports + 1 },
    );
  }
  const versions = [...newest.values()].sort((a, b) => byVersion(b.version, a.version, scheme));
  return { versions, summary: summaryOf(versions.map(({ verdict }) => verdict)) };
}

/** A range for which nothing was found comes after every version. */
function byVersion(a: string, b: string, scheme: 'dotted' | 'debian'): number {
  const [left, right] = [a, b].map(
    (version) => VERSION_PATTERN.test(version) || !RANGE_PATTERN.test(version),
  );
  if (left !== right) return left === true ? 1 : -1;
  return compareVersions(a, b, scheme) || (a < b ? -1 : 1);
}

const THIS = {
  reproducible: 'this one reproduced',
  equivalent: 'this one reproduced',
  unreproducible: 'this one not',
  unverifiable: 'this one could not be checked',
  unbuildable: 'this one did not build',
  'not-authentic': 'this file was not the publisher’s',
} as const satisfies Record<VerdictKind, string>;

const ALONE = {
  reproducible: 'reproduced',
  equivalent: 'reproduced',
  unreproducible: 'not reproduced',
  unverifiable: 'could not be checked',
  unbuildable: 'did not build',
  'not-authentic': 'not the publisher’s file',
} as const satisfies Record<VerdictKind, string>;

const isGood = (verdict: VerdictKind): boolean => verdict === 'reproducible' || verdict === 'equivalent';

/** Of verdicts, the newest version first. */
export function summaryOf(verdicts: readonly VerdictKind[]): string {
  const [first, ...before] = verdicts;
  if (first === undefined) return 'no report';
  const row = isGood(first) ? verdicts : before;
  const until = row.findIndex((verdict) => !isGood(verdict));
  const good = until < 0 ? row.length : until;
  if (isGood(first)) return good === 1 ? 'reproduced' : `last ${good} reproduced`;
  return good === 0 ? ALONE[first] : `last ${good} reproduced, ${THIS[first]}`;
}
