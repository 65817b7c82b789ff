// SPDX-License-Identifier: Apache-2.0
/** The second opinion on a published ZIP: another reader that may only disagree with ours, never accept. */
import StreamZip from 'node-stream-zip';
import type { ZipStructure } from '../../formats/zip.js';
import { printable } from '../../printable.js';

/** What the other reader sees otherwise, in one line; `undefined` when both see the same entries in the same order. */
export async function secondReaderDisagrees(path: string, zip: ZipStructure): Promise<string | undefined> {
  const entries = zip.entries;
  // by event and not by its map, which loses duplicate names and `__proto__`
  const other = new StreamZip({ file: path, storeEntries: false, skipEntryNameValidation: true });
  try {
    return await new Promise<string | undefined>((resolve) => {
      let seen = 0;
      let disagreement: string | undefined;
      other.on('entry', (theirs) => {
        const ours = entries[seen++];
        if (ours === undefined || disagreement !== undefined) return;
        const facts: readonly (readonly [string, unknown, unknown])[] = [
          ['name', theirs.name, ours.rawName.toString('utf8')],
          ['size', theirs.size, ours.size],
          ['compressed size', theirs.compressedSize, ours.compressedSize],
          ['crc32', theirs.crc, ours.crc32],
        ];
        for (const [what, their, our] of facts)
          if (their !== our) {
            disagreement = `${what} of entry ${seen - 1}: ${printable(String(their))} against ${printable(String(our))}`;
            return;
          }
      });
      other.on('error', (error: unknown) =>
        resolve(`it refuses the file: ${printable(error instanceof Error ? error.message : String(error))}`),
      );
      other.on('ready', () => {
        if (disagreement === undefined && seen !== entries.length)
          disagreement = `${seen} entries against ${entries.length}`;
        resolve(disagreement);
      });
    });
  } finally {
    other.close();
  }
}
