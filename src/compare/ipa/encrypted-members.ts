// SPDX-License-Identifier: Apache-2.0
/**
 * Programs that are encrypted and equal on both sides: nobody can have built them, so that equal bytes say nothing about
 * what they do.
 */
import { BufferSource, SliceSource, type ByteSource } from '../../bytes.js';
import { FormatError } from '../../errors.js';
import { isFat, readFat } from '../../formats/macho-fat.js';
import { isThin, readMachO, type MachOFile } from '../../formats/macho.js';
import { readZip, type ZipStructure } from '../../formats/zip.js';
import { printableBytes } from '../../printable.js';
import { programHead } from './program-head.js';
import { entryContent } from '../one-file.js';
import { isEncrypted } from '../macho/fairplay.js';
import type { Walk } from '../walk.js';
import { isApp } from './is-app.js';

/** Of those that were not compared for being equal; the others have told it themselves. */
export async function tellEncrypted(walk: Walk, published: ByteSource): Promise<void> {
  const [root] = walk.nodes;
  if (root === undefined) return;
  if (root.format === 'equal' && isProgram(published)) {
    tell(walk, [], programsIn(published));
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
    if (!isFat(head)) {
      tell(walk, path, programsIn(new BufferSource(head), entry.size));
      continue;
    }
    const content = await entryContent(walk, published, entry, walk.options.limits.memberBytes);
    if (content.kind === 'unread') continue;
    tell(walk, path, programsIn(content.source));
    content.close();
  }
}

function isProgram(source: ByteSource): boolean {
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

/** `size`: of the whole, of which the source may be the start. */
function programsIn(source: ByteSource, size = source.size): readonly MachOFile[] {
  try {
    if (!isFat(source.read(0, Math.min(16, source.size)))) return [readMachO(new Padded(source, size))];
    return readFat(source).slices.flatMap((slice) => {
      const own = new SliceSource(source, slice.offset, slice.size);
      return isThin(own.read(0, Math.min(16, own.size))) ? [readMachO(own)] : [];
    });
  } catch (error) {
    if (error instanceof FormatError) return [];
    throw error;
  }
}

/** The start of a file in the size of all of it: what commands point to is not looked at. */
class Padded implements ByteSource {
  readonly size: number;
  readonly #head: ByteSource;
  constructor(head: ByteSource, size: number) {
    this.#head = head;
    this.size = size;
  }
  read(offset: number, length: number): Buffer {
    return this.#head.read(offset, length);
  }
}

function tell(walk: Walk, path: readonly string[], programs: readonly MachOFile[]): void {
  for (const file of programs)
    if (isEncrypted(file))
      walk.cannotVerify(
        'encrypted',
        `${[...path, file.architecture].join(' > ')}: ${file.encryption?.size ?? 0} bytes are encrypted by FairPlay on both sides alike; nobody could have built them`,
      );
}
