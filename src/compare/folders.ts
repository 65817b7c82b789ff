// SPDX-License-Identifier: Apache-2.0
/** Published files that a plan names by their folder: each is compared with the file at the same path of an output. */
import type { FileIdentity, PairPlan } from '../model.js';

/** `./` are all files. */
export const isFolder = (name: string): boolean => name.endsWith('/');

/** The path of a file below a folder; nothing of one that lies elsewhere. */
export function pathBelow(folder: string, name: string): string | undefined {
  const prefix = folder === './' ? '' : folder;
  return isFolder(folder) && name.startsWith(prefix) && name.length > prefix.length
    ? name.slice(prefix.length)
    : undefined;
}

export interface PlannedTwin {
  readonly output: string;
  /** Path below the output, where that is a directory. */
  readonly member?: string;
}

/** What a plan sets against a published file: the pair with its name, else the one of the nearest folder. */
export function plannedTwin(
  pairs: readonly Pick<PairPlan, 'published' | 'output'>[],
  name: string,
): PlannedTwin | undefined {
  const own = pairs.find(({ published }) => published === name);
  if (own !== undefined) return { output: own.output };
  const [nearest] = pairs
    .flatMap(({ published, output }) => {
      const member = pathBelow(published, name);
      return member === undefined ? [] : [{ output, member }];
    })
    .toSorted((a, b) => a.member.length - b.member.length);
  return nearest;
}

/** When a plan names folders. */
export interface FolderRecord {
  /** Published files that no pair of the plan is about: nothing was built that they could be compared with. */
  readonly outside: readonly FileIdentity[];
  /** Rebuilt files of those folders that are not among the published ones; by name alone, as what a build leaves may change. */
  readonly notSeen: readonly string[];
}
