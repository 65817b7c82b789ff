// SPDX-License-Identifier: Apache-2.0
/**
 * The pipeline: plan → published files → builds (kept, or made of source and environment) → comparison → report. Each stage's
 * result is plain data and all that the next one sees. A stage that cannot go on for a reason of the target's own ends in
 * a report; one that fails for a reason of ours throws `FailedHere`, which is no verdict.
 */
import { digestOf } from './canonical-json.js';
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
import { buildAgain } from './pipeline/build-again.js';
import { BuildSupply } from './pipeline/build-supply.js';
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
    const known = new Map<string, SetComparison>();
    const compared = async (build: SucceededBuild): Promise<ComparedBuild> => {
      const { outputs, extra } = build.result;
      // builds that gave the same files compare alike
      const files = digestOf([outputs, extra].map((list) => list.map((file) => ({ ...file, path: '' }))));
      const comparison =
        known.get(files) ??
        (await report.timed('compare', () => compareBuild(plan, build.result, sides, report, options)));
      known.set(files, comparison);
      return { build, comparison };
    };
    return await report.compared(
      await buildAgain({ ...first, result: first.result }, { plan, supply, report, compared, options }),
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
