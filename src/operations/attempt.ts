// SPDX-License-Identifier: Apache-2.0
/** What is kept of a run that ended without a verdict: why, the plan, the logs. Never among the reports. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import type { FailedHere } from '../errors.js';
import { packageRoot } from '../inputs/package-files.js';
import type { Plan } from '../model.js';
import { keepAttempt, type ReportFile } from '../report/publish.js';
import type { Workspace } from '../pipeline-options.js';
import type { OperationOptions } from './options.js';
import { describeRun } from './run.js';

/** Says where it is kept; a failure to keep it never hides the failure itself. */
export async function keepFailure(
  error: FailedHere,
  plan: Plan,
  workspace: Workspace,
  out: string | undefined,
  options: OperationOptions,
): Promise<void> {
  if (out === undefined) return;
  const { code, message, hint } = error;
  try {
    const failure = { outcome: 'failed-here', class: code, message, ...(hint === undefined ? {} : { hint }) };
    const files: ReportFile[] = [
      { name: 'failure.json', content: json({ ...failure, plan, run: await describeRun() }) },
      ...(await logsOf(path.join(workspace.directory, 'logs'))),
    ];
    const kept = await keepAttempt(workspace.run, files, { out, packageRoot: packageRoot() });
    options.onProgress?.({ kind: 'note', text: `no verdict; what is known of this run is kept in ${kept}` });
  } catch (cause) {
    options.onProgress?.({
      kind: 'note',
      text: `no verdict, and this run could not be kept: ${(cause as Error).message}`,
    });
  }
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

async function logsOf(directory: string): Promise<ReportFile[]> {
  const names = await fs.readdir(directory).catch(() => [] as string[]);
  return await Promise.all(
    names.sort().map(async (name) => ({
      name: `logs/${name}`,
      content: await fs.readFile(path.join(directory, name)),
    })),
  );
}
