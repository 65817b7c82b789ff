// SPDX-License-Identifier: Apache-2.0
/** A plan for another system as the script that such a machine runs. */
import { hostScript } from '../build/host-script.js';
import type { OperationOptions } from './options.js';
import { planAnything, type PlanRequest } from './plan.js';

/** @throws UsageError `script-not-for-this`, `no-host-steps`; FailedHere `plan-unresolved`; what `planAnything` throws */
export async function planScript(request: PlanRequest, options: OperationOptions = {}): Promise<string> {
  const made = await planAnything({ ...request, onHost: true }, options);
  if (made.kind === 'checks') throw new Error('checks in place of a plan for a host');
  return hostScript(made.plan);
}
