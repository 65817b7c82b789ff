// SPDX-License-Identifier: Apache-2.0
/** From app and version to fully pinned instructions; nothing but indexes is fetched. */
import { digestOf } from '../canonical-json.js';
import { cacheDirectory } from '../inputs/cache.js';
import { lookUp } from '../inputs/facts.js';
import { packageRoot, readLocks } from '../inputs/package-files.js';
import type { Fact, Plan } from '../model.js';
import { lookupsFor } from '../recipe/lookups.js';
import { makePlan } from '../recipe/plan.js';
import { listVersions, type KnownVersion } from '../recipe/resolve.js';
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
}

export interface PlanResult {
  readonly plan: Plan;
  readonly facts: readonly Fact[];
}

/**
 * @throws UsageError `unknown-app`, `unknown-version`, `unknown-channel` …
 * @throws VerifyError `no-source`, `source-missing-for-version`: reasons of the verdict `unverifiable`
 * @throws FailedHere `network`, `mirror-incomplete`
 */
export async function plan(request: PlanRequest, options: OperationOptions = {}): Promise<PlanResult> {
  const { recipe, sha256 } = await recipeOf(request.app);
  const facts = await stoppable(options, () =>
    lookUp(lookupsFor(recipe, request), { cache: cacheDirectory(), ...options }),
  );
  return { facts, plan: makePlan(recipe, request, { facts, locks: await locks(), recipeSha256: sha256 }) };
}

export async function versions(
  app: string,
  options: OperationOptions = {},
): Promise<readonly KnownVersion[]> {
  const { recipe } = await recipeOf(app);
  const facts = await lookUp(lookupsFor(recipe, { version: '*' }), { cache: cacheDirectory(), ...options });
  return listVersions(recipe, facts);
}

/** By image, the digest of its lock. */
async function locks(): Promise<Record<string, { sha256: string; packages: number }>> {
  const texts = await readLocks(packageRoot());
  return Object.fromEntries(
    texts.map(({ image, text }) => {
      const lock = JSON.parse(text) as { readonly packages: readonly unknown[] };
      return [image, { sha256: digestOf(lock), packages: lock.packages.length }];
    }),
  );
}
