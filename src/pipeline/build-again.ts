// SPDX-License-Identifier: Apache-2.0
/** More clean builds: those that were asked for, those that are kept, and one that confirms a mismatch. */
import { isMismatch } from '../compare/builds.js';
import { FailedHere } from '../errors.js';
import type { Plan } from '../model.js';
import type { BuildSupply } from './build-supply.js';
import type { ComparedBuild, Draft, SucceededBuild } from './draft.js';
import { howItEnded } from './how-it-ended.js';
import type { PipelineOptions } from './options.js';
import { VariedBuilds } from './varied-builds.js';

export interface BuildAgain {
  readonly plan: Pick<Plan, 'vary'>;
  readonly supply: BuildSupply;
  readonly report: Draft;
  readonly compared: (build: SucceededBuild) => Promise<ComparedBuild>;
  readonly options: Pick<PipelineOptions, 'builds' | 'confirm' | 'vary' | 'workspace' | 'signal'>;
}

/**
 * All clean builds that were asked for, and one more to confirm a mismatch; each is compared. Of kept ones all, until one
 * matches: no mismatch is told while a build is at hand that could be the proof. What confirms is varied where the recipe
 * allows it, and nothing is kept that could.
 */
export async function buildAgain(
  first: SucceededBuild,
  again: BuildAgain,
): Promise<readonly ComparedBuild[]> {
  const { plan, supply, report, compared, options } = again;
  const builds = [await compared(first)];
  const isWanted = async (): Promise<boolean> => {
    if (builds.length < (options.builds ?? 1)) return true;
    // what nobody could read is no mismatch, and stays unread however often it is built
    if (!builds.every(({ comparison }) => isMismatch(comparison))) return false;
    return (builds.length < 2 && options.confirm !== false) || (await supply.hasKept());
  };
  /** False: there is nothing to compare of it. */
  const plain = async (): Promise<boolean> => {
    const attempt = builds.length + 1;
    const next = await supply.next(attempt);
    report.takeBuild(next);
    if (next.kind === 'stopped' || next.result.kind === 'failed') {
      report.endedOtherwise(attempt, howItEnded(next));
      return false;
    }
    builds.push(await compared({ ...next, result: next.result }));
    return true;
  };
  try {
    while (await isWanted()) {
      const asked = options.vary === false ? [] : (plan.vary ?? []);
      const varies = asked.length > 0 && builds.length >= (options.builds ?? 1) && !(await supply.hasKept());
      if (varies) {
        await new VariedBuilds(builds, again, plain).confirm(asked);
        break;
      }
      if (!(await plain())) break;
    }
  } catch (error) {
    // what the first build gave is not lost because a later one failed here
    if (!(error instanceof FailedHere) || error.code === 'interrupted') throw error;
    report.endedOtherwise(builds.length + 1, `it could not be done here (${error.code}: ${error.message})`);
  }
  return builds;
}
