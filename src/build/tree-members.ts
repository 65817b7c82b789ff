// SPDX-License-Identifier: Apache-2.0
/**
 * The members of one directory in the tar of a file system, each with the range of bytes that it is there, records before
 * its header included. What could be lost or changed when they are written in another order is refused.
 */
import type { ByteSource } from '../bytes.js';
import { FailedHere, FormatError } from '../errors.js';
import { TarReader, type TarMember } from '../formats/tar.js';

export interface TreeMember {
  /** Below the directory, bytes as latin1; the directory itself is the empty text. */
  readonly path: string;
  readonly type: string;
  /** Of a hard link: the path that it is another name of. */
  readonly target?: string;
  readonly offset: number;
  readonly size: number;
  readonly data: { readonly offset: number; readonly size: number };
  /** What is known of it beside its content and its owner. */
  readonly facts: string;
  readonly owner: string;
}

const MAX_MEMBERS = 2_000_000;
const FILE = '0';
const HARD_LINK = '1';
const DIRECTORY = '5';
/** Files, links, directories and FIFOs. A device is made by nobody without privileges, a sparse file is no plain bytes. */
const KNOWN = [FILE, HARD_LINK, '2', DIRECTORY, '6'];

/**
 * `directory`: as the archive names it, without slashes around it.
 * @throws FailedHere `unreadable-input`
 */
export function treeMembers(source: ByteSource, directory: string): readonly TreeMember[] {
  try {
    return membersOf(source, directory);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FailedHere('unreadable-input', `the tar of the tree cannot be read: ${error.message}`, {
      cause: error,
    });
  }
}

function membersOf(source: ByteSource, directory: string): readonly TreeMember[] {
  const members = new Map<string, TreeMember>();
  const leavingLinks: string[] = [];
  for (const member of new TarReader(source)) {
    const path = below(directory, member.name);
    refuseGlobal(source, member);
    const target = member.type === HARD_LINK ? below(directory, member.linkName) : undefined;
    if (member.type === HARD_LINK && (path === undefined) !== (target === undefined))
      leavingLinks.push(member.name.toString('latin1'));
    if (path === undefined) continue;
    if (members.has(path)) refuse(path, 'stands twice');
    if (members.size === MAX_MEMBERS) refuse(path, `is one more than ${MAX_MEMBERS} files`);
    members.set(path, treeMember(source, member, path, target));
  }
  for (const name of leavingLinks) refuse(name, 'is a hard link into or out of the tree');
  if (members.get('')?.type !== DIRECTORY)
    throw new FailedHere('unreadable-input', `there is no directory ${directory} in the image`);
  for (const { path, target } of members.values()) {
    if (path !== '' && members.get(parentOf(path))?.type !== DIRECTORY) refuse(path, 'lies in no directory');
    if (target !== undefined && members.get(target)?.type !== FILE)
      refuse(path, 'is a hard link to what is no file');
  }
  return [...members.values()];
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** Undefined for what lies elsewhere. */
function below(directory: string, name: Buffer): string | undefined {
  const text = name
    .toString('latin1')
    .replace(/^(?:\.?\/)+/, '')
    .replace(/\/+$/, '');
  if (text === directory) return '';
  return text.startsWith(`${directory}/`) ? text.slice(directory.length + 1) : undefined;
}

function treeMember(
  source: ByteSource,
  member: TarMember,
  path: string,
  target: string | undefined,
): TreeMember {
  const { type, regions, data, mode, uid, gid, mtime, linkName } = member;
  if (!KNOWN.includes(type)) refuse(path, `is of a kind that is not copied (${JSON.stringify(type)})`);
  const offset = regions[0]?.offset ?? 0;
  const last = regions.at(-1) ?? data;
  // the mode of a link and the time of a hard link are nobody's
  const isLink = type === '2';
  const facts = JSON.stringify([
    isLink ? linkName.toString('latin1') : mode & 0o7777,
    Math.floor(mtime),
    ...attributes(source, regions, path),
  ]);
  return {
    path,
    type,
    ...(target === undefined ? {} : { target }),
    offset,
    size: last.offset + last.size - offset,
    data,
    facts,
    owner: `${uid}:${gid}`,
  };
}

/** Extended attributes, as records of GNU tar, star and Go name them. */
function attributes(source: ByteSource, regions: TarMember['regions'], path: string): readonly string[] {
  const found: string[] = [];
  let kind = '';
  for (const region of regions) {
    if (region.kind === 'tar/record-header') kind = source.read(region.offset + 156, 1).toString('latin1');
    if (region.kind !== 'tar/record' || kind !== 'x') continue;
    const text = source.read(region.offset, region.size).toString('latin1');
    for (let at = 0; at < text.length;) {
      const length = Number.parseInt(text.slice(at, at + 8), 10);
      const record = text.slice(text.indexOf(' ', at) + 1, at + length - 1);
      if (record.startsWith('GNU.sparse.')) refuse(path, 'is sparse');
      if (/^(?:SCHILY\.(?:xattr|acl)|LIBARCHIVE\.xattr)\./.test(record)) found.push(record);
      at += length;
    }
  }
  return found.sort();
}

/** What is said of all that follows could be lost in another order. */
function refuseGlobal(source: ByteSource, { regions, name }: TarMember): void {
  for (const { kind, offset } of regions)
    if (kind === 'tar/record-header' && source.read(offset + 156, 1)[0] === 0x67)
      refuse(name.toString('latin1'), 'stands behind records that hold for all that follows');
}

function refuse(path: string, why: string): never {
  const name = JSON.stringify(Buffer.from(path, 'latin1').toString());
  throw new FailedHere('unreadable-input', `${name} ${why}`);
}
