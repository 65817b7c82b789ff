// SPDX-License-Identifier: Apache-2.0
/**
 * The public API: every operation of the command line, typed, without output, without exit. An operation is loaded when
 * it is first called: none waits for the libraries of the others.
 */
export { FailedHere, FormatError, UsageError, VerifyError, type FailureClass } from './errors.js';
export { printable } from './printable.js';
export type * from './model.js';
export { RULE_NAMES, RULE_SETS } from './model.js';
export type {
  Coverage,
  Difference,
  LedgerNode,
  Member,
  Owner,
  PairComparison,
  Run,
  SetComparison,
  SideLedger,
} from './compare/types.js';
import type * as comparing from './operations/compare.js';
import type * as planning from './operations/plan.js';
import type * as reading from './operations/read-report.js';
import type * as recipeBook from './operations/recipes.js';
import type * as storing from './operations/store.js';

export const compare: typeof comparing.compare = async (...args) =>
  (await import('./operations/compare.js')).compare(...args);
export type { CompareRequest } from './operations/compare.js';

export const plan: typeof planning.plan = async (...args) =>
  (await import('./operations/plan.js')).plan(...args);
export const versions: typeof planning.versions = async (...args) =>
  (await import('./operations/plan.js')).versions(...args);
export type { PlanRequest, PlanResult } from './operations/plan.js';

export const recipes: typeof recipeBook.recipes = async (...args) =>
  (await import('./operations/recipes.js')).recipes(...args);
export const recipeOf: typeof recipeBook.recipeOf = async (...args) =>
  (await import('./operations/recipes.js')).recipeOf(...args);
export const lintRecipes: typeof recipeBook.lintRecipes = async (...args) =>
  (await import('./operations/recipes.js')).lintRecipes(...args);
export const lintText = async (
  ...args: Parameters<typeof recipeBook.lintText>
): Promise<recipeBook.LintResult> => (await import('./operations/recipes.js')).lintText(...args);
export type { LintResult, LoadedRecipe } from './operations/recipes.js';

export const readReport: typeof reading.readReport = async (...args) =>
  (await import('./operations/read-report.js')).readReport(...args);
export const readNotes: typeof reading.readNotes = async (...args) =>
  (await import('./operations/read-report.js')).readNotes(...args);
export const storeReport: typeof storing.storeReport = async (...args) =>
  (await import('./operations/store.js')).storeReport(...args);
export type { StoreOptions } from './operations/store.js';
export type { OperationOptions } from './operations/options.js';

export const checkReport = async (value: unknown): ReturnType<typeof reading.readReport> =>
  (await import('./report/check.js')).checkReport(value);
export type { CheckResult, Inconsistency } from './report/check.js';

export { renderBrief } from './report/brief.js';
export { renderJson } from './report/json.js';
export { renderText, type TextOptions } from './report/text.js';
export { headline } from './report/title.js';
export type { Note, Report, ReportStatement, RunRecord, Statement } from './report/types.js';
