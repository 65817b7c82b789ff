// SPDX-License-Identifier: Apache-2.0
/** The public API: every operation of the command line, typed, without output, without exit. */
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

export { compare, type CompareRequest } from './operations/compare.js';
export { plan, versions, type PlanRequest, type PlanResult } from './operations/plan.js';
export {
  lintFile,
  lintRecipes,
  lintText,
  recipeOf,
  recipes,
  type LintResult,
  type LoadedRecipe,
} from './operations/recipes.js';
export { readNotes, readReport } from './operations/read-report.js';
export { storeReport, type StoreOptions } from './operations/store.js';
export type { OperationOptions } from './operations/options.js';

export { checkReport, type CheckResult, type Inconsistency } from './report/check.js';
export { renderBrief } from './report/brief.js';
export { renderJson } from './report/json.js';
export { renderText, type TextOptions } from './report/text.js';
export { headline } from './report/title.js';
export type { Note, Report, ReportStatement, RunRecord, Statement } from './report/types.js';
