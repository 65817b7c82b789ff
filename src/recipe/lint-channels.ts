// SPDX-License-Identifier: Apache-2.0
/** What a schema cannot see in the channels of a recipe. */
import { RULE_SETS } from '../model.js';
import type { Recipe, RecipeChannel } from './schema.js';
import type { Found } from './lint-problem.js';
import { lintFolders } from './lint-folders.js';
import { lintTemplates } from './lint-templates.js';

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

export function lintChannel(recipe: Recipe, id: string, channel: RecipeChannel): readonly Found[] {
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
  if (channel.tag !== undefined) {
    found.push(...lintTemplates(`${path}.tag`, [channel.tag]));
    if (!channel.tag.includes('{version}'))
      found.push({
        code: 'tag-of-one-version',
        path: `${path}.tag`,
        message: `${JSON.stringify(channel.tag)} is the same for every version: expected {version} in it`,
      });
  }
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
  found.push(...lintFolders(recipe, path, channel));
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
    const name = /[^/]*\/?$/.exec(where)?.[0] ?? where;
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
