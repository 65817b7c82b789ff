// SPDX-License-Identifier: Apache-2.0
/** From a version or range that a person names to one version and its source, by the recipe's strategies in their order. */
import { FailedHere, UsageError, VerifyError } from '../errors.js';
import type { Fact, Lookup, NewestKnown } from '../model.js';
import {
  allCandidates,
  type Candidate,
  candidatesBy,
  isFactOf,
  lookupOf,
  rangeOf,
  schemeOf,
} from './candidates.js';
import { channelOf } from './compare-plan.js';
import type { Recipe, RecipeStrategy } from './schema.js';
import { templatePattern } from './template.js';
import { compareVersions, inRange, nearestVersions, representative, type VersionRange } from './version.js';

/**
 * For a version, look-ups of the strategies that come before the first one that answers from the recipe alone; for a range
 * those of all, since any of them may know a newer one, up to a map that is complete there.
 */
export function neededLookups(recipe: Recipe, range: VersionRange): readonly Lookup[] {
  if (withoutSource(recipe, range).exact !== undefined) return [];
  const lookups: Lookup[] = [];
  for (const strategy of recipe.versions.resolve) {
    const lookup = lookupOf(recipe, strategy);
    if (lookup !== undefined) {
      if (!lookups.some((other) => JSON.stringify(other) === JSON.stringify(lookup))) lookups.push(lookup);
      continue;
    }
    const answers = (): boolean =>
      candidatesBy(recipe, strategy, []).some(({ version }) => inRange(version, range, schemeOf(recipe)));
    if (range.kind === 'exact' && answers()) return lookups;
    if (isComplete(recipe, strategy, range)) return lookups;
  }
  return lookups;
}

/** The recipe says that its map has every version around the asked one. */
function isComplete(recipe: Recipe, strategy: RecipeStrategy, range: VersionRange): boolean {
  if (strategy.kind !== 'pinned' || strategy.complete === undefined) return false;
  const asked = representative(range);
  return asked !== undefined && inRange(asked, rangeOf(strategy.complete), schemeOf(recipe));
}

// ---------------------------------------------------------------- the answer

export interface Skipped {
  readonly version: string;
  readonly reason: string;
}

/** Versions of the range that the store had and the source never: all of them, and the one that was asked for by name. */
export function withoutSource(
  recipe: Recipe,
  range: VersionRange,
): { readonly skipped: readonly Skipped[]; readonly exact?: Skipped } {
  const scheme = schemeOf(recipe);
  const asked = representative(range);
  const entries = recipe.versions.withoutSource.map((entry) => ({ entry, covered: rangeOf(entry.versions) }));
  const skipped = entries
    .filter(({ covered }) => {
      const stands = representative(covered);
      return stands !== undefined && inRange(stands, range, scheme);
    })
    .map(({ entry }) => ({ version: entry.versions, reason: entry.reason }));
  const hit =
    asked !== undefined && (range.kind === 'exact' || range.kind === 'prefix')
      ? entries.find(({ covered }) => inRange(asked, covered, scheme))
      : undefined;
  return hit === undefined
    ? { skipped }
    : { skipped, exact: { version: asked ?? '', reason: hit.entry.reason } };
}

/** What leaves less of a range. */
export interface Narrowing {
  /** YYYY-MM-DD: nothing that came after that day. */
  readonly asOf?: string | undefined;
  readonly channel?: string | undefined;
}

export interface Resolution {
  readonly candidate: Candidate;
  readonly skipped: readonly Skipped[];
  readonly newestKnown?: NewestKnown;
}

/**
 * A version by the first strategy that knows it; of a range the newest version that any of them knows.
 * @throws UsageError `bad-version`, `unknown-version`, `ambiguous-version`
 * @throws VerifyError `no-source`, `source-missing-for-version`: reasons of the verdict `unverifiable`; `facts-missing`: the caller's bug
 * @throws FailedHere `network`: no such version is known, and what the repository has was not looked up
 */
export function resolveVersion(
  recipe: Recipe,
  asked: string,
  facts: readonly Fact[],
  { asOf, channel }: Narrowing = {},
): Resolution {
  const range = rangeOf(asked);
  const scheme = schemeOf(recipe);
  if (recipe.source === undefined)
    throw new VerifyError(
      'no-source',
      `${recipe.title}: no published source is known (${recipe.status.kind})`,
    );
  const { skipped, exact } = withoutSource(recipe, range);
  const found = new Map<string, Candidate>();
  for (const strategy of recipe.versions.resolve) {
    const lookup = lookupOf(recipe, strategy);
    if (
      lookup?.kind === 'debian-source' &&
      !facts.some((f) => f.kind === 'debian-source' && isFactOf(recipe, f))
    )
      throw new VerifyError('facts-missing', `the archive's index for ${lookup.package} was not looked up`);
    if (asOf !== undefined && lookup?.kind === 'debian-source')
      throw new UsageError('as-of-unsupported', `${recipe.app}: the archive has only what is in it today`, {
        hint: 'leave --as-of out',
      });
    for (const candidate of candidatesBy(recipe, strategy, facts)) {
      const { version, date } = candidate;
      const wanted = inRange(version, range, scheme) && wasThere(date, asOf);
      // what was asked for by name is that, wherever it is
      const here = range.kind === 'exact' || isOf(recipe, channel, candidate);
      if (wanted && here && !found.has(version)) found.set(version, candidate);
    }
    if ((range.kind === 'exact' && found.size > 0) || isComplete(recipe, strategy, range)) break;
  }
  const [candidate] = [...found.values()].sort((a, b) => compareVersions(b.version, a.version, scheme));
  if (candidate?.rival !== undefined)
    throw new UsageError(
      'ambiguous-version',
      `${candidate.version} is named by ${candidate.commit ?? '?'} and by ${candidate.rival}`,
      { hint: `recipes/${recipe.app}.yaml must pin one of them` },
    );
  if (candidate !== undefined)
    return {
      candidate,
      skipped: skipped.filter((other) => other.version !== candidate.version),
      ...newestKnown(recipe, { asked, range }, facts),
    };
  if (exact !== undefined)
    throw new VerifyError(
      'source-missing-for-version',
      `${recipe.title} ${exact.version}: no source was published for this version (${exact.reason})`,
    );
  throw unknownVersion(recipe, asOf === undefined ? asked : `${asked} as of ${asOf}`, range, facts);
}

/** Look-ups of the repository's own tags and commits that nobody answered. */
function unanswered(recipe: Recipe, range: VersionRange, facts: readonly Fact[]): readonly RefLookup[] {
  return neededLookups(recipe, range).filter(
    (lookup): lookup is RefLookup =>
      (lookup.kind === 'git-refs' || lookup.kind === 'git-subjects') &&
      !facts.some((f) => f.kind === lookup.kind && f.repository === lookup.repository),
  );
}

type RefLookup = Extract<Lookup, { kind: 'git-refs' | 'git-subjects' }>;

const soughtBy = ({ kind }: RefLookup): string => (kind === 'git-refs' ? 'tags' : 'commits');

/** A version that was named is that version; of a range there may be a newer one. */
function newestKnown(
  recipe: Recipe,
  { asked, range }: { readonly asked: string; readonly range: VersionRange },
  facts: readonly Fact[],
): Pick<Resolution, 'newestKnown'> {
  if (range.kind === 'exact') return {};
  const [first] = unanswered(recipe, range, facts);
  if (first !== undefined)
    return {
      newestKnown: { asked, why: `the ${soughtBy(first)} of ${first.repository} could not be looked up` },
    };
  const { resolve } = recipe.versions;
  const listed = resolve.every((strategy) => strategy.kind === 'pinned');
  if (!listed || resolve.some((strategy) => isComplete(recipe, strategy, range))) return {};
  return { newestKnown: { asked, why: 'it has a list of versions, and nothing to look others up by' } };
}

/** Channels of one app can have versions of their own, told apart by their tags. */
function isOf(recipe: Recipe, channel: string | undefined, { version, build, ref }: Candidate): boolean {
  const { tag } = channelOf(recipe, channel).channel;
  if (tag === undefined || ref === undefined) return true;
  const { groups } = templatePattern(tag).exec(ref) ?? {};
  return (
    groups?.['version'] === version && (build === undefined || (groups['build'] ?? `${build}`) === `${build}`)
  );
}

/** What nobody dated cannot be said to have been there. */
const wasThere = (date: string | undefined, asOf: string | undefined): boolean =>
  asOf === undefined || (date !== undefined && date <= asOf);

function unknownVersion(
  recipe: Recipe,
  asked: string,
  range: VersionRange,
  facts: readonly Fact[],
): UsageError | FailedHere {
  const scheme = schemeOf(recipe);
  const known = allCandidates(recipe, facts).map(({ version }) => version);
  const near = nearestVersions(representative(range) ?? '0', known, scheme);
  const hint =
    near.length === 0 ? `no version of ${recipe.app} is known at all` : `nearest known: ${near.join(', ')}`;
  const [first] = unanswered(recipe, range, facts);
  // nobody can say then that there is no such version
  if (first !== undefined)
    return new FailedHere(
      'network',
      `no version ${asked} of ${recipe.app} is known here; what ${soughtBy(first)} the repository has could not be looked up`,
      { hint: `run it again where the repository can be reached; ${hint}` },
    );
  return new UsageError('unknown-version', `no version ${asked} of ${recipe.app} is known`, { hint });
}

/** One version for a listing. */
export interface KnownVersion {
  readonly version: string;
  readonly by: Candidate['by'] | 'store';
  readonly commit?: string;
  readonly build?: number;
  readonly note?: string;
  /** Why there is no source for it. */
  readonly withoutSource?: string;
}

/** Newest first; versions without source among them. */
export function listVersions(recipe: Recipe, facts: readonly Fact[]): readonly KnownVersion[] {
  const scheme = schemeOf(recipe);
  const stands = (version: string): string => representative(rangeOf(version)) ?? version;
  const known = allCandidates(recipe, facts).map(({ version, by, commit, build, note }): KnownVersion => ({
    version,
    by,
    ...(commit === undefined ? {} : { commit }),
    ...(build === undefined ? {} : { build }),
    ...(note === undefined ? {} : { note }),
  }));
  const missing = recipe.versions.withoutSource.map(({ versions, reason }): KnownVersion => ({
    version: versions,
    by: 'store',
    withoutSource: reason,
  }));
  return [...known, ...missing].sort((a, b) => compareVersions(stands(b.version), stands(a.version), scheme));
}
