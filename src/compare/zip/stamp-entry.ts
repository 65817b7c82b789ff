// SPDX-License-Identifier: Apache-2.0
/**
 * The entry that names the certificate of a source stamp, where nobody could have written other bytes there: the stamp
 * holds, the content is the digest of its certificate, and records, packing, time and place are those that apksigner
 * gives the entry. Anything else about it is the choice of whoever wrote the file.
 * https://android.googlesource.com/platform/tools/apksig/+/refs/heads/main/src/main/java/com/android/apksig/ApkSigner.java
 */
import { STAMP_ENTRY } from '../../formats/source-stamp.js';
import { matchHeaders, newestTime } from './jar-headers.js';
import { isPackedByTool, signatureContent } from './jar-content.js';
import { isContested, isJarSignatureEntry, rawNameOf, type ZipSide } from './zip-side.js';

const SHA256_BYTES = 32;

/** Its index among the entries; `undefined` where any byte of it is free. */
export async function determinedStampEntry(side: ZipSide): Promise<number | undefined> {
  const { source, zip, block, signature } = side;
  const { stamps } = signature;
  if (block?.trusted !== true || stamps.length === 0 || !stamps.every(({ verified }) => verified))
    return undefined;
  const [index, second] = [...zip.entries.keys()].filter((at) => nameAt(side, at) === STAMP_ENTRY);
  const entry = zip.entries[index ?? -1];
  if (index === undefined || entry === undefined || second !== undefined) return undefined;
  if (isContested(side, entry) || !isPlacedByTool(side, index)) return undefined;
  const others = zip.entries.filter((one) => one !== entry && !isJarSignatureEntry(side, one));
  const newest = newestTime(source, others);
  const headers = matchHeaders(source, entry, newest);
  // the other time of the table is for archives without entries
  const time = source.read(entry.cdOffset + 12, 4).readUInt32LE(0);
  if (headers?.tool !== 'apksigner' || time !== newest) return undefined;
  const content = signatureContent(source, entry, SHA256_BYTES + 16);
  if (typeof content === 'string' || content.bytes.length !== SHA256_BYTES) return undefined;
  const digest = content.bytes.toString('hex');
  if (!stamps.every(({ certificateSha256 }) => certificateSha256 === digest)) return undefined;
  return (await isPackedByTool(content)) ? index : undefined;
}

function nameAt({ zip }: ZipSide, index: number): string | undefined {
  const entry = zip.entries[index];
  return entry && rawNameOf(entry);
}

/** Behind all others, but for the entries of a JAR signature, which come last; as data and in the directory. */
function isPlacedByTool(side: ZipSide, index: number): boolean {
  const { zip } = side;
  return [zip.dataOrder, [...zip.entries.keys()]].every((order) => {
    const place = order.indexOf(index);
    const isOfJar = (at: number): boolean => {
      const entry = zip.entries[at];
      return entry !== undefined && isJarSignatureEntry(side, entry);
    };
    return order.slice(place + 1).every(isOfJar) && !order.slice(0, place).some(isOfJar);
  });
}
