// SPDX-License-Identifier: Apache-2.0
/** One native library of an APK or a bundle: what it is for, and what made it. */
import type { ByteSource } from '../../bytes.js';
import { FormatError } from '../../errors.js';
import { readElf } from '../../formats/elf.js';
import type { ZipEntry } from '../../formats/zip.js';
import { printableBytes } from '../../printable.js';
import { collectElf, isElf } from '../evidence/elf-evidence.js';
import { FactCollector } from '../evidence/facts.js';
import { entryContent } from '../one-file.js';
import type { Walk } from '../walk.js';
import type { NativeLibrary } from './types.js';

export const NATIVE_LIBRARY = /\.so(?:\.[0-9]+)*$/;

/** `limit`: decoded bytes. Never throws for what the file holds. */
export async function inspectLibrary(
  walk: Walk,
  source: ByteSource,
  entry: ZipEntry,
  limit: number,
): Promise<NativeLibrary> {
  const name = printableBytes(entry.rawName);
  const unread = (code: string): NativeLibrary => ({ name, size: entry.size, tools: [], unread: code });
  const content = await entryContent(walk, source, entry, limit);
  if (content.kind === 'unread') return unread(content.code);
  try {
    if (!isElf(content.source)) return unread('not-elf');
    const elf = readElf(content.source);
    const facts = new FactCollector();
    collectElf(facts, content.source, name, elf);
    return {
      name,
      size: entry.size,
      machine: elf.machine,
      ...(elf.buildId === undefined ? {} : { buildId: elf.buildId }),
      tools: facts.facts().map(({ from, value }) => ({ from, value })),
    };
  } catch (error) {
    if (error instanceof FormatError) return unread(error.code);
    throw error;
  } finally {
    content.close();
  }
}
