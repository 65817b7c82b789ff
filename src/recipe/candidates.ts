// SPDX-License-Identifier: Apache-2.0
/** The versions that each strategy of a recipe knows, from the recipe alone or with the facts that it asks for. */
import { UsageError } from '../errors.js';
import type { DebianSource, Fact, GitRef, Lookup } from '../model.js';
import type { Recipe, RecipeStrategy } from './schema.js';
import { templatePattern } from './template.js';
import { parseRange, type VersionRange, type VersionScheme } from './version.js';

/** One version that a strategy knows, with what it knows about its source. */
export interface Candidate {
  readonly version: string;
  readonly by: RecipeStrategy['kind'];
  /** Absent for Debian and bundled sources, and while a git revision is only known by name. */
  readonly commit?: string;
  /** Tag or branch. */
  readonly ref?: string;
  /** Without commit: words for what would have to be looked up. */
  readonly sought?: string;
  readonly build?: number;
  /** YYYY-MM-DD, as the recipe, tag or commit states it. */
  readonly date?: string;
  /** Another commit with the same claim to the version: nobody can choose between them but the recipe. */
  readonly rival?: string;
  readonly note?: string;
  readonly debian?: { readonly source: DebianSource; readonly fact: DebianFact };
}

type DebianFact = Extract<Fact, { kind: 'debian-source' }>;

export const schemeOf = (recipe: Recipe): VersionScheme =>
  recipe.source?.kind === 'debian' ? 'debian' : 'dotted';

export function rangeOf(text: string): VersionRange {
  const range = parseRange(text);
  if (range === undefined)
    throw new UsageError('bad-version', `${JSON.stringify(text)} is no version and no range`, {
      hint: 'a version such as 10.14.5, or 10.x, ">=10.9 <11", latest',
    });
  return range;
}

// ---------------------------------------------------------------- look-ups

/** The look-up that a strategy needs, if any. */
export function lookupOf(recipe: Recipe, strategy: RecipeStrategy): Lookup | undefined {
  const { source } = recipe;
  switch (strategy.kind) {
    case 'pinned':
    case 'bundled':
      return undefined;
    case 'tag':
    case 'release-name':
      return source?.kind === 'git'
        ? { kind: 'git-refs', repository: source.repository, optional: true }
        : undefined;
    case 'commit-subject':
      return source?.kind === 'git'
        ? {
            kind: 'git-subjects',
            repository: source.repository,
            pattern: strategy.pattern,
            optional: true,
          }
        : undefined;
    case 'debian-archive':
      return source?.kind === 'debian'
        ? {
            kind: 'debian-source',
            suite: source.suite,
            component: source.component,
            package: source.package,
            architecture: source.architecture,
          }
        : undefined;
  }
}

// ---------------------------------------------------------------- candidates

const tagName = (ref: GitRef): string | undefined =>
  ref.name.startsWith('refs/') && !ref.name.startsWith('refs/tags/')
    ? undefined
    : ref.name.replace(/^refs\/tags\//, '');

function refsOf(recipe: Recipe, facts: readonly Fact[]): readonly GitRef[] {
  const { source } = recipe;
  return facts.flatMap((fact) =>
    fact.kind === 'git-refs' && source?.kind === 'git' && fact.repository === source.repository
      ? fact.refs
      : [],
  );
}

/** Twice the same version: the higher build number counts; without one to go by, the candidate is marked. */
function highestBuilds(found: readonly Candidate[]): readonly Candidate[] {
  const best = new Map<string, Candidate>();
  for (const candidate of found) {
    const other = best.get(candidate.version);
    if (other === undefined || (candidate.build ?? 0) > (other.build ?? 0))
      best.set(candidate.version, candidate);
    else if (
      candidate.commit !== undefined &&
      other.commit !== candidate.commit &&
      candidate.build === other.build
    )
      best.set(candidate.version, { ...other, rival: candidate.commit });
  }
  return [...best.values()];
}

function withKnown(
  found: readonly Candidate[],
  known: readonly string[],
  by: Candidate['by'],
  sought: (version: string) => Pick<Candidate, 'ref' | 'sought'>,
): readonly Candidate[] {
  const seen = new Set(found.map(({ version }) => version));
  return [
    ...found,
    ...known
      .filter((version) => !seen.has(version))
      .map((version): Candidate => ({ version, by, ...sought(version) })),
  ];
}

function named(match: RegExpExecArray | null): { version: string; build?: number } | undefined {
  const { version, build } = match?.groups ?? {};
  if (version === undefined) return undefined;
  return { version, ...(build === undefined ? {} : { build: Number(build) }) };
}

const dated = ({ date }: { readonly date?: string | undefined }): { readonly date?: string } =>
  date === undefined ? {} : { date };

function byTags(
  strategy: Extract<RecipeStrategy, { kind: 'tag' }>,
  refs: readonly GitRef[],
): readonly Candidate[] {
  const patterns = strategy.templates.map(templatePattern);
  const found = refs.flatMap((ref): Candidate[] => {
    const tag = tagName(ref);
    // Tag names are upstream's: bounded before a pattern sees them.
    if (tag === undefined || tag.length > 200) return [];
    for (const pattern of patterns) {
      const what = named(pattern.exec(tag));
      if (what !== undefined) return [{ ...what, by: 'tag', commit: ref.commit, ref: tag, ...dated(ref) }];
    }
    return [];
  });
  const spelling = strategy.templates[0] ?? '{version}';
  return withKnown(highestBuilds(found), strategy.known, 'tag', (version) => {
    const tag = spelling.replaceAll('{version}', version);
    return tag.includes('{build}')
      ? { sought: `tag ${tag.replaceAll('{build}', '*')}` }
      : { ref: tag, sought: `tag ${tag}` };
  });
}

function bySubjects(
  strategy: Extract<RecipeStrategy, { kind: 'commit-subject' }>,
  recipe: Recipe,
  facts: readonly Fact[],
): readonly Candidate[] {
  const pattern = new RegExp(strategy.pattern, 'u');
  const found = facts.flatMap((fact): Candidate[] =>
    fact.kind === 'git-subjects' &&
    recipe.source?.kind === 'git' &&
    fact.repository === recipe.source.repository
      ? fact.commits.flatMap(({ commit, subject, date }): Candidate[] => {
          const what = subject.length > 500 ? undefined : named(pattern.exec(subject));
          return what === undefined ? [] : [{ ...what, by: 'commit-subject', commit, ...dated({ date }) }];
        })
      : [],
  );
  return withKnown(highestBuilds(found), strategy.known, 'commit-subject', (version) => ({
    sought: `the commit whose subject names ${version}`,
  }));
}

/** Every version that one strategy knows, given these facts. */
export function candidatesBy(
  recipe: Recipe,
  strategy: RecipeStrategy,
  facts: readonly Fact[],
): readonly Candidate[] {
  switch (strategy.kind) {
    case 'pinned':
      return strategy.versions.map(({ version, commit, ref, build, date, note }): Candidate => ({
        version,
        by: 'pinned',
        commit,
        ...(ref === undefined ? {} : { ref }),
        ...(build === undefined ? {} : { build }),
        ...(date === undefined ? {} : { date }),
        ...(note === undefined ? {} : { note }),
      }));
    case 'tag':
      return byTags(strategy, refsOf(recipe, facts));
    case 'commit-subject':
      return bySubjects(strategy, recipe, facts);
    case 'release-name': {
      const refs = refsOf(recipe, facts);
      return strategy.releases.map(({ name, tag }): Candidate => {
        const found = refs.find((ref) => tagName(ref) === tag);
        return {
          version: name,
          by: 'release-name',
          ref: tag,
          ...(found === undefined ? { sought: `tag ${tag}` } : { commit: found.commit, ...dated(found) }),
        };
      });
    }
    case 'debian-archive':
      return facts.flatMap((fact) =>
        fact.kind === 'debian-source' && isFactOf(recipe, fact)
          ? fact.sources.map((source): Candidate => ({
              version: source.version,
              by: 'debian-archive',
              debian: { source, fact },
            }))
          : [],
      );
    case 'bundled':
      return strategy.versions.map(({ version, build }): Candidate => ({
        version,
        build,
        by: 'bundled',
        ref: strategy.tag.replaceAll('{version}', version),
      }));
  }
}

export function isFactOf(recipe: Recipe, fact: DebianFact): boolean {
  const { source } = recipe;
  return (
    source?.kind === 'debian' &&
    fact.suite === source.suite &&
    fact.component === source.component &&
    fact.package === source.package &&
    fact.architecture === source.architecture
  );
}

/** Every version that any strategy knows; where two know the same one, the earlier strategy's word stands. */
export function allCandidates(recipe: Recipe, facts: readonly Fact[]): readonly Candidate[] {
  const seen = new Map<string, Candidate>();
  for (const strategy of recipe.versions.resolve)
    for (const candidate of candidatesBy(recipe, strategy, facts))
      if (!seen.has(candidate.version)) seen.set(candidate.version, candidate);
  return [...seen.values()];
}
