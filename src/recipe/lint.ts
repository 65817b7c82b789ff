// SPDX-License-Identifier: Apache-2.0
/** What a schema cannot see in a recipe: ranges that overlap or leave gaps, names that lead nowhere, plans that cannot be made. */
import { VerifyError } from '../errors.js';
import { RULE_SETS } from '../model.js';
import { makePlan } from './plan.js';
import { allCandidates, rangeOf, schemeOf } from './candidates.js';
import { rangeFaults } from './lint-ranges.js';
import type { Recipe, RecipeBuild, RecipeChannel } from './schema.js';
import { placeholdersIn, PLACEHOLDERS } from './template.js';
import { inRange } from './version.js';

export interface LintProblem {
  /** Stable, kebab-case. */
  readonly code: string;
  readonly app: string;
  readonly path: string;
  readonly message: string;
}

/** Commands come before app ids on the command line: an app named like one could not be asked for. */
export const COMMAND_NAMES = [
  'build',
  'cache',
  'compare',
  'completion',
  'demo',
  'doctor',
  'fetch',
  'help',
  'image',
  'inspect',
  'log',
  'lookup',
  'plan',
  'recipes',
  'report',
  'reports',
  'status',
  'transplant',
] as const;

type Found = Omit<LintProblem, 'app'>;

export function lintRecipe(recipe: Recipe): readonly LintProblem[] {
  const found: Found[] = [...lintIdentity(recipe), ...lintVersions(recipe), ...lintBuilds(recipe)];
  for (const [id, channel] of Object.entries(recipe.channels))
    found.push(...lintChannel(recipe, id, channel));
  // Plans would only repeat what was found already.
  if (found.length === 0) found.push(...lintPlans(recipe));
  return found.map((problem) => ({ ...problem, app: recipe.app }));
}

/** All recipes together, each with the name of its file. */
export function lintRecipes(
  recipes: readonly { readonly file: string; readonly recipe: Recipe }[],
): readonly LintProblem[] {
  return recipes.flatMap(({ file, recipe }) => {
    const base = file.slice(file.lastIndexOf('/') + 1);
    const misnamed: LintProblem[] =
      base === `${recipe.app}.yaml`
        ? []
        : [
            {
              code: 'file-name',
              app: recipe.app,
              path: 'app',
              message: `the file is ${base}, expected ${recipe.app}.yaml`,
            },
          ];
    return [...misnamed, ...lintRecipe(recipe)];
  });
}

// ---------------------------------------------------------------- the app

/** What a signed index or this package itself says is looked up again each time. */
const needsEvidence = ({ source }: Recipe): boolean => source?.kind === 'git' || source === undefined;

function lintIdentity(recipe: Recipe): readonly Found[] {
  const found: Found[] = [];
  if (recipe.app !== 'demo' && COMMAND_NAMES.some((name) => name === recipe.app))
    found.push({ code: 'app-is-command', path: 'app', message: `${recipe.app} is a command of the program` });
  const closed = recipe.status.kind === 'closed' || recipe.status.kind === 'retired';
  const parts: readonly (readonly [string, boolean])[] = [
    ['source', recipe.source !== undefined],
    ['versions.resolve', recipe.versions.resolve.length > 0],
    ['builds', recipe.builds.length + recipe.hostBuilds.length > 0],
    ['channels', Object.keys(recipe.channels).length > 0],
  ];
  for (const [path, present] of parts)
    if (!closed && !present)
      found.push({ code: 'incomplete', path, message: `missing, and the app is neither closed nor retired` });
  if (recipe.source?.kind === 'git' && !recipe.source.repository.startsWith('https://'))
    found.push({
      code: 'repository-not-public',
      path: 'source.repository',
      message: `${recipe.source.repository} is no https address: nobody else can look there`,
    });
  if (recipe.evidence.length === 0 && needsEvidence(recipe))
    found.push({ code: 'no-evidence', path: 'evidence', message: 'missing: where the facts were read' });
  const { defaultChannel } = recipe;
  if (defaultChannel !== undefined && !Object.hasOwn(recipe.channels, defaultChannel))
    found.push({
      code: 'unknown-channel',
      path: 'defaultChannel',
      message: `${defaultChannel} is none of ${Object.keys(recipe.channels).join(', ')}`,
    });
  if (defaultChannel === undefined && Object.keys(recipe.channels).length > 1)
    found.push({
      code: 'no-default-channel',
      path: 'defaultChannel',
      message: 'needed with several channels',
    });
  for (const { channel } of recipe.unsupportedChannels)
    if (Object.hasOwn(recipe.channels, channel))
      found.push({
        code: 'channel-twice',
        path: 'unsupportedChannels',
        message: `${channel} stands among the channels as well`,
      });
  return found;
}

// ---------------------------------------------------------------- versions

const FITTING = {
  pinned: 'git',
  tag: 'git',
  'commit-subject': 'git',
  'release-name': 'git',
  'debian-archive': 'debian',
  bundled: 'bundled',
} as const satisfies Record<Recipe['versions']['resolve'][number]['kind'], string>;

function lintVersions(recipe: Recipe): readonly Found[] {
  const found: Found[] = [];
  const scheme = schemeOf(recipe);
  recipe.versions.resolve.forEach((strategy, i) => {
    const path = `versions.resolve[${i}]`;
    if (recipe.source !== undefined && FITTING[strategy.kind] !== recipe.source.kind)
      found.push({
        code: 'strategy-not-for-source',
        path,
        message: `${strategy.kind} is for ${FITTING[strategy.kind]} sources, this one is ${recipe.source.kind}`,
      });
    if (strategy.kind !== 'pinned') return;
    const seen = new Set<string>();
    for (const { version } of strategy.versions) {
      if (seen.has(version))
        found.push({ code: 'version-twice', path, message: `${version} is pinned twice` });
      seen.add(version);
    }
  });
  const versions = allCandidates(recipe, []).map(({ version }) => version);
  recipe.versions.withoutSource.forEach((entry, i) => {
    const range = rangeOf(entry.versions);
    for (const version of versions)
      if (inRange(version, range, scheme))
        found.push({
          code: 'source-exists',
          path: `versions.withoutSource[${i}]`,
          message: `${entry.versions} holds ${version}, whose source the recipe knows`,
        });
  });
  for (const version of versions) {
    const matching = [...recipe.builds, ...recipe.hostBuilds].filter(({ versions: held }) =>
      inRange(version, rangeOf(held), scheme),
    );
    if (matching.length === 0)
      found.push({
        code: 'range-gap',
        path: 'builds',
        message: `no range holds the known version ${version}`,
      });
  }
  const { overlap, gap } = rangeFaults(
    [...recipe.builds, ...recipe.hostBuilds].map((build) => build.versions),
    scheme,
  );
  if (overlap !== undefined) found.push({ code: 'range-overlap', path: 'builds', message: overlap });
  if (gap !== undefined) found.push({ code: 'range-gap', path: 'builds', message: gap });
  return found;
}

// ---------------------------------------------------------------- builds

function unknownPlaceholders(template: string): readonly string[] {
  return [...template.matchAll(/(?<!\$)\{([A-Za-z]+)\}/g)]
    .map(([, name]) => name ?? '')
    .filter((name) => !PLACEHOLDERS.some((known) => known === name));
}

function lintTemplates(path: string, templates: readonly string[]): readonly Found[] {
  return templates.flatMap(unknownPlaceholders).map((name) => ({
    code: 'unknown-placeholder',
    path,
    message: `{${name}} is none of ${PLACEHOLDERS.map((known) => `{${known}}`).join(', ')}`,
  }));
}

/** Toolchain facts that are used and that no extractor gives, and values of a proven version that nothing is compared with. */
function lintToolchain(recipe: Recipe, build: RecipeBuild, path: string): readonly Found[] {
  const { environment, phases, outputs, toolchain, watch, proven } = build;
  const names = toolchain.map(({ name }) => name);
  const found: Found[] = [];
  const complain = (code: string, where: string, message: string): void => {
    found.push({ code, path: `${path}.${where}`, message });
  };
  if (toolchain.length + watch.length > 0 && recipe.source?.kind !== 'git')
    complain('toolchain-without-git', 'toolchain', 'files are read out of git sources only');
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) complain('toolchain-twice', 'toolchain', `${twice} stands twice`);
  const used = [
    ...phases.map(({ script }) => script),
    ...Object.values(environment.variables),
    ...Object.values(environment.dockerfile?.arguments ?? {}),
    ...outputs.map((output) => output.path),
  ].flatMap(placeholdersIn);
  for (const name of new Set(used.filter((one) => one.startsWith('toolchain.'))))
    if (!names.includes(name.slice('toolchain.'.length)))
      complain('unknown-toolchain', 'toolchain', `{${name}} is used and no extractor has that name`);
  const { image } = environment;
  if (image.kind === 'extracted' && !names.includes(image.from))
    complain('unknown-toolchain', 'environment.image', `${image.from} is the name of no extractor`);
  for (const name of Object.keys(proven?.toolchain ?? {}))
    if (!names.includes(name)) complain('unknown-toolchain', 'proven', `${name} is the name of no extractor`);
  for (const file of Object.keys(proven?.files ?? {}))
    if (!watch.some((watched) => watched.file === file))
      complain('unwatched-file', 'proven', `${file} is not watched`);
  if (proven !== undefined && !inRange(proven.version, rangeOf(build.versions), schemeOf(recipe)))
    complain('proven-elsewhere', 'proven', `${build.versions} does not hold ${proven.version}`);
  return found;
}

function lintBuild(recipe: Recipe, build: RecipeBuild, path: string): readonly Found[] {
  const { environment, phases, outputs } = build;
  const found: Found[] = [
    ...lintToolchain(recipe, build, path),
    ...lintTemplates(
      `${path}.outputs`,
      outputs.map((output) => output.path),
    ),
    ...lintTemplates(`${path}.environment.directory`, [environment.directory]),
  ];
  for (const key of ['id', 'path'] as const) {
    const values = outputs.map((output) => output[key]);
    const twice = values.find((value, i) => values.indexOf(value) !== i);
    if (twice !== undefined)
      found.push({ code: 'output-twice', path: `${path}.outputs`, message: `${key} ${twice} stands twice` });
  }
  const names = phases.map(({ name }) => name).join(', ');
  if (names !== 'build' && names !== 'prepare, build')
    found.push({
      code: 'phases',
      path: `${path}.phases`,
      message: `expected prepare, build or build alone, got ${names}`,
    });
  const fits: Readonly<Record<string, string | undefined>> = {
    changelog: 'debian',
    commit: 'git or bundled',
  };
  const { sourceDateEpoch } = environment;
  if (
    (sourceDateEpoch === 'changelog' && recipe.source?.kind !== 'debian') ||
    (sourceDateEpoch === 'commit' && recipe.source?.kind === 'debian')
  )
    found.push({
      code: 'source-date',
      path: `${path}.environment.sourceDateEpoch`,
      message: `${sourceDateEpoch} is for ${fits[sourceDateEpoch] ?? ''} sources, this one is ${recipe.source?.kind ?? 'missing'}`,
    });
  if (environment.expectedMinutes > environment.minutes)
    found.push({
      code: 'time-limit',
      path: `${path}.environment.minutes`,
      message: `the limit of ${environment.minutes} minutes is below the expected ${environment.expectedMinutes}`,
    });
  return found;
}

function lintBuilds(recipe: Recipe): readonly Found[] {
  return recipe.builds.flatMap((build, i) => lintBuild(recipe, build, `builds[${i}]`));
}

// ---------------------------------------------------------------- channels

const OPTIONAL_RULES: readonly string[] = [...Object.keys(RULE_SETS), ...Object.values(RULE_SETS).flat()];

function matches(pattern: string, name: string): boolean {
  const source = pattern
    .split('*')
    .map((part) => part.replace(/[\\^$.+?()[\]{}|/]/g, '\\$&'))
    .join('[^/]*');
  return new RegExp(`^${source}$`, 'u').test(name);
}

/** Templates of what is fetched for one file. */
function fetchedTemplates(
  acquisition: RecipeChannel['acquisition'],
): Readonly<Record<string, string>> | undefined {
  switch (acquisition.kind) {
    case 'url':
      return { url: acquisition.url };
    case 'latest-json':
      return {
        index: acquisition.index,
        ...(acquisition.url === undefined ? {} : { url: acquisition.url }),
      };
    case 'github-release':
      return { tag: acquisition.tag, asset: acquisition.asset };
    case 'fdroid':
    case 'phone':
      return {};
    case 'debian-repository':
      return { version: acquisition.version };
    case 'handed-over':
    case 'site-files':
    case 'debian-archive':
    case 'bundled':
      return undefined;
  }
}

function lintAcquisition(
  path: string,
  acquisition: RecipeChannel['acquisition'],
  files: number,
): readonly Found[] {
  const templates = fetchedTemplates(acquisition);
  if (templates === undefined) return [];
  const found = Object.entries(templates).flatMap(([key, template]) =>
    lintTemplates(`${path}.acquisition.${key}`, [template]),
  );
  if (files !== 1)
    found.push({ code: 'url-and-pairs', path, message: `one address serves one file, got ${files}` });
  if (
    acquisition.kind === 'github-release' &&
    !/\{(?:version|upstreamVersion|build|commit)\}/.test(acquisition.tag)
  )
    found.push({
      code: 'tag-of-one-version',
      path: `${path}.acquisition.tag`,
      message: `${JSON.stringify(acquisition.tag)} is the same for every version: expected {version} or {build} in it`,
    });
  return found;
}

function lintChannel(recipe: Recipe, id: string, channel: RecipeChannel): readonly Found[] {
  const path = `channels.${id}`;
  const found: Found[] = [];
  const { pairs, acquisition } = channel;
  found.push(...lintTemplates(`${path}.pairs`, pairs?.map(({ published }) => published) ?? []));
  const served = new Set([...(pairs ?? []).map(({ published }) => published), ...channel.files]);
  found.push(...lintAcquisition(path, acquisition, served.size));
  if (
    (acquisition.kind === 'debian-archive') !== (recipe.source?.kind === 'debian') &&
    acquisition.kind === 'debian-archive'
  )
    found.push({ code: 'acquisition', path, message: `debian-archive needs a Debian source` });
  if (acquisition.kind === 'site-files')
    found.push(...lintTemplates(`${path}.acquisition.entry`, [acquisition.entry]));
  const ofPackage =
    acquisition.kind === 'fdroid' || (acquisition.kind === 'phone' && acquisition.package === undefined);
  if (ofPackage && channel.packageId === undefined)
    found.push({
      code: 'acquisition',
      path,
      message: `${acquisition.kind} needs the packageId of the channel`,
    });
  channel.rules.forEach(({ rule, reference }, i) => {
    if (!OPTIONAL_RULES.includes(rule))
      found.push({
        code: 'rule-not-optional',
        path: `${path}.rules[${i}]`,
        message: `${rule} always applies and is not named by recipes`,
      });
    if (!/^https?:\/\//.test(reference))
      found.push({
        code: 'rule-reference',
        path: `${path}.rules[${i}]`,
        message: `expected a web address that explains ${rule}, got ${JSON.stringify(reference)}`,
      });
  });
  const outputs = new Set(recipe.builds.flatMap((build) => build.outputs.map((output) => output.id)));
  for (const { output } of pairs ?? [])
    if (!outputs.has(output))
      found.push({
        code: 'unknown-output',
        path: `${path}.pairs`,
        message: `${output} is no output of any build`,
      });
  if (pairs === undefined && recipe.builds.length === 0 && channel.files.length === 0)
    found.push({
      code: 'no-files',
      path: `${path}.files`,
      message: 'missing: what the published files are called',
    });
  if (pairs === undefined) return found;
  const names = pairs.map(({ published }) => published);
  for (const { published, when } of pairs)
    if (when === undefined && names.filter((name) => name === published).length > 1)
      found.push({
        code: 'pair-twice',
        path: `${path}.pairs`,
        message: `${published} has several twins, and nothing says when it is which (when)`,
      });
  for (const { id: output, path: where } of recipe.builds.flatMap((build) => build.outputs)) {
    const name = where.slice(where.lastIndexOf('/') + 1);
    const paired = pairs.some((pair) => pair.output === output);
    if (!paired && !channel.notPublished.some(({ pattern }) => matches(pattern, name)))
      found.push({
        code: 'output-unpaired',
        path: `${path}.pairs`,
        message: `output ${output} (${name}) is neither paired nor declared as not published`,
      });
  }
  return found;
}

// ---------------------------------------------------------------- plans

/** Every plan that can be made without looking anything up. */
function lintPlans(recipe: Recipe): readonly Found[] {
  const found: Found[] = [];
  const locks = Object.fromEntries(
    recipe.builds.flatMap(({ environment: { image } }) =>
      image.kind === 'lock' ? [[image.name, { sha256: '0'.repeat(64), packages: 0 }]] : [],
    ),
  );
  for (const { version } of allCandidates(recipe, []))
    for (const channel of Object.keys(recipe.channels))
      try {
        makePlan(recipe, { version, channel }, { facts: [], locks, recipeSha256: '0'.repeat(64) });
      } catch (error) {
        // A channel that came later than the version is no mistake.
        if (!(error instanceof VerifyError)) throw error;
        if (error.code === 'channel-not-for-version' || error.code === 'needs-host') continue;
        found.push({ code: `plan-${error.code}`, path: `${version} on ${channel}`, message: error.message });
      }
  return found;
}
