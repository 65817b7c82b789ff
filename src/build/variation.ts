// SPDX-License-Identifier: Apache-2.0
/** A build in an environment that differs from the plan's in what must not matter. Pure. */
import type { EnvironmentPlan, Variation } from '../model.js';
import { HOSTNAME } from './phase.js';

/** Which of the asked variations can be made here; `why`: of those that cannot. */
export interface Variable {
  readonly possible: readonly Variation[];
  readonly why?: string;
}

/** What `create` of an engine is told otherwise. */
export interface VariedContainer {
  readonly hostName: string;
  /** CPUs by number; absent: all. */
  readonly cpuSet?: string;
  /** One build takes longer with fewer CPUs. */
  readonly timeFactor: number;
}

const OTHER_HOST = 'varied-host';
/** POSIX, "TZ variable": no file of the image is needed, and no place on Earth is further ahead or behind. */
const [EAST, WEST] = ['<+14>-14', '<-12>+12'];

export function variedContainer(varied: readonly Variation[], cpus: readonly number[]): VariedContainer {
  const fewer = varied.includes('cpus') && cpus.length > 1 ? cpus.slice(0, -1) : undefined;
  return {
    hostName: varied.includes('host-name') ? OTHER_HOST : HOSTNAME,
    ...(fewer === undefined ? {} : { cpuSet: fewer.join(',') }),
    timeFactor: fewer === undefined ? 1 : cpus.length / fewer.length,
  };
}

export function variedVariables(
  variables: readonly (readonly [string, string])[],
  varied: readonly Variation[],
  { timeZone }: Pick<EnvironmentPlan, 'timeZone'>,
): readonly (readonly [string, string])[] {
  if (!varied.includes('time-zone')) return variables;
  const other = timeZone === EAST ? WEST : EAST;
  return variables.map(([name, value]) => [name, name === 'TZ' ? other : value] as const);
}
