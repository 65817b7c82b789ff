// SPDX-License-Identifier: Apache-2.0
/** What the formats of others have in common: names of apps, forms of tags, and builds that hold from one version to the next. */
import { compareVersions, VERSION_PATTERN } from '../version.js';
import type { RecipeDraft } from './draft.js';

type BuildDraft = NonNullable<RecipeDraft['builds']>[number];

/** `eu.siacs.conversations` as `eu-siacs-conversations`. */
export const appIdOf = (packageId: string): string =>
  packageId
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[-0-9]+|-+$/g, '');

export const isVersion = (text: string): boolean => VERSION_PATTERN.test(text) && text.length <= 100;

/** A template for tags, from a regular expression that is no more than a prefix and a number with dots. */
export function tagTemplate(pattern: string): string | undefined {
  const [, prefix, rest] =
    /^\^?([A-Za-z_/-]*)\(?((?:\[0-9.\]|\[\\d.\]|\[.\\d\]|\[\\d\\.\]|\[0-9\\.\])\+|\\d\+?(?:\\?\.\\d\+?)+)\)?\$?$/.exec(
      pattern,
    ) ?? [];
  return prefix === undefined || rest === undefined ? undefined : `${prefix}{version}`;
}

export interface VersionBuild {
  readonly version: string;
  readonly build: Omit<BuildDraft, 'versions'>;
}

/** One build for neighbours that are built alike; the last one holds for what comes. Nothing lies between two ranges. */
export function buildRanges(builds: readonly VersionBuild[]): {
  readonly builds: readonly BuildDraft[];
  /** By version, the build that holds it. */
  readonly at: ReadonlyMap<string, number>;
} {
  const sorted = [...builds].sort((a, b) => compareVersions(a.version, b.version, 'dotted'));
  const groups: { readonly from: string; readonly build: VersionBuild['build'] }[] = [];
  const at = new Map<string, number>();
  for (const { version, build } of sorted) {
    const last = groups.at(-1);
    if (last === undefined || JSON.stringify(last.build) !== JSON.stringify(build))
      groups.push({ from: version, build });
    at.set(version, groups.length - 1);
  }
  return {
    at,
    builds: groups.map(({ from, build }, i) => {
      const next = groups[i + 1]?.from;
      return { versions: `>=${from}${next === undefined ? '' : ` <${next}`}`, ...build };
    }),
  };
}
