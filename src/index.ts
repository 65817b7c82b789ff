// SPDX-License-Identifier: Apache-2.0
/** The public API: every operation of the command line, typed, without output, without exit. */
export { FailedHere, FormatError, UsageError, VerifyError, type FailureClass } from './errors.js';
export { nearestWord } from './nearest-word.js';
export { printable } from './printable.js';
export type * from './model.js';
export { RULE_NAMES, RULE_SETS, UNVERIFIABLE_REASONS } from './model.js';
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

export { build, type BuildOperationResult, type BuildRequest } from './operations/build.js';
export { compare, compareInFull, type CompareRequest } from './operations/compare.js';
export { demo, type DemoRequest } from './operations/demo.js';
export {
  imageNames,
  rootFileSystem,
  updateImageLock,
  type BaseImage,
  type ImageOptions,
  type LockUpdate,
} from './operations/image.js';
export {
  doctor,
  type Diagnosis,
  type EngineDiagnosis,
  type Missing,
  type ToolState,
} from './operations/doctor.js';
export { plan, versions, type KnownVersion, type PlanRequest, type PlanResult } from './operations/plan.js';
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
export { verify, type VerifyRequest, type VerifyResult } from './operations/verify.js';
export { renderReport, writeReport, type ReportFormat } from './operations/render-report.js';
export {
  assertAbsent,
  reportFiles,
  storeAttempt,
  storeReport,
  writeEvidence,
  type Attempt,
  type Evidence,
  type LogFile,
  type StoreOptions,
} from './operations/store.js';
export type { OperationOptions } from './operations/options.js';

export { checkReport, type CheckResult, type Inconsistency } from './report/check.js';
export { briefStatements, renderBrief } from './report/brief.js';
export { renderHtml } from './report/html.js';
export { renderJson } from './report/json.js';
export { renderMarkdown } from './report/markdown.js';
export type { ReportFile } from './report/publish.js';
export { renderSummary } from './report/summary.js';
export { renderText, type TextOptions } from './report/text.js';
export { headline } from './report/title.js';
export type { Note, Report, ReportStatement, RunRecord, Statement } from './report/types.js';
