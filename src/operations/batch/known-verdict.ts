// SPDX-License-Identifier: Apache-2.0
/** Verdicts that reports below `out` tell already: on the very same plan and files, and the last one before. */
import path from 'node:path';
import { digestOf } from '../../canonical-json.js';
import { obtainPublished } from '../../inputs/published.js';
import type { ComparePlan, FileIdentity, Target, UnverifiableReason } from '../../model.js';
import { compareVersions, type VersionScheme } from '../../recipe/version.js';
import { standingOf, type PlacedEntry } from '../../report/standing.js';
import type { Report } from '../../report/types.js';
import type { OperationOptions } from '../options.js';
import type { ChecksResult, PlanResult } from '../plan.js';
import { readReport } from '../read-report.js';
import { scanReports } from '../scan-reports.js';
import { stoppable } from '../stoppable.js';
import { inWorkspace } from '../workspace.js';
import type { KnownVerdict } from './job.js';

/** Reports on the app and channel that stand, the newest first. */
export async function standingReports(
  out: string,
  { app, channel }: Pick<Target, 'app' | 'channel'>,
): Promise<readonly PlacedEntry[]> {
  const reports = path.join(out, 'reports');
  const { index } = await scanReports(reports, [app]);
  return standingOf(index, (entry) => entry.app === app && entry.channel === channel).standing;
}

export const asKnown = ({ version, verdict, statementSha256, place }: PlacedEntry): KnownVerdict => ({
  version,
  verdict,
  statementSha256,
  place: path.posix.join('reports', place),
});

/** Of this version, else of the newest before it. */
export function verdictBefore(
  standing: readonly PlacedEntry[],
  version: string,
  scheme: VersionScheme,
): KnownVerdict | undefined {
  const same = standing.find((entry) => entry.version === version);
  const [before] = standing
    .filter((entry) => compareVersions(entry.version, version, scheme) < 0)
    .toSorted((a, b) => compareVersions(b.version, a.version, scheme));
  const found = same ?? before;
  return found === undefined ? undefined : asKnown(found);
}

/** Why there is no plan. */
export interface NoPlan {
  readonly kind: 'no-plan';
  readonly code: UnverifiableReason;
  readonly detail: string;
}

export type Planning = PlanResult | ChecksResult | NoPlan;

export interface KnownReport {
  readonly known: PlacedEntry;
  readonly report: Report;
}

/** Those on the version that are about this very plan, the newest first; of different published files, perhaps. */
export async function reportsOnPlan(
  out: string,
  standing: readonly PlacedEntry[],
  version: string,
  planned: Planning,
): Promise<readonly KnownReport[]> {
  const found: KnownReport[] = [];
  for (const known of standing.filter((entry) => entry.version === version)) {
    const result = await readReport(path.join(out, 'reports', known.place));
    const report = result.kind === 'consistent' ? result.report : result.inOtherWords;
    if (report !== undefined && isOnPlan(report.statement, planned)) found.push({ known, report });
  }
  return found;
}

function isOnPlan({ plan, checks, unverifiable }: Report['statement'], planned: Planning): boolean {
  switch (planned.kind) {
    case 'build':
      return (
        plan?.buildDigest === planned.plan.buildDigest && plan?.compareDigest === planned.plan.compareDigest
      );
    case 'checks':
      return (
        checks?.compareDigest === planned.plan.compareDigest &&
        checks.recipeSha256 === planned.plan.recipe.sha256
      );
    case 'no-plan':
      return (
        plan === undefined &&
        checks === undefined &&
        unverifiable.some(({ code, detail }) => code === planned.code && detail === planned.detail)
      );
  }
}

/**
 * The report that is about what the channel gives now. Where the plan itself names the files by their digests, nothing is
 * fetched.
 * @throws FailedHere as the look for published files
 */
export async function reportOnFiles(
  reports: readonly KnownReport[],
  compare: ComparePlan,
  published: string | undefined,
  options: OperationOptions,
): Promise<KnownReport | undefined> {
  if (reports.length === 0) return undefined;
  const { acquisition } = compare;
  if (published === undefined && acquisition.kind === 'debian-archive')
    return reports.find(({ report }) => {
      const files = acquisition.files.map((file) => ({ ...file, name: path.posix.basename(file.path) }));
      return digestsOf(report.statement.subject.published) === digestsOf(files);
    });
  const now = await inWorkspace({ compare }, (workspace) =>
    stoppable(options, async ({ signal, onProgress }) =>
      obtainPublished(compare, {
        ...workspace,
        directory: path.join(workspace.directory, 'published'),
        published,
        signal,
        onProgress,
      }),
    ),
  );
  const files = now.kind === 'no-published-artifact' ? [] : now.files;
  return reports.find(({ report }) => digestsOf(report.statement.subject.published) === digestsOf(files));
}

const digestsOf = (files: readonly FileIdentity[]): string =>
  digestOf(files.map(({ name, sha256 }) => `${name} ${sha256}`).sort());
