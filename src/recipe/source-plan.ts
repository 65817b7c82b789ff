// SPDX-License-Identifier: Apache-2.0
/** The source of a plan: what is checked out, or what the caller names in its place. */
import { UsageError } from '../errors.js';
import type { Deviation, SourcePlan, VersionAssertion } from '../model.js';
import { type Candidate, rangeOf, schemeOf } from './candidates.js';
import type { Recipe, RecipeBuild } from './schema.js';
import { expand, type TemplateValues } from './template.js';
import { inRange } from './version.js';

function assertionsFor(recipe: Recipe, version: string, values: TemplateValues): readonly VersionAssertion[] {
  return recipe.versions.assertions
    .filter((assertion) => inRange(version, rangeOf(assertion.versions), schemeOf(recipe)))
    .map(({ file, pattern, expected, what }) => ({
      file,
      pattern,
      expected: expand(expected, values),
      what,
    }));
}

export function sourcePlan(
  recipe: Recipe,
  instructions: RecipeBuild,
  candidate: Candidate,
  values: TemplateValues,
): SourcePlan {
  const { source } = recipe;
  switch (source?.kind) {
    case 'git':
      return {
        kind: 'git',
        repository: source.repository,
        commit: candidate.commit ?? 'unresolved',
        ...(candidate.ref === undefined ? {} : { ref: candidate.ref }),
        fullHistory: source.fullHistory,
        submodules: instructions.submodules ?? source.submodules,
        lfs: source.lfs,
        assertions: assertionsFor(recipe, candidate.version, values),
        ...(source.tagKey === undefined ? {} : { tagKey: source.tagKey }),
      };
    case 'bundled':
      return {
        kind: 'bundled',
        directory: source.directory,
        tag: candidate.ref ?? candidate.version,
        assertions: assertionsFor(recipe, candidate.version, values),
      };
    case 'debian': {
      const { debian } = candidate;
      if (debian === undefined)
        throw new UsageError(
          'recipe-invalid',
          `${recipe.app}: a Debian source needs the strategy debian-archive`,
        );
      return {
        kind: 'debian',
        suite: source.suite,
        component: source.component,
        package: source.package,
        version: debian.source.version,
        directory: debian.source.directory,
        files: debian.source.files,
        release: debian.fact.release,
      };
    }
    case undefined:
      throw new UsageError('no-source', `${recipe.app} has no source`);
  }
}

/** A local directory is no part of the plan, which others must be able to read: the commit says what must lie there. */
export function replaceSource(
  source: SourcePlan,
  given: string | undefined,
  deviations: Deviation[],
): SourcePlan {
  if (given === undefined) return source;
  if (source.kind !== 'git')
    throw new UsageError(
      'source-not-replaceable',
      `--source only replaces git repositories, this source is ${source.kind}`,
    );
  const isAddress = /^[a-z][a-z0-9+.-]*:\/\//i.test(given);
  if (isAddress && !/^https:\/\/[^@\s?#]+$/i.test(given))
    throw new UsageError(
      'bad-source',
      `the address of another source must start with https:// and hold no user, query or fragment`,
      { hint: '--source takes a directory or an https:// address' },
    );
  deviations.push({
    code: 'source-replaced',
    what: isAddress
      ? `the source comes from ${given} instead of ${source.repository}`
      : `the source comes from a local directory instead of ${source.repository}`,
    reason: 'the user asked for it with --source',
    canChangeOutput: 'unknown',
  });
  return isAddress ? { ...source, repository: given } : source;
}
