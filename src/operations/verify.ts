// SPDX-License-Identifier: Apache-2.0
/** App and version → report: makes the plan, runs the pipeline, keeps what came of it. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { digestOf } from '../canonical-json.js';
import { FailedHere, FormatError, UsageError, VerifyError } from '../errors.js';
import type { Executor } from '../build/executor.js';
import { parseBuildInfo, type BuildInfo } from '../inputs/debian/buildinfo.js';
import type { CheckPlan, Plan, UnverifiableReason } from '../model.js';
import type { Workspace } from '../pipeline/options.js';
import { checkPlanWithoutSource } from '../recipe/check-plan.js';
import { lookupsFor } from '../recipe/lookups.js';
import { assembleReport } from '../report/assemble.js';
import { redactor } from '../report/redact.js';
import type { Report } from '../report/types.js';
import type { Verified } from '../pipeline/draft.js';
import { verify as runPipeline } from '../verify.js';
import { assertWritable } from './assert-writable.js';
import { inKeptRun, keepFailure } from './attempt.js';
import { withinDisk } from './clean.js';
import { executorFor, type EngineRequest } from './executor.js';
import { assertKeepable, keptRequest, KeepRun, type KeepPolicy, type KeepRequest } from './keep-run.js';
import type { KeptPlan } from './kept-run.js';
import { newestKnownText } from './newest-known.js';
import type { OperationOptions } from './options.js';
import { planAnything, type ChecksResult, type PlanRequest, type PlanResult } from './plan.js';
import { describeRun, type RunFacts } from './run.js';
import { privateOf } from './private-of.js';
import { privateTexts } from './private-texts.js';
import { readReport } from './read-report.js';
import { engineOf, remoteOf } from './remote.js';
import { recipeOf } from './recipes.js';
import { stoppable } from './stoppable.js';
import { assertAbsent, storeReport, writeEvidence } from './store.js';
import type { Keeping } from './workspace.js';

export interface VerifyRequest extends PlanRequest, EngineRequest {
  /** FILE or DIR with the published files; else they come from the channel. */
  readonly published?: string;
  /** A device.json, as bundletool writes it: which device got the splits that are handed over. */
  readonly device?: string;
  /** Of the phone to take the app from; default `ANDROID_SERIAL`, else the only one that is connected. */
  readonly serial?: string;
  /** The publisher's `.buildinfo` file. */
  readonly buildinfo?: string;
  /** Clean builds in any case; default 1. */
  readonly rebuild?: number;
  /** One more clean build of a mismatch; default true. */
  readonly confirm?: boolean;
  /** That one under other conditions than the plan's, where the recipe says which; default true. */
  readonly vary?: boolean;
  /** Build although the published file is not authentic. */
  readonly buildAnyway?: boolean;
  /** Kept builds that were made before are not used again; with the present moment none is. */
  readonly madeSince?: Date;
  /** What the store may hold, as 40G; default `SAMESOURCE_DISK`, else as it is. */
  readonly disk?: string;
  /** The container and its work tree stay: of a run that ended without a match, or of each. */
  readonly keep?: KeepPolicy;
  /** Reports and attempts are kept below it; without it nothing is stored. */
  readonly out?: string;
  /** An earlier report of the same target that this one takes the place of. */
  readonly supersedes?: string;
  /** A ZIP with everything that the stored report had to cut, and the logs. */
  readonly evidence?: string;
}

export interface VerifyResult {
  readonly report: Report;
  /** Its directory, when it was stored. */
  readonly location?: string;
}

/**
 * @throws UsageError for what the caller got wrong; FailedHere for our own failures, with what is known of them kept
 * below `out`
 */
export async function verify(request: VerifyRequest, options: OperationOptions = {}): Promise<VerifyResult> {
  return await withinDisk(request.disk, options, () => verified(request, options));
}

async function verified(request: VerifyRequest, options: OperationOptions): Promise<VerifyResult> {
  if (request.evidence !== undefined) assertAbsent(request.evidence);
  if (request.out !== undefined) await assertWritable(request.out);
  const remote = remoteOf(request);
  let planned: PlanResult | ChecksResult;
  try {
    planned = await planAnything({ ...request, onHost: remote !== undefined }, options);
  } catch (error) {
    const reason = withoutSource(error) ?? (await publishedWithoutSource(error, request, options));
    if (reason === undefined) {
      if (error instanceof FailedHere) await keepFailure(error, {}, request.out, options);
      throw error;
    }
    const checks = await checksWithoutSource(request, reason, options);
    const report =
      checks === undefined
        ? await reportWithoutPlan(request, reason)
        : await (await import('./verify-checks.js')).verifyChecks(checks, request, options);
    return await stored({ report, logs: [] }, request);
  }
  if (planned.kind === 'checks') {
    const older = newestKnownText(planned.plan);
    if (older !== undefined) options.onProgress?.({ kind: 'note', text: older });
    const { verifyChecks } = await import('./verify-checks.js');
    return await stored({ report: await verifyChecks(planned.plan, request, options), logs: [] }, request);
  }
  options.onProgress?.({ kind: 'plan', plan: planned.plan });
  const { plan, facts } = planned;
  return await runPlan({ plan, facts }, request, options, finishing(request));
}

type PlanlessRequest = Omit<VerifyRequest, 'app' | 'version' | 'channel' | 'keep'>;

export async function verifyPlan(
  made: Plan,
  request: PlanlessRequest,
  options: OperationOptions = {},
  taken?: TakenUp,
): Promise<VerifyResult> {
  const asked = { ...request, ...made.target };
  return await runPlan({ plan: made, facts: [] }, asked, options, finishing(asked), taken);
}

/** What is other about a run that takes up an earlier one, or a report. */
export interface TakenUp {
  readonly executor?: (options: OperationOptions) => Promise<Executor>;
  readonly facts: RunFacts;
  readonly about?: Pick<KeepRequest, 'resumed' | 'touched'>;
  /** False: what is built here takes no other build's place. */
  readonly storing: boolean;
}

interface Finishing<T> {
  readonly finish: (verified: Verified, workspace: Workspace) => Promise<T>;
  readonly endingOf: Keeping<T>['endingOf'];
}

export function finishing(request: VerifyRequest): Finishing<VerifyResult> {
  return {
    finish: (found, workspace) => stored(found, request, workspace),
    endingOf: ({ report }) => {
      const { kind } = report.statement.verdict;
      return { good: kind === 'reproducible' || kind === 'equivalent', outcome: kind, report };
    },
  };
}

/** @throws UsageError `keep-needs-container` */
export async function runPlan<T>(
  planned: KeptPlan,
  request: VerifyRequest,
  options: OperationOptions,
  { finish, endingOf }: Finishing<T>,
  taken?: TakenUp,
): Promise<T> {
  const made = planned.plan;
  // of a build that was made before there is nothing to keep
  const madeSince = request.keep === undefined ? request.madeSince : new Date();
  const work = async (online: Workspace): Promise<T> => {
    const workspace = request.replay === undefined ? online : { ...online, offline: true };
    const supersedes =
      request.supersedes === undefined ? undefined : await earlierReport(request.supersedes, made);
    const buildInfo =
      request.buildinfo === undefined ? undefined : await readBuildInfo(request.buildinfo, made);
    const device =
      request.device === undefined
        ? undefined
        : (await import('./compare-splits.js')).deviceFrom(request.device);
    const found = await stoppable(options, (stopping) =>
      runPipeline(made, {
        ...(request.published === undefined ? {} : { published: request.published }),
        ...(device === undefined ? {} : { device }),
        ...(request.serial === undefined ? {} : { serial: request.serial }),
        ...(request.source === undefined ? {} : { source: request.source }),
        ...(buildInfo === undefined ? {} : { buildInfo }),
        ...(request.rebuild === undefined ? {} : { builds: request.rebuild }),
        ...(request.confirm === undefined ? {} : { confirm: request.confirm }),
        ...(request.vary === undefined ? {} : { vary: request.vary }),
        ...engineOf(request),
        ...(madeSince === undefined ? {} : { madeSince }),
        ...(request.buildAnyway === undefined ? {} : { buildAnyway: request.buildAnyway }),
        executor: () => taken?.executor?.(stopping) ?? executorFor(made, request, stopping),
        storing: taken?.storing ?? true,
        redact: redactor(privateTexts(privateOf(workspace))),
        workspace,
        describeRun: (facts) =>
          describeRun({ ...facts, ...taken?.facts, ...(supersedes === undefined ? {} : { supersedes }) }),
        ...stopping,
      }),
    );
    return await finish(found, workspace);
  };
  const keeping = keepingOf(planned, request, options, endingOf, taken);
  return await inKeptRun(made, request.out, options, work, keeping);
}

function keepingOf<T>(
  planned: KeptPlan,
  { keep, out: _out, evidence: _evidence, madeSince: _since, ...asked }: VerifyRequest,
  options: OperationOptions,
  endingOf: Keeping<T>['endingOf'],
  taken: TakenUp | undefined,
): Keeping<T> | undefined {
  if (keep === undefined) return undefined;
  assertKeepable(planned.plan, engineOf(asked).engine);
  const request = keptRequest(asked, 'published', 'device', 'buildinfo', 'supersedes');
  const about = { policy: keep, operation: 'verify' as const, planned, request, ...taken?.about };
  return { journal: new KeepRun(about, options), endingOf };
}

async function stored(
  { report, comparison, logs }: Verified,
  request: Pick<VerifyRequest, 'out' | 'evidence'>,
  workspace?: Workspace,
): Promise<VerifyResult> {
  const evidence =
    request.evidence === undefined
      ? undefined
      : {
          file: request.evidence,
          ...(comparison === undefined ? {} : { comparison }),
          logs: logs.map((log) => ({ name: path.basename(log.path), path: log.path })),
        };
  const place = workspace === undefined ? [] : privateOf(workspace);
  if (request.out === undefined) {
    if (evidence !== undefined) await writeEvidence(report, evidence, place);
    return { report };
  }
  const location = await storeReport(report, {
    out: request.out,
    private: place,
    ...(evidence === undefined ? {} : { evidence }),
  });
  return { report, location };
}

/** Digest of its statement. @throws UsageError `supersedes-other` */
async function earlierReport(file: string, { target }: Plan): Promise<string> {
  const result = await readReport(file);
  if (result.kind === 'inconsistent')
    throw new UsageError('supersedes-other', `${file} is no report that agrees with itself`);
  const { statement, statementSha256 } = result.report;
  const other = statement.subject.target;
  if (other === undefined || digestOf(other) !== digestOf(target))
    throw new UsageError(
      'supersedes-other',
      `${file} is about ${other === undefined ? 'no target' : `${other.app} ${other.version} (${other.channel})`}, the plan about ${target.app} ${target.version} (${target.channel})`,
    );
  return statementSha256;
}

/** Reasons of the verdict that are known before there is a plan. */
function withoutSource(
  error: unknown,
): { readonly code: UnverifiableReason; readonly detail: string } | undefined {
  if (!(error instanceof VerifyError)) return undefined;
  if (error.code !== 'no-source' && error.code !== 'source-missing-for-version') return undefined;
  return { code: error.code, detail: error.message };
}

/**
 * A version that no tag or commit of a repository that answered names, and that the file at hand says it is: users have
 * it, and its source nobody published. What only the caller says is a mistake in the version.
 */
async function publishedWithoutSource(
  error: unknown,
  { app, version, channel, published }: VerifyRequest,
  options: OperationOptions,
): Promise<ReturnType<typeof withoutSource>> {
  if (!(error instanceof UsageError) || error.code !== 'unknown-version' || published === undefined)
    return undefined;
  const { recipe } = await recipeOf(app, options.recipes);
  if (lookupsFor(recipe, { version }).length === 0) return undefined;
  const { identify } = await import('./identify.js');
  const { fits } = await identify(
    { file: published, app, ...(channel === undefined ? {} : { channel }) },
    options,
  );
  // anybody can write a version into a file: it counts from the signer that the recipe names
  const fit = fits.find((one) => one.version === version && one.signer === 'pinned');
  if (fit === undefined) return undefined;
  return {
    code: 'source-missing-for-version',
    detail: `${recipe.title} ${version}: the file on ${fit.channel} says that it is this version, and no tag or commit of the source names it`,
  };
}

/** What can be checked of a file that is at hand: its version has no source, and whose it is it says all the same. */
async function checksWithoutSource(
  request: VerifyRequest,
  { code, detail }: { readonly code: UnverifiableReason; readonly detail: string },
  options: OperationOptions,
): Promise<CheckPlan | undefined> {
  if (request.published === undefined || code !== 'source-missing-for-version') return undefined;
  const { recipe, sha256 } = await recipeOf(request.app, options.recipes);
  return checkPlanWithoutSource(recipe, request, { detail, recipeSha256: sha256 });
}

async function reportWithoutPlan(
  { app, version, channel }: PlanRequest,
  reason: { readonly code: UnverifiableReason; readonly detail: string },
): Promise<Report> {
  return assembleReport({
    target: { app, version, channel: channel ?? 'any' },
    published: [],
    rebuilt: [],
    unverifiable: [reason],
    run: await describeRun(),
  });
}

function parsed(file: string, bytes: Buffer): BuildInfo {
  try {
    return parseBuildInfo(bytes);
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new FailedHere('unreadable-input', `${file} is no .buildinfo file: ${cause.message}`, {
      cause,
      hint: 'hand over the publisher’s .buildinfo file as it was published, or leave --buildinfo out',
    });
  }
}

/** @throws UsageError `buildinfo-of-other`, FailedHere `unreadable-input` */
async function readBuildInfo(file: string, { build }: Plan): Promise<BuildInfo> {
  let bytes: Buffer;
  try {
    bytes = await fs.readFile(file);
  } catch (cause) {
    throw new FailedHere('unreadable-input', `cannot read ${file}: ${(cause as Error).message}`, {
      cause,
      hint: 'check the path and its permissions',
    });
  }
  const info = parsed(file, bytes);
  const { source } = build;
  if (source.kind !== 'debian')
    throw new UsageError('buildinfo-not-for-this', `${build.app} is not built from a Debian source package`, {
      hint: 'leave --buildinfo out',
    });
  // binaries that were only rebuilt (binNMU) carry a suffix of their own
  const version = info.version.replace(/\+b\d+$/, '');
  if (info.source !== source.package || version !== source.version)
    throw new UsageError(
      'buildinfo-of-other',
      `${file} is about ${info.source} ${info.version}, the plan about ${source.package} ${source.version}`,
      { hint: 'take the .buildinfo file of the version that is checked' },
    );
  return info;
}
