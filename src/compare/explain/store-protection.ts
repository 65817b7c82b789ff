// SPDX-License-Identifier: Apache-2.0
/**
 * Code that Google Play's automatic protection (PairIP) adds to what it delivers: classes in `com.pairip` and a library.
 * https://support.google.com/googleplay/android-developer/answer/10183279
 */
import type { ZipEntry } from '../../formats/zip.js';
import type { Cause } from '../types.js';
import type { Explainer } from './explain-leaf.js';

const LIBRARY = /^lib\/[^/]+\/libpairipcore\.so$/;
const DEX_MAGIC = 'dex\n';
const CLASSES = 'Lcom/pairip/';
const MAX_BYTES = 64 << 20;
/** Hunks of one file that are listed; the ledger lists every run. */
const HUNKS = 16;
const SAMPLE = 64;

/** Of an entry that only the published file has. */
export function protectionOf(entry: ZipEntry): { readonly cause?: Cause } {
  if (!LIBRARY.test(entry.rawName.toString('latin1'))) return {};
  return {
    cause: {
      kind: 'store-protection',
      evidence: 'a library by the name of PairIP, which the build does not have',
    },
  };
}

/** DEX files: names of its classes are among the strings of the published one and not among those of the rebuilt one. */
export const explainProtection: Explainer = async ({ path, published, rebuilt, found }) => {
  if (Math.max(published.size, rebuilt.size) > MAX_BYTES || Math.min(published.size, rebuilt.size) < 8)
    return undefined;
  const [p, r] = [published.read(0, published.size), rebuilt.read(0, rebuilt.size)];
  const areDex = [p, r].every((bytes) => bytes.toString('latin1', 0, 4) === DEX_MAGIC);
  if (!areDex || !p.includes(CLASSES, 0, 'latin1') || r.includes(CLASSES, 0, 'latin1')) return undefined;
  const cause: Cause = {
    kind: 'store-protection',
    evidence: 'it names classes of com.pairip, which the rebuilt one does not',
  };
  return found.slice(0, HUNKS).map((hunk) => ({
    kind: 'bytes',
    path,
    ...hunk,
    publishedHex: p
      .subarray(hunk.publishedOffset, hunk.publishedOffset + Math.min(SAMPLE, hunk.publishedLength))
      .toString('hex'),
    rebuiltHex: r
      .subarray(hunk.rebuiltOffset, hunk.rebuiltOffset + Math.min(SAMPLE, hunk.rebuiltLength))
      .toString('hex'),
    cause,
  }));
};
