// SPDX-License-Identifier: Apache-2.0
/**
 * `.strings` as text: `"key" = "value";`, with comments, in UTF-16 or UTF-8. Compiled ones are property lists.
 * https://developer.apple.com/library/archive/documentation/Cocoa/Conceptual/LoadingResources/Strings/Strings.html
 */
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import type { PlistEntry, PlistValue } from './plist-value.js';

const MAX_STRINGS = 16 << 20;
const MAX_ENTRIES = 500_000;

export interface StringsFile {
  readonly encoding: 'utf-16le' | 'utf-16be' | 'utf-8';
  /** A dictionary of texts, in the order of the file; a key may be there twice. */
  readonly root: PlistValue;
  readonly comments: number;
}

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('strings', code, offset, message);
}

/** Offsets of errors count characters. @throws FormatError `strings/…` */
export function readStringsFile(source: ByteSource): StringsFile {
  if (source.size > MAX_STRINGS)
    fail('too-large', 0, `${source.size} bytes, at most ${MAX_STRINGS} are read`);
  const { encoding, text } = decode(source.read(0, source.size));
  const entries: PlistEntry[] = [];
  let comments = 0;
  let at = 0;
  const skip = (): void => {
    for (;;) {
      const start = at;
      while (/^[ \t\r\n\u2028\u2029]$/.test(text.charAt(at))) at++;
      if (text.startsWith('//', at)) {
        const end = text.indexOf('\n', at);
        at = end === -1 ? text.length : end + 1;
        comments++;
      } else if (text.startsWith('/*', at)) {
        const end = text.indexOf('*/', at + 2);
        if (end === -1) fail('unfinished', at, 'a comment without an end');
        at = end + 2;
        comments++;
      }
      if (at === start) return;
    }
  };
  const word = (): string => {
    if (text[at] === '"') {
      const end = closing(text, at);
      const value = unescaped(text.slice(at + 1, end), at);
      at = end + 1;
      return value;
    }
    const start = at;
    while (/^[\w.$:/-]$/.test(text.charAt(at)) && !text.startsWith('/*', at) && !text.startsWith('//', at))
      at++;
    if (at === start) fail('syntax', at, `${JSON.stringify(text.slice(at, at + 20))}, expected a text`);
    return text.slice(start, at);
  };
  for (skip(); at < text.length; skip()) {
    if (entries.length >= MAX_ENTRIES) fail('too-many', at, `more than ${MAX_ENTRIES} entries`);
    const key = word();
    skip();
    let value = key;
    if (text[at] === '=') {
      at++;
      skip();
      value = word();
      skip();
    }
    if (text[at] !== ';') fail('syntax', at, `no ; behind ${JSON.stringify(key.slice(0, 40))}`);
    at++;
    entries.push({ key, value: { kind: 'string', value } });
  }
  return { encoding, root: { kind: 'dict', entries }, comments };
}

function decode(bytes: Buffer): { readonly encoding: StringsFile['encoding']; readonly text: string } {
  const mark = bytes.toString('hex', 0, 2);
  if (mark === 'fffe' || mark === 'feff') {
    if (bytes.length % 2 !== 0) fail('encoding', bytes.length, 'half a character at the end');
    const content = Buffer.from(bytes.subarray(2));
    return mark === 'fffe'
      ? { encoding: 'utf-16le', text: content.toString('utf16le') }
      : { encoding: 'utf-16be', text: content.swap16().toString('utf16le') };
  }
  try {
    return { encoding: 'utf-8', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return fail('encoding', 0, 'neither UTF-16 with its mark nor UTF-8');
  }
}

function closing(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at;
  }
  return fail('unfinished', start, 'a text without an end');
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
};

function unescaped(text: string, at: number): string {
  return text.replaceAll(
    /\\(?:[Uu]([0-9A-Fa-f]{4})|([0-7]{1,3})|([\s\S]))/g,
    (_, hex?: string, octal?: string, one?: string) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
      if (one === undefined) fail('syntax', at, 'a backslash at the end');
      return ESCAPES[one] ?? one;
    },
  );
}
