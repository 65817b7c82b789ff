// SPDX-License-Identifier: Apache-2.0
/** A directory of this package made into a git repository with one commit and one tag, the same ones everywhere. */
import { promises as fs } from 'node:fs';
import { gitChecked } from './git.js';

const FIXED = {
  GIT_AUTHOR_NAME: 'samesource',
  GIT_AUTHOR_EMAIL: 'demo@samesource.invalid',
  GIT_AUTHOR_DATE: '2026-01-01T00:00:00Z',
  GIT_COMMITTER_NAME: 'samesource',
  GIT_COMMITTER_EMAIL: 'demo@samesource.invalid',
  GIT_COMMITTER_DATE: '2026-01-01T00:00:00Z',
};
// modes and line ends must not depend on how the package was unpacked
const PLAIN = ['-c', 'core.fileMode=false', '-c', 'core.autocrlf=false', '-c', 'core.symlinks=true'];

/** Returns the commit. */
export async function bundledRepository(
  files: string,
  tag: string,
  repository: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  await fs.cp(files, repository, { recursive: true });
  const at = { cwd: repository, signal, env: FIXED };
  await gitChecked(['init', '--quiet', '--object-format=sha1'], at);
  await gitChecked([...PLAIN, 'add', '--all', '--force'], at);
  await gitChecked([...PLAIN, 'commit', '--quiet', '--no-gpg-sign', '--message', `Release ${tag}`], at);
  await gitChecked(['tag', '--no-sign', tag], at);
  return (await gitChecked(['rev-parse', 'HEAD'], at)).trim();
}
