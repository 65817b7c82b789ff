// SPDX-License-Identifier: Apache-2.0
/** One thing that is wrong with a recipe. */
export interface LintProblem {
  /** Stable, kebab-case. */
  readonly code: string;
  readonly app: string;
  readonly path: string;
  readonly message: string;
}

export type Found = Omit<LintProblem, 'app'>;
