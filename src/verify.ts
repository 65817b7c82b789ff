// SPDX-License-Identifier: Apache-2.0
/**
 * The pipeline: plan → published files → builds (kept, or made of source and environment) → comparison → report. Each stage's
 * result is plain data and all that the next one sees. A stage that cannot go on for a reason of the target's own ends in
 * a report; one that fails for a reason of ours throws `FailedHere`, which is no verdict.
 */
import { isMismatch } from './compare/builds.js';
import { compareSet, expandRules } from './compare/compare-set.js';
import { isFolder } from './compare/folders.js';
import { readDeviceSpecification, type DeviceSpecification } from './compare/device-specification.js';
import type { SetComparison } from './compare/types.js';
import { FailedHere } from './errors.js';
import { Draft, type ComparedBuild, type SucceededBuild, type Verified } from './pipeline/draft.js';
import { choosePairs, namesThatFit } from './pipeline/choose-pairs.js';
import { judgePublished } from './pipeline/judge-published.js';
import { obtainPublished, type PublishedFile } from './inputs/published.js';
import type { PairPlan, Plan } from './model.js';
import { BuildSupply, type StoppedBuild, type SuppliedBuild } from './pipeline/build-supply.js';
import type { PipelineOptions } from './pipeline/options.js';

export async function verify(plan: Plan, options: PipelineOptions): Promise<Verified> {
  // what is at hand is looked at first: whose it is does not depend on what is not known of the build
  if (options.published === undefined) assertResolved(plan);
  const report = new Draft(plan, options);

  const published = await report.timed('published', () =>
    obtainPublished(plan.compare, {
      ...options.workspace,
      directory: `${options.workspace.directory}/published`,
      published: options.published,
      serial: options.serial,
      namesFor: (file) => namesThatFit(plan.compare.pairs, file),
      signal: options.signal,
      onProgress: options.onProgress,
    }),
  );
  if (published.kind === 'no-published-artifact')
    return await report.unverifiable({
      code: 'no-published-artifact',
      detail: `${published.code}: ${published.detail} (${published.hint})`,
    });
  report.takePublished(published);
  if (
    published.files.some(({ from }) => from === 'site-files') &&
    !plan.compare.pairs.some((pair) => isFolder(pair.published))
  )
    return await report.unverifiable({
      code: 'incomplete-set',
      detail: `the site serves ${published.files.length} files or more, and the plan names no folder to compare them with`,
    });
  const chosen = await choosePairs(plan.compare, published.files);
  const judged = await judgePublished(plan, published.files, chosen.unfit);
  if (judged.kind === 'not-the-version')
    return await report.unverifiable({
      code: 'no-published-artifact',
      detail: `${judged.code}: ${judged.detail}`,
    });
  report.takeJudgement(judged);
  if (judged.notAuthentic.length > 0 && options.buildAnyway !== true) return await report.notAuthentic();
  assertResolved(plan);

  const supply = new BuildSupply(plan, { ...options, timed: (stage, work) => report.timed(stage, work) });
  try {
    const first = await supply.next(1);
    report.takeBuild(first);
    if (first.kind === 'stopped') return await report.unverifiable(...first.reasons);
    if (first.result.kind === 'failed') return await report.unbuildable(first.result);
    const sides = { published: published.files, pairs: chosen.pairs };
    return await report.compared(
      await buildAgain(plan, { ...first, result: first.result }, supply, sides, report, options),
    );
  } finally {
    await supply.close();
  }
}

/** @throws FailedHere `plan-unresolved` */
export function assertResolved(plan: Plan): void {
  if (plan.unresolved.length > 0)
    throw new FailedHere('plan-unresolved', plan.unresolved.join('; '), {
      hint: 'the plan prints, but cannot run until its recipe or the network says what these are',
    });
}

// ---------------------------------------------------------------- builds

interface PublishedSide {
  readonly published: readonly PublishedFile[];
  /** Those whose condition the files meet. */
  readonly pairs: readonly PairPlan[];
}

/**
 * All clean builds that were asked for, and one more to confirm a mismatch; each is compared. Of kept ones all, until one
 * matches: no mismatch is told while a build is at hand that could be the proof.
 */
async function buildAgain(
  plan: Plan,
  first: SucceededBuild,
  supply: BuildSupply,
  sides: PublishedSide,
  report: Draft,
  options: PipelineOptions,
): Promise<readonly ComparedBuild[]> {
  const compared = async (build: SucceededBuild): Promise<ComparedBuild> => ({
    build,
    comparison: await report.timed('compare', () => compareBuild(plan, build.result, sides, report, options)),
  });
  const builds = [await compared(first)];
  const isWanted = async (): Promise<boolean> => {
    if (builds.length < (options.builds ?? 1)) return true;
    // what nobody could read is no mismatch, and stays unread however often it is built
    if (!builds.every(({ comparison }) => isMismatch(comparison))) return false;
    return (builds.length < 2 && options.confirm !== false) || (await supply.hasKept());
  };
  while (await isWanted()) {
    const attempt = builds.length + 1;
    try {
      const next = await supply.next(attempt);
      report.takeBuild(next);
      if (next.kind === 'stopped' || next.result.kind === 'failed') {
        report.endedOtherwise(attempt, howItEnded(next));
        break;
      }
      builds.push(await compared({ ...next, result: next.result }));
    } catch (error) {
      // what the first build gave is not lost because a later one failed here
      if (!(error instanceof FailedHere) || error.code === 'interrupted') throw error;
      report.endedOtherwise(attempt, `it could not be done here (${error.code}: ${error.message})`);
      break;
    }
  }
  return builds;
}

function howItEnded(build: SuppliedBuild | StoppedBuild): string {
  if (build.kind === 'stopped') return build.reasons.map(({ detail }) => detail).join('; ');
  if (build.result.kind === 'succeeded') return 'it gave something to compare';
  return `a command of the ${build.result.phase} phase ended with exit code ${build.result.exitCode}, which it did not in the first build`;
}

function compareBuild(
  plan: Plan,
  build: SucceededBuild['result'],
  { published, pairs }: PublishedSide,
  report: Draft,
  options: PipelineOptions,
): Promise<SetComparison> {
  const { compare } = plan;
  // the twin of a published file that nobody handed over, or of another delivery, is not a file that nobody publishes
  const here = pairs.filter(
    ({ published: name }) => isFolder(name) || published.some((file) => file.name === name),
  );
  const without = new Set(compare.pairs.map(({ output }) => output));
  for (const { output } of here) without.delete(output);
  return compareSet(
    {
      published,
      rebuilt: [
        ...build.outputs.filter(({ output }) => !without.has(output)),
        // no output of the plan: never the twin of a published file, whatever it is called
        ...build.extra.map(({ name, path }) => ({ name, path })),
      ],
      pairs: here,
      notPublished: compare.notPublished,
      notObtained: report.notObtained,
      devices: devicesOf(published, options),
    },
    {
      rules: expandRules(compare.rules.map((use) => use.rule)),
      signers: compare.signers,
      ...(compare.packageId === undefined ? {} : { packageId: compare.packageId }),
      temporaryDirectory: options.workspace.directory,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
    },
  );
}

function devicesOf(
  published: readonly PublishedFile[],
  { device: given }: PipelineOptions,
): ReadonlyMap<string, DeviceSpecification> {
  return new Map(
    published.flatMap(({ name, device: text }) => {
      const device = given ?? (text === undefined ? undefined : readDeviceSpecification(text, 'device.json'));
      return device === undefined ? [] : [[name, device]];
    }),
  );
}
