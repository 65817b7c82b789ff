// SPDX-License-Identifier: Apache-2.0
/** What must be looked up outside before a plan can be made: nothing where the recipe's own map has the answer. */
import { UsageError, VerifyError } from '../errors.js';
import type { Fact, Lookup, VersionLock } from '../model.js';
import { rangeOf, schemeOf } from './candidates.js';
import { unknownReference } from './references.js';
import { neededLookups, resolveVersion, type Resolution } from './resolve.js';
import type { Recipe } from './schema.js';
import { readToolchain, sourceText, toolchainFiles } from './toolchain.js';
import { inRange } from './version.js';

export interface PlanRequest {
  /** A version or a range; the newest version that the range holds is taken. */
  readonly version: string;
  readonly channel?: string | undefined;
  /** Another place to take the source from: an address or a local directory. */
  readonly source?: string | undefined;
  /** YYYY-MM-DD: nothing that came after that day is taken. */
  readonly asOf?: string | undefined;
}

/** A plan can be made without the answer to an `optional` look-up; it may then be unresolved. */
export function lookupsFor(
  recipe: Recipe,
  request: Pick<PlanRequest, 'version' | 'asOf'>,
): readonly Lookup[] {
  const needed = neededLookups(recipe, rangeOf(request.version));
  if (request.asOf === undefined) return needed;
  return needed.map((lookup) => (lookup.kind === 'git-refs' ? { ...lookup, dates: true } : lookup));
}

/** What can be asked for once the version is known: files of its source, then the digest of the image that they name. */
export function furtherLookups(
  recipe: Recipe,
  request: PlanRequest,
  facts: readonly Fact[],
  lock?: VersionLock,
): readonly Lookup[] {
  const { source } = recipe;
  const candidate = tryResolve(recipe, request, facts)?.candidate;
  const build = recipe.builds.find(
    ({ versions }) =>
      candidate !== undefined && inRange(candidate.version, rangeOf(versions), schemeOf(recipe)),
  );
  if (candidate === undefined || build === undefined) return [];
  const { commit } = candidate;
  const repository = source?.kind === 'git' ? source.repository : undefined;
  const files = toolchainFiles(build);
  if (repository !== undefined && commit !== undefined && files.length > 0) {
    const known = facts.some(
      (fact) => fact.kind === 'source-files' && fact.repository === repository && fact.commit === commit,
    );
    if (!known) return [{ kind: 'source-files', repository, commit, files, optional: true }];
  }
  const read = readToolchain(build, (file) => sourceText(facts, repository ?? '', commit ?? '', file));
  const reference = unknownReference(build, read, lock);
  return reference === undefined ? [] : [{ kind: 'image-digest', reference, optional: true }];
}

/** The version that the request stands for, where that is known already. */
export function tryResolve(
  recipe: Recipe,
  request: Pick<PlanRequest, 'version' | 'asOf' | 'channel'>,
  facts: readonly Fact[],
): Resolution | undefined {
  try {
    return resolveVersion(recipe, request.version, facts, request);
  } catch (error) {
    // making the plan says the same again, to the user
    if (error instanceof UsageError || error instanceof VerifyError) return undefined;
    throw error;
  }
}
