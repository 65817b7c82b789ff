// SPDX-License-Identifier: Apache-2.0
/**
 * Programs that are encrypted and equal on both sides: nobody can have built them, so that equal bytes say nothing about
 * what they do.
 */
import { BufferSource, type ByteSource } from '../../bytes.js';
import { FormatError } from '../../errors.js';
import { isFat } from '../../formats/macho-fat.js';
import { encryptedSlices, type EncryptedSlice } from '../../formats/macho-encryption.js';
import { isThin } from '../../formats/macho.js';
import { readZip, type ZipStructure } from '../../formats/zip.js';
import { printableBytes } from '../../printable.js';
import { programHead } from './program-head.js';
import { entryContent } from '../one-file.js';
import type { Walk } from '../walk.js';
import { mayHoldApp } from './is-app.js';

/** Of those that were not compared for being equal; the others have told it themselves. */
export async function tellEncrypted(walk: Walk, published: ByteSource): Promise<void> {
  const [root] = walk.nodes;
  if (root === undefined || (root.format !== 'equal' && isProgram(published))) return;
  const compared = new Set(
    root.members.filter(({ node }) => node !== undefined).map(({ published: at }) => at?.offset),
  );
  const found = await encryptedPrograms(walk, published, (offset) => compared.has(offset));
  for (const { path, slices } of found.encrypted) tell(walk, path, slices);
  for (const path of found.unread) tellUnread(walk, path);
}

export interface EncryptedPrograms {
  readonly encrypted: readonly {
    readonly path: readonly string[];
    readonly slices: readonly EncryptedSlice[];
  }[];
  /** Programs of which nobody here can say it. */
  readonly unread: readonly (readonly string[])[];
}

/** Of a program or of an app in an archive. `skips`: by where an entry's data begin. */
export async function encryptedPrograms(
  walk: Walk,
  source: ByteSource,
  skips: (offset: number) => boolean = () => false,
): Promise<EncryptedPrograms> {
  const encrypted: EncryptedPrograms['encrypted'][number][] = [];
  const unread: (readonly string[])[] = [];
  const add = (path: readonly string[], program: ByteSource): void => {
    const { slices, isUnread } = encryptedSlices(program);
    if (slices.length > 0) encrypted.push({ path, slices });
    if (isUnread) unread.push(path);
  };
  if (isProgram(source)) add([], source);
  const zip = structureOf(source);
  for (const entry of zip !== undefined && mayHoldApp(zip) ? zip.entries : []) {
    if (entry.size < 28 || skips(entry.dataOffset)) continue;
    walk.checkAborted();
    const head = await programHead(source, entry);
    if (head === undefined) continue;
    const path = [printableBytes(entry.rawName)];
    if (head === 'too-large') unread.push(path);
    else if (!isFat(head)) add(path, new BufferSource(head));
    else {
      const content = await entryContent(walk, source, entry, walk.options.limits.memberBytes);
      if (content.kind === 'unread') {
        unread.push(path);
        continue;
      }
      add(path, content.source);
      content.close();
    }
  }
  return { encrypted, unread };
}

export function isProgram(source: ByteSource): boolean {
  const head = source.read(0, Math.min(16, source.size));
  return isThin(head) || isFat(head);
}

function structureOf(source: ByteSource): ZipStructure | undefined {
  try {
    return readZip(source);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/** Of a program that is equal on both sides. */
export function tellEqual(walk: Walk, path: readonly string[], source: ByteSource): void {
  const { slices, isUnread } = encryptedSlices(source);
  tell(walk, path, slices);
  if (isUnread) tellUnread(walk, path);
}

function tellUnread(walk: Walk, path: readonly string[]): void {
  walk.cannotVerify('limits', `${path.join(' > ')}: load commands beyond what is read`);
}

function tell(walk: Walk, path: readonly string[], slices: readonly EncryptedSlice[]): void {
  for (const { architecture, size } of slices)
    walk.cannotVerify(
      'encrypted',
      `${[...path, architecture].join(' > ')}: ${size} bytes are encrypted by FairPlay on both sides alike; nobody could have built them`,
    );
}
