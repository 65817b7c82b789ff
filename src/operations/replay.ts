// SPDX-License-Identifier: Apache-2.0
/** A report's exact plan once more, without its recipe; offline from what its run recorded. */
import os from 'node:os';
import path from 'node:path';
import type { ExecutorKind } from '../build/executor.js';
import { FailedHere, UsageError } from '../errors.js';
import { cacheDirectory, copyOut, fromCache } from '../inputs/cache.js';
import type { Deviation, PhaseName, Plan, Sha256 } from '../model.js';
import { makeOwnedDirectory, removeOwned } from '../owned-directory.js';
import { compareReports, type ReplayStage } from '../report/compare-reports.js';
import type { Report } from '../report/types.js';
import { VARIED_ENVIRONMENT } from '../report/varied-statements.js';
import { assertRunnable } from './foreign-plan.js';
import type { OperationOptions } from './options.js';
import { readReport } from './read-report.js';
import { verifyPlan } from './verify.js';

export interface ReplayRequest {
  /** A report.json or its directory. */
  readonly report: string;
  /** Nothing is asked of the network: what is not in the cache is missing. */
  readonly offline?: boolean;
  /** FILE or DIR; else from the cache, else (not offline) from the channel. */
  readonly published?: string;
  readonly engine?: ExecutorKind;
  readonly allowLocalAsRoot?: boolean;
  /** The new report, or the failed attempt, is kept below it. */
  readonly out?: string;
}

export interface ReplayResult {
  readonly before: Report;
  readonly now: Report;
  readonly stages: readonly ReplayStage[];
  /** Of the statement: the same bytes. */
  readonly same: boolean;
  readonly location?: string;
}

/** Told by a run of the plan, not by the plan itself. */
const OF_A_RUN = new Set([
  'build-dependency-drift',
  'build-path-drift',
  'fallback-address',
  'fallback-image',
  'image-drift',
  'image-not-pinned',
  'no-container',
  'toolchain-drift',
  VARIED_ENVIRONMENT,
]);

/** @throws UsageError `report-inconsistent`, `nothing-to-replay`, `foreign-plan`; FailedHere `not-recorded` and what `verify` throws */
export async function replay(request: ReplayRequest, options: OperationOptions = {}): Promise<ReplayResult> {
  const read = await readReport(request.report);
  if (read.kind === 'inconsistent')
    throw new UsageError('report-inconsistent', `${request.report} does not agree with itself`, {
      hint: 'see `verify report --check`',
    });
  const before = read.report;
  const plan = planOf(before);
  // what only came out under other conditions comes out under no others: they are tried where the plan fails again
  const vary = before.run.variations?.find(({ reported }) => reported === true)?.varied;
  await assertRunnable(plan, request.engine, options);
  const offline = request.offline === true;
  const directory = await makeOwnedDirectory(os.tmpdir(), 'samesource-');
  try {
    const published = request.published ?? (await publishedFromCache(before, directory, offline));
    const { engine, allowLocalAsRoot, out } = request;
    const { report: now, location } = await verifyPlan(
      vary === undefined ? plan : { ...plan, vary },
      {
        ...(published === undefined ? {} : { published }),
        ...(engine === undefined ? {} : { engine }),
        ...(allowLocalAsRoot === undefined ? {} : { allowLocalAsRoot }),
        ...(out === undefined ? {} : { out }),
        ...(offline ? { replay: recordsOf(before) } : {}),
        // what was kept of an earlier build says nothing about now
        madeSince: new Date(),
        rebuild: vary === undefined ? Math.max(1, before.run.builds) : 1,
        confirm: vary !== undefined,
      },
      options,
      // what answered may be a record that somebody else wrote: such a build takes no other one's place
      { facts: { replayOf: before.statementSha256 }, storing: false },
    );
    const stages = compareReports(before, now);
    return {
      before,
      now,
      stages,
      same: before.statementSha256 === now.statementSha256,
      ...(location === undefined ? {} : { location }),
    };
  } finally {
    await removeOwned(directory);
  }
}

function planOf({ statement }: Report): Plan {
  const { plan, subject } = statement;
  if (plan === undefined || subject.target === undefined)
    throw new UsageError('nothing-to-replay', 'the report holds no plan of a build', {
      hint: 'name a report of `verify <app> <version>`',
    });
  const { build, compare, compareDigest, buildDigest, recipeSha256 } = plan;
  const { minutes, diskMiB, memoryMiB } = build.environment;
  return {
    schemaVersion: 1,
    target: subject.target,
    build,
    ...(buildDigest === undefined ? {} : { buildDigest }),
    compare,
    compareDigest,
    recipe: { app: subject.target.app, sha256: recipeSha256 },
    deviations: statement.deviations.filter(({ code }: Deviation) => !OF_A_RUN.has(code)),
    toolchain: [],
    references: [],
    unconfirmed: [],
    unresolved: [],
    skipped: [],
    expected: { minutes, diskMiB, memoryMiB },
    carried: statement.carried,
    knownResults: statement.knownResults,
  };
}

/** By phase: more than one where a fallback was used. */
function recordsOf({ run }: Report): Readonly<Partial<Record<PhaseName, readonly Sha256[]>>> {
  const records: Partial<Record<PhaseName, readonly Sha256[]>> = {};
  for (const { phase, record } of run.fetched ?? [])
    if (record !== undefined) records[phase] = [...(records[phase] ?? []), record];
  return records;
}

/** Undefined: they are to be fetched. @throws FailedHere `not-recorded` */
async function publishedFromCache(
  { statement, run }: Report,
  directory: string,
  offline: boolean,
): Promise<string | undefined> {
  const { compare } = statement.plan ?? {};
  // those of this package are always there
  if (compare?.acquisition.kind === 'bundled') return undefined;
  const fetched = (run.published ?? []).flatMap(({ file, fetched: record }) =>
    record === undefined ? [] : [{ name: file, sha256: record.sha256 }],
  );
  const wanted = fetched.length > 0 ? fetched : statement.subject.published;
  const into = path.join(directory, 'published');
  const missing: string[] = [];
  for (const { name, sha256 } of wanted) {
    const plain = path.posix.normalize(name);
    const outside = path.isAbsolute(plain) || plain.split('/').includes('..') || plain.includes('\0');
    const file = outside ? undefined : await fromCache(cacheDirectory(), sha256);
    if (file === undefined) missing.push(`${name} (SHA-256 ${sha256})`);
    else await copyOut(file, path.join(into, plain));
  }
  if (missing.length === 0 && wanted.length > 0) {
    const [only] = wanted;
    return wanted.length === 1 && only !== undefined
      ? path.join(into, path.posix.normalize(only.name))
      : into;
  }
  if (!offline) return undefined;
  throw new FailedHere(
    'not-recorded',
    `the published file is not in the cache: ${missing.slice(0, 5).join(', ')}`,
    { hint: 'hand it over with --published' },
  );
}
