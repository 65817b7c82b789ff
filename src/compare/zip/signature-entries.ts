// SPDX-License-Identifier: Apache-2.0
/** Which entries signing adds to the published file, and which of the rebuilt file it takes the place of. */
import type { ZipEntry } from '../../formats/zip.js';
import { MANIFEST_NAME } from '../../formats/jar-signature.js';
import type { Pairing } from '../align.js';
import type { SignatureEntries } from './layout.js';
import { isJarSignatureEntry, rawNameOf, type ZipSide } from './zip-side.js';

/**
 * All of them are without partner. Who owns them is asked elsewhere; this only says what a transplant may take from the
 * published file, and has to leave out of the rebuilt one. `isCovered`: by a rule over whole
 * entries, or as that of a source stamp.
 */
export function signatureEntries(
  published: ZipSide,
  rebuilt: ZipSide,
  { onlyPublished, onlyRebuilt }: Pairing,
  isCovered: (side: ZipSide, entry: ZipEntry) => boolean,
): SignatureEntries {
  const pick = (
    side: ZipSide,
    indices: readonly number[],
    belongs: (entry: ZipEntry) => boolean,
  ): ReadonlySet<number> =>
    new Set(
      indices.filter((index) => {
        const entry = side.zip.entries[index];
        return entry !== undefined && (belongs(entry) || isCovered(side, entry));
      }),
    );
  return {
    taken: pick(published, onlyPublished, (entry) => isJarSignatureEntry(published, entry)),
    dropped: pick(
      rebuilt,
      onlyRebuilt,
      (entry) =>
        isJarSignatureEntry(rebuilt, entry) ||
        // signing puts a manifest of its own in the place of the one that was there
        (published.jarSigned && rawNameOf(entry) === MANIFEST_NAME),
    ),
  };
}
