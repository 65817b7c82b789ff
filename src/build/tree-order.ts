// SPDX-License-Identifier: Apache-2.0
/**
 * The members of a tree in another order, each as it is. A tmpfs lists a directory by the order in which its names were
 * made, so that whoever unpacks such an archive there gets another order of each directory.
 */
import { createHash } from 'node:crypto';
import { eachChunk, type ByteSource } from '../bytes.js';
import { parentOf, type TreeMember } from './tree-members.js';

const SEED = 'directory-order 1';
const CHUNK = 1 << 20;
const END = Buffer.alloc(1024);

/** The same on each machine; parents before what is in them, a hard link after what it is another name of. Pure. */
export function shuffled(members: readonly TreeMember[]): readonly TreeMember[] {
  const children = new Map<string, TreeMember[]>();
  const roots: TreeMember[] = [];
  for (const member of members) {
    const list = member.path === '' ? roots : listOf(children, parentOf(member.path));
    list.push(member);
  }
  const ordered: TreeMember[] = [];
  const written = new Set<string>();
  const later: TreeMember[] = [];
  for (const next = roots; ;) {
    const member = next.pop();
    if (member === undefined) break;
    if (member.target === undefined || written.has(member.target)) ordered.push(member);
    else later.push(member);
    written.add(member.path);
    for (const child of byLot(children.get(member.path) ?? [])) next.push(child);
  }
  return [...ordered, ...later];
}

function listOf(lists: Map<string, TreeMember[]>, key: string): TreeMember[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

function byLot(members: readonly TreeMember[]): readonly TreeMember[] {
  return members
    .map((member) => ({
      member,
      lot: createHash('sha256').update(`${SEED}\0${member.path}`, 'latin1').digest('hex'),
    }))
    .sort((one, other) => (one.lot < other.lot ? -1 : 1))
    .map(({ member }) => member);
}

/** A tar of these members, in chunks. */
export async function* tarOf(source: ByteSource, members: readonly TreeMember[]): AsyncGenerator<Buffer> {
  for (const { offset, size } of members)
    for (let at = offset; at < offset + size; at += CHUNK)
      yield Buffer.from(source.read(at, Math.min(CHUNK, offset + size - at)));
  yield END;
}

/** Of each path all that the tar says, its content by SHA-256, and which other names it has. */
export type TreeRecord = ReadonlyMap<string, string>;

/** `owners`: false where an archive does not say whose the files are. */
export async function treeRecord(
  source: ByteSource,
  members: readonly TreeMember[],
  owners: boolean,
): Promise<TreeRecord> {
  const groups = new Map<string, string>();
  for (const { path, target } of members) {
    if (target === undefined) continue;
    const known = groups.get(target) ?? target;
    groups.set(target, path < known ? path : known);
  }
  const files = new Map<string, string>();
  for (const member of members) {
    if (member.target !== undefined) continue;
    const hash = createHash('sha256');
    eachChunk(source, member.data.offset, member.data.size, (chunk) => hash.update(chunk));
    const { path, type, facts, owner } = member;
    const group = groups.get(path) ?? '';
    files.set(path, [type, facts, owners ? owner : '', hash.digest('hex'), group].join(' '));
    // a large tree must not keep Ctrl-C waiting
    await new Promise(setImmediate);
  }
  return new Map(members.map(({ path, target }) => [path, files.get(target ?? path) ?? '']));
}

/** A path of one of them that the other lacks or has otherwise. */
export function firstDifference(one: TreeRecord, other: TreeRecord): string | undefined {
  for (const [path, record] of one) if (other.get(path) !== record) return path;
  for (const path of other.keys()) if (!one.has(path)) return path;
  return undefined;
}
