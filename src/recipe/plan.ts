// SPDX-License-Identifier: Apache-2.0
/** Recipe + facts → plan: fully pinned instructions as plain data, with a digest each for the build and the comparison. */
import { digestOf } from '../canonical-json.js';
import { UsageError, VerifyError } from '../errors.js';
import type {
  BuildPlan,
  Deviation,
  Plan,
  ResolvedReference,
  SourcePlan,
  Target,
  ToolchainFact,
  VersionLock,
} from '../model.js';
import { hostBuildOf, knownResultsOf } from './check-plan.js';
import { channelOf, comparePlan } from './compare-plan.js';
import type { PlanRequest } from './lookups.js';
import type { PlanContext } from './plan-context.js';
import { type Candidate, rangeOf, schemeOf } from './candidates.js';
import { planDeviations } from './plan-deviations.js';
import { resolveVersion } from './resolve.js';
import type { Recipe, RecipeBuild } from './schema.js';
import { expand, placeholdersIn, type TemplateValues } from './template.js';
import { extrapolationOf, readToolchain, sourceText, type ReadToolchain } from './toolchain.js';
import { inRange, splitDebianVersion } from './version.js';
import {
  environmentPlan,
  fallbackPlans,
  hostTemplates,
  imagePlan,
  ownDeviations,
  phasePlan,
} from './environment-plan.js';
import { replaceSource, sourcePlan } from './source-plan.js';

/**
 * @throws UsageError `unknown-version`, `bad-version`, `unknown-channel`, `unsupported-channel`, `no-instructions`,
 *   `published-set-changed`, `source-not-replaceable`, `bad-source`, `tag-moved`
 * @throws VerifyError `no-source`, `needs-host`, `source-missing-for-version`: reasons of the verdict `unverifiable`
 */
export function makePlan(recipe: Recipe, request: PlanRequest, context: PlanContext): Plan {
  const channel = channelOf(recipe, request.channel);
  const { candidate, skipped, newestKnown } = resolveVersion(recipe, request.version, context.facts, request);
  const { version } = candidate;
  assertNotMoved(recipe, candidate, context.versionLock);
  const instructions = instructionsFor(recipe, version, context.onHost === true);
  const textOf = (file: string): string | undefined =>
    recipe.source?.kind === 'git' && candidate.commit !== undefined
      ? sourceText(context.facts, recipe.source.repository, candidate.commit, file)
      : undefined;
  const toolchain = readToolchain(instructions, textOf);
  const values = { ...valuesOf(recipe, candidate), ...toolchainValues(instructions, toolchain) };
  const target: Target = { app: recipe.app, version, channel: channel.id };
  const deviations: Deviation[] = [];
  const unresolved: string[] = [];

  const source = sourcePlan(recipe, instructions, candidate, values);
  const assumed = assumedToolchain(instructions, toolchain);
  if (source.kind === 'git' && source.commit === 'unresolved')
    unresolved.push(`${source.repository}, ${candidate.sought ?? 'commit'}`);
  unresolved.push(...unreadButUsed(instructions, toolchain));
  const references: ResolvedReference[] = [];
  const image = imagePlan(instructions, { toolchain, values }, context, unresolved, references);
  const fallbacks = fallbackPlans(instructions, image, values, context, unresolved);
  const build: BuildPlan = {
    app: recipe.app,
    version,
    source: replaceSource(
      image.kind === 'host' ? withToolchain(source, instructions, [...toolchain.facts, ...assumed]) : source,
      request.source,
      deviations,
    ),
    environment: environmentPlan(instructions, image, values),
    phases: instructions.phases.map((phase) => phasePlan(phase, instructions, values)),
    outputs: instructions.outputs.map(({ id, path }) => ({ id, path: expand(path, values) })),
    ...(fallbacks.length === 0 ? {} : { fallbacks }),
  };
  const extrapolated = extrapolationOf(instructions, version, toolchain, textOf);
  const unconfirmed = recipe.evidence
    .filter((read) => !read.confirmed && inRange(version, rangeOf(read.versions), schemeOf(recipe)))
    .map(({ what }) => what);
  deviations.push(
    ...ownDeviations(build),
    ...instructions.deviations,
    ...planDeviations(recipe, target, { extrapolated, unconfirmed, references, asOf: request.asOf }),
  );
  const compare = comparePlan(recipe, channel, { target, candidate, values, outputs: build.outputs });
  const scheme = schemeOf(recipe);
  return {
    schemaVersion: 1,
    target,
    build,
    ...(unresolved.length === 0 ? { buildDigest: digestOf(build) } : {}),
    compare,
    compareDigest: digestOf(compare),
    recipe: { app: recipe.app, sha256: context.recipeSha256 },
    deviations,
    toolchain: [...toolchain.facts, ...assumed],
    references,
    ...(extrapolated === undefined ? {} : { extrapolated }),
    unconfirmed,
    unresolved: unresolved.map((what) => `unresolved: ${what}`),
    skipped,
    ...(newestKnown === undefined ? {} : { newestKnown }),
    expected: {
      minutes: instructions.environment.expectedMinutes,
      diskMiB: instructions.environment.diskMiB,
      memoryMiB: instructions.environment.memoryMiB,
    },
    ...(instructions.vary === undefined ? {} : { vary: instructions.vary }),
    carried: recipe.carried
      .filter((entry) => inRange(version, rangeOf(entry.versions), scheme))
      .map(({ path, note, reference }) => ({
        path,
        note,
        ...(reference === undefined ? {} : { reference }),
      })),
    knownResults: knownResultsOf(recipe, version),
  };
}

/** A tag that names another commit than when this version was first planned is somebody's doing. */
function assertNotMoved(recipe: Recipe, { version, commit, ref }: Candidate, lock?: VersionLock): void {
  if (lock === undefined || commit === undefined || lock.commit === commit) return;
  throw new UsageError(
    'tag-moved',
    `${recipe.app} ${version}: ${ref ?? 'the source'} is commit ${commit}, and was ${lock.commit} on ${lock.resolved}`,
    {
      hint: `find out why; then remove recipes/locks/${recipe.app}/${version}.json, or pin one of them in the recipe`,
    },
  );
}

function instructionsFor(recipe: Recipe, version: string, onHost: boolean): RecipeBuild {
  const host = hostBuildOf(recipe, version);
  const found = recipe.builds.find((build) => inRange(version, rangeOf(build.versions), schemeOf(recipe)));
  if (host !== undefined && !(onHost && found !== undefined))
    throw new VerifyError(
      'needs-host',
      `${recipe.title} ${version} is built on ${host.system}: ${host.reason}`,
    );
  if (found === undefined)
    throw new UsageError('no-instructions', `the recipe ${recipe.app} does not say how ${version} is built`, {
      hint: `it does for ${recipe.builds.map((build) => build.versions).join(' and ')}`,
    });
  return found;
}

function valuesOf(recipe: Recipe, candidate: Candidate): TemplateValues {
  const { version, build, commit } = candidate;
  const values: TemplateValues = {
    version,
    ...(build === undefined ? {} : { build: String(build) }),
    ...(commit === undefined ? {} : { commit }),
  };
  // `~` comes before the end of a word, and `-` begins a revision: 1.2-beta.1 is packaged as 1.2~beta.1
  if (recipe.source?.kind !== 'debian') return { ...values, debianVersion: version.replaceAll('-', '~') };
  return {
    ...values,
    package: recipe.source.package,
    upstreamVersion: splitDebianVersion(version).upstream,
    // Names of .deb files leave the epoch out.
    fileVersion: version.slice(version.indexOf(':') + 1),
    debianVersion: version,
  };
}

// ---------------------------------------------------------------- toolchain

const toolchainName = (name: string): `toolchain.${string}` => `toolchain.${name}`;

/** What was read; where nothing was, the values of the newest version that was rebuilt, so that the plan can be shown. */
function toolchainValues(build: RecipeBuild, { facts, unread }: ReadToolchain): TemplateValues {
  const values = new Map<string, string>();
  const assumed = new Map(build.toolchain.map((extractor) => [extractor.name, extractor.assumed]));
  for (const { name } of unread)
    values.set(toolchainName(name), assumed.get(name) ?? build.proven?.toolchain[name] ?? 'unread');
  for (const { name, value } of facts) values.set(toolchainName(name), value);
  return Object.fromEntries(values);
}

/** What the recipe takes a fact to be whose file nobody could read. */
function assumedToolchain(build: RecipeBuild, { unread }: ReadToolchain): readonly ToolchainFact[] {
  return build.toolchain.flatMap(({ name, what, file, assumed }) =>
    assumed !== undefined && unread.some((fact) => fact.name === name)
      ? [{ name, what, file, value: assumed, assumed: true as const }]
      : [],
  );
}

/** A machine of another system is checked against what the source says, once the source is there. */
function withToolchain(
  source: SourcePlan,
  { toolchain }: RecipeBuild,
  facts: readonly ToolchainFact[],
): SourcePlan {
  if (source.kind !== 'git') return source;
  const stated = toolchain.flatMap((extractor) => {
    const value = facts.find(({ name }) => name === extractor.name)?.value;
    if (extractor.kind !== 'pattern' || value === undefined) return [];
    const { file, pattern } = extractor;
    return [{ file, pattern, expected: value, what: 'toolchain' as const }];
  });
  return { ...source, assertions: [...source.assertions, ...stated] };
}

function unreadButUsed(build: RecipeBuild, { unread }: ReadToolchain): readonly string[] {
  const { environment, phases, outputs } = build;
  const used = new Set<string>(
    [
      ...phases.map(({ script }) => script),
      ...Object.values(environment.variables),
      ...Object.values(environment.dockerfile?.arguments ?? {}),
      ...outputs.map(({ path }) => path),
      ...hostTemplates(environment.image),
      environment.directory,
    ].flatMap((template) => placeholdersIn(template)),
  );
  return unread
    .filter(({ name }) => used.has(toolchainName(name)))
    .map(({ what, file }) => `${what}, which ${file} of the commit states`);
}
