// SPDX-License-Identifier: Apache-2.0
/** `--source DIR`: files of the user's instead of the publisher's repository. Nobody checked them, and the report says so. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { FailedHere, UsageError } from '../../errors.js';
import { storageFailure } from '../atomic-file.js';
import { git, isCommitId, succeeded } from './git.js';
import { lfsPointers } from './lfs.js';
import type { GitPlan, SourceOptions, SourceOutcome } from './source.js';
import { treeDigest } from './tree-digest.js';
import { failedAssertion } from './version-assertion.js';

/** A copy without its history. */
export async function takeDirectory(
  plan: GitPlan,
  override: string,
  options: SourceOptions,
): Promise<SourceOutcome> {
  const { signal } = options;
  const stat = await fs.stat(override).catch(() => undefined);
  if (stat?.isDirectory() !== true)
    throw new UsageError('bad-source', `${override} is not a directory`, {
      hint: '--source takes a directory or an https:// address',
    });
  await copy(override, options.directory);
  const assertion = await failedAssertion(plan.assertions, options.directory);
  if (assertion !== undefined)
    return {
      kind: 'untrusted',
      reasons: [{ code: 'source-untrusted', detail: `version-file-mismatch: ${assertion}` }],
    };
  const { sha256, files } = await treeDigest(options.directory, signal);
  // what its own repository says; without one, the commit that should lie there
  const head = await headOf(override, signal);
  return {
    kind: 'ready',
    directory: options.directory,
    repository: plan.repository,
    commit: head?.commit ?? plan.commit,
    commitTime: head?.time ?? Math.floor(stat.mtimeMs / 1000),
    treeSha256: sha256,
    files,
    submodules: [],
    lfs: await lfsPointers(options.directory, false),
    from: 'directory',
  };
}

async function copy(from: string, to: string): Promise<void> {
  const root = await fs.realpath(from);
  if (`${path.resolve(to)}/`.startsWith(`${root}/`))
    throw new UsageError('bad-source', `${from} holds the place where this run works`, {
      hint: 'name the directory of the source tree itself',
    });
  try {
    await fs.cp(root, to, {
      recursive: true,
      verbatimSymlinks: true,
      preserveTimestamps: true,
      filter: (file) => path.basename(file) !== '.git',
    });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') throw storageFailure(cause, 'the source', to);
    throw new FailedHere('unreadable-input', `cannot copy the source: ${message}`, {
      cause,
      hint: 'hand over a directory with regular files and links only, all of which can be read',
    });
  }
}

/** The raw commit object: nothing of the directory's configuration runs for it. */
async function headOf(
  directory: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly commit: string; readonly time: number } | undefined> {
  const here = await fs.lstat(path.join(directory, '.git')).catch(() => undefined);
  if (here === undefined) return undefined;
  const at = { cwd: directory, signal };
  const id = await git(['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], at);
  const commit = id.stdout.toString('utf8').trim();
  if (!succeeded(id) || !isCommitId(commit)) return undefined;
  const object = await git(['cat-file', 'commit', commit], at);
  const time = /^committer .* (\d+) [+-]\d{4}$/m.exec(object.stdout.toString('utf8'))?.[1];
  return !succeeded(object) || time === undefined ? undefined : { commit, time: Number(time) };
}
