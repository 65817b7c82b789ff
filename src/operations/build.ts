// SPDX-License-Identifier: Apache-2.0
/** Only the build: no published file is needed, nothing is compared. */
import path from 'node:path';
import { FailedHere, VerifyError } from '../errors.js';
import type { BuildPlan, BuildResult, Plan } from '../model.js';
import { copyOut } from '../inputs/cache.js';
import { assertRoom } from '../inputs/room.js';
import type { Workspace } from '../pipeline/options.js';
import { assertResolved, obtainSource } from '../verify.js';
import { inKeptRun, keepFailure } from './attempt.js';
import { assertWritable } from './assert-writable.js';
import { executorFor, type EngineRequest } from './executor.js';
import type { OperationOptions } from './options.js';
import { plan, type PlanRequest } from './plan.js';
import { stoppable } from './stoppable.js';

export interface BuildRequest extends PlanRequest, EngineRequest {
  /** Outputs are kept there. */
  readonly outputs?: string;
  /** Failed runs are kept below it. */
  readonly out?: string;
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
  if (request.outputs !== undefined) await assertWritable(request.outputs);
  if (request.out !== undefined) await assertWritable(request.out);
  let made: Plan;
  try {
    made = (await plan(request, options)).plan;
    options.onProgress?.({ kind: 'plan', plan: made });
    assertResolved(made);
  } catch (error) {
    if (error instanceof FailedHere) await keepFailure(error, {}, request.out, options);
    throw error;
  }
  return await inKeptRun(made, request.out, options, (workspace) =>
    stoppable(options, (stopping) => buildIn(made, request, workspace, stopping)),
  );
}

async function buildIn(
  made: Plan,
  request: BuildRequest,
  workspace: Workspace,
  options: OperationOptions,
): Promise<BuildOperationResult> {
  await assertRoom(made.expected, workspace.directory);
  const executor = await executorFor(made, request, options);
  const source = await obtainSource(made, {
    workspace,
    ...(request.source === undefined ? {} : { source: request.source }),
    ...options,
  });
  if (source.kind === 'untrusted')
    throw new VerifyError('source-untrusted', source.reasons.map((reason) => reason.detail).join('; '));
  if (source.kind === 'missing') throw new VerifyError('source-missing-for-version', source.detail);
  const outcome = await executor.prepare({
    plan: made.build,
    ...workspace,
    ...(source.kind === 'ready' ? { source } : {}),
    ...options,
  });
  if (outcome.kind === 'untrusted')
    throw new VerifyError('source-untrusted', outcome.reasons.map((reason) => reason.detail).join('; '));
  if (outcome.kind === 'environment-gone') throw gone(outcome);
  try {
    const result = await outcome.prepared.build(1, options.signal);
    if (result.kind === 'environment-gone') throw gone(result);
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
    await outcome.prepared.close();
  }
}

function gone({ url, status }: { readonly url: string; readonly status: number }): VerifyError {
  return new VerifyError(
    'environment-gone',
    `${url} answers with status ${status}: the plan cannot be built any more`,
  );
}
