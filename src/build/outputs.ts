// SPDX-License-Identifier: Apache-2.0
/** What a build made, taken out of its environment: the plan's outputs, and what else appeared beside them. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import type { BuildPlan, BuiltFile } from '../model.js';
import type { TakenFile } from './tar-read.js';

export interface CollectedOutputs {
  readonly outputs: readonly BuiltFile[];
  readonly absent: readonly string[];
  readonly extra: readonly BuiltFile[];
}

/** How an executor gives a file away: `undefined` when there is none, `refused` for what is no regular file. */
export interface OutputSource {
  take(
    from: string,
    to: string,
    maxBytes: number,
  ): Promise<TakenFile | { readonly refused: string } | undefined>;
  /** Absolute paths of what appeared directly in these directories since the build phase began. */
  added(directories: readonly string[]): Promise<readonly string[]>;
}

export const outputPath = (plan: BuildPlan, output: { readonly path: string }): string =>
  path.posix.join(plan.environment.directory, output.path);

export async function collectOutputs(
  plan: BuildPlan,
  source: OutputSource,
  directory: string,
): Promise<CollectedOutputs> {
  await fs.rm(directory, { recursive: true, force: true });
  await fs.mkdir(directory, { recursive: true });
  const used = new Set<string>();
  const maxBytes = plan.environment.diskMiB * 2 ** 20;
  const take = async (from: string, output: string): Promise<BuiltFile | undefined> => {
    const name = path.posix.basename(from);
    // two outputs of one name lie in directories of their own
    const into = used.has(name) ? path.join(directory, `${used.size}`) : directory;
    used.add(name);
    await fs.mkdir(into, { recursive: true });
    const to = path.join(into, name);
    const taken = await source.take(from, to, maxBytes);
    if (taken === undefined || 'refused' in taken) return undefined;
    return { output, name, path: to, size: taken.size, sha256: taken.sha256 };
  };
  const outputs: BuiltFile[] = [];
  const absent: string[] = [];
  for (const output of plan.outputs) {
    const file = await take(outputPath(plan, output), output.id);
    if (file === undefined) absent.push(output.id);
    else outputs.push(file);
  }
  const planned = new Set(plan.outputs.map((output) => outputPath(plan, output)));
  const directories = [...new Set([...planned].map((file) => path.posix.dirname(file)))];
  const extra: BuiltFile[] = [];
  for (const from of await source.added(directories)) {
    if (planned.has(from)) continue;
    const file = await take(from, path.posix.basename(from));
    if (file !== undefined) extra.push(file);
  }
  return { outputs, absent, extra };
}
