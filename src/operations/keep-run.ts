// SPDX-License-Identifier: Apache-2.0
/** Writes down a run while it goes, and decides at its end whether it stays. That it cannot be kept costs no verdict. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { ENGINE_FILE } from '../build/abandoned.js';
import { inventoryData } from '../build/inventory-data.js';
import type { BegunPhase, FrozenState, RunJournal } from '../build/run-journal.js';
import { FailedHere, UsageError } from '../errors.js';
import { writeAside } from '../inputs/atomic-file.js';
import { packageParts } from '../inputs/builds/build-key.js';
import { packageRoot, packageVersion } from '../inputs/package-files.js';
import type { BuildResult, OnProgress, PhaseName, Plan } from '../model.js';
import { machineHere, OWNER_FILE } from '../owned-directory.js';
import { renderJson } from '../report/json.js';
import type { Report } from '../report/types.js';
import type { OperationOptions } from './options.js';
import {
  builtFile,
  PLAN_FILE,
  PREPARED_FILE,
  REPORT_FILE,
  RUN_FILE,
  writeKept,
  writeKeptRun,
  type KeptPlan,
  type KeptRun,
} from './kept-run.js';

/** `failed`: whatever did not end well, by our own fault or not. */
export type KeepPolicy = 'failed' | 'always';

/** How the work ended. */
export interface Ending {
  readonly good: boolean;
  readonly outcome: string;
  /** Where a verdict came of it. */
  readonly report?: Report;
}

/** What is known before the run begins. */
export interface KeepRequest {
  readonly policy: KeepPolicy;
  readonly operation: KeptRun['operation'];
  readonly planned: KeptPlan;
  readonly request: KeptRun['request'];
  /** Of a run that takes up an earlier one. */
  readonly resumed?: KeptRun['resumed'];
  readonly touched?: KeptRun['touched'];
}

/** As it was asked, for another day and another directory to start from. */
export function keptRequest<
  T extends { readonly app: string; readonly version: string; readonly source?: string },
>(asked: T, ...paths: readonly (keyof T)[]): KeptRun['request'] {
  const absolute = (value: unknown): unknown => (typeof value === 'string' ? path.resolve(value) : value);
  const request: Record<string, unknown> = { ...asked };
  for (const key of paths) if (key in request) request[String(key)] = absolute(asked[key]);
  if (asked.source !== undefined && !asked.source.includes('://')) request['source'] = absolute(asked.source);
  return { ...request, app: asked.app, version: asked.version };
}

/** @throws UsageError `keep-needs-container` */
export function assertKeepable({ build }: Plan, engine: string | undefined): void {
  if (engine === 'local' || engine === 'ssh' || build.environment.image.kind === 'none')
    throw new UsageError('keep-needs-container', `${build.app} is built here without a container`, {
      hint: 'leave --keep out: only containers are kept; logs of a failed run lie under attempts/ in any case',
    });
}

const STAYS = /^(?:logs|outputs|outputs\.\d+|built-\d+\.json)$/;

export class KeepRun implements RunJournal {
  readonly #request: KeepRequest;
  readonly #recipes: string | undefined;
  readonly #onProgress: OnProgress | undefined;
  #directory = '';
  #run: KeptRun | undefined;
  #failure: unknown;

  constructor(request: KeepRequest, { recipes, onProgress }: OperationOptions) {
    this.#request = request;
    this.#recipes = recipes;
    this.#onProgress = onProgress;
  }

  /** In the directory that was just made for it. */
  async begin(directory: string): Promise<void> {
    this.#directory = directory;
    const { operation, planned, request, resumed, touched } = this.#request;
    const { app, version, channel } = planned.plan.target;
    const machine = await machineHere();
    await this.#try(async () => {
      const packageSha256 = await packageParts(planned.plan.build, packageRoot());
      this.#run = {
        schemaVersion: 1,
        run: path.basename(directory),
        operation,
        begun: now(),
        tool: await packageVersion(),
        ...(machine === undefined ? {} : { machine }),
        target: { app, version, channel },
        planSha256: await writeKept(directory, PLAN_FILE, planned),
        request,
        ...(packageSha256 === undefined ? {} : { packageSha256 }),
        ...(this.#recipes === undefined ? {} : { recipes: path.resolve(this.#recipes) }),
        ...(resumed === undefined ? {} : { resumed }),
        phases: [],
        touched: [...(touched ?? [])],
      };
    });
    await this.#change({});
  }

  async engine(kind: 'docker' | 'podman'): Promise<void> {
    await this.#change({ engine: kind });
  }

  async began(phase: BegunPhase): Promise<void> {
    const { phases = [] } = this.#run ?? {};
    await this.#change({
      // a second try of the same takes the place of the first
      phases: [
        ...phases.filter((one) => one.phase !== phase.phase || one.attempt !== phase.attempt),
        { ...phase, arguments: [...phase.arguments], begun: now() },
      ],
    });
  }

  async prepared({ image, imageId, inventory, ...state }: FrozenState): Promise<void> {
    await this.#try(async () => {
      const sha256 = await writeKept(this.#directory, PREPARED_FILE, {
        ...state,
        inventory: inventoryData(inventory),
      });
      await this.#change({ frozen: { image, imageId, sha256 } });
      await this.#ended('prepare', 1, { outcome: 'succeeded', sha256 });
    });
  }

  async built(attempt: number, result: BuildResult): Promise<void> {
    await this.#try(async () => {
      const sha256 = await writeKept(this.#directory, builtFile(attempt), result);
      await this.#ended('build', attempt, { outcome: result.kind, sha256 });
    });
  }

  /** The phase that was running when the run ended is the one that failed. True when the run stays. */
  async end({ good, outcome, report }: Ending): Promise<boolean> {
    const run = this.#run;
    if (run === undefined || run.phases.length === 0) return this.#lost();
    if (good && this.#request.policy === 'failed') return this.#lost();
    const at = now();
    await this.#change({
      phases: run.phases.map((phase) => ({ ...phase, ended: phase.ended ?? { at, outcome } })),
      end: { at, outcome },
    });
    if (report !== undefined)
      await this.#try(async () => {
        await writeAside(path.join(this.#directory, REPORT_FILE), (handle) =>
          handle.writeFile(renderJson(report)),
        );
      });
    if (this.#failure !== undefined) return this.#lost();
    await leaveOnlyKept(this.#directory);
    this.#note(
      `kept as ${run.run}: \`verify shell ${run.run}\` looks inside, \`verify runs\` lists what is kept`,
    );
    return true;
  }

  #lost(): false {
    const failure = this.#failure;
    if (failure !== undefined)
      this.#note(`this run could not be kept: ${failure instanceof Error ? failure.message : 'unknown'}`);
    return false;
  }

  #note(text: string): void {
    this.#onProgress?.({ kind: 'note', text });
  }

  async #ended(
    name: PhaseName,
    attempt: number,
    ended: { readonly outcome: string; readonly sha256: string },
  ): Promise<void> {
    const { phases = [] } = this.#run ?? {};
    await this.#change({
      phases: phases.map((each) =>
        each.phase === name && each.attempt === attempt ? { ...each, ended: { at: now(), ...ended } } : each,
      ),
    });
  }

  async #change(change: Partial<KeptRun>): Promise<void> {
    if (this.#run === undefined) return;
    const changed = { ...this.#run, ...change };
    this.#run = changed;
    await this.#try(() => writeKeptRun(this.#directory, changed));
  }

  async #try(write: () => Promise<void>): Promise<void> {
    if (this.#failure !== undefined) return;
    try {
      await write();
    } catch (error) {
      this.#failure = error;
    }
  }
}

/** How a run ended, in one word. */
export const outcomeOf = (error: unknown): string => (error instanceof FailedHere ? error.code : 'error');

/** Sources, exports and temporary files of a run can be had again. */
export async function leaveOnlyKept(directory: string): Promise<void> {
  const files = [RUN_FILE, PLAN_FILE, PREPARED_FILE, REPORT_FILE, ENGINE_FILE, OWNER_FILE];
  for (const name of await fs.readdir(directory).catch(() => [] as string[]))
    if (!files.includes(name) && !STAYS.test(name))
      await fs.rm(path.join(directory, name), { recursive: true, force: true }).catch(() => undefined);
}

const now = (): string => new Date().toISOString();
