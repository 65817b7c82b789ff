// SPDX-License-Identifier: Apache-2.0
/** Recipe + facts → plan: fully pinned instructions as plain data, with a digest each for the build and the comparison. */
import { digestOf } from '../canonical-json.js';
import { UsageError, VerifyError } from '../errors.js';
import type {
  BuildPlan,
  Deviation,
  Fact,
  ImagePlan,
  PhasePlan,
  Plan,
  ResolvedReference,
  SourcePlan,
  Target,
  VersionAssertion,
  VersionLock,
} from '../model.js';
import { hostBuildOf } from './check-plan.js';
import { channelOf, comparePlan } from './compare-plan.js';
import type { PlanRequest } from './lookups.js';
import { type Candidate, rangeOf, schemeOf } from './candidates.js';
import { planDeviations } from './plan-deviations.js';
import { resolveImage } from './references.js';
import { resolveVersion } from './resolve.js';
import type { Recipe, RecipeBuild } from './schema.js';
import { expand, placeholdersIn, type TemplateValues } from './template.js';
import { extrapolationOf, readToolchain, sourceText, type ReadToolchain } from './toolchain.js';
import { inRange, splitDebianVersion } from './version.js';

export interface PlanContext {
  readonly facts: readonly Fact[];
  /** The locks of base images that this package brings along, by name. */
  readonly locks: Readonly<Record<string, { readonly sha256: string; readonly packages: number }>>;
  readonly recipeSha256: string;
  /** What was resolved for this version before. */
  readonly versionLock?: VersionLock | undefined;
}

/**
 * @throws UsageError `unknown-version`, `bad-version`, `unknown-channel`, `unsupported-channel`, `no-instructions`,
 *   `published-set-changed`, `source-not-replaceable`, `bad-source`, `tag-moved`
 * @throws VerifyError `no-source`, `needs-host`, `source-missing-for-version`: reasons of the verdict `unverifiable`
 */
export function makePlan(recipe: Recipe, request: PlanRequest, context: PlanContext): Plan {
  const channel = channelOf(recipe, request.channel);
  const { candidate, skipped } = resolveVersion(recipe, request.version, context.facts, request.asOf);
  const { version } = candidate;
  assertNotMoved(recipe, candidate, context.versionLock);
  const instructions = instructionsFor(recipe, version);
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
  if (source.kind === 'git' && source.commit === 'unresolved')
    unresolved.push(`${source.repository}, ${candidate.sought ?? 'commit'}`);
  unresolved.push(...unreadButUsed(instructions, toolchain));
  const references: ResolvedReference[] = [];
  const image = imagePlan(instructions, toolchain, context, unresolved, references);
  const build: BuildPlan = {
    app: recipe.app,
    version,
    source: replaceSource(source, request.source, deviations),
    environment: environmentPlan(instructions, image, values),
    phases: instructions.phases.map((phase) => phasePlan(phase, instructions, values)),
    outputs: instructions.outputs.map(({ id, path }) => ({ id, path: expand(path, values) })),
  };
  const extrapolated = extrapolationOf(instructions, version, toolchain, textOf);
  const unconfirmed = recipe.evidence
    .filter((read) => !read.confirmed && inRange(version, rangeOf(read.versions), schemeOf(recipe)))
    .map(({ what }) => what);
  deviations.push(
    ...ownDeviations(build),
    ...instructions.deviations,
    ...planDeviations(recipe, version, { extrapolated, unconfirmed, references, asOf: request.asOf }),
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
    toolchain: toolchain.facts,
    references,
    ...(extrapolated === undefined ? {} : { extrapolated }),
    unconfirmed,
    unresolved: unresolved.map((what) => `unresolved: ${what}`),
    skipped,
    expected: {
      minutes: instructions.environment.expectedMinutes,
      diskMiB: instructions.environment.diskMiB,
      memoryMiB: instructions.environment.memoryMiB,
    },
    carried: recipe.carried
      .filter((entry) => inRange(version, rangeOf(entry.versions), scheme))
      .map(({ path, note, reference }) => ({
        path,
        note,
        ...(reference === undefined ? {} : { reference }),
      })),
    knownResults: recipe.knownResults
      .filter((known) => known.versions.includes(version))
      .map(({ by, channel: where, result, reason, url }) => ({
        by,
        version,
        channel: where,
        result,
        url,
        ...(reason === undefined ? {} : { reason }),
      })),
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

function instructionsFor(recipe: Recipe, version: string): RecipeBuild {
  const host = hostBuildOf(recipe, version);
  if (host !== undefined)
    throw new VerifyError(
      'needs-host',
      `${recipe.title} ${version} is built on ${host.system}: ${host.reason}`,
    );
  const found = recipe.builds.find((build) => inRange(version, rangeOf(build.versions), schemeOf(recipe)));
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
  for (const { name } of unread) values.set(toolchainName(name), build.proven?.toolchain[name] ?? 'unread');
  for (const { name, value } of facts) values.set(toolchainName(name), value);
  return Object.fromEntries(values);
}

function unreadButUsed(build: RecipeBuild, { unread }: ReadToolchain): readonly string[] {
  const { environment, phases, outputs } = build;
  const used = new Set<string>(
    [
      ...phases.map(({ script }) => script),
      ...Object.values(environment.variables),
      ...Object.values(environment.dockerfile?.arguments ?? {}),
      ...outputs.map(({ path }) => path),
      environment.directory,
    ].flatMap((template) => placeholdersIn(template)),
  );
  return unread
    .filter(({ name }) => used.has(toolchainName(name)))
    .map(({ what, file }) => `${what}, which ${file} of the commit states`);
}

// ---------------------------------------------------------------- source

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

function sourcePlan(
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
function replaceSource(source: SourcePlan, given: string | undefined, deviations: Deviation[]): SourcePlan {
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

// ---------------------------------------------------------------- environment and phases

function imagePlan(
  instructions: RecipeBuild,
  toolchain: ReadToolchain,
  context: PlanContext,
  unresolved: string[],
  references: ResolvedReference[],
): ImagePlan {
  const { image } = instructions.environment;
  switch (image.kind) {
    case 'registry':
      return { kind: 'registry', reference: image.reference, digest: image.digest };
    case 'lock': {
      const lock = Object.hasOwn(context.locks, image.name) ? context.locks[image.name] : undefined;
      if (lock !== undefined) return { kind: 'lock', name: image.name, ...lock };
      unresolved.push(`lock ${image.name}`);
      return { kind: 'unresolved', reference: `lock ${image.name}` };
    }
    case 'floating':
    case 'extracted': {
      const found = resolveImage(instructions, toolchain, context.versionLock, context.facts);
      if (found.kind === 'resolved') {
        if (found.reference !== undefined) references.push(found.reference);
        return found.image;
      }
      unresolved.push(found.reference);
      return found;
    }
    case 'none':
      return { kind: 'none' };
  }
}

const expandAll = (
  templates: Readonly<Record<string, string>>,
  values: TemplateValues,
): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(templates).map(([name, value]) => [name, expand(value, values)]));

function environmentPlan(
  { environment }: RecipeBuild,
  image: ImagePlan,
  values: TemplateValues,
): BuildPlan['environment'] {
  const { dockerfile } = environment;
  return {
    image,
    ...(dockerfile === undefined
      ? {}
      : {
          dockerfile: {
            from: dockerfile.kind,
            path: dockerfile.path,
            ...(dockerfile.kind === 'override' ? { reason: dockerfile.reason } : {}),
            ...(dockerfile.arguments === undefined
              ? {}
              : { arguments: expandAll(dockerfile.arguments, values) }),
            ...(dockerfile.target === undefined ? {} : { target: dockerfile.target }),
          },
        }),
    user: environment.user,
    directory: expand(environment.directory, values),
    locale: environment.locale,
    timeZone: environment.timeZone,
    sourceDateEpoch: environment.sourceDateEpoch,
    variables: expandAll(environment.variables, values),
    memoryMiB: environment.memoryMiB,
    diskMiB: environment.diskMiB,
    minutes: environment.minutes,
    cpus: environment.cpus,
  };
}

function phasePlan(
  phase: RecipeBuild['phases'][number],
  { environment }: RecipeBuild,
  values: TemplateValues,
): PhasePlan {
  return {
    name: phase.name,
    user: phase.user ?? environment.user,
    network: phase.network,
    ...(phase.networkReason === undefined ? {} : { networkReason: phase.networkReason }),
    script: expand(phase.script, values),
  };
}

/** Deviations that follow from the plan itself, whatever the recipe says besides. */
function ownDeviations({ environment, source }: BuildPlan): readonly Deviation[] {
  const { image, dockerfile } = environment;
  const found: Deviation[] = [];
  if (image.kind === 'lock')
    found.push({
      code: 'synthesized-image',
      what: `the build runs in a base put together from the lock ${image.name} (${image.packages} packages), not in the environment ${source.kind === 'debian' ? "that the distribution's build machine recorded" : 'of the publisher'}`,
      reason:
        source.kind === 'debian'
          ? 'the recorded environment cannot be had as an image'
          : "the publisher's environment cannot be had as an image",
      canChangeOutput: 'unknown',
    });
  if (dockerfile?.from === 'override')
    found.push({
      code: 'dockerfile-override',
      what: `the image is made with ${dockerfile.path} of this project, not with a Dockerfile of the source tree`,
      reason: dockerfile.reason ?? 'the published one cannot build this version',
      canChangeOutput: 'unknown',
    });
  return found;
}
