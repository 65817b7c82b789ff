// SPDX-License-Identifier: Apache-2.0
/** Whether a kept run's plan is what its recipe gives now, from the same facts, and means the same: nobody is asked again. */
import { UsageError, VerifyError } from '../errors.js';
import { packageParts } from '../inputs/builds/build-key.js';
import { packageRoot, packageVersion } from '../inputs/package-files.js';
import type { Plan } from '../model.js';
import type { KeptPlan, KeptRun } from './kept-run.js';
import type { OperationOptions } from './options.js';
import { planFrom, type PlanRequest } from './plan.js';

/** @throws UsageError `plan-changed` */
export async function assertSamePlan(
  run: string,
  request: PlanRequest,
  { plan, facts }: KeptPlan,
  options: OperationOptions,
): Promise<void> {
  const now = await planNow(request, facts, options);
  const parts = [
    ['build', plan.buildDigest, now.plan?.buildDigest],
    ['comparison', plan.compareDigest, now.plan?.compareDigest],
  ] as const;
  const changed = parts.filter(([, one, other]) => one !== other);
  if (now.plan !== undefined && changed.length === 0) return;
  const what =
    now.plan === undefined
      ? now.why
      : changed
          .map(([part, one = 'none', other = 'none']) => `its ${part} was ${one} and is ${other}`)
          .join('; ');
  throw new UsageError('plan-changed', `the plan of run ${run} is another one by now: ${what}`, {
    hint: `what was prepared for one plan proves nothing of another; begin anew: verify ${request.app} ${request.version}`,
  });
}

/**
 * For what its finished phases left: a plan with the same digest means something else where the files of this package do, or
 * this tool does.
 * @throws UsageError `plan-changed`
 */
export async function assertSamePackage(
  { run, tool, packageSha256 }: KeptRun,
  { plan }: KeptPlan,
): Promise<void> {
  const changed = [
    ...(tool === (await packageVersion()) ? [] : [`it was begun by version ${tool} of samesource`]),
    ...(packageSha256 === (await packageParts(plan.build, packageRoot()))
      ? []
      : ['files of this package that its plan names are others by now']),
  ];
  if (changed.length === 0) return;
  throw new UsageError(
    'plan-changed',
    `the plan of run ${run} means something else by now: ${changed.join('; ')}`,
    {
      hint: 'what was prepared then proves nothing of it; --from prepare begins anew',
    },
  );
}

async function planNow(
  request: PlanRequest,
  facts: KeptPlan['facts'],
  options: OperationOptions,
): Promise<{ readonly plan: Plan } | { readonly plan?: undefined; readonly why: string }> {
  try {
    const made = await planFrom(request, facts, options);
    return made.kind === 'build' ? { plan: made.plan } : { why: 'its recipe builds nothing any more' };
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    return { why: error.message };
  }
}
