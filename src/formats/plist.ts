// SPDX-License-Identifier: Apache-2.0
/**
 * A property list as its values, whichever of the two forms it has on disk. Nothing is rounded: integers are bigints,
 * a real and a date keep their bits. What a strict reader would not write is told as findings, with its place.
 * https://developer.apple.com/library/archive/documentation/CoreFoundation/Conceptual/CFPropertyLists/
 */
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import { readBinaryPlist } from './plist-binary.js';
import { isBinaryPlist, type PlistDocument, type PlistValue } from './plist-value.js';
import { readXmlPlist } from './plist-xml.js';

export type { PlistDocument, PlistEntry, PlistFinding, PlistFindingCode, PlistValue } from './plist-value.js';

/** Beyond this a property list is not read; the largest of an app are a few megabytes. */
export const MAX_PLIST = 64 << 20;

/** @throws FormatError `plist/…` */
export function readPlist(source: ByteSource): PlistDocument {
  if (source.size > MAX_PLIST)
    throw new FormatError('plist', 'too-large', 0, `${source.size} bytes, at most ${MAX_PLIST} are read`);
  const bytes = Buffer.from(source.read(0, source.size));
  return isBinaryPlist(bytes) ? readBinaryPlist(bytes) : readXmlPlist(bytes);
}

/** The value under these keys of nested dictionaries. */
export function plistAt(value: PlistValue | undefined, ...keys: readonly string[]): PlistValue | undefined {
  let at = value;
  for (const key of keys) {
    if (at?.kind !== 'dict') return undefined;
    at = at.entries.find((entry) => entry.key === key)?.value;
  }
  return at;
}

export function plistString(value: PlistValue | undefined, ...keys: readonly string[]): string | undefined {
  const found = plistAt(value, ...keys);
  return found?.kind === 'string' ? found.value : undefined;
}

/** The strings of an array; `undefined` for no array, and where it holds anything else. */
export function plistStrings(
  value: PlistValue | undefined,
  ...keys: readonly string[]
): readonly string[] | undefined {
  const found = plistAt(value, ...keys);
  if (found?.kind !== 'array') return undefined;
  const texts = found.items.flatMap((item) => (item.kind === 'string' ? [item.value] : []));
  return texts.length === found.items.length ? texts : undefined;
}
