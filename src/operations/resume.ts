// SPDX-License-Identifier: Apache-2.0
/**
 * Takes a kept run up again, from the beginning of a phase. It is a new run: clean, when all that it uses came from whole
 * phases of ours that nobody touched, each known by its digest; else `assisted`, which has a comparison and no verdict.
 */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { takeInventory } from '../build/inventory.js';
import { inventoryFrom, type InventoryData } from '../build/inventory-data.js';
import { ResumedExecutor, type ResumedRun } from '../build/resumed-executor.js';
import type { FrozenState } from '../build/run-journal.js';
import { shellContainer } from '../build/run-names.js';
import { UsageError } from '../errors.js';
import { sha256OfFile } from '../inputs/cache.js';
import type { BuildResult, BuiltFile, LogRecord, PhaseName } from '../model.js';
import { finishingAssisted, type AssistedResult } from './assisted.js';
import { buildPlan, type BuildOperationResult } from './build.js';
import { executorFor, recording } from './executor.js';
import type { KeepPolicy } from './keep-run.js';
import {
  builtFile,
  damaged,
  PLAN_FILE,
  PREPARED_FILE,
  readKept,
  type KeptPlan,
  type KeptRun,
} from './kept-run.js';
import { withKeptRun, type OpenedRun } from './kept-runs.js';
import type { OperationOptions } from './options.js';
import { assertSamePackage, assertSamePlan } from './same-plan.js';
import { finishing, runPlan, type TakenUp, type VerifyResult } from './verify.js';

export type ResumeFrom = 'prepare' | 'build' | 'compare';

export interface ResumeRequest {
  readonly run: string;
  readonly from: ResumeFrom;
  /** As for `verify`. */
  readonly out?: string;
  /** Of what a build made, when the run was one: outputs are kept there. */
  readonly outputs?: string;
  readonly keep?: KeepPolicy;
}

export type ResumeResult =
  | ({ readonly kind: 'verified' } & VerifyResult)
  /** `assisted`: why this is no clean build. */
  | ({ readonly kind: 'built'; readonly assisted?: string } & BuildOperationResult)
  | AssistedResult;

/**
 * @throws UsageError `unknown-run`, `plan-changed`, `phase-not-run`, `nothing-to-compare`
 * @throws FailedHere `run-in-use`, `kept-run-damaged`, `kept-state-gone`, `kept-state-changed`, and as `verify`
 */
export async function resume(request: ResumeRequest, options: OperationOptions = {}): Promise<ResumeResult> {
  return await withKeptRun(request.run, async (opened) => {
    const { directory, kept } = opened;
    const { from } = request;
    const planned = (await readKept(directory, PLAN_FILE, kept.planSha256)) as KeptPlan;
    const recipes = options.recipes ?? kept.recipes;
    const more = { ...options, ...(recipes === undefined ? {} : { recipes }) };
    await assertSamePlan(kept.run, kept.request, planned, more);
    if (from !== 'prepare') await assertSamePackage(kept, planned);
    if (kept.operation === 'build' && from === 'compare')
      throw new UsageError('nothing-to-compare', `run ${kept.run} only built`, {
        hint: '--from build builds again from what it prepared',
      });
    const { engine = 'docker' } = kept;
    const asked = {
      ...kept.request,
      engine,
      // of this run or of none
      madeSince: new Date(),
      ...(request.out === undefined ? {} : { out: request.out }),
      ...(request.keep === undefined ? {} : { keep: request.keep }),
    };
    const again = from === 'prepare' ? undefined : await resumedRun(opened, from);
    const marks = again === undefined ? [] : marksOf(kept, again);
    const why = whyAssisted(marks);
    const taken: TakenUp = {
      executor: async (stopping) =>
        again === undefined
          ? await executorFor(planned.plan, asked, stopping)
          : new ResumedExecutor(again, { takeInventory, ...recording(asked) }),
      facts: {
        ...(from === 'prepare' ? {} : { resumed: { from, begun: kept.begun } }),
        ...(why === undefined ? {} : { assisted: why }),
      },
      storing: why === undefined,
      about: {
        resumed: { run: kept.run, from },
        // for whoever takes up the new run: its state is no better
        touched: marks,
      },
    };
    if (kept.operation === 'build') {
      const outputs = request.outputs === undefined ? {} : { outputs: request.outputs };
      const built = await buildPlan(planned, { ...asked, ...outputs }, more, taken);
      return { kind: 'built', ...built, ...(why === undefined ? {} : { assisted: why }) };
    }
    if (why === undefined)
      return { kind: 'verified', ...(await runPlan(planned, asked, more, finishing(asked), taken)) };
    // one build shows it: there is nothing to confirm
    const once = { ...asked, rebuild: 1, confirm: false };
    return await runPlan(planned, once, more, finishingAssisted(planned, why, request.out), taken);
  });
}

/** @throws UsageError `phase-not-run`; FailedHere `kept-run-damaged`, `kept-state-gone` */
async function resumedRun({ directory, kept }: OpenedRun, from: 'build' | 'compare'): Promise<ResumedRun> {
  const { engine, phases, frozen, run } = kept;
  const prepare = phases.find(({ phase }) => phase === 'prepare');
  const builds = phases.filter(({ phase }) => phase === 'build');
  if (
    engine === undefined ||
    (frozen === undefined && prepare === undefined) ||
    (from === 'compare' && builds.length === 0)
  )
    throw new UsageError(
      'phase-not-run',
      `run ${run} did not come to its ${from === 'build' ? 'prepare' : 'build'} phase`,
      {
        hint: `it came to: ${phases.map(({ phase }) => phase).join(', ') || 'none'}; --from prepare begins anew`,
      },
    );
  // marks of an earlier run are on what was frozen of it; the shell of this one has a container
  const touched = (phase: PhaseName): boolean =>
    kept.touched.some((mark) => mark.phase === phase && mark.at >= kept.begun);
  const begun = {
    engine,
    ...(prepare === undefined ? {} : { prepare }),
  };
  // a build that was made from what was frozen is judged with it, whoever looked into the phase before
  if (frozen === undefined || (from === 'build' && touched('prepare'))) {
    const container = touched('prepare') ? shellContainer(run, 'prepare') : (prepare?.container ?? '');
    return { ...begun, start: { kind: 'container', container } };
  }
  const start = {
    kind: 'image',
    state: await frozenState(directory, frozen),
  } as const;
  if (from === 'build') return { ...begun, start };
  const last = builds.at(-1);
  if (touched('build')) return { ...begun, start, outputsOf: shellContainer(run, 'build') };
  const built: { readonly result: BuildResult; readonly made: string }[] = [];
  for (const { attempt, ended } of builds) {
    if (ended?.outcome !== 'succeeded' || ended.sha256 === undefined) break;
    built.push({ result: await builtBefore(directory, attempt, ended.sha256), made: ended.at });
  }
  return built.length > 0
    ? { ...begun, start, built }
    : { ...begun, start, outputsOf: last?.container ?? '' };
}

/** Marks of the phases whose state is used, one of them for a state that no whole phase gave. */
function marksOf({ touched }: KeptRun, { start, built, outputsOf }: ResumedRun): KeptRun['touched'] {
  const used = touched.filter(
    ({ phase }) => phase === 'prepare' || built !== undefined || outputsOf !== undefined,
  );
  if (used.length > 0 || (start.kind === 'image' && outputsOf === undefined)) return used;
  const phase = start.kind === 'container' ? 'prepare' : 'build';
  return [{ phase, at: new Date().toISOString(), how: UNFINISHED }];
}

const UNFINISHED = 'it did not end well, and what it left was used';

/** Nothing where all that is used came from whole phases that nobody touched. */
function whyAssisted(marks: KeptRun['touched']): string | undefined {
  if (marks.length === 0) return undefined;
  return marks.map(({ phase, at, how }) => `the ${phase} phase was touched at ${at} (${how})`).join('; ');
}

async function frozenState(
  directory: string,
  { image, imageId, sha256 }: NonNullable<OpenedRun['kept']['frozen']>,
): Promise<FrozenState> {
  const state = (await readKept(directory, PREPARED_FILE, sha256)) as Omit<
    FrozenState,
    'image' | 'imageId' | 'inventory'
  > & { readonly inventory: InventoryData };
  return {
    ...state,
    image,
    imageId,
    inventory: inventoryFrom(state.inventory),
    logs: await logsIn(directory, state.logs),
  };
}

/** Its files, each with the digest that was written down. @throws FailedHere `kept-run-damaged` */
async function builtBefore(directory: string, attempt: number, digest: string): Promise<BuildResult> {
  const result = (await readKept(directory, builtFile(attempt), digest)) as BuildResult;
  if (result.kind !== 'succeeded') return result;
  const checked = async (file: BuiltFile): Promise<BuiltFile> => {
    const found = await sha256OfFile(file.path).catch((cause: unknown) => {
      throw damaged(path.basename(directory), `its output ${file.name} cannot be read`, cause);
    });
    if (found.sha256 !== file.sha256)
      throw damaged(
        path.basename(directory),
        `its output ${file.name} has SHA-256 ${found.sha256}, and ${file.sha256} was built`,
      );
    return file;
  };
  for (const file of [...result.outputs, ...result.extra]) await checked(file);
  return { ...result, logs: await logsIn(directory, result.logs) };
}

/** One that is gone is told of by its digest, as in any report. */
async function logsIn(directory: string, logs: readonly LogRecord[]): Promise<readonly LogRecord[]> {
  const here = logs.map((log) => ({ ...log, path: path.join(directory, 'logs', path.basename(log.path)) }));
  await Promise.all(here.map(({ path: file }) => fs.stat(file).catch(() => undefined)));
  return here;
}
