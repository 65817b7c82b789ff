// SPDX-License-Identifier: Apache-2.0
/**
 * The order that aapt2 gives the strings of a document: names of attributes by resource id, then all others by their text.
 * In a document that has it, the place of a string says nothing.
 */
import type { AxmlDocument } from './axml-document.js';
import { UTF8_FLAG } from './string-pool.js';

export function isAscending({ pool, map }: AxmlDocument): boolean {
  const encoding = (pool.flags & UTF8_FLAG) === 0 ? 'utf16le' : 'utf8';
  const texts = pool.strings.slice(map.length).map((text) => text.toString(encoding));
  return rises(map) && rises(texts);
}

function rises(values: readonly number[] | readonly string[]): boolean {
  return values.every((value, at) => {
    const before = values[at - 1];
    return before === undefined || before < value;
  });
}
