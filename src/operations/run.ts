// SPDX-License-Identifier: Apache-2.0
/** The run part of a report: this machine, this moment. */
import { describeMachine } from '../inputs/machine.js';
import { packageVersion } from '../inputs/package-files.js';
import type { RunRecord } from '../report/types.js';

export { packageVersion };

export type RunFacts = Partial<Omit<RunRecord, 'statements'>>;

export async function describeRun(facts: RunFacts = {}): Promise<Omit<RunRecord, 'statements'>> {
  const seconds = Object.fromEntries(
    Object.entries(facts.seconds ?? {}).map(([phase, value]) => [phase, Math.round(value * 1000) / 1000]),
  );
  return {
    time: new Date().toISOString(),
    tool: { name: 'samesource', version: await packageVersion() },
    ...describeMachine(),
    builds: 0,
    matchingBuilds: 0,
    tools: [],
    missingTools: [],
    logs: [],
    ...facts,
    seconds,
  };
}
