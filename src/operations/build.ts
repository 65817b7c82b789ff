// SPDX-License-Identifier: Apache-2.0
/** Only the build: no published file is needed, nothing is compared. */
import path from 'node:path';
import { FailedHere, VerifyError } from '../errors.js';
import type { BuildPlan, BuildResult, Plan } from '../model.js';
import { copyOut } from '../inputs/cache.js';
import { BuildSupply, type StoppedBuild } from '../pipeline/build-supply.js';
import type { Workspace } from '../pipeline/options.js';
import { redactor } from '../report/redact.js';
import { assertResolved } from '../verify.js';
import { inKeptRun, keepFailure } from './attempt.js';
import { assertWritable } from './assert-writable.js';
import { executorFor, type EngineRequest } from './executor.js';
import { withinDisk } from './clean.js';
import type { OperationOptions } from './options.js';
import { privateOf } from './private-of.js';
import { privateTexts } from './private-texts.js';
import { engineOf, remoteOf } from './remote.js';
import { assertKeepable, keptRequest, KeepRun, type KeepPolicy } from './keep-run.js';
import type { KeptPlan } from './kept-run.js';
import { plan, type PlanRequest, type PlanResult } from './plan.js';
import { stoppable } from './stoppable.js';
import type { TakenUp } from './verify.js';
import type { Keeping } from './workspace.js';

export interface BuildRequest extends PlanRequest, EngineRequest {
  /** Outputs are kept there. */
  readonly outputs?: string;
  /** Failed runs are kept below it. */
  readonly out?: string;
  /** What the store may hold, as 40G; default `SAMESOURCE_DISK`, else as it is. */
  readonly disk?: string;
  /** Kept builds that were made before are not used again; with the present moment none is. */
  readonly madeSince?: Date;
  /** The container and its work tree stay: of a build that did not make all its outputs, or of each. */
  readonly keep?: KeepPolicy;
}

export interface BuildOperationResult {
  readonly plan: BuildPlan;
  readonly buildDigest?: string;
  /** What was made, by name; the paths are of this machine when `outputs` was given, and absent else. */
  readonly files: readonly {
    readonly name: string;
    readonly size: number;
    readonly sha256: string;
    readonly path?: string;
  }[];
  readonly absent: readonly string[];
  readonly failed?: Extract<BuildResult, { kind: 'failed' }>;
}

/** @throws VerifyError `source-untrusted`, `source-missing-for-version`, `environment-gone` and what `plan` throws; FailedHere */
export async function build(
  request: BuildRequest,
  options: OperationOptions = {},
): Promise<BuildOperationResult> {
  return await withinDisk(request.disk, options, () => built(request, options));
}

async function built(request: BuildRequest, options: OperationOptions): Promise<BuildOperationResult> {
  if (request.outputs !== undefined) await assertWritable(request.outputs);
  if (request.out !== undefined) await assertWritable(request.out);
  const remote = remoteOf(request);
  let planned: PlanResult;
  try {
    planned = await plan({ ...request, onHost: remote !== undefined }, options);
    options.onProgress?.({ kind: 'plan', plan: planned.plan });
    assertResolved(planned.plan);
  } catch (error) {
    if (error instanceof FailedHere) await keepFailure(error, {}, request.out, options);
    throw error;
  }
  return await buildPlan({ plan: planned.plan, facts: planned.facts }, request, options);
}

/** @throws UsageError `keep-needs-container` */
export async function buildPlan(
  planned: KeptPlan,
  request: BuildRequest,
  options: OperationOptions,
  taken?: TakenUp,
): Promise<BuildOperationResult> {
  const { plan: made } = planned;
  return await inKeptRun(
    made,
    request.out,
    options,
    (workspace) => stoppable(options, (stopping) => buildIn(made, request, workspace, stopping, taken)),
    keepingOf(planned, request, options, taken),
  );
}

function keepingOf(
  planned: KeptPlan,
  { keep, out: _out, outputs: _outputs, madeSince: _since, ...asked }: BuildRequest,
  options: OperationOptions,
  taken: TakenUp | undefined,
): Keeping<BuildOperationResult> | undefined {
  if (keep === undefined) return undefined;
  assertKeepable(planned.plan, engineOf(asked).engine);
  const request = keptRequest(asked);
  const about = { policy: keep, operation: 'build' as const, planned, request, ...taken?.about };
  return {
    journal: new KeepRun(about, options),
    endingOf: ({ failed, absent }) => ({
      good: failed === undefined && absent.length === 0,
      outcome: failed === undefined ? 'built' : 'unbuildable',
    }),
  };
}

async function buildIn(
  made: Plan,
  request: BuildRequest,
  workspace: Workspace,
  options: OperationOptions,
  taken: TakenUp | undefined,
): Promise<BuildOperationResult> {
  // of a build that was made before there is nothing to keep
  const madeSince = request.keep === undefined ? request.madeSince : new Date();
  const supply = new BuildSupply(made, {
    workspace,
    redact: redactor(privateTexts(privateOf(workspace))),
    executor: () => taken?.executor?.(options) ?? executorFor(made, request, options),
    storing: taken?.storing ?? true,
    ...(request.source === undefined ? {} : { source: request.source }),
    ...engineOf(request),
    ...(madeSince === undefined ? {} : { madeSince }),
    ...options,
  });
  try {
    const supplied = await supply.next(1);
    if (supplied.kind === 'stopped') throw stopped(supplied);
    const { result } = supplied;
    const about = {
      plan: made.build,
      ...(made.buildDigest === undefined ? {} : { buildDigest: made.buildDigest }),
    };
    if (result.kind === 'failed') return { ...about, files: [], absent: [], failed: result };
    const files = [];
    for (const { name, size, sha256, path: at } of [...result.outputs, ...result.extra]) {
      const kept = request.outputs === undefined ? undefined : path.resolve(request.outputs, name);
      if (kept !== undefined) await copyOut(at, kept);
      files.push({ name, size, sha256, ...(kept === undefined ? {} : { path: kept }) });
    }
    return { ...about, files, absent: result.absent };
  } finally {
    await supply.close();
  }
}

function stopped({ reasons: [first, ...more] }: StoppedBuild): VerifyError {
  if (first === undefined) throw new Error('a build stopped without a reason');
  return new VerifyError(first.code, [first, ...more].map(({ detail }) => detail).join('; '));
}
