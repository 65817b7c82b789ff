// SPDX-License-Identifier: Apache-2.0
/** The plan of the made-up app `chat` for a machine of this system, in place of one of another system. */
import type { BuildPlan, HostPlan, Plan } from '../../src/model.js';
import { localPlan, type LocalPlan, type World } from './local-plan.js';

export const HERE: HostPlan = { kind: 'host', system: 'linux', tools: ['sh'] };

export interface OnHost extends LocalPlan {
  readonly image?: HostPlan;
  readonly directory: string;
  readonly phases?: BuildPlan['phases'];
  readonly environment?: Partial<BuildPlan['environment']>;
}

export function hostPlanOf(
  at: World,
  { image = HERE, directory, phases, environment, ...more }: OnHost,
): Plan {
  const made = localPlan(at, more);
  const build: BuildPlan = {
    ...made.build,
    environment: { ...made.build.environment, image, directory, ...environment },
    phases: phases ?? made.build.phases,
  };
  return { ...made, build };
}
