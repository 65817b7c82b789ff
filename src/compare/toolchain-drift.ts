// SPDX-License-Identifier: Apache-2.0
/** Where the published files name other tools than our own build's files do: both sides' own words, set against each other. */
import type { Deviation } from '../model.js';

/** As the report has it: which file, what part of it says so, what it says. */
export interface ToolchainFact {
  readonly file: string;
  readonly from: string;
  readonly fact: string;
}

/** Facts of these parts name the tools that made the file; others (a build id, say) differ for any reason. */
const NAMES_TOOLS = new Set(['elf-comment', 'android-ident', 'app-metadata', 'dex-marker']);

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export function toolchainDrift(
  published: readonly ToolchainFact[],
  rebuilt: readonly ToolchainFact[],
): readonly Deviation[] {
  const parts = [...new Set([...published, ...rebuilt].map((fact) => fact.from))].filter((from) =>
    NAMES_TOOLS.has(from),
  );
  return parts.sort(compareText).flatMap((from): Deviation[] => {
    const said = (facts: readonly ToolchainFact[]): string[] =>
      [...new Set(facts.filter((fact) => fact.from === from).map((fact) => fact.fact))].sort(compareText);
    const [theirs, ours] = [said(published), said(rebuilt)];
    const onlyTheirs = theirs.filter((fact) => !ours.includes(fact));
    const onlyOurs = ours.filter((fact) => !theirs.includes(fact));
    if (onlyTheirs.length === 0 && onlyOurs.length === 0) return [];
    const listed = (facts: readonly string[]): string =>
      facts.length === 0 ? 'nothing more' : facts.join('; ');
    return [
      {
        code: 'toolchain-drift',
        what: `by ${from}, the published files name ${listed(onlyTheirs)}, the files that we built name ${listed(onlyOurs)}`,
        reason: 'the environment of this build does not have the tools that the published files name',
        canChangeOutput: 'yes',
      },
    ];
  });
}
