// SPDX-License-Identifier: Apache-2.0
/** What a schema cannot see in the builds of a recipe. */
import { VARIATIONS } from '../model.js';
import { rangeOf, schemeOf } from './candidates.js';
import type { Recipe, RecipeBuild } from './schema.js';
import { placeholdersIn } from './template.js';
import { inRange } from './version.js';
import { hostTemplates } from './environment-plan.js';
import type { Found } from './lint-problem.js';
import { lintTemplates } from './lint-templates.js';

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
    ...hostTemplates(environment.image),
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

/** Those that could never be taken. */
function lintFallbacks({ fallbacks, environment, phases }: RecipeBuild, path: string): readonly Found[] {
  const script = phases.find(({ name }) => name === 'prepare')?.script ?? '';
  const { image, dockerfile } = environment;
  return fallbacks.flatMap((fallback, i): readonly Found[] => {
    const found = (code: string, message: string): readonly Found[] => [
      { code, path: `${path}.fallbacks[${i}]`, message },
    ];
    if (fallback.kind !== 'address')
      return image.kind === 'none' || image.kind === 'lock'
        ? found(
            'fallback-without-image',
            `the image is ${image.kind === 'none' ? 'none' : 'a lock'}: no server can lose it`,
          )
        : [];
    if (fallback.of === fallback.by) return found('fallback-same', `${fallback.of} in its own place`);
    return dockerfile === undefined && !script.includes(fallback.of)
      ? found('fallback-unused', `no prepare script names ${fallback.of}`)
      : [];
  });
}

/** What the plan's own environment could never be varied in. */
function lintVary({ vary = [], environment: { image } }: RecipeBuild, path: string): readonly Found[] {
  const found = (code: string, message: string): Found => ({ code, path: `${path}.vary`, message });
  const possible = image.kind === 'none' ? ['time-zone'] : image.kind === 'host' ? [] : VARIATIONS;
  return [
    ...vary
      .filter((name, i) => vary.indexOf(name) !== i)
      .map((name) => found('vary-twice', `${name} stands twice`)),
    ...vary
      .filter((name) => !possible.some((each) => each === name))
      .map((name) => found('vary-impossible', `${name} cannot be varied without a container`)),
  ];
}

function lintBuild(recipe: Recipe, build: RecipeBuild, path: string): readonly Found[] {
  const { environment, phases, outputs } = build;
  const found: Found[] = [
    ...lintToolchain(recipe, build, path),
    ...lintFallbacks(build, path),
    ...lintVary(build, path),
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

export function lintBuilds(recipe: Recipe): readonly Found[] {
  return recipe.builds.flatMap((build, i) => lintBuild(recipe, build, `builds[${i}]`));
}
