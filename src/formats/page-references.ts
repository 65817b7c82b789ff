// SPDX-License-Identifier: Apache-2.0
/**
 * Which files a page, a style sheet, a script or a manifest names. A scan of the text, no browser: attributes, quoted paths
 * with an extension, and the tables by which webpack composes the names of its chunks. A name that a script computes in
 * another way is not found, and what is found need not exist.
 * https://webpack.js.org/configuration/output/#outputchunkfilename
 */
const MAX_FOUND = 20_000;
/** Each pattern looks a bounded way ahead, so that a scan takes no longer than its text is long. */
const ATTRIBUTE =
  /\b(?:src|href|data-src|poster|action)\s{0,9}=\s{0,9}(?:"([^"]{1,2048})"|'([^']{1,2048})'|([^\s"'>]{1,2048}))/gi;
const QUOTED =
  /["'`(]([^"'`()\s<>\\{}]{1,512}\.(?:js|mjs|css|wasm|json|webmanifest|html|woff2?|ttf|otf|png|svg|ico|jpe?g|webp|avif|gif|mp3|mp4|ogg|tgs|txt|xml)(?:\?[^"'`()\s<>\\{}]{0,200})?)["'`)]/gi;
/** `"static/"+e+"."+{1:"ab12cd34",…}[e]+".js"`; a second table may name the chunks. */
const CHUNKS =
  /(?:"([^"\\]{0,200})"\s?\+\s?)?(?:\(\s?(\{[^{}]{0,100000}\})\[\w{1,9}\]\s?\|\|\s?\w{1,9}\s?\)|\w{1,9})\s?\+\s?"([^"\\]{1,20})"\s?\+\s?(\{[^{}]{1,200000}\})\[\w{1,9}\]\s?\+\s?"(\.[^"\\]{1,40})"/g;
const TABLE = /(?:"([^"\\]{1,100})"|(\w{1,100}))\s?:\s?"([^"\\]{1,100})"/g;

export interface References {
  readonly found: readonly string[];
  /** There are more than were looked at. */
  readonly cut: boolean;
}

export function referencesIn(text: string): References {
  const found = new Set<string>();
  let cut = false;
  const add = (name: string): boolean => {
    if (found.size >= MAX_FOUND) cut = true;
    else found.add(name);
    return !cut;
  };
  for (const [, double, single, bare] of text.matchAll(ATTRIBUTE))
    if (!add((double ?? single ?? bare ?? '').replaceAll('&amp;', '&').trim())) break;
  for (const [, name = ''] of text.matchAll(QUOTED)) if (!add(name)) break;
  for (const name of chunkNames(text)) if (!add(name)) break;
  return { found: [...found], cut };
}

function* chunkNames(text: string): Generator<string> {
  for (const [, prefix = '', names, between = '', hashes = '', suffix = ''] of text.matchAll(CHUNKS)) {
    const named = new Map(names === undefined ? [] : entriesOf(names));
    for (const [id, hash] of entriesOf(hashes))
      yield `${prefix}${named.get(id) ?? id}${between}${hash}${suffix}`;
  }
}

function entriesOf(table: string): [string, string][] {
  return [...table.matchAll(TABLE)].map(([, quoted, plain, value = '']) => [quoted ?? plain ?? '', value]);
}
