// SPDX-License-Identifier: Apache-2.0
/** Which output is the twin of a published file, where that depends on what the file says of itself. */
import { FileSource } from '../bytes.js';
import { ARCHIVE_NAME } from '../compare/archive-kind.js';
import { inspectPublished, inspectSplits } from '../compare/inspect-published.js';
import { FormatError } from '../errors.js';
import { readZip } from '../formats/zip.js';
import type { ComparePlan, PairPlan, PublishedCondition } from '../model.js';

/** What a published file says of itself; nothing where it could not be read. */
export interface PublishedFacts {
  readonly versionCode?: string;
  /** Directories below `lib/`. */
  readonly abis: readonly string[];
}

interface Named {
  readonly name: string;
  readonly path: string;
}

/** Names of the plan that this file can have by what it says of itself. */
export async function namesThatFit(pairs: readonly PairPlan[], path: string): Promise<readonly string[]> {
  const conditional = pairs.filter(({ when }) => when !== undefined);
  if (conditional.length === 0) return [];
  const facts = await factsOf({ name: path, path });
  return [...new Set(conditional.filter(({ when }) => fits(when, facts)).map(({ published }) => published))];
}

export interface ChosenPairs {
  readonly pairs: readonly PairPlan[];
  /** Published files that are no output's twin by what they say of themselves. */
  readonly unfit: readonly string[];
}

/** The pairs of the files at hand. Those of names that nobody has stay: they are not obtained, and are told so. */
export async function choosePairs(
  { pairs }: Pick<ComparePlan, 'pairs'>,
  published: readonly Named[],
): Promise<ChosenPairs> {
  if (pairs.every(({ when }) => when === undefined)) return { pairs, unfit: [] };
  const facts = new Map<string, PublishedFacts>();
  for (const file of published) facts.set(file.name, await factsOf(file));
  const chosen = pairs.filter(({ published: name, when }) => {
    const known = facts.get(name);
    return known === undefined || fits(when, known);
  });
  const unfit = published
    .filter(({ name }) => !chosen.some((pair) => pair.published === name))
    .map(({ name }) => {
      const { versionCode = 'unknown', abis = [] } = facts.get(name) ?? {};
      const wanted = pairs
        .filter((pair) => pair.published === name)
        .map(({ output, when }) => `${output} (${describe(when)})`)
        .join(' or ');
      return `${name} has versionCode ${versionCode} and code for ${abis.join(', ') || 'no ABI'}, expected ${wanted}`;
    });
  return { pairs: chosen, unfit };
}

function fits(when: PublishedCondition | undefined, { versionCode, abis }: PublishedFacts): boolean {
  if (when === undefined) return true;
  if (when.versionCode !== undefined) {
    if (versionCode === undefined || !/^\d{1,15}$/.test(versionCode)) return false;
    if (Number(versionCode) % when.versionCode.modulus !== when.versionCode.remainder) return false;
  }
  return when.abi === undefined || (abis.length === 1 && abis[0] === when.abi);
}

function describe(when: PublishedCondition | undefined): string {
  if (when === undefined) return 'any';
  return [
    ...(when.versionCode === undefined
      ? []
      : [`versionCode mod ${when.versionCode.modulus} = ${when.versionCode.remainder}`]),
    ...(when.abi === undefined ? [] : [when.abi]),
  ].join(', ');
}

// ---------------------------------------------------------------- facts

async function factsOf({ name, path }: Named): Promise<PublishedFacts> {
  const abis = nativeAbis(path);
  const splits = ARCHIVE_NAME.test(name) ? await inspectSplits({ name, path }) : undefined;
  const { identity } =
    splits?.find(({ split }) => !split) ??
    (splits === undefined ? await inspectPublished(path) : { identity: {} });
  const versionCode = (identity as Readonly<Record<string, string>>)['versionCode'];
  return { ...(versionCode === undefined ? {} : { versionCode }), abis };
}

function nativeAbis(path: string): readonly string[] {
  const source = FileSource.open(path);
  try {
    const names = readZip(source).entries.map(({ rawName }) => rawName.toString('latin1'));
    const abis = names.flatMap((name) => /^lib\/([^/]+)\/[^/]+\.so$/.exec(name)?.[1] ?? []);
    return [...new Set(abis)].toSorted();
  } catch (error) {
    if (error instanceof FormatError) return [];
    throw error;
  } finally {
    source.close();
  }
}
