// SPDX-License-Identifier: Apache-2.0
/** The people's titles of verdicts (ARCHITECTURE.md, "Verdicts"). */
import type { Deviation, Verdict } from '../model.js';
import { count } from './say.js';
import type { Report } from './types.js';
import { VARIED_ENVIRONMENT } from './varied-statements.js';

export function titleOf(
  verdict: Verdict,
  deviations: readonly Deviation[],
  scope?: { readonly text: string },
): string {
  // a match with somebody else's source says nothing about the publisher's
  const from = deviations.some(({ code }) => code === 'source-replaced')
    ? ' from another source than the publisher’s'
    : '';
  // nor does one under conditions of ours say that the plan gives the file
  const under = deviations.some(({ code }) => code === VARIED_ENVIRONMENT)
    ? ' under other conditions than planned'
    : '';
  // a match of some splits says nothing of the others
  const of = scope === undefined ? '' : `; ${scope.text}`;
  switch (verdict.kind) {
    case 'reproducible':
      return `Reproduced${from}${under}${of}`;
    case 'equivalent':
      return verdict.excludedBytes === 0
        ? `Reproduced${from}${under}, packed differently (0 bytes left out)${of}`
        : `Reproduced${from}${under}, except ${count(verdict.excludedBytes, 'byte')} that the store or signing added${of}`;
    case 'unreproducible':
      if (from !== '') return `Not reproduced${from}`;
      return deviations.some((deviation) => deviation.canChangeOutput !== 'no')
        ? 'Not reproduced in a differing environment'
        : 'Not reproduced';
    case 'unverifiable':
      return 'Could not be checked';
    case 'unbuildable':
      return from === ''
        ? 'The published source did not build'
        : 'The source that was handed over did not build';
    case 'not-authentic':
      return 'Not the publisher’s file';
  }
}

/** The title with how often it was tried. */
export function headline({ statement, run }: Report): string {
  if (run.builds === 0) return statement.title;
  switch (statement.verdict.kind) {
    case 'reproducible':
    case 'equivalent':
      return run.builds === 1
        ? statement.title
        : `${statement.title} (in ${run.matchingBuilds} of ${count(run.builds, 'build')})`;
    case 'unreproducible': {
      const tried = `${count(run.builds, 'build')}, 1 machine`;
      if (run.standing === 'unstable')
        return `${statement.title} (${tried}; the build itself is not deterministic)`;
      return `${statement.title} (${tried})`;
    }
    case 'unverifiable':
    case 'unbuildable':
    case 'not-authentic':
      return statement.title;
  }
}
