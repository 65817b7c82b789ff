// SPDX-License-Identifier: Apache-2.0
/** An image reference with its digest, in the full form that every engine takes alike. Pure. */

export interface PinnedReference {
  /** `docker.io/library/gradle@sha256:…`: Podman takes no tag beside a digest and guesses no registry. */
  readonly reference: string;
  /** Where the registry has it. */
  readonly url: string;
}

export function pinnedReference(reference: string, digest: string): PinnedReference {
  const bare = reference.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
  const [first = '', ...rest] = bare.split('/');
  const named = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  const registry = named ? first : 'docker.io';
  const path = named ? rest.join('/') : rest.length === 0 ? `library/${bare}` : bare;
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
  return {
    reference: `${registry}/${path}@${digest}`,
    url: `https://${host}/v2/${path}/manifests/${digest}`,
  };
}
