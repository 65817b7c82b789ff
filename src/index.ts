// SPDX-License-Identifier: Apache-2.0
/**
 * The public API: every operation of the command line, typed, without output, without exit. An operation is loaded when
 * it is first called: none waits for the libraries of the others.
 */
import type * as batching from './operations/batch/batch.js';
import type * as building from './operations/build.js';
import type * as keeping from './operations/kept-runs.js';
import type * as logging from './operations/check-log.js';
import type * as caching from './operations/cache.js';
import type * as comparing from './operations/compare.js';
import type * as demonstrating from './operations/demo.js';
import type * as diagnosing from './operations/doctor.js';
import type * as fetching from './operations/fetch.js';
import type * as identifying from './operations/identify.js';
import type * as imaging from './operations/image.js';
import type * as recipeChecking from './operations/check-recipe-state.js';
import type * as cleaning from './operations/clean.js';
import type * as comparingBuilds from './operations/compare-build.js';
import type * as keptBuilds from './operations/builds.js';
import type * as importing from './operations/import-recipe.js';
import type * as indexing from './operations/index-reports.js';
import type * as newRecipes from './operations/new-recipe.js';
import type * as inspecting from './operations/inspect.js';
import type * as lookingUp from './operations/lookup.js';
import type * as others from './operations/other-files.js';
import type * as noting from './operations/note-report.js';
import type * as packing from './operations/pack.js';
import type * as planning from './operations/plan.js';
import type * as scripting from './operations/plan-script.js';
import type * as reading from './operations/read-report.js';
import type * as reconciling from './operations/reconcile.js';

import type * as replaying from './operations/replay.js';
import type * as recipeBook from './operations/recipes.js';
import type * as repairing from './operations/repair.js';
import type * as rendering from './operations/render-report.js';
import type * as looking from './operations/shell.js';
import type * as resuming from './operations/resume.js';
import type * as statusOf from './operations/status.js';
import type * as storing from './operations/store.js';
import type * as transplanting from './operations/transplant.js';
import type * as verifyingChannels from './operations/verify-channels.js';
import type * as verifying from './operations/verify.js';
import type * as checking from './report/check.js';

export { FailedHere, FormatError, UsageError, VerifyError, type FailureClass } from './errors.js';
export { nearestWord } from './nearest-word.js';
export { explained, KNOWN_FAILURES, type ExplainedLine, type KnownFailureId } from './known-failures.js';
export { printable, printableJson } from './printable.js';
export type * from './model.js';
export { RULE_NAMES, RULE_SETS, STORE_KINDS, UNVERIFIABLE_REASONS } from './model.js';
export type {
  Coverage,
  Difference,
  LedgerNode,
  Member,
  Observation,
  Owner,
  PairComparison,
  Run,
  SetComparison,
  SideLedger,
} from './compare/types.js';
export type { OperationOptions } from './operations/options.js';

// ---------------------------------------------------------------- from recipe to report

export const verify: typeof verifying.verify = async (...args) =>
  (await import('./operations/verify.js')).verify(...args);
export type { VerifyRequest, VerifyResult } from './operations/verify.js';

export const batch: typeof batching.batch = async (...args) =>
  (await import('./operations/batch/batch.js')).batch(...args);
export type {
  BatchOptions,
  BatchRequest,
  BatchResult,
  BatchRow,
  PreflightRow,
} from './operations/batch/batch.js';
export const verifyChannels: typeof verifyingChannels.verifyChannels = async (...args) =>
  (await import('./operations/verify-channels.js')).verifyChannels(...args);
export type { ChannelResult } from './operations/verify-channels.js';

export const fetchPublished: typeof fetching.fetchPublished = async (...args) =>
  (await import('./operations/fetch.js')).fetchPublished(...args);
export type { FetchedFile, FetchRequest, FetchResult } from './operations/fetch.js';

export const build: typeof building.build = async (...args) =>
  (await import('./operations/build.js')).build(...args);
export type { BuildOperationResult, BuildRequest } from './operations/build.js';

export const listKeptRuns: typeof keeping.listKeptRuns = async (...args) =>
  (await import('./operations/kept-runs.js')).listKeptRuns(...args);
export const removeKeptRun: typeof keeping.removeKeptRun = async (...args) =>
  (await import('./operations/kept-runs.js')).removeKeptRun(...args);
export const shell: typeof looking.shell = async (...args) =>
  (await import('./operations/shell.js')).shell(...args);
export const resume: typeof resuming.resume = async (...args) =>
  (await import('./operations/resume.js')).resume(...args);
export type { ResumeFrom, ResumeRequest, ResumeResult } from './operations/resume.js';
export type { AssistedResult } from './operations/assisted.js';
export type { AssistedRecord } from './report/assisted.js';
export type { ShellRequest } from './operations/shell.js';
export type { ListedRun } from './operations/kept-runs.js';
export type { KeptPhase, KeptRun } from './operations/kept-run.js';
export type { KeepPolicy } from './operations/keep-run.js';

export const demo: typeof demonstrating.demo = async (...args) =>
  (await import('./operations/demo.js')).demo(...args);
export type { DemoRequest } from './operations/demo.js';

export const compare: typeof comparing.compare = async (...args) =>
  (await import('./operations/compare.js')).compare(...args);
export const compareInFull: typeof comparing.compareInFull = async (...args) =>
  (await import('./operations/compare.js')).compareInFull(...args);
export type { CompareRequest } from './operations/compare.js';
export const compareWithBuild: typeof comparingBuilds.compareWithBuild = async (...args) =>
  (await import('./operations/compare-build.js')).compareWithBuild(...args);
export type { CompareBuildRequest } from './operations/compare-build.js';

export const inspect: typeof inspecting.inspect = async (...args) =>
  (await import('./operations/inspect.js')).inspect(...args);
export type { InspectRequest } from './operations/inspect.js';
export type {
  ByteRegion,
  ExtraSignature,
  FileInspection,
  Inspection,
  NativeLibrary,
  SignatureInspection,
} from './compare/inspect/types.js';
export const checkLog: typeof logging.checkLog = async (...args) =>
  (await import('./operations/check-log.js')).checkLog(...args);
export type { LogRequest, LogResult } from './operations/check-log.js';
export const transplant: typeof transplanting.transplant = async (...args) =>
  (await import('./operations/transplant.js')).transplant(...args);
export type { TransplantRequest, TransplantResult } from './operations/transplant.js';

export const identify: typeof identifying.identify = async (...args) =>
  (await import('./operations/identify.js')).identify(...args);
export type { Fit, Identification, IdentifyRequest, SignerFit } from './operations/identify.js';
export const otherFilesThanIn: typeof others.otherFilesThanIn = async (...args) =>
  (await import('./operations/other-files.js')).otherFilesThanIn(...args);
export type { OtherFile } from './operations/other-files.js';
export type { FileFacts } from './operations/file-facts.js';

export const plan: typeof planning.plan = async (...args) =>
  (await import('./operations/plan.js')).plan(...args);
export const versions: typeof planning.versions = async (...args) =>
  (await import('./operations/plan.js')).versions(...args);
export const planAnything: typeof planning.planAnything = async (...args) =>
  (await import('./operations/plan.js')).planAnything(...args);
export const planScript: typeof scripting.planScript = async (...args) =>
  (await import('./operations/plan-script.js')).planScript(...args);
export type { ChecksResult, KnownVersion, PlanRequest, PlanResult } from './operations/plan.js';

// ---------------------------------------------------------------- recipes, images, this machine

export const recipes: typeof recipeBook.recipes = async (...args) =>
  (await import('./operations/recipes.js')).recipes(...args);
export const recipeOf: typeof recipeBook.recipeOf = async (...args) =>
  (await import('./operations/recipes.js')).recipeOf(...args);
export const lintRecipes: typeof recipeBook.lintRecipes = async (...args) =>
  (await import('./operations/recipes.js')).lintRecipes(...args);
export const lintFile: typeof recipeBook.lintFile = async (...args) =>
  (await import('./operations/recipes.js')).lintFile(...args);
export const lintText = async (
  ...args: Parameters<typeof recipeBook.lintText>
): Promise<recipeBook.LintResult> => (await import('./operations/recipes.js')).lintText(...args);
export const importRecipe: typeof importing.importRecipe = async (...args) =>
  (await import('./operations/import-recipe.js')).importRecipe(...args);
export const newRecipe: typeof newRecipes.newRecipe = async (...args) =>
  (await import('./operations/new-recipe.js')).newRecipe(...args);
export { RECIPE_QUESTIONS, type RecipeQuestion } from './operations/recipe-questions.js';
export type { NewRecipe, NewRecipeRequest } from './operations/new-recipe.js';
export const checkRecipeState: typeof recipeChecking.checkRecipeState = async (...args) =>
  (await import('./operations/check-recipe-state.js')).checkRecipeState(...args);
export type { RecipeCheck, RecipeCheckItem, RecipeCheckRequest } from './operations/check-recipe-state.js';
export type { ImportFormat, RecipeImport, RecipeImportRequest } from './operations/import-recipe.js';
export type { LintResult, LoadedRecipe } from './operations/recipes.js';

export const imageNames: typeof imaging.imageNames = async (...args) =>
  (await import('./operations/image.js')).imageNames(...args);
export const rootFileSystem: typeof imaging.rootFileSystem = async (...args) =>
  (await import('./operations/image.js')).rootFileSystem(...args);
export const updateImageLock: typeof imaging.updateImageLock = async (...args) =>
  (await import('./operations/image.js')).updateImageLock(...args);
export type { BaseImage, ImageOptions, LockUpdate } from './operations/image.js';

/** Of this package. */
export const packageVersion = async (): Promise<string> =>
  (await import('./operations/run.js')).packageVersion();

export const listBuilds: typeof keptBuilds.listBuilds = async (...args) =>
  (await import('./operations/builds.js')).listBuilds(...args);
export const showBuild: typeof keptBuilds.showBuild = async (...args) =>
  (await import('./operations/builds.js')).showBuild(...args);
export type { ListedBuild } from './operations/builds.js';

export const doctor: typeof diagnosing.doctor = async (...args) =>
  (await import('./operations/doctor.js')).doctor(...args);
export type { Diagnosis, EngineDiagnosis, Missing, ToolState } from './operations/doctor.js';

export const repair: typeof repairing.repair = async (...args) =>
  (await import('./operations/repair.js')).repair(...args);
export type { Repaired } from './operations/repair.js';
export const showStore: typeof cleaning.showStore = async (...args) =>
  (await import('./operations/clean.js')).showStore(...args);
export const cleanStore: typeof cleaning.cleanStore = async (...args) =>
  (await import('./operations/clean.js')).cleanStore(...args);
export type { StoreItem } from './operations/clean.js';
export type { CleanRequest, Cleaned, StoreContents } from './operations/clean.js';

export const showCache: typeof caching.showCache = async (...args) =>
  (await import('./operations/cache.js')).showCache(...args);
export const pruneCachedFiles: typeof caching.pruneCachedFiles = async (...args) =>
  (await import('./operations/cache.js')).pruneCachedFiles(...args);
export const checkCachedFiles: typeof caching.checkCachedFiles = async (...args) =>
  (await import('./operations/cache.js')).checkCachedFiles(...args);
export const bytesOf = async (text: string): Promise<number> =>
  (await import('./operations/cache.js')).bytesOf(text);
export const durationOf = async (text: string): Promise<number> =>
  (await import('./operations/cache.js')).durationOf(text);
export type { CacheContents, CacheEntry, CacheRoom } from './operations/cache.js';

// ---------------------------------------------------------------- reports

export const readReport: typeof reading.readReport = async (...args) =>
  (await import('./operations/read-report.js')).readReport(...args);
export const readNotes: typeof reading.readNotes = async (...args) =>
  (await import('./operations/read-report.js')).readNotes(...args);
export const checkReport = async (value: unknown): Promise<checking.CheckResult> =>
  (await import('./report/check.js')).checkReport(value);
export type { CheckResult, Inconsistency } from './report/check.js';

export const pack: typeof packing.pack = async (...args) =>
  (await import('./operations/pack.js')).pack(...args);
export type { PackRequest, PackResult } from './operations/pack.js';

export const noteReport: typeof noting.noteReport = async (...args) =>
  (await import('./operations/note-report.js')).noteReport(...args);
export type { NoteRequest, NoteResult } from './operations/note-report.js';

export const reconcileReports: typeof reconciling.reconcileReports = async (...args) =>
  (await import('./operations/reconcile.js')).reconcileReports(...args);
export type { ReconcileResult } from './operations/reconcile.js';
export type { Parting, ReconciledStage, Reconciliation } from './report/reconcile.js';

export const replay: typeof replaying.replay = async (...args) =>
  (await import('./operations/replay.js')).replay(...args);
export type { ReplayRequest, ReplayResult } from './operations/replay.js';
export { REPLAY_STAGES, type ReplayStage } from './report/compare-reports.js';

export const lookup: typeof lookingUp.lookup = async (...args) =>
  (await import('./operations/lookup.js')).lookup(...args);
export type { LookupRequest, LookupResult, StandingVerdict } from './operations/lookup.js';
export const status: typeof statusOf.status = async (...args) =>
  (await import('./operations/status.js')).status(...args);
export type { StatusRequest, StatusRow, VersionStatus } from './operations/status.js';
export const indexReports: typeof indexing.indexReports = async (...args) =>
  (await import('./operations/index-reports.js')).indexReports(...args);
export type { IndexResult } from './operations/index-reports.js';

export const storeReport: typeof storing.storeReport = async (...args) =>
  (await import('./operations/store.js')).storeReport(...args);
export const storeAttempt: typeof storing.storeAttempt = async (...args) =>
  (await import('./operations/store.js')).storeAttempt(...args);
export const assertAbsent = async (...args: Parameters<typeof storing.assertAbsent>): Promise<void> =>
  (await import('./operations/store.js')).assertAbsent(...args);
export const reportFiles = async (
  ...args: Parameters<typeof storing.reportFiles>
): Promise<ReturnType<typeof storing.reportFiles>> =>
  (await import('./operations/store.js')).reportFiles(...args);
export const writeEvidence: typeof storing.writeEvidence = async (...args) =>
  (await import('./operations/store.js')).writeEvidence(...args);
export type { Attempt, Evidence, LogFile, StoreOptions } from './operations/store.js';

export const renderReport = async (
  ...args: Parameters<typeof rendering.renderReport>
): Promise<Awaited<ReturnType<typeof rendering.renderReport>>> =>
  (await import('./operations/render-report.js')).renderReport(...args);
export const writeReport = async (
  ...args: Parameters<typeof rendering.writeReport>
): Promise<Awaited<ReturnType<typeof rendering.writeReport>>> =>
  (await import('./operations/render-report.js')).writeReport(...args);
export type { ReportFormat } from './operations/render-report.js';

export { briefStatements, renderBrief } from './report/brief.js';
export {
  isExpected,
  parseExpectedVerdict,
  VERDICTS,
  type ExpectedVerdict,
} from './report/expected-verdict.js';
export { renderHtml } from './report/html.js';
export { renderJson } from './report/json.js';
export { plain as plainMarkdown, renderMarkdown } from './report/markdown.js';
export type { ReportFile } from './report/publish.js';
export { newestKnownText } from './operations/newest-known.js';
export { renderSummary } from './report/summary.js';
export { renderText, type TextOptions } from './report/text.js';
export { headline } from './report/title.js';
export type { IndexedReport, ReportIndex } from './report/report-index.js';
export type { NotStanding, PlacedEntry } from './report/standing.js';
export type { Note, Report, ReportStatement, RunRecord, Statement } from './report/types.js';
