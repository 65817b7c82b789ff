// SPDX-License-Identifier: Apache-2.0
/** What a build made, taken out of its environment: the plan's outputs, and what else appeared beside them. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import type { BuildPlan, BuiltFile, OutputPlan } from '../model.js';
import { TreeBounds, type TreeFile } from './file-tree.js';
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
  /** All files below a directory, each at its path below `into`. */
  takeTree(
    from: string,
    into: string,
    bounds: TreeBounds,
  ): Promise<readonly TreeFile[] | { readonly refused: string } | undefined>;
  /** Absolute paths of what appeared directly in these directories since the build phase began. */
  added(directories: readonly string[]): Promise<readonly string[]>;
}

/** Of a directory without the `/` at its end. */
const outputPath = (plan: BuildPlan, output: OutputPlan): string =>
  path.posix.join(plan.environment.directory, output.path).replace(/\/+$/, '');

/** Where outputs lie: what else a build puts there is told. */
export const outputDirectories = (plan: BuildPlan): readonly string[] => [
  ...new Set(plan.outputs.map((output) => path.posix.dirname(outputPath(plan, output)))),
];

/** @throws FailedHere `output-refused` for a directory that holds what is no output */
export async function collectOutputs(
  plan: BuildPlan,
  source: OutputSource,
  directory: string,
): Promise<CollectedOutputs> {
  await fs.rm(directory, { recursive: true, force: true });
  await fs.mkdir(directory, { recursive: true });
  const maxBytes = plan.environment.diskMiB * 2 ** 20;
  const planned = new Set(plan.outputs.map((output) => outputPath(plan, output)));
  const directories = outputDirectories(plan);
  const beside = (await source.added(directories)).filter((file) => !planned.has(file));
  const name = shortestNames(plan, [...planned, ...beside]);
  const used = new Set<string>();
  let again = 0;
  const placeOf = async (from: string): Promise<string> => {
    const base = path.posix.basename(from);
    // two files of one name lie in directories of their own
    const into = used.has(base) ? `${directory}.${again++}` : directory;
    used.add(base);
    await fs.mkdir(into, { recursive: true });
    return path.join(into, base);
  };
  const take = async (from: string, output: string): Promise<BuiltFile | undefined> => {
    const to = await placeOf(from);
    const taken = await source.take(from, to, maxBytes);
    if (taken === undefined || 'refused' in taken) return undefined;
    return { output, name: name(from), path: to, size: taken.size, sha256: taken.sha256 };
  };
  const outputs: BuiltFile[] = [];
  const absent: string[] = [];
  const takeTree = async (output: OutputPlan): Promise<readonly BuiltFile[]> => {
    const from = outputPath(plan, output);
    const bounds = new TreeBounds(output.path, maxBytes);
    const taken = await source.takeTree(from, await placeOf(from), bounds);
    if (taken === undefined || 'refused' in taken) return [];
    return taken
      .map(({ member, path: to, size, sha256 }) => ({
        output: output.id,
        member,
        name: `${name(from)}/${member}`,
        path: to,
        size,
        sha256,
      }))
      .toSorted((a, b) => (a.member < b.member ? -1 : 1));
  };
  for (const output of plan.outputs) {
    const files = output.path.endsWith('/')
      ? await takeTree(output)
      : [await take(outputPath(plan, output), output.id)].filter((file) => file !== undefined);
    if (files.length === 0) absent.push(output.id);
    outputs.push(...files);
  }
  const extra: BuiltFile[] = [];
  for (const from of beside) {
    const file = await take(from, path.posix.basename(from));
    if (file !== undefined) extra.push(file);
  }
  return { outputs, absent, extra };
}

/** The base name, and more of the path where two files share it: a report names each file once. */
function shortestNames(plan: BuildPlan, files: readonly string[]): (file: string) => string {
  const shared = new Map<string, number>();
  for (const file of files)
    shared.set(path.posix.basename(file), (shared.get(path.posix.basename(file)) ?? 0) + 1);
  const root = path.posix.dirname(plan.environment.directory);
  return (file) => {
    const base = path.posix.basename(file);
    return (shared.get(base) ?? 0) > 1 ? path.posix.relative(root, file) : base;
  };
}
