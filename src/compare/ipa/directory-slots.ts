// SPDX-License-Identifier: Apache-2.0
/** Files of a bundle that is a directory which the signature of its program has hashes of. */
import { FileSource } from '../../bytes.js';
import type { SlotContent } from '../../formats/code-signature-check.js';
import type { Side } from '../types.js';
import { slotContent } from './slot-files.js';

interface SlotFile {
  readonly name: string;
  readonly path: string;
  /** Path below the output, where that is a directory. */
  readonly member?: string;
}

type Files = Readonly<Record<Side, readonly SlotFile[]>>;

/** Of the program by that name on both sides; of two single files nothing lies beside either. */
export function directorySlots(
  files: Files,
): (name: Readonly<Record<Side, string>>) => (side: Side, slot: number) => ReturnType<SlotContent> {
  const paths = { published: pathsOf(files.published), rebuilt: pathsOf(files.rebuilt) };
  return (name) => (side, slot) =>
    slotContent(name[side], slot, (file, limit) => {
      const path = paths[side].get(file);
      return path === undefined ? 'absent' : read(path, limit);
    });
}

function pathsOf(files: readonly SlotFile[]): ReadonlyMap<string, string> {
  return new Map(files.map(({ name, member, path }) => [member ?? name, path]));
}

function read(path: string, limit: number): Buffer | undefined {
  const source = FileSource.open(path);
  try {
    return source.size > limit ? undefined : Buffer.from(source.read(0, source.size));
  } finally {
    source.close();
  }
}
