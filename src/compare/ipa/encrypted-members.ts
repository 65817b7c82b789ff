// SPDX-License-Identifier: Apache-2.0
/**
 * Programs that are encrypted and equal on both sides: nobody can have built them, so that equal bytes say nothing about
 * what they do.
 */
import { BufferSource, type ByteSource } from '../../bytes.js';
import { FormatError } from '../../errors.js';
import { isFat } from '../../formats/macho-fat.js';
import { encryptedSlices } from '../../formats/macho-encryption.js';
import { isThin } from '../../formats/macho.js';
import { readZip, type ZipStructure } from '../../formats/zip.js';
import { printableBytes } from '../../printable.js';
import { programHead } from './program-head.js';
import { entryContent } from '../one-file.js';
import type { Walk } from '../walk.js';
import { isApp } from './is-app.js';

/** Of those that were not compared for being equal; the others have told it themselves. */
export async function tellEncrypted(walk: Walk, published: ByteSource): Promise<void> {
  const [root] = walk.nodes;
  if (root === undefined) return;
  if (root.format === 'equal' && isProgram(published)) {
    tellEqual(walk, [], published);
    return;
  }
  const zip = structureOf(published);
  if (zip === undefined || !isApp(zip)) return;
  const compared = new Set(
    root.members.filter(({ node }) => node !== undefined).map(({ published: at }) => at?.offset),
  );
  for (const entry of zip.entries) {
    if (entry.size < 28 || compared.has(entry.dataOffset)) continue;
    walk.checkAborted();
    const head = await programHead(published, entry);
    if (head === undefined) continue;
    const path = [printableBytes(entry.rawName)];
    if (head === 'too-large')
      walk.cannotVerify('limits', `${path.join()}: load commands beyond what is read`);
    else if (!isFat(head)) tellEqual(walk, path, new BufferSource(head));
    else {
      const content = await entryContent(walk, published, entry, walk.options.limits.memberBytes);
      if (content.kind === 'unread') continue;
      tellEqual(walk, path, content.source);
      content.close();
    }
  }
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

/** `source`: the program, or as much of it as has its load commands. */
export function tellEqual(walk: Walk, path: readonly string[], source: ByteSource): void {
  for (const { architecture, size } of encryptedSlices(source))
    walk.cannotVerify(
      'encrypted',
      `${[...path, architecture].join(' > ')}: ${size} bytes are encrypted by FairPlay on both sides alike; nobody could have built them`,
    );
}
