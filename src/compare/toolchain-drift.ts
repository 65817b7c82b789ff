// SPDX-License-Identifier: Apache-2.0
/** Where the published files name other tools than our own build's files do: both sides' own words, set against each other. */
import type { Deviation } from '../model.js';
import type { FileEvidence } from './publisher-evidence.js';
import { EVIDENCE_KINDS, type EvidenceKind } from './types.js';

/** Facts of these kinds name the tools that made a file; others (a build id, a commit) differ for other reasons. */
const NAMES_TOOLS: ReadonlySet<EvidenceKind> = new Set<EvidenceKind>([
  'gradle-metadata',
  'kotlin-tooling',
  'compile-sdk',
  'r8-marker',
  'android-ndk',
  'elf-comment',
  'go-version',
]);
/** Facts of these kinds name what the tools linked against. */
const NAMES_LIBRARIES: ReadonlySet<EvidenceKind> = new Set<EvidenceKind>(['depends', 'built-using']);

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export function toolchainDrift(
  published: readonly FileEvidence[],
  rebuilt: readonly FileEvidence[],
): readonly Deviation[] {
  return EVIDENCE_KINDS.filter((kind) => NAMES_TOOLS.has(kind) || NAMES_LIBRARIES.has(kind)).flatMap(
    (from): Deviation[] => {
      const said = (files: readonly FileEvidence[]): string[] => {
        const values = files.flatMap(({ facts }) =>
          facts.filter((fact) => fact.from === from).map((fact) => fact.value),
        );
        return [...new Set(values)].sort(compareText);
      };
      const [theirs, ours] = [said(published), said(rebuilt)];
      const onlyTheirs = theirs.filter((fact) => !ours.includes(fact));
      const onlyOurs = ours.filter((fact) => !theirs.includes(fact));
      if (onlyTheirs.length === 0 && onlyOurs.length === 0) return [];
      const listed = (facts: readonly string[]): string =>
        facts.length === 0 ? 'nothing more' : facts.join('; ');
      return [
        {
          code: NAMES_TOOLS.has(from) ? 'toolchain-drift' : 'build-dependency-drift',
          what: `by ${from}, the published files name ${listed(onlyTheirs)}, the files that we built name ${listed(onlyOurs)}`,
          reason: NAMES_TOOLS.has(from)
            ? 'the environment of this build does not have the tools that the published files name'
            : 'the environment of this build has other versions of libraries, which the packages’ bounds follow',
          canChangeOutput: 'yes',
        },
      ];
    },
  );
}
