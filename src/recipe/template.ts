// SPDX-License-Identifier: Apache-2.0
/** Placeholders of recipes: `{version}` and a few more; `${HOME}` and every other brace stay as they are. */
import { UsageError } from '../errors.js';

export const PLACEHOLDERS = [
  'version',
  'upstreamVersion',
  'fileVersion',
  'debianVersion',
  'build',
  'package',
  'commit',
] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];
/** `{toolchain.ndk}`: a fact that the build's extractors read out of the source. */
export type ToolchainPlaceholder = `toolchain.${string}`;
/** Absent: this version has no such value. */
export type TemplateValues = Readonly<Partial<Record<Placeholder | ToolchainPlaceholder, string>>>;

const USE = new RegExp(
  `(?<!\\$)\\{(${PLACEHOLDERS.join('|')}|toolchain\\.[A-Za-z0-9][A-Za-z0-9._+-]*)\\}`,
  'g',
);
/** Values come from tags and indexes that others write, and go into scripts, paths and addresses. */
const HARMLESS = /^[0-9A-Za-z][0-9A-Za-z.+~:-]*$/;

export function placeholdersIn(template: string): readonly (Placeholder | ToolchainPlaceholder)[] {
  return [...template.matchAll(USE)].map(([, name]) => name as Placeholder | ToolchainPlaceholder);
}

/** @throws UsageError `recipe-placeholder` for a value that this version lacks or that no script may see */
export function expand(template: string, values: TemplateValues): string {
  return template.replace(USE, (_, name: Placeholder | ToolchainPlaceholder) => {
    const value = values[name];
    if (value === undefined)
      throw new UsageError(
        'recipe-placeholder',
        `this version has no {${name}}, which the recipe uses in ${JSON.stringify(template.slice(0, 80))}`,
      );
    if (!HARMLESS.test(value))
      throw new UsageError(
        'recipe-placeholder',
        `{${name}} would become ${JSON.stringify(value)}, which is no plain word`,
      );
    return value;
  });
}

/** A template for names, such as `release-{version}-{build}`, as a pattern that captures what it names. */
export function templatePattern(template: string): RegExp {
  const pattern = template
    .split(/(\{version\}|\{build\})/)
    .map((part) => {
      if (part === '{version}')
        return '(?<version>[0-9][0-9A-Za-z.+~]*(?:-(?:(?:alpha|beta|rc)[0-9A-Za-z.]*|[0-9]{1,6}))?)';
      if (part === '{build}') return '(?<build>[0-9]{1,15})';
      return part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
    })
    .join('');
  return new RegExp(`^${pattern}$`, 'u');
}
