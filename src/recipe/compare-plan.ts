// SPDX-License-Identifier: Apache-2.0
/** The half of a plan that knows the published files: where users get them, who signed them, what each is compared with. */
import { UsageError } from '../errors.js';
import type {
  AcquisitionPlan,
  ComparePlan,
  OutputPlan,
  PairPlan,
  PublishedCondition,
  Target,
} from '../model.js';
import { type Candidate, rangeOf, schemeOf } from './candidates.js';
import type { Recipe, RecipeChannel } from './schema.js';
import { expectedOneOf } from './schema-parts.js';
import { expand, type TemplateValues } from './template.js';
import { inRange } from './version.js';

export interface ChosenChannel {
  readonly id: string;
  readonly channel: RecipeChannel;
}

/** @throws UsageError `unknown-channel`, `unsupported-channel` */
export function channelOf(recipe: Recipe, asked: string | undefined): ChosenChannel {
  const ids = Object.keys(recipe.channels);
  const id = asked ?? recipe.defaultChannel ?? ids[0];
  const channel = id !== undefined && Object.hasOwn(recipe.channels, id) ? recipe.channels[id] : undefined;
  if (id !== undefined && channel !== undefined) return { id, channel };
  const unsupported = recipe.unsupportedChannels.find((other) => other.channel === id);
  const hint = ids.length === 0 ? undefined : `channels of ${recipe.app}: ${ids.join(', ')}`;
  const options = hint === undefined ? {} : { hint };
  if (unsupported !== undefined)
    throw new UsageError(
      'unsupported-channel',
      `${recipe.app} on ${unsupported.channel} cannot be checked yet: ${unsupported.reason}`,
      options,
    );
  throw new UsageError('unknown-channel', `channel: ${expectedOneOf(id, ids)}`, options);
}

export interface CompareContext {
  readonly target: Target;
  readonly candidate: Candidate;
  readonly values: TemplateValues;
  readonly outputs: readonly OutputPlan[];
}

/** With the `/` at the end of a directory. */
const baseName = (path: string): string => /[^/]*\/?$/.exec(path)?.[0] ?? path;

/** @throws UsageError `published-set-changed` where the archive publishes other files than the recipe names */
export function comparePlan(
  recipe: Recipe,
  { channel }: ChosenChannel,
  context: CompareContext,
): ComparePlan {
  const { target, candidate, values, outputs } = context;
  // where nothing is built here there is nothing to pair
  const named = outputs.length === 0 ? undefined : channel.pairs;
  const pairs: readonly PairPlan[] =
    named?.map(({ published, output, when }) => ({
      published: expand(published, values),
      output,
      ...(when === undefined ? {} : { when: conditionOf(when) }),
    })) ?? outputs.map(({ id, path }) => ({ published: baseName(path), output: id }));
  const absent = pairs.find(({ output }) => !outputs.some(({ id }) => id === output));
  if (absent !== undefined)
    throw new UsageError(
      'channel-not-for-version',
      `${recipe.app} ${target.version} has no build for the channel ${target.channel}: no output ${absent.output} among ${outputs.map(({ id }) => id).join(', ')}`,
    );
  const { versionCode } = channel;
  return {
    target,
    builtBy: channel.builtBy,
    ...(channel.packageId === undefined ? {} : { packageId: channel.packageId }),
    ...(channel.versionName === undefined ? {} : { versionName: expand(channel.versionName, values) }),
    ...(versionCode === undefined || candidate.build === undefined
      ? {}
      : { versionCodes: codesOf(candidate.build, versionCode) }),
    signers: channel.signers.map(({ sha256, minSdk, maxSdk, statedBy, source }) => ({
      sha256,
      ...(minSdk === undefined ? {} : { minSdk }),
      ...(maxSdk === undefined ? {} : { maxSdk }),
      statedBy,
      source,
    })),
    acquisition: acquisitionPlan(recipe, channel, context, pairs),
    pairs,
    ...(channel.eachAlone ? { eachAlone: true as const } : {}),
    ...(channel.encryption === undefined ? {} : { encryption: channel.encryption }),
    ...(channel.transparencyLog === undefined ? {} : { transparencyLog: channel.transparencyLog.log }),
    notPublished: channel.notPublished.map(({ pattern, reason }) => ({
      pattern: expand(pattern, values),
      reason,
    })),
    rules: channel.rules
      .filter(({ versions }) => inRange(target.version, rangeOf(versions), schemeOf(recipe)))
      .map(({ rule, reason, reference }) => ({ rule, reason, reference })),
  };
}

function conditionOf({
  versionCode,
  abi,
}: {
  readonly versionCode?: NonNullable<PublishedCondition['versionCode']> | undefined;
  readonly abi?: string | undefined;
}): PublishedCondition {
  return {
    ...(versionCode === undefined ? {} : { versionCode }),
    ...(abi === undefined ? {} : { abi }),
  };
}

function codesOf(
  build: number,
  { times, plus }: NonNullable<RecipeChannel['versionCode']>,
): readonly number[] {
  return [plus].flat().map((one) => build * times + one);
}

function acquisitionPlan(
  recipe: Recipe,
  channel: RecipeChannel,
  { candidate, values }: CompareContext,
  pairs: readonly PairPlan[],
): AcquisitionPlan {
  const { acquisition } = channel;
  switch (acquisition.kind) {
    case 'handed-over':
      return { kind: 'handed-over', how: acquisition.how };
    case 'url':
      return { kind: 'url', url: expand(acquisition.url, values), onlyLatest: acquisition.onlyLatest };
    case 'latest-json': {
      const { kind, index, versionField, urlField, sha256Field, url } = acquisition;
      return {
        kind,
        index: expand(index, values),
        versionField,
        urlField,
        ...(sha256Field === undefined ? {} : { sha256Field }),
        ...(url === undefined ? {} : { url: expand(url, values) }),
      };
    }
    case 'github-release': {
      const { kind, repository, tag, asset } = acquisition;
      return { kind, repository, tag: expand(tag, values), asset: expand(asset, values) };
    }
    case 'fdroid': {
      const { kind, repository, archive, fingerprint, abi } = acquisition;
      return {
        kind,
        repository,
        ...(archive === undefined ? {} : { archive }),
        fingerprint,
        package: packageOf(recipe, channel),
        ...(abi === undefined ? {} : { abi }),
      };
    }
    case 'phone': {
      const { kind, package: name = packageOf(recipe, channel), how } = acquisition;
      return { kind, package: name, ...(how === undefined ? {} : { how }) };
    }
    case 'site-files':
      return {
        kind: 'site-files',
        entry: expand(acquisition.entry, values),
        ...(acquisition.versionFile === undefined ? {} : { versionFile: acquisition.versionFile }),
      };
    case 'debian-repository':
      return { ...acquisition, version: expand(acquisition.version, values) };
    case 'bundled':
      return { kind: 'bundled', files: acquisition.files.map((file) => expand(file, values)) };
    case 'debian-archive': {
      const { debian } = candidate;
      if (recipe.source?.kind !== 'debian' || debian === undefined)
        throw new UsageError(
          'recipe-invalid',
          `${recipe.app}: the Debian archive as channel needs a Debian source`,
        );
      const files = debian.source.binaries;
      sameSet(
        recipe,
        candidate.version,
        files.map(({ path }) => baseName(path)),
        pairs.map(({ published }) => published),
      );
      return { kind: 'debian-archive', suite: recipe.source.suite, files };
    }
  }
}

function packageOf(recipe: Recipe, { packageId, acquisition }: RecipeChannel): string {
  if (packageId === undefined)
    throw new UsageError(
      'recipe-invalid',
      `${recipe.app}: a channel of kind ${acquisition.kind} needs a packageId`,
    );
  return packageId;
}

/** A published file that the recipe does not name would go unchecked; one that the archive does not have would never match. */
function sameSet(recipe: Recipe, version: string, listed: readonly string[], named: readonly string[]): void {
  const unnamed = listed.filter((name) => !named.includes(name));
  const absent = named.filter((name) => !listed.includes(name));
  if (unnamed.length === 0 && absent.length === 0) return;
  const parts = [
    ...(unnamed.length === 0 ? [] : [`the archive also has ${unnamed.join(', ')}`]),
    ...(absent.length === 0 ? [] : [`the archive does not have ${absent.join(', ')}`]),
  ];
  throw new UsageError(
    'published-set-changed',
    `${recipe.app} ${version}: ${parts.join('; ')} (${listed.length} files in the archive, ${named.length} in the recipe)`,
    { hint: `correct the outputs of recipes/${recipe.app}.yaml` },
  );
}
