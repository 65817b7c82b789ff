// SPDX-License-Identifier: Apache-2.0
/** Keeps what is known of a run that ended without a verdict. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { FailedHere } from '../errors.js';
import { isDiskFull, storageFailure } from '../inputs/atomic-file.js';
import { cacheDirectory } from '../inputs/cache.js';
import { debianMirror } from '../inputs/debian/debian-mirror.js';
import { explained } from '../known-failures.js';
import type { CheckPlan, Plan } from '../model.js';
import type { Workspace } from '../pipeline/options.js';
import type { OperationOptions } from './options.js';
import { privateOf } from './private-of.js';
import { describeRun } from './run.js';
import { runsDirectory } from './run-directories.js';
import { storeAttempt, storedName, type LogFile } from './store.js';
import { inWorkspace, runName, type Keeping } from './workspace.js';

/** What was known when the run ended: neither, when it ended before there was a plan. */
export interface KnownOfRun {
  readonly plan?: Plan | CheckPlan;
  readonly workspace?: Workspace;
}

/**
 * Says where it is kept; a failure to keep it never hides the failure itself.
 * @returns the failure, which names the log where it lies now
 */
export async function keepFailure(
  error: FailedHere,
  { plan, workspace }: KnownOfRun,
  out: string | undefined,
  options: OperationOptions,
): Promise<FailedHere> {
  if (out === undefined) return error;
  const note = (text: string): void => options.onProgress?.({ kind: 'note', text });
  const logs = workspace === undefined ? [] : await logsIn(path.join(workspace.directory, 'logs'));
  const log = nameOfLog(logs, error);
  const told = log === undefined ? error : withLog(error, log);
  const { code, message, hint } = told;
  const known = explained(error.known);
  try {
    const kept = await storeAttempt(
      {
        run: workspace?.run ?? runName(),
        failure: {
          class: code,
          message,
          ...(hint === undefined ? {} : { hint }),
          ...(known.length === 0 ? {} : { known }),
        },
        ...(plan === undefined ? {} : { plan }),
        record: await describeRun(),
        logs,
      },
      { out, private: workspace === undefined ? [await debianMirror()] : privateOf(workspace) },
    );
    note(`no verdict; what is known of this run is kept in ${kept}`);
    return log === undefined ? error : withLog(error, path.join(kept, log));
  } catch (cause) {
    note(`no verdict, and this run could not be kept: ${(cause as Error).message}`);
    return error;
  }
}

function nameOfLog(logs: readonly LogFile[], { log }: FailedHere): string | undefined {
  const at = logs.findIndex((one) => one.path === log);
  const found = logs[at];
  return found === undefined ? undefined : storedName(found, at);
}

const withLog = (error: FailedHere, log: string): FailedHere =>
  new FailedHere(error.code, error.message, {
    cause: error,
    hint: `${error.hint === undefined ? '' : `${error.hint}; `}the log is ${log}`,
    known: error.known,
  });

/** A full disk has many places to show itself, and one name. */
const named = (error: unknown): unknown =>
  isDiskFull(error)
    ? storageFailure(error, 'the work of this run', path.join(runsDirectory(cacheDirectory()), 'any'))
    : error;

/** The work of one run; when it fails here, what is known is kept before its workspace goes. */
export async function inKeptRun<T>(
  plan: Plan | CheckPlan,
  out: string | undefined,
  options: OperationOptions,
  work: (workspace: Workspace) => Promise<T>,
  keeping?: Keeping<T>,
): Promise<T> {
  let kept = false;
  const keep = async (cause: unknown, known: KnownOfRun): Promise<unknown> => {
    const error = named(cause);
    if (kept || !(error instanceof FailedHere)) return error;
    kept = true;
    return await keepFailure(error, known, out, options);
  };
  try {
    return await inWorkspace(
      plan,
      async (workspace) => {
        try {
          return await work(workspace);
        } catch (error) {
          throw await keep(error, { plan, workspace });
        }
      },
      keeping,
    );
  } catch (error) {
    throw await keep(error, { plan });
  }
}

async function logsIn(directory: string): Promise<readonly LogFile[]> {
  const names = await fs.readdir(directory).catch(() => [] as string[]);
  return names.sort().map((name) => ({ name, path: path.join(directory, name) }));
}
