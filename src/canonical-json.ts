// SPDX-License-Identifier: Apache-2.0
/** Canonical JSON (RFC 8785, for values without floats beyond integers and finite decimals) and digests over it. */
import { createHash } from 'node:crypto';

/**
 * Keys sorted by UTF-16 code unit, no white space. Members that are `undefined` are left out, as in JSON.
 * @throws TypeError for NaN, infinities, bigint, functions and lone surrogates: they have no canonical form
 */
export function canonicalJson(value: unknown): string {
  const parts: string[] = [];
  write(value, parts);
  return parts.join('');
}

/** Of which JSON needs no escape: most strings of a report. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

function quoted(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new TypeError('no canonical JSON for a lone surrogate');
  return JSON.stringify(text);
}

/** Plain loops over one list of parts: a report has a hundred thousand values. */
function write(value: unknown, parts: string[]): void {
  if (typeof value === 'string') parts.push(quoted(value));
  else if (value === null || typeof value === 'boolean') parts.push(String(value));
  else if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`no canonical JSON for ${value}`);
    parts.push(JSON.stringify(value));
  } else if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) {
      parts.push(at === 0 ? '[' : ',');
      write(value[at] ?? null, parts);
    }
    parts.push(value.length === 0 ? '[]' : ']');
  } else if (typeof value === 'object') {
    let before = '{';
    // `sort` orders strings by UTF-16 code unit
    for (const key of Object.keys(value).sort()) {
      const member = (value as Readonly<Record<string, unknown>>)[key];
      if (member === undefined) continue;
      parts.push(before, quoted(key), ':');
      write(member, parts);
      before = ',';
    }
    parts.push(before === '{' ? '{}' : '}');
  } else throw new TypeError(`no canonical JSON for ${typeof value}`);
}

/** Lower-case hex SHA-256 of the canonical JSON. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
