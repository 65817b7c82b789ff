// SPDX-License-Identifier: Apache-2.0
/** Where a submodule is fetched from, given the words of a .gitmodules file, which are its author's (gitmodules(5)). */
import path from 'node:path';
import { isRepositoryAddress } from './git.js';

/** `git@host:owner/name` and `ssh://git@host/owner/name`: the form for those who may write, who have a key on the host. */
const BY_KEY =
  /^(?:git@([a-z0-9][a-z0-9.-]*):|ssh:\/\/git@([a-z0-9][a-z0-9.-]*)\/)([a-z0-9._~-][a-z0-9._~/-]*)$/i;

/**
 * Relative addresses are relative to the repository's (git-submodule(1)). An address by key is asked for over https, where
 * anybody can read: the commit that the tree names is the same one or none. `undefined`: nothing that may be asked.
 */
export function submoduleAddress(repository: string, url: string): string | undefined {
  if (/^\.\.?\//.test(url)) {
    const resolved = repository.startsWith('/')
      ? path.posix.join(repository, url)
      : new URL(url, repository.endsWith('/') ? repository : `${repository}/`).href;
    return isRepositoryAddress(resolved) ? resolved : undefined;
  }
  const [, short, long, at] = BY_KEY.exec(url) ?? [];
  if (at !== undefined) return `https://${short ?? long ?? ''}/${at}`;
  if (!isRepositoryAddress(url)) return undefined;
  return url.startsWith('https://') || repository.startsWith('/') ? url : undefined;
}
