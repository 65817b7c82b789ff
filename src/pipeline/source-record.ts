// SPDX-License-Identifier: Apache-2.0
/** What a report says of the source that was built. */
import type { SourceTree } from '../inputs/source/source.js';
import type { Plan, PreparedFacts, SourceRecord } from '../model.js';

type DebianPlan = Extract<Plan['build']['source'], { kind: 'debian' }>;

/** Its tree is known when the prepare phase has unpacked it. */
export function debianSource(
  { package: name, version, release, files }: DebianPlan,
  prepared?: PreparedFacts,
): SourceRecord {
  return {
    kind: 'debian',
    package: name,
    version,
    release,
    files,
    ...(prepared === undefined ? {} : { treeSha256: prepared.inventory.treeSha256 }),
  };
}

export function gitSource(tree: SourceTree): SourceRecord {
  const { repository, commit, tag, tagSignedBy, treeSha256, from, submodules, lfs } = tree;
  return {
    kind: 'git',
    repository,
    commit,
    ...(tag === undefined ? {} : { tag }),
    ...(tagSignedBy === undefined ? {} : { tagSignedBy }),
    treeSha256,
    from,
    submodules,
    lfs,
  };
}
