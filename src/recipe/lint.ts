// SPDX-License-Identifier: Apache-2.0
/** What a schema cannot see in a recipe: ranges that overlap or leave gaps, names that lead nowhere, plans that cannot be made. */
import { VerifyError } from '../errors.js';
import { makePlan } from './plan.js';
import { allCandidates, rangeOf, schemeOf } from './candidates.js';
import { rangeFaults } from './lint-ranges.js';
import type { Recipe } from './schema.js';
import { inRange } from './version.js';
import { lintBuilds } from './lint-builds.js';
import { lintChannel } from './lint-channels.js';
import type { Found, LintProblem } from './lint-problem.js';

/** Commands come before app ids on the command line: an app named like one could not be asked for. */
export const COMMAND_NAMES = [
  'batch',
  'build',
  'builds',
  'cache',
  'clean',
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
  'pack',
  'plan',
  'recipes',
  'reconcile',
  'replay',
  'report',
  'reports',
  'resume',
  'runs',
  'shell',
  'status',
  'transplant',
] as const;

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
  found.push(...lintNamedChannels(recipe));
  return found;
}

function lintNamedChannels(recipe: Recipe): readonly Found[] {
  const known = [
    ...Object.keys(recipe.channels),
    ...recipe.unsupportedChannels.map(({ channel }) => channel),
  ];
  const named: readonly (readonly [string, readonly string[]])[] = [
    ...recipe.unpublished.map(({ channels }, i) => [`unpublished[${i}].channels`, channels ?? []] as const),
    ...recipe.liveInputs.map(({ channels }, i) => [`liveInputs[${i}].channels`, channels ?? []] as const),
    ...recipe.knownResults.map(({ channel }, i) => [`knownResults[${i}].channel`, [channel]] as const),
  ];
  return named.flatMap(([path, channels]) =>
    channels
      .filter((channel) => !known.includes(channel))
      .map((channel) => ({
        code: 'unknown-channel',
        path,
        message: `${channel} is none of ${known.join(', ')}`,
      })),
  );
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
  // how a machine of another system builds lies beside why it must
  const here = recipe.builds.filter(({ environment }) => environment.image.kind !== 'host');
  const { overlap, gap } = rangeFaults(
    [...here, ...recipe.hostBuilds].map((build) => build.versions),
    scheme,
  );
  found.push(...lintHosts(recipe));
  if (overlap !== undefined) found.push({ code: 'range-overlap', path: 'builds', message: overlap });
  if (gap !== undefined) found.push({ code: 'range-gap', path: 'builds', message: gap });
  return found;
}

/** Why no container can do it stands beside each build on a machine of another system. */
function lintHosts({ builds, hostBuilds }: Recipe): readonly Found[] {
  return builds.flatMap(({ versions, environment: { image } }, i) => {
    if (image.kind !== 'host') return [];
    const fits = hostBuilds.some((host) => host.versions === versions && host.system === image.system);
    if (fits) return [];
    const message = `no entry of hostBuilds has the versions ${versions} and the system ${image.system}`;
    return [{ code: 'host-without-reason', path: `builds[${i}].environment.image`, message }];
  });
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
        const context = { facts: [], locks, recipeSha256: '0'.repeat(64), onHost: true };
        makePlan(recipe, { version, channel }, context);
      } catch (error) {
        // A channel that came later than the version is no mistake.
        if (!(error instanceof VerifyError)) throw error;
        if (error.code === 'channel-not-for-version' || error.code === 'needs-host') continue;
        found.push({ code: `plan-${error.code}`, path: `${version} on ${channel}`, message: error.message });
      }
  return found;
}
