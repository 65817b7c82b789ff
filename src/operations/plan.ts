// SPDX-License-Identifier: Apache-2.0
/** From app and version to fully pinned instructions; nothing but indexes and a few texts of the source is fetched. */
import path from 'node:path';
import { digestOf } from '../canonical-json.js';
import { UsageError, VerifyError } from '../errors.js';
import { cacheDirectory } from '../inputs/cache.js';
import { lookUp } from '../inputs/facts.js';
import { packageRoot, readLocks } from '../inputs/package-files.js';
import { readVersionLock, writeVersionLock } from '../inputs/version-locks.js';
import type { CheckPlan, Fact, Lookup, Plan, VersionLock } from '../model.js';
import { withLock } from '../owned-lock.js';
import { makeCheckPlan } from '../recipe/check-plan.js';
import { rangeOf, schemeOf } from '../recipe/candidates.js';
import { channelOf } from '../recipe/compare-plan.js';
import { furtherLookups, lookupsFor, tryResolve } from '../recipe/lookups.js';
import { makePlan } from '../recipe/plan.js';
import { listVersions, type KnownVersion } from '../recipe/resolve.js';
import type { Recipe } from '../recipe/schema.js';
import { inRange } from '../recipe/version.js';
import type { OperationOptions } from './options.js';
import { stoppable } from './stoppable.js';
import { recipeOf } from './recipes.js';

export type { KnownVersion };

export interface PlanRequest {
  readonly app: string;
  /** A version or a range; the newest version that it holds is taken. */
  readonly version: string;
  readonly channel?: string;
  readonly source?: string;
  /** YYYY-MM-DD: what was current on that day. */
  readonly asOf?: string;
  /** A machine of another system is at hand. */
  readonly onHost?: boolean;
}

export interface PlanResult {
  readonly kind: 'build';
  readonly plan: Plan;
  readonly facts: readonly Fact[];
}

/** No build is possible here: these checks are what is left. */
export interface ChecksResult {
  readonly kind: 'checks';
  readonly plan: CheckPlan;
  /** What a machine of another system would build, where the recipe says it in full. */
  readonly onHost?: Plan;
  readonly facts: readonly Fact[];
}

/**
 * @throws UsageError `unknown-app`, `unknown-version`, `unknown-channel`, `tag-moved` …
 * @throws VerifyError `source-missing-for-version`: a reason of the verdict `unverifiable`
 * @throws FailedHere `network`, `mirror-incomplete`
 */
export async function planAnything(
  request: PlanRequest,
  options: OperationOptions = {},
): Promise<PlanResult | ChecksResult> {
  assertDay(request.asOf);
  const { recipe, sha256 } = await recipeOf(request.app, options.recipes);
  const { facts, lock } = await factsFor(recipe, request, options);
  const context = { facts, recipeSha256: sha256 };
  const checks = makeCheckPlan(recipe, request, context);
  const make = async (): Promise<Plan> => {
    const onHost = checks?.obstacle.code === 'needs-host';
    return makePlan(recipe, request, { ...context, locks: await imageLocks(), versionLock: lock, onHost });
  };
  if (checks !== undefined) {
    const onHost = buildsOnHost(recipe, checks) ? await make() : undefined;
    if (request.onHost !== true)
      return { kind: 'checks', plan: checks, facts, ...(onHost === undefined ? {} : { onHost }) };
    if (onHost === undefined)
      throw new UsageError('no-host-steps', `${checks.target.app}: ${noHostSteps(checks)}`, {
        hint: `\`verify plan ${checks.target.app} ${checks.target.version}\` says in words what would have to be done`,
      });
    return { kind: 'build', plan: onHost, facts };
  }
  const made = await make();
  // what another process resolved meanwhile holds: a plan with something else would be one that no lock knows
  if (!(await keepLock(made, lock, options))) return await planAnything(request, options);
  return { kind: 'build', plan: made, facts };
}

/** Whether the recipe has the steps for a machine of another system. */
function buildsOnHost(recipe: Recipe, { obstacle, target }: CheckPlan): boolean {
  if (obstacle.code !== 'needs-host') return false;
  return recipe.builds.some((build) => inRange(target.version, rangeOf(build.versions), schemeOf(recipe)));
}

function noHostSteps({ obstacle }: CheckPlan): string {
  return obstacle.code === 'no-source'
    ? 'no published source is known that another machine could build'
    : 'the recipe has no steps that another machine could run';
}

/** As `planAnything`, from facts that were looked up before: nobody is asked, and nothing is written down. */
export async function planFrom(
  request: PlanRequest,
  facts: readonly Fact[],
  options: OperationOptions = {},
): Promise<PlanResult | ChecksResult> {
  const { recipe, sha256 } = await recipeOf(request.app, options.recipes);
  const version = tryResolve(recipe, request, facts)?.candidate.version;
  const versionLock =
    version === undefined ? undefined : await readVersionLock(recipe.app, version, options.recipes);
  const context = { facts, recipeSha256: sha256 };
  const checks = makeCheckPlan(recipe, request, context);
  if (checks !== undefined) return { kind: 'checks', plan: checks, facts };
  const made = makePlan(recipe, request, { ...context, locks: await imageLocks(), versionLock });
  return { kind: 'build', plan: made, facts };
}

/**
 * As `planAnything`, where only a build will do.
 * @throws VerifyError `no-source`, `needs-host`
 */
export async function plan(request: PlanRequest, options: OperationOptions = {}): Promise<PlanResult> {
  const made = await planAnything(request, options);
  if (made.kind === 'build') return made;
  const { obstacle } = made.plan;
  throw new VerifyError(obstacle.code, obstacle.detail);
}

export async function versions(
  app: string,
  options: OperationOptions = {},
): Promise<readonly KnownVersion[]> {
  const { recipe } = await recipeOf(app, options.recipes);
  const facts = await lookUp(lookupsFor(recipe, { version: '*' }), { cache: cacheDirectory(), ...options });
  return listVersions(recipe, facts);
}

function assertDay(asOf: string | undefined): void {
  if (asOf === undefined) return;
  if (!/^\d{4}-\d{2}-\d{2}$/.test(asOf) || Number.isNaN(Date.parse(asOf)))
    throw new UsageError('bad-date', `${JSON.stringify(asOf)} is no day`, { hint: 'write it as 2026-03-31' });
}

// ---------------------------------------------------------------- facts and locks

/** Each answer can lead to the next question: tags name the commit, its files the image, the image has a digest. */
async function factsFor(
  recipe: Recipe,
  request: PlanRequest,
  options: OperationOptions,
): Promise<{ readonly facts: readonly Fact[]; readonly lock: VersionLock | undefined }> {
  const told = onceEach(options);
  const ask = (lookups: readonly Lookup[]): Promise<readonly Fact[]> =>
    stoppable(told, () => lookUp(lookups, { cache: cacheDirectory(), ...told }));
  // a channel that does not exist is said before anybody is asked
  channelOf(recipe, request.channel);
  const facts = [...(await ask(lookupsFor(recipe, request)))];
  const version = tryResolve(recipe, request, facts)?.candidate.version;
  const lock =
    version === undefined ? undefined : await readVersionLock(recipe.app, version, options.recipes);
  const asked = new Set<string>();
  for (;;) {
    const further = furtherLookups(recipe, request, facts, lock).filter(
      (lookup) => !asked.has(JSON.stringify(lookup)),
    );
    if (further.length === 0) return { facts, lock };
    for (const lookup of further) asked.add(JSON.stringify(lookup));
    facts.push(...(await ask(further)));
  }
}

/** Several look-ups ask one host, and fail for the same reason. */
function onceEach({ onProgress, ...options }: OperationOptions): OperationOptions {
  const notes = new Set<string>();
  return {
    ...options,
    onProgress: (event) => {
      if (event.kind === 'note') {
        if (notes.has(event.text)) return;
        notes.add(event.text);
      }
      onProgress?.(event);
    },
  };
}

/** What was resolved now and stood in no lock yet. False: another process has written the lock since `lock` was read. */
async function keepLock(
  { target, build, references, toolchain }: Plan,
  lock: VersionLock | undefined,
  options: OperationOptions,
): Promise<boolean> {
  const known = new Set(lock?.references.map(({ reference }) => reference));
  const { source } = build;
  if (source.kind !== 'git' || source.commit === 'unresolved') return true;
  if (references.every(({ reference }) => known.has(reference))) return true;
  const { app, version } = target;
  const { commit } = source;
  const read = toolchain.filter(({ assumed }) => assumed !== true);
  const lockFile = path.join(cacheDirectory(), 'locks', `${app}-${encodeURIComponent(version)}.lock`);
  const file = await withLock(
    lockFile,
    async () => {
      const now = await readVersionLock(app, version, options.recipes);
      if (JSON.stringify(now) !== JSON.stringify(lock)) return undefined;
      const resolved = new Date().toISOString().slice(0, 10);
      return await writeVersionLock(
        { schemaVersion: 1, app, version, commit, resolved, references, toolchain: read },
        options.recipes,
      );
    },
    options.signal === undefined ? {} : { signal: options.signal },
  );
  if (file === undefined) return false;
  options.onProgress?.({ kind: 'note', text: `resolved for good: ${file}` });
  return true;
}

/** By image, the digest of its lock. */
async function imageLocks(): Promise<Record<string, { sha256: string; packages: number }>> {
  const texts = await readLocks(packageRoot());
  return Object.fromEntries(
    texts.map(({ image, text }) => {
      const lock = JSON.parse(text) as { readonly packages: readonly unknown[] };
      return [image, { sha256: digestOf(lock), packages: lock.packages.length }];
    }),
  );
}
