// SPDX-License-Identifier: Apache-2.0
/**
 * Which published split is to be the same as which rebuilt one. Manifests say what a split is; names of files say
 * nothing: `adb pull` and bundletool give other ones, and a variant has the same ones as the next.
 * https://developer.android.com/guide/app-bundle/app-bundle-format
 */
import { UsageError } from '../errors.js';
import type { ApkTargeting, BundletoolToc, TocApk, TocVariant } from '../formats/bundletool-toc.js';
import { selects, targetingOf, type DeviceSpecification } from './device-specification.js';
import type { OpenedSet, SetMember, SplitFacts } from './set-members.js';
import type { NotDeliveredReason } from './types.js';

export type SplitMember = SetMember & { readonly facts: SplitFacts };

/** APKs that fit each other, by the name of the split. */
export interface SplitGroup {
  readonly minSdk: number;
  readonly splits: ReadonlyMap<string, SplitMember>;
}

/** Of the rebuilt side. */
export interface RebuiltVariant extends SplitGroup {
  readonly number?: number;
  readonly targeting?: ApkTargeting;
  readonly entries: ReadonlyMap<SplitMember, TocApk>;
}

const isSplit = (member: SetMember): member is SplitMember => member.facts !== undefined;

/** Everything else: OBB, `.dm`, and APKs whose manifest cannot be read. */
export function othersOf(set: OpenedSet): SetMember[] {
  return set.members.filter((member) => !isSplit(member));
}

export function splitsOf(set: OpenedSet): SplitMember[] {
  return set.members.filter(isSplit);
}

// ---------------------------------------------------------------- groups

/**
 * What one device got: all splits, or those of one variant each where an archive holds several. `twice`: the same split
 * once more, which is nobody's twin.
 */
export function deliveredGroups(members: readonly SplitMember[]): {
  readonly groups: readonly SplitGroup[];
  readonly twice: readonly SplitMember[];
} {
  const names = members.map(({ facts }) => facts.split);
  const several = new Set(names).size < names.length;
  const twice: SplitMember[] = [];
  const groups = new Map<number, Map<string, SplitMember>>();
  for (const member of members) {
    const { split, minSdk } = member.facts;
    const key = several ? minSdk : 0;
    const group = groups.get(key) ?? new Map<string, SplitMember>();
    groups.set(key, group);
    if (group.has(split)) twice.push(member);
    else group.set(split, member);
  }
  return { groups: [...groups.values()].map((splits) => ({ minSdk: minSdkOf(splits), splits })), twice };
}

function minSdkOf(splits: ReadonlyMap<string, SplitMember>): number {
  const base = splits.get('');
  if (base !== undefined) return base.facts.minSdk;
  return Math.max(1, ...[...splits.values()].map(({ facts }) => facts.minSdk));
}

/**
 * By the table of contents, or without one by the lowest SDK, which bundletool writes into each split of a variant.
 * @throws UsageError `no-table-of-contents`, `not-in-toc`, `incomplete-archive`, `split-twice`
 */
export function rebuiltVariants(set: OpenedSet): RebuiltVariant[] {
  const members = splitsOf(set);
  if (set.toc !== undefined) return byToc(set.toc, members);
  if (set.archives.some((name) => name.endsWith('.apks')))
    throw new UsageError('no-table-of-contents', `${set.archives.join(', ')} has no toc.pb`, {
      hint: 'hand over the archive as bundletool build-apks writes it, or a directory with its APKs',
    });
  const groups = new Map<number, SplitMember[]>();
  for (const member of members) {
    const { minSdk } = member.facts;
    groups.set(minSdk, [...(groups.get(minSdk) ?? []), member]);
  }
  const withBase = [...groups.values()].filter((group) => group.some(({ facts }) => facts.split === ''));
  // asset packs have a lowest SDK of their own, and go with every variant
  const loose = [...groups.values()].filter((group) => !withBase.includes(group)).flat();
  if (withBase.length === 0) return members.length === 0 ? [] : [variantOf(members, {}, new Map())];
  return withBase.map((group) => {
    const splits = new Set(group.map(({ facts }) => facts.split));
    return variantOf([...group, ...loose.filter(({ facts }) => !splits.has(facts.split))], {}, new Map());
  });
}

function variantOf(
  members: readonly SplitMember[],
  toc: Pick<TocVariant, 'number' | 'targeting'> | object,
  entries: ReadonlyMap<SplitMember, TocApk>,
): RebuiltVariant {
  const splits = new Map<string, SplitMember>();
  for (const member of members) {
    const before = splits.get(member.facts.split);
    if (before !== undefined)
      throw new UsageError(
        'split-twice',
        `${before.name} and ${member.name} are both the split ${JSON.stringify(member.facts.split)} for SDK ${member.facts.minSdk} and later`,
        { hint: 'hand over the rebuilt splits of one build only' },
      );
    splits.set(member.facts.split, member);
  }
  return { minSdk: minSdkOf(splits), splits, entries, ...toc };
}

function byToc(toc: BundletoolToc, members: readonly SplitMember[]): RebuiltVariant[] {
  const byEntry = new Map(members.map((member) => [member.entry, member]));
  const listed = new Set<SplitMember>();
  const find = (apk: TocApk): readonly (readonly [SplitMember, TocApk])[] => {
    const member = byEntry.get(apk.path);
    if (member === undefined)
      throw new UsageError(
        'incomplete-archive',
        `the table of contents names ${apk.path}, which is no APK there`,
        {
          hint: 'hand over the whole archive as bundletool wrote it',
        },
      );
    listed.add(member);
    return [[member, apk]];
  };
  const slices = toc.assetSlices.flatMap(find);
  const variants = toc.variants.map(({ number, targeting, apks }) => {
    const found = [...apks.flatMap(find), ...slices];
    return variantOf(
      found.map(([member]) => member),
      { number, targeting },
      new Map(found),
    );
  });
  const unlisted = members.find((member) => !listed.has(member));
  if (unlisted !== undefined)
    throw new UsageError('not-in-toc', `the table of contents does not name ${unlisted.name}`, {
      hint: 'hand over the archive as bundletool wrote it',
    });
  return variants;
}

// ---------------------------------------------------------------- the variant

/** Those that it can be, by what base manifest and device say; more than one where that leaves it open. */
export function candidates(
  group: SplitGroup,
  variants: readonly RebuiltVariant[],
  device: DeviceSpecification | undefined,
): readonly RebuiltVariant[] {
  const base = group.splits.get('');
  const narrowed = (
    list: readonly RebuiltVariant[],
    fits: (variant: RebuiltVariant) => boolean,
  ): readonly RebuiltVariant[] => {
    const found = list.filter(fits);
    return found.length === 0 ? list : found;
  };
  let left = variants;
  if (base !== undefined)
    left = narrowed(left, ({ splits }) => splits.get('')?.facts.needsSplits === base.facts.needsSplits);
  const exact = left.filter(({ minSdk }) => minSdk === group.minSdk);
  const limit = device !== undefined && device.sdk > 0 ? device.sdk : group.minSdk;
  const highest = Math.max(...left.map(({ minSdk }) => (minSdk <= limit ? minSdk : 0)));
  left = exact.length > 0 ? exact : narrowed(left, ({ minSdk }) => minSdk === highest);
  const abi = device?.abis.find((name) => left.some(({ targeting }) => targeting?.abis.includes(name)));
  if (abi !== undefined) left = narrowed(left, ({ targeting }) => targeting?.abis.includes(abi) === true);
  return left;
}

// ---------------------------------------------------------------- what is not there

export type Absence =
  | { readonly kind: 'missing'; readonly why: string }
  | { readonly kind: 'not-delivered'; readonly why: NotDeliveredReason };

const CONFIGURATION = /^(?:(.*)\.)?config\.([^.]+)$/s;

/** The module of a split and, of a configuration split, its configuration. */
/** From its name: the module, and what a configuration split of it is for. */
export function placeOf({ split }: Pick<SplitFacts, 'split'>): {
  readonly module: string;
  readonly configuration?: string;
} {
  const [, module = '', configuration] = CONFIGURATION.exec(split) ?? [];
  return configuration === undefined ? { module: split } : { module, configuration };
}

/** Why a device that got `group` did not get a split of its variant. */
export function absenceOf(
  member: SplitMember,
  variant: RebuiltVariant,
  group: SplitGroup,
  device: DeviceSpecification | undefined,
): Absence {
  const { module, configuration } = placeOf(member.facts);
  if (module !== '' && !group.splits.has(module)) {
    const master = variant.splits.get(module) ?? member;
    const { delivery = 'unknown', conditional = false } = variant.entries.get(master) ?? {};
    if (delivery === 'on-demand' || delivery === 'fast-follow')
      return { kind: 'not-delivered', why: 'on-demand' };
    return {
      kind: 'missing',
      why: conditional
        ? `module ${module} is for some devices, and its conditions are not read`
        : delivery === 'install-time'
          ? `module ${module} is installed with the app`
          : `nothing says that module ${module} is only delivered on demand`,
    };
  }
  if (configuration === undefined) return { kind: 'missing', why: 'every device gets it' };
  const targeting = (one: SplitMember): ApkTargeting[] => {
    const place = placeOf(one.facts);
    if (place.module !== module || place.configuration === undefined) return [];
    return [variant.entries.get(one)?.targeting ?? targetingOf(place.configuration)];
  };
  const siblings = [...variant.splits.values()].flatMap(targeting);
  // by name: no table of contents speaks of what was published
  const delivered = [...group.splits.values()].flatMap(targeting);
  const own = targeting(member)[0] ?? targetingOf(configuration);
  const found = selects(device, own, siblings, delivered);
  return found.selected ? { kind: 'missing', why: found.why } : { kind: 'not-delivered', why: found.why };
}

/** What the configuration splits of a group are for. */
export function configurationsOf(group: SplitGroup): ApkTargeting {
  const all = [...group.splits.values()].flatMap(({ facts }) => {
    const { configuration } = placeOf(facts);
    return configuration === undefined ? [] : [targetingOf(configuration)];
  });
  const distinct = <T extends string | number>(values: readonly T[]): T[] =>
    [...new Set(values)].sort((a, b) => (a < b ? -1 : 1));
  return {
    abis: distinct(all.flatMap(({ abis }) => abis)),
    densities: distinct(all.flatMap(({ densities }) => densities)),
    languages: distinct(all.flatMap(({ languages }) => languages)),
    minSdk: group.minSdk,
    otherDimensions: all.some(({ otherDimensions }) => otherDimensions),
  };
}
