// SPDX-License-Identifier: Apache-2.0
/**
 * The pipeline: plan → published files → source → prepared environment → builds → comparison → report. Each stage's
 * result is plain data and all that the next one sees. A stage that cannot go on for a reason of the target's own ends in
 * a report; one that fails for a reason of ours throws `FailedHere`, which is no verdict.
 */
import type { PreparedBuild } from './build/executor.js';
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
import { assertRoom } from './inputs/room.js';
import { checkOutSource } from './inputs/source/source.js';
import type { BuildResult, PairPlan, Plan, Reason, UnverifiableReason } from './model.js';
import type { PipelineOptions } from './pipeline/options.js';

export async function verify(plan: Plan, options: PipelineOptions): Promise<Verified> {
  assertResolved(plan);
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

  await assertRoom(plan.expected, options.workspace.directory);
  const executor = await options.executor();
  const source = await report.timed('source', () => obtainSource(plan, options));
  switch (source.kind) {
    case 'untrusted':
      return await report.unverifiable(...source.reasons);
    case 'missing':
      return await report.unverifiable({ code: 'source-missing-for-version', detail: source.detail });
    case 'ready':
      report.takeSource(source);
      break;
    case 'in-prepare':
      break;
  }

  const outcome = await executor.prepare({
    plan: plan.build,
    ...options.workspace,
    ...(source.kind === 'ready' ? { source } : {}),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  });
  switch (outcome.kind) {
    case 'environment-gone':
      return await report.unverifiable(environmentGone(outcome));
    case 'untrusted':
      return await report.unverifiable(...outcome.reasons);
    case 'prepared':
      break;
  }
  const { prepared } = outcome;
  try {
    report.takePrepared(prepared);
    const first = await report.timed('build', () => prepared.build(1, options.signal));
    report.takeBuild(first);
    if (first.kind === 'failed') return await report.unbuildable(first);
    if (first.kind === 'environment-gone') return await report.unverifiable(environmentGone(first));
    const sides = { published: published.files, pairs: chosen.pairs };
    const builds = await buildAgain(plan, first, prepared, sides, report, options);
    return await report.compared(builds);
  } finally {
    await prepared.close();
  }
}

/** @throws FailedHere `plan-unresolved` */
export function assertResolved(plan: Plan): void {
  if (plan.unresolved.length > 0)
    throw new FailedHere('plan-unresolved', plan.unresolved.join('; '), {
      hint: 'the plan prints, but cannot run until its recipe or the network says what these are',
    });
}

type SourceStage = Awaited<ReturnType<typeof checkOutSource>> | { readonly kind: 'in-prepare' };

/** Debian's source packages are fetched by the prepare phase and checked against the signed index there. */
export async function obtainSource(
  plan: Plan,
  options: Pick<PipelineOptions, 'workspace' | 'source' | 'signal' | 'onProgress'>,
): Promise<SourceStage> {
  const { source } = plan.build;
  if (source.kind === 'debian') return { kind: 'in-prepare' };
  return await checkOutSource(source, {
    ...options.workspace,
    directory: `${options.workspace.directory}/source`,
    override: options.source,
    signal: options.signal,
    onProgress: options.onProgress,
  });
}

const environmentGone = (gone: {
  readonly url: string;
  readonly status: number;
}): Reason<UnverifiableReason> => ({
  code: 'environment-gone',
  detail: `${gone.url} answers with status ${gone.status}`,
});

// ---------------------------------------------------------------- builds

interface PublishedSide {
  readonly published: readonly PublishedFile[];
  /** Those whose condition the files meet. */
  readonly pairs: readonly PairPlan[];
}

/** All clean builds that were asked for, and one more to confirm a mismatch; each is compared. */
async function buildAgain(
  plan: Plan,
  first: SucceededBuild,
  prepared: PreparedBuild,
  sides: PublishedSide,
  report: Draft,
  options: PipelineOptions,
): Promise<readonly ComparedBuild[]> {
  const compared = async (build: SucceededBuild): Promise<ComparedBuild> => ({
    build,
    comparison: await report.timed('compare', () => compareBuild(plan, build, sides, report, options)),
  });
  const builds = [await compared(first)];
  const wanted = (): number => {
    const asked = options.builds ?? 1;
    // what nobody could read is no mismatch, and stays unread however often it is built
    const mismatch = builds.every(({ comparison }) => isMismatch(comparison));
    return mismatch && options.confirm !== false ? Math.max(2, asked) : asked;
  };
  while (builds.length < wanted()) {
    const attempt = builds.length + 1;
    try {
      const next = await report.timed('build', () => prepared.build(attempt, options.signal));
      report.takeBuild(next);
      if (next.kind !== 'succeeded') {
        report.endedOtherwise(attempt, howItEnded(next));
        break;
      }
      builds.push(await compared(next));
    } catch (error) {
      // what the first build gave is not lost because a later one failed here
      if (!(error instanceof FailedHere) || error.code === 'interrupted') throw error;
      report.endedOtherwise(attempt, `it could not be done here (${error.code}: ${error.message})`);
      break;
    }
  }
  return builds;
}

function howItEnded(build: Exclude<BuildResult, SucceededBuild>): string {
  switch (build.kind) {
    case 'failed':
      return `a command of the ${build.phase} phase ended with exit code ${build.exitCode}, which it did not in the first build`;
    case 'environment-gone':
      return environmentGone(build).detail;
  }
}

function compareBuild(
  plan: Plan,
  build: SucceededBuild,
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
