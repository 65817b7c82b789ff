// SPDX-License-Identifier: Apache-2.0
/** Which channels of a recipe a file may come from, by what it says of itself or, where it says nothing, by its name. */
import type { Platform } from '../model.js';
import { allCandidates, schemeOf } from './candidates.js';
import type { Recipe, RecipeChannel } from './schema.js';
import { compareVersions } from './version.js';

/** What files say of themselves; every text is the file's. */
export interface SaidIdentity {
  readonly names: readonly string[];
  /** Of an APK or a set of splits. */
  readonly apk?: { readonly package: string; readonly versionName?: string; readonly versionCode?: string };
  /** Of Debian packages of one source. */
  readonly deb?: {
    readonly packages: readonly string[];
    readonly source: string;
    readonly version: string;
    readonly architectures: readonly string[];
  };
}

export interface ChannelFit {
  readonly app: string;
  readonly title: string;
  readonly platform: Platform;
  readonly channel: string;
  /** In the recipe's words; absent where the file does not say it. */
  readonly version?: string;
  readonly by: 'package' | 'package-and-version-code' | 'source-package' | 'name';
}

export interface ChannelMisfit {
  readonly app: string;
  readonly channel: string;
  /** Why it is not this one, although the app is the same. */
  readonly reason: string;
}

export interface Fitting {
  readonly fits: readonly ChannelFit[];
  readonly misfits: readonly ChannelMisfit[];
}

export function fittingChannels(recipe: Recipe, said: SaidIdentity): Fitting {
  const found = Object.entries(recipe.channels).flatMap(([id, channel]) => {
    const fit = fitting(recipe, id, channel, said);
    return fit === undefined ? [] : [fit];
  });
  const fits = found.filter((one): one is ChannelFit => 'by' in one);
  const misfits = found.filter((one): one is ChannelMisfit => 'reason' in one);
  if (found.length > 0)
    for (const { channel, reason } of recipe.unsupportedChannels)
      misfits.push({ app: recipe.app, channel, reason: `cannot be checked yet: ${reason}` });
  return { fits, misfits };
}

function fitting(
  recipe: Recipe,
  id: string,
  channel: RecipeChannel,
  said: SaidIdentity,
): ChannelFit | ChannelMisfit | undefined {
  const { app, title, platform } = recipe;
  const fit = (by: ChannelFit['by'], version: string | undefined): ChannelFit => ({
    app,
    title,
    platform,
    channel: id,
    by,
    ...(version === undefined ? {} : { version }),
  });
  const { apk, deb } = said;
  if (apk !== undefined) {
    if (channel.packageId !== apk.package) return undefined;
    const { versionCode: rule } = channel;
    if (rule === undefined || apk.versionCode === undefined)
      return fit(
        'package',
        apk.versionName === undefined ? undefined : knownVersion(recipe, apk.versionName),
      );
    const build = buildOf(BigInt(apk.versionCode), rule);
    if (build === undefined)
      return {
        app,
        channel: id,
        reason: `version code ${apk.versionCode} is no build × ${rule.times} + ${[rule.plus].flat().join(' or ')}`,
      };
    return fit('package-and-version-code', knownVersion(recipe, apk.versionName, build));
  }
  if (deb !== undefined && recipe.source?.kind === 'debian') {
    const { source } = recipe;
    if (source.package !== deb.source) return undefined;
    const other = deb.architectures.find((name) => name !== 'all' && name !== source.architecture);
    if (other !== undefined)
      return { app, channel: id, reason: `architecture ${other}, the channel has ${source.architecture}` };
    return fit('source-package', deb.version);
  }
  const version = versionByName(recipe, channel, said.names);
  return version === undefined ? undefined : fit('name', version);
}

/** The build number that gives this version code by the channel's rule. */
function buildOf(
  code: bigint,
  { times, plus }: NonNullable<RecipeChannel['versionCode']>,
): bigint | undefined {
  for (const one of [plus].flat()) {
    const above = code - BigInt(one);
    if (above > 0n && above % BigInt(times) === 0n) return above / BigInt(times);
  }
  return undefined;
}

/** The version as the recipe spells it: by build number, by name, or by the name without what flavours add (`2.1+free`). */
function knownVersion(recipe: Recipe, name: string | undefined, build?: bigint): string | undefined {
  const known = allCandidates(recipe, []);
  const built = known.filter(
    (candidate) => candidate.build !== undefined && BigInt(candidate.build) === build,
  );
  const [only] = built;
  if (built.length === 1 && only !== undefined) return only.version;
  if (name === undefined || known.some(({ version }) => version === name)) return name;
  const scheme = schemeOf(recipe);
  const [longest] = known
    .map(({ version }) => version)
    .filter((version) => name.startsWith(version) && /^[-+~ (]/.test(name.slice(version.length)))
    .sort((a, b) => compareVersions(b, a, scheme) || b.length - a.length);
  return longest ?? name;
}

// ---------------------------------------------------------------- by name

const MAX_NAME = 300;
const PLACEHOLDER = /(\{[A-Za-z]+\})/;
const SAYS_VERSION = ['{version}', '{fileVersion}'];

/** All files must have names of this channel; a name that no version stands in says nothing. */
function versionByName(recipe: Recipe, channel: RecipeChannel, names: readonly string[]): string | undefined {
  const templates = namesOf(recipe, channel).filter((template) =>
    SAYS_VERSION.some((part) => template.includes(part)),
  );
  const versions = new Set(
    names.map((name) => {
      if (name.length > MAX_NAME) return undefined;
      for (const template of templates) {
        const version = patternOf(template).exec(name)?.groups?.['version'];
        if (version !== undefined) return version;
      }
      return undefined;
    }),
  );
  return versions.size === 1 ? [...versions][0] : undefined;
}

function namesOf(recipe: Recipe, channel: RecipeChannel): readonly string[] {
  const published = [...(channel.pairs?.map((pair) => pair.published) ?? []), ...channel.files];
  const names =
    published.length > 0
      ? published
      : recipe.builds.flatMap(({ outputs }) => outputs.map(({ path }) => path));
  // a file says nothing of the folder that it lay in
  const files = names.filter((name) => !name.endsWith('/'));
  return [...new Set(files.map((name) => name.slice(name.lastIndexOf('/') + 1)))];
}

function patternOf(template: string): RegExp {
  let named = false;
  const pattern = template
    .split(PLACEHOLDER)
    .map((part) => {
      if (!PLACEHOLDER.test(part)) return part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
      if (named || !SAYS_VERSION.includes(part)) return '[0-9A-Za-z.+~_-]+';
      named = true;
      return '(?<version>[0-9][0-9A-Za-z.+~-]*)';
    })
    .join('');
  return new RegExp(`^${pattern}$`, 'u');
}
