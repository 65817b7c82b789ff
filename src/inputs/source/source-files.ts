// SPDX-License-Identifier: Apache-2.0
/** A few texts of a repository at one commit, without the rest of its tree. gitrevisions(7), `<rev>:<path>`. */
import type { Fact, Lookup } from '../../model.js';
import { git, gitError, gitFailure, succeeded } from './git.js';
import { bareClone, type GitCacheOptions } from './git-cache.js';

type SourceFiles = Extract<Fact, { kind: 'source-files' }>;

/** Larger files state no toolchain; they count as read and empty of facts. */
const MAX_TEXT = 1 << 20;

/** @throws FailedHere `network`, `interrupted` */
export async function sourceFiles(
  { repository, commit, files }: Extract<Lookup, { kind: 'source-files' }>,
  options: GitCacheOptions,
): Promise<SourceFiles> {
  const cwd = await bareClone(repository, options);
  const found: { path: string; text?: string }[] = [];
  for (const file of files) {
    // the clone has no trees: git fetches the few that lead to the file, and the file
    const args = ['cat-file', 'blob', `${commit}:${file}`];
    const read = await git(args, { cwd, signal: options.signal, captureBytes: MAX_TEXT });
    if (succeeded(read)) found.push({ path: file, text: read.stdout.toString('utf8') });
    else if (isAbsent(read)) found.push({ path: file });
    else throw gitError(args, read);
  }
  return { kind: 'source-files', repository, commit, files: found };
}

const ABSENT = /does not exist in|invalid object name|Not a valid object name/i;

function isAbsent(read: Parameters<typeof gitFailure>[0]): boolean {
  return read.ended.kind === 'exited' && ABSENT.test(gitFailure(read).said);
}
