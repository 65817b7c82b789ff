// SPDX-License-Identifier: Apache-2.0
/** What a machine says of itself, and whether it is what a plan asks for. What it says is hostile text. */
import type { HostPlan, HostSystem } from '../model.js';

/** Of `uname -s`. */
export const SYSTEM_NAMES = { macos: 'Darwin', linux: 'Linux' } as const satisfies Record<HostSystem, string>;

export interface HostFacts {
  /** `uname -s`, `-r`, `-m`. */
  readonly system: string;
  readonly release: string;
  readonly architecture: string;
  readonly osVersion?: string;
  readonly xcode?: { readonly version: string; readonly build: string };
  readonly cpuCount: number;
  readonly freeMiB: number;
  /** Of the programs that the plan asks for: those that are not there. */
  readonly missing: readonly string[];
}

/** Each way in which the machine is another one than the plan asks for; none: it fits. */
export function hostDifferences(plan: HostPlan, facts: HostFacts): readonly string[] {
  const found: string[] = [];
  const expect = (what: string, wanted: string | undefined, is: string | undefined): void => {
    if (wanted !== undefined && wanted !== is)
      found.push(`the plan is for ${what} ${wanted}, the machine has ${is ?? 'none'}`);
  };
  expect('the system', SYSTEM_NAMES[plan.system], facts.system);
  // what follows would only say the same again
  if (found.length > 0) return found;
  expect('the architecture', plan.architecture, facts.architecture);
  const { osVersion } = plan;
  if (osVersion !== undefined && facts.osVersion?.startsWith(`${osVersion}.`) !== true)
    expect('version', osVersion, facts.osVersion);
  expect('Xcode', plan.xcode?.version, facts.xcode?.version);
  if (facts.xcode?.version === plan.xcode?.version)
    expect('build of Xcode', plan.xcode?.build, facts.xcode?.build);
  if (facts.missing.length > 0) found.push(`not installed: ${facts.missing.join(', ')}`);
  return found;
}
