// SPDX-License-Identifier: Apache-2.0
/** One job of a batch from its request to its result; every failure becomes one. */
import path from 'node:path';
import { FailedHere, FormatError, UsageError, VerifyError } from '../../errors.js';
import { isDiskFull } from '../../inputs/atomic-file.js';
import { withLock } from '../../owned-lock.js';
import { rangeOf, schemeOf } from '../../recipe/candidates.js';
import { compareVersions, inRange, VERSION_PATTERN } from '../../recipe/version.js';
import type { OperationOptions } from '../options.js';
import { planAnything, versions } from '../plan.js';
import { recipeOf } from '../recipes.js';
import { verify, verifyPlan } from '../verify.js';
import {
  NO_CHANNEL,
  type Checked,
  type Job,
  type JobFailure,
  type JobResult,
  type JobTarget,
  type Planned,
  type PlanJob,
  type Refused,
  type VerifyJob,
} from './job.js';
import {
  asKnown,
  reportOnFiles,
  reportsOnPlan,
  standingReports,
  verdictBefore,
  type NoPlan,
  type Planning,
} from './known-verdict.js';

/** A job of a killed batch ends within seconds, its containers need a moment. */
const LOCK_MS = 5 * 60_000;

export async function doJob(job: Job, options: OperationOptions): Promise<JobResult> {
  const own = { ...options, ...(job.recipes === undefined ? {} : { recipes: job.recipes }) };
  try {
    return job.kind === 'plan' ? await planJob(job, own) : await verifyJob(job, own);
  } catch (error) {
    return failureOf(error);
  }
}

function failureOf(error: unknown): JobFailure | Refused {
  if (error instanceof FailedHere)
    return {
      kind: 'failed',
      failure: error.code,
      message: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    };
  if (error instanceof UsageError)
    return {
      kind: 'refused',
      code: error.code,
      message: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    };
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof FormatError) return { kind: 'failed', failure: 'unreadable-input', message };
  if (isDiskFull(error)) return { kind: 'failed', failure: 'disk-full', message };
  return { kind: 'failed', failure: 'crashed', message: `a bug of samesource: ${message}` };
}

/** A reason of the verdict that is known before there is a plan; anything else is thrown on. */
function withoutPlan(error: unknown): NoPlan {
  const reason =
    error instanceof VerifyError && !(error instanceof UsageError) && !(error instanceof FailedHere);
  if (!reason || (error.code !== 'no-source' && error.code !== 'source-missing-for-version')) throw error;
  return { kind: 'no-plan', code: error.code, detail: error.message };
}

/** As requests of the operations have it. */
const asked = ({
  channel,
  ...target
}: JobTarget): Omit<JobTarget, 'channel'> & { readonly channel?: string } =>
  channel === NO_CHANNEL ? target : { ...target, channel };

async function planJob({ target, newerThan, out }: PlanJob, options: OperationOptions): Promise<Planned> {
  const { app, channel } = target;
  const { recipe } = await recipeOf(app, options.recipes);
  const scheme = schemeOf(recipe);
  const planned = await planAnything(asked(target), options).catch(withoutPlan);
  const version = planned.kind === 'no-plan' ? target.version : planned.plan.target.version;
  const standing = await standingReports(out, { app, channel });
  const before = VERSION_PATTERN.test(version) ? verdictBefore(standing, version, scheme) : undefined;
  const range = rangeOf(target.version);
  const newer =
    newerThan === undefined
      ? []
      : (await versions(target.app, options))
          .filter(
            (known) =>
              known.withoutSource === undefined &&
              compareVersions(known.version, newerThan, scheme) > 0 &&
              (range.kind === 'any' || inRange(known.version, range, scheme)),
          )
          .map((known) => known.version);
  const samePlan = (await reportsOnPlan(out, standing, version, planned)).length > 0;
  const about = { version, samePlan, ...(before === undefined ? {} : { before }), newer };
  if (planned.kind !== 'build')
    return {
      kind: 'planned',
      what: planned.kind === 'checks' ? 'checks' : 'no-source',
      room: { diskMiB: 0, memoryMiB: 0 },
      minutes: 10,
      local: true,
      unresolved: [],
      ...about,
    };
  const { plan } = planned;
  return {
    kind: 'planned',
    what: 'build',
    ...about,
    plan,
    room: { diskMiB: plan.expected.diskMiB, memoryMiB: plan.expected.memoryMiB },
    minutes: plan.build.environment.minutes,
    local: plan.build.environment.image.kind === 'none',
    unresolved: plan.unresolved,
  };
}

async function verifyJob(job: VerifyJob, options: OperationOptions): Promise<Checked> {
  const { signal } = options;
  return await withLock(job.lock, async () => await verified(job, options), {
    timeoutMs: LOCK_MS,
    ...(signal === undefined ? {} : { signal }),
    onWait: ({ pid }) =>
      options.onProgress?.({ kind: 'note', text: `process ${pid ?? 'unknown'} still works on it` }),
  });
}

async function verified({ target, plan, out, vary }: VerifyJob, options: OperationOptions): Promise<Checked> {
  const { app, version, channel, published } = target;
  const request = { ...asked(target), out, ...(vary === undefined ? {} : { vary }) };
  const planned: Planning =
    plan === undefined
      ? await planAnything(request, options).catch(withoutPlan)
      : { kind: 'build', plan, facts: [] };
  const reports = await reportsOnPlan(
    out,
    await standingReports(out, { app, channel }),
    planned.kind === 'no-plan' ? version : planned.plan.target.version,
    planned,
  );
  const before =
    planned.kind === 'no-plan'
      ? reports[0]
      : await reportOnFiles(reports, planned.plan.compare, published, options);
  if (before !== undefined) {
    const { title } = before.known;
    const { verdict, statementSha256, place } = asKnown(before.known);
    return { kind: 'verdict', verdict, title, statementSha256, place, fresh: false };
  }
  const { report, location } =
    planned.kind === 'build'
      ? await verifyPlan(planned.plan, request, options)
      : await verify(request, options);
  const { statement, statementSha256 } = report;
  return {
    kind: 'verdict',
    verdict: statement.verdict.kind,
    title: statement.title,
    statementSha256,
    place: location === undefined ? '' : path.relative(out, location),
    fresh: true,
  };
}
