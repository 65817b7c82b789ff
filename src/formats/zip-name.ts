// SPDX-License-Identifier: Apache-2.0
/** Names of ZIP entries (APPNOTE.TXT 6.3.10, 4.4.17): what a reader may cut, refuse, decode or resolve in its own way. */
import { isUtf8 } from 'node:buffer';
import { NAME_CODES, type NameCode } from './zip-code.js';

const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const DOT = 0x2e;
const UTF8_FLAG = 0x800;
/** C1 controls, and what is invisible or turns the direction of text. */
const INVISIBLE = /[\u0080-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/u;
const DRIVE = /^[a-z]:/i;

const BIT = new Map<NameCode, number>(NAME_CODES.map((code, at) => [code, 1 << at]));
const bit = (code: NameCode): number => BIT.get(code) ?? 0;
const EMPTY = bit('zip/name-empty');
const NUL = bit('zip/name-nul');
const CONTROL = bit('zip/name-control');
const PARENT = bit('zip/name-parent');
const ABSOLUTE = bit('zip/name-absolute');
const BACK = bit('zip/name-backslash');
const DOTS = bit('zip/name-dot');
const NOT_UTF8 = bit('zip/name-not-utf8');
const NOT_FLAGGED = bit('zip/name-not-flagged');
/** Beyond ASCII: no finding. */
const HIGH = 1 << NAME_CODES.length;

export function nameCodes(findings: number): NameCode[] {
  return findings === 0 ? [] : NAME_CODES.filter((code) => (findings & bit(code)) !== 0);
}

/** One bit for each code of `NAME_CODES`. */
export function nameFindings(name: Buffer, flags: number): number {
  if (name.length === 0) return EMPTY;
  let found = 0;
  let high = false;
  let start = 0;
  for (let at = 0; at <= name.length; at++) {
    const byte = at === name.length ? SLASH : (name[at] ?? 0);
    if (byte < 0x20) found |= byte === 0 ? NUL : CONTROL;
    else if (byte >= 0x7f)
      if (byte === 0x7f) found |= CONTROL;
      else high = true;
    if (byte !== SLASH && byte !== BACKSLASH) continue;
    if (byte === BACKSLASH) found |= BACK;
    const length = at - start;
    // a slash at the end is how a directory is named
    if (length === 0 && at < name.length) found |= at === 0 ? ABSOLUTE : DOTS;
    else if (length === 1 && name[start] === DOT) found |= DOTS;
    else if (length === 2 && name[start] === DOT && name[start + 1] === DOT) found |= PARENT;
    start = at + 1;
  }
  if (name[1] === 0x3a && DRIVE.test(name.toString('latin1', 0, 2))) found |= ABSOLUTE;
  if (!high) return found;
  found |= HIGH;
  if (!isUtf8(name)) return found | NOT_UTF8;
  if ((flags & UTF8_FLAG) === 0) found |= NOT_FLAGGED;
  return INVISIBLE.test(name.toString('utf8')) ? found | CONTROL : found;
}

/** Where a name leads once slashes, dots and composed characters are resolved: `latin1` of the raw bytes if nothing is. */
export function normalisedName(name: Buffer, found: number): string {
  const raw = name.toString('latin1');
  const resolves = (found & (PARENT | ABSOLUTE | BACK | DOTS | NUL)) !== 0;
  const text =
    (found & HIGH) === 0 || (found & NOT_UTF8) !== 0 ? raw : name.toString('utf8').normalize('NFC');
  if (!resolves) return text.endsWith('/') ? text.slice(0, -1) : text;
  const cut = text.includes('\0') ? text.slice(0, text.indexOf('\0')) : text;
  const parts: string[] = [];
  for (const part of cut.replaceAll('\\', '/').replace(DRIVE, '').split('/'))
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  return parts.join('/');
}
