// SPDX-License-Identifier: Apache-2.0
/** Whether what a recipe names is still there, and what is new: without network what the recipe says of itself. */
import { cacheDirectory } from '../inputs/cache.js';
import { refsOf } from '../inputs/facts.js';
import { RepositoryMissing } from '../inputs/source/git-cache.js';
import { imageDigest } from '../inputs/image-digest.js';
import { urlState } from '../inputs/http/url-state.js';
import { FailedHere, UsageError } from '../errors.js';
import type { GitRef } from '../model.js';
import { allCandidates, schemeOf } from '../recipe/candidates.js';
import { lintRecipe } from '../recipe/lint.js';
import type { Recipe } from '../recipe/schema.js';
import { templatePattern } from '../recipe/template.js';
import { compareVersions } from '../recipe/version.js';
import type { OperationOptions } from './options.js';
import { recipeOf } from './recipes.js';
import { stoppable } from './stoppable.js';

export interface RecipeCheckRequest {
  readonly app: string;
  /** Asks repository, servers and registries. */
  readonly online?: boolean;
  /** Another place of the source: an address or a local directory. */
  readonly source?: string;
}

export interface RecipeCheckItem {
  /** `gone` and `changed`: the recipe is wrong now. `unknown`: could not be asked. `open`: the recipe says itself that it is. */
  readonly status: 'there' | 'gone' | 'changed' | 'new' | 'open' | 'unknown' | 'problem';
  /** In the recipe: `versions.resolve[0]`. */
  readonly path: string;
  readonly message: string;
}

export interface RecipeCheck {
  readonly app: string;
  readonly file: string;
  readonly online: boolean;
  readonly items: readonly RecipeCheckItem[];
}

type Say = (status: RecipeCheckItem['status'], path: string, message: string) => void;

/** @throws UsageError `unknown-app`, `recipe-invalid` */
export async function checkRecipeState(
  request: RecipeCheckRequest,
  options: OperationOptions = {},
): Promise<RecipeCheck> {
  return await stoppable(options, async ({ signal, recipes }) => {
    const { recipe, file } = await recipeOf(request.app, recipes);
    const items: RecipeCheckItem[] = [];
    const say: Say = (status, path, message) => void items.push({ status, path, message });
    for (const { path, message, code } of lintRecipe(recipe)) say('problem', path, `${message} (${code})`);
    sayOpen(recipe, say);
    if (request.online === true) {
      await checkSource(recipe, request.source, say, signal);
      await checkAddresses(recipe, say, signal);
      await checkImages(recipe, say, signal);
    }
    return { app: recipe.app, file, online: request.online === true, items };
  });
}

function sayOpen(recipe: Recipe, say: Say): void {
  recipe.evidence.forEach((reading, i) => {
    if (!reading.confirmed) say('open', `evidence[${i}]`, `unconfirmed: ${reading.what}`);
  });
  recipe.builds.forEach(({ environment: { image }, versions }, i) => {
    if (image.kind === 'floating')
      say('open', `builds[${i}].environment.image`, `${image.reference} has no digest (${versions})`);
  });
  for (const [id, channel] of Object.entries(recipe.channels))
    if (channel.signers.length === 0) say('open', `channels.${id}.signers`, 'no certificate is pinned');
}

// ---------------------------------------------------------------- source

const TAG = 'refs/tags/';

async function checkSource(
  recipe: Recipe,
  elsewhere: string | undefined,
  say: Say,
  signal: AbortSignal,
): Promise<void> {
  if (recipe.source?.kind !== 'git') {
    say('open', 'source', 'only sources in git are asked');
    return;
  }
  const repository = elsewhere ?? recipe.source.repository;
  let refs: readonly GitRef[];
  try {
    refs = await refsOf(repository, { cache: cacheDirectory(), signal });
  } catch (error) {
    if (error instanceof RepositoryMissing)
      say('gone', 'source.repository', `${repository}: ${error.message}`);
    else if (error instanceof FailedHere && error.code !== 'interrupted')
      say('unknown', 'source.repository', error.message);
    else throw error;
    return;
  }
  say('there', 'source.repository', `${repository}: ${refs.length} tags and branches`);
  const tags = new Map(
    refs.flatMap(({ name, commit }) =>
      name.startsWith(TAG) ? [[name.slice(TAG.length), commit] as const] : [],
    ),
  );
  recipe.versions.resolve.forEach((strategy, i) => {
    const path = `versions.resolve[${i}]`;
    switch (strategy.kind) {
      case 'pinned':
        for (const { version, commit, ref } of strategy.versions) {
          if (ref === undefined) continue;
          const at =
            tags.get(ref) ?? refs.find(({ name }) => name === ref || name === `refs/heads/${ref}`)?.commit;
          if (at === undefined)
            say('gone', path, `${version}: there is no ${ref} any more, which named ${commit}`);
          // a branch goes on, a tag must not
          else if (at !== commit && tags.has(ref))
            say('changed', path, `${version}: the tag ${ref} is at ${at}, the recipe has ${commit}`);
          else say('there', path, `${version}: ${ref}`);
        }
        break;
      case 'tag':
        for (const version of strategy.known)
          if (taggedVersions(strategy.templates, tags).has(version))
            say('there', path, `${version} has its tag`);
          else say('gone', path, `${version}: no tag ${strategy.templates.join(' or ')}`);
        break;
      case 'release-name':
        for (const { name, tag } of strategy.releases)
          say(tags.has(tag) ? 'there' : 'gone', path, `${name}: ${tags.has(tag) ? '' : 'no '}tag ${tag}`);
        break;
      case 'commit-subject':
      case 'debian-archive':
      case 'bundled':
    }
  });
  sayNew(recipe, tags, say);
}

const taggedVersions = (
  templates: readonly string[],
  tags: ReadonlyMap<string, string>,
): ReadonlySet<string> => {
  const patterns = templates.map((template) => templatePattern(template));
  return new Set(
    [...tags.keys()].flatMap((tag) => {
      const version = patterns
        .map((pattern) => pattern.exec(tag)?.groups?.['version'])
        .find((one) => one !== undefined);
      return version === undefined ? [] : [version];
    }),
  );
};

function sayNew(recipe: Recipe, tags: ReadonlyMap<string, string>, say: Say): void {
  const scheme = schemeOf(recipe);
  const known = allCandidates(recipe, [])
    .map(({ version }) => version)
    .sort((a, b) => compareVersions(b, a, scheme));
  const [newest] = known;
  const templates = recipe.versions.resolve.flatMap((strategy) =>
    strategy.kind === 'tag' ? strategy.templates : [],
  );
  const newer = [...taggedVersions(templates, tags)]
    .filter((version) => newest === undefined || compareVersions(version, newest, scheme) > 0)
    .sort((a, b) => compareVersions(a, b, scheme));
  for (const version of newer.slice(-50))
    say('new', 'versions', `${version} has a tag and came after ${newest ?? 'nothing that is known'}`);
}

// ---------------------------------------------------------------- addresses and images

async function checkAddresses(recipe: Recipe, say: Say, signal: AbortSignal): Promise<void> {
  const [newest] = [...allCandidates(recipe, [])].sort((a, b) =>
    compareVersions(b.version, a.version, schemeOf(recipe)),
  );
  const addresses: (readonly [string, string])[] = [
    ...recipe.status.evidence.map(({ url }, i) => [`status.evidence[${i}]`, url] as const),
    ...recipe.evidence.flatMap(({ url }, i) => (url === undefined ? [] : [[`evidence[${i}]`, url] as const])),
  ];
  for (const [id, { acquisition }] of Object.entries(recipe.channels)) {
    if (acquisition.kind !== 'url' || newest === undefined) continue;
    const url = acquisition.url
      .replaceAll('{version}', newest.version)
      .replaceAll('{build}', newest.build === undefined ? '{build}' : String(newest.build));
    if (/\{\w+\}/.test(url)) say('unknown', `channels.${id}`, `${url} needs more than a version`);
    else addresses.push([`channels.${id}`, url]);
  }
  for (const [path, url] of addresses) {
    const state = await urlState(url, signal);
    say(state.status, path, `${url}${state.why === undefined ? '' : `: ${state.why}`}`);
  }
}

async function checkImages(recipe: Recipe, say: Say, signal: AbortSignal): Promise<void> {
  for (const [
    i,
    {
      environment: { image },
    },
  ] of recipe.builds.entries()) {
    if (image.kind !== 'registry' && image.kind !== 'floating') continue;
    const path = `builds[${i}].environment.image`;
    try {
      const digest = await imageDigest(image.reference, signal);
      if (image.kind === 'floating') say('there', path, `${image.reference} is ${digest} now`);
      else if (digest === image.digest) say('there', path, `${image.reference} is ${digest}`);
      // the recipe pins the digest: that the tag has moved on is no mistake of it
      else say('open', path, `${image.reference} is ${digest} now, the recipe has ${image.digest}`);
    } catch (error) {
      if (error instanceof UsageError) say('problem', path, error.message);
      else if (error instanceof FailedHere && error.code !== 'interrupted')
        say('unknown', path, error.message);
      else throw error;
    }
  }
}
