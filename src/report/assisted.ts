// SPDX-License-Identifier: Apache-2.0
/** What came of a run that somebody had their hands in: which bytes agree. It has no verdict, and no place for one. */
import type { Member, Owner, SetComparison } from '../compare/types.js';
import { inert } from './inert.js';
import type { Report } from './types.js';

const SHOWN = 20;
const MEMBERS = 1000;
const AGREES: readonly Owner[] = ['identical', 'signature'];

export interface AssistedPair {
  readonly published: { readonly name: string; readonly size: number; readonly sha256: string };
  readonly rebuilt: { readonly name: string; readonly size: number; readonly sha256: string };
  /** Bytes of each owner. */
  readonly owners: { readonly published: Owners; readonly rebuilt: Owners };
  /** Members that are not the same, by their path; the first of them. */
  readonly members: readonly { readonly path: string; readonly owner: Owner }[];
  readonly membersInAll: number;
}

type Owners = Partial<Record<Owner, number>>;

export interface AssistedRecord {
  readonly schemaVersion: 1;
  readonly outcome: 'assisted';
  readonly why: string;
  readonly target?: { readonly app: string; readonly version: string; readonly channel: string };
  readonly buildDigest?: string;
  readonly compareDigest?: string;
  readonly pairs: readonly AssistedPair[];
  readonly unpairedPublished: readonly string[];
  readonly unpairedRebuilt: readonly string[];
  /** Of a build that failed again. */
  readonly failed?: { readonly exitCode: number; readonly lines: readonly string[] };
  /** What kept it from being compared. */
  readonly reasons: readonly { readonly code: string; readonly detail: string }[];
}

export function assistedRecord(
  { statement, run }: Report,
  why: string,
  comparison: SetComparison | undefined,
): AssistedRecord {
  const { verdict, plan, subject, buildFailure } = statement;
  const { target } = subject;
  return {
    schemaVersion: 1,
    outcome: 'assisted',
    why,
    ...(target === undefined
      ? {}
      : { target: { app: target.app, version: target.version, channel: target.channel } }),
    ...(plan?.buildDigest === undefined ? {} : { buildDigest: plan.buildDigest }),
    ...(plan === undefined ? {} : { compareDigest: plan.compareDigest }),
    pairs: (comparison?.pairs ?? []).map(pairOf),
    unpairedPublished: (comparison?.unpairedPublished ?? []).map(({ name }) => name),
    unpairedRebuilt: (comparison?.unpairedRebuilt ?? []).map(({ name }) => name),
    ...(buildFailure === undefined
      ? {}
      : {
          failed: {
            exitCode: buildFailure.exitCode,
            lines: buildFailure.firstError.length > 0 ? buildFailure.firstError : (run.failureTail ?? []),
          },
        }),
    reasons: verdict.kind === 'unverifiable' ? verdict.reasons : [],
  };
}

function pairOf({ published, rebuilt, nodes }: SetComparison['pairs'][number]): AssistedPair {
  const [root] = nodes;
  const members = nodes.flatMap((node) =>
    node.members.filter(({ owner }) => !AGREES.includes(owner)).map((member) => named(node.path, member)),
  );
  const identity = ({ name, size, sha256 }: typeof published) => ({ name, size, sha256 });
  return {
    published: identity(published),
    rebuilt: identity(rebuilt),
    owners: { published: ownersOf(root?.published.sums), rebuilt: ownersOf(root?.rebuilt.sums) },
    members: members.slice(0, MEMBERS),
    membersInAll: members.length,
  };
}

const named = (path: readonly string[], { name, owner }: Member): AssistedPair['members'][number] => ({
  path: [...path, name].join(' > '),
  owner,
});

const ownersOf = (sums: Readonly<Record<Owner, number>> | undefined): Owners =>
  Object.fromEntries(Object.entries(sums ?? {}).filter(([, bytes]) => bytes > 0));

export function renderAssisted(record: AssistedRecord): string {
  const { why, target, pairs, unpairedPublished, unpairedRebuilt, failed, reasons } = record;
  const lines = [
    'No verdict: this run is assisted',
    `  ${inert(why)}`,
    ...(target === undefined ? [] : [`  ${inert(`${target.app} ${target.version} (${target.channel})`)}`]),
    ...pairs.flatMap(pairLines),
    ...listed('Published, and nothing was rebuilt beside it', unpairedPublished),
    ...listed('Rebuilt, and nothing is published beside it', unpairedRebuilt),
    ...listed(
      'Not compared',
      reasons.map(({ code, detail }) => `${code}: ${detail}`),
    ),
    ...(failed === undefined
      ? []
      : listed(`The build phase ended with exit code ${failed.exitCode}`, failed.lines)),
  ];
  return `${lines.join('\n')}\n`;
}

function pairLines({ published, rebuilt, owners, members, membersInAll }: AssistedPair): readonly string[] {
  const equal = published.sha256 === rebuilt.sha256;
  return [
    '',
    inert(published.name),
    `  published ${published.size} bytes, SHA-256 ${published.sha256}: ${sums(owners.published)}`,
    `  rebuilt   ${rebuilt.size} bytes, SHA-256 ${rebuilt.sha256}: ${equal ? 'the same bytes' : sums(owners.rebuilt)}`,
    ...members.slice(0, SHOWN).map(({ path, owner }) => `  - ${inert(path)}: ${owner}`),
    ...(membersInAll > SHOWN ? [`  - … and ${membersInAll - SHOWN} more`] : []),
  ];
}

const sums = (owners: Owners): string =>
  Object.entries(owners)
    .map(([owner, bytes]) => `${bytes} ${owner}`)
    .join(', ');

function listed(title: string, entries: readonly string[]): readonly string[] {
  if (entries.length === 0) return [];
  return [
    '',
    title,
    ...entries.slice(0, SHOWN).map((entry) => `  - ${inert(entry)}`),
    ...(entries.length > SHOWN ? [`  - … and ${entries.length - SHOWN} more`] : []),
  ];
}
