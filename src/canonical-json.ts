// SPDX-License-Identifier: Apache-2.0
/** Canonical JSON (RFC 8785, for values without floats beyond integers and finite decimals) and digests over it. */
import { createHash } from 'node:crypto';

/**
 * Keys sorted by UTF-16 code unit, no white space. Members that are `undefined` are left out, as in JSON.
 * @throws TypeError for NaN, infinities, bigint, functions and lone surrogates: they have no canonical form
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`no canonical JSON for ${value}`);
    return JSON.stringify(value);
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new TypeError('no canonical JSON for a lone surrogate');
    return JSON.stringify(value);
  }
  // plain loops: a report has ten thousands of members
  if (Array.isArray(value)) {
    let items = '';
    for (const item of value) items += `${items === '' ? '' : ','}${canonicalJson(item ?? null)}`;
    return `[${items}]`;
  }
  if (typeof value === 'object') {
    let members = '';
    // by UTF-16 code unit is what `sort` does with strings
    for (const key of Object.keys(value).sort()) {
      const member = (value as Readonly<Record<string, unknown>>)[key];
      if (member === undefined) continue;
      members += `${members === '' ? '' : ','}${canonicalJson(key)}:${canonicalJson(member)}`;
    }
    return `{${members}}`;
  }
  throw new TypeError(`no canonical JSON for ${typeof value}`);
}

/** Lower-case hex SHA-256 of the canonical JSON. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
