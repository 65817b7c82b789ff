// SPDX-License-Identifier: Apache-2.0
/** What a kept build is asked for by: the digest of its plan, and what the plan does not pin of this package and machine. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { BuildKey, BuildPlan, Sha256 } from '../../model.js';
import { packageVersion } from '../package-files.js';
import { treeDigest } from '../source/tree-digest.js';

export async function buildKey(plan: BuildPlan, buildDigest: Sha256, packageRoot: string): Promise<BuildKey> {
  const packageSha256 = await packageParts(plan, packageRoot);
  return {
    buildDigest,
    ...(packageSha256 === undefined ? {} : { packageSha256 }),
    tool: await packageVersion(packageRoot),
    architecture: process.arch,
  };
}

export function sameKey(one: BuildKey, other: BuildKey): boolean {
  return (
    one.buildDigest === other.buildDigest &&
    one.packageSha256 === other.packageSha256 &&
    one.tool === other.tool &&
    one.architecture === other.architecture
  );
}

/** A plan names these by path: with a new version of them it has the digest of the old one. */
export async function packageParts(
  { source, environment: { dockerfile } }: BuildPlan,
  packageRoot: string,
): Promise<Sha256 | undefined> {
  const directories = [
    ...(source.kind === 'bundled' ? [source.directory] : []),
    ...(dockerfile?.from === 'override' ? [path.posix.dirname(dockerfile.path)] : []),
  ];
  if (directories.length === 0) return undefined;
  const hash = createHash('sha256');
  for (const directory of directories)
    hash.update(`${(await treeDigest(path.join(packageRoot, directory))).sha256} ${directory}\n`);
  return hash.digest('hex');
}
