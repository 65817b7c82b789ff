// SPDX-License-Identifier: Apache-2.0
/** Canonical JSON (RFC 8785, for values without floats beyond integers and finite decimals) and digests over it. */
import { createHash } from 'node:crypto';

/**
 * Keys sorted by UTF-16 code unit, no white space. Members that are `undefined` are left out, as in JSON.
 * @throws TypeError for NaN, infinities, bigint, functions and lone surrogates: they have no canonical form
 */
export function canonicalJson(value: unknown): string {
  let text = '';
  const writer = new Writer((piece) => (text += piece));
  writer.write(value);
  writer.flush();
  return text;
}

/** Of which JSON needs no escape: most strings of a report. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

function quoted(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new TypeError('no canonical JSON for a lone surrogate');
  return JSON.stringify(text);
}

const PIECE = 4096;

/** Plain loops, and text handed on in pieces: a report has a million values and more. */
class Writer {
  readonly #emit: (piece: string) => void;
  #parts: string[] = [];

  constructor(emit: (piece: string) => void) {
    this.#emit = emit;
  }

  write(value: unknown): void {
    const parts = this.#parts;
    if (typeof value === 'string') parts.push(quoted(value));
    else if (value === null || typeof value === 'boolean') parts.push(String(value));
    else if (typeof value === 'number') {
      if (!Number.isFinite(value)) throw new TypeError(`no canonical JSON for ${value}`);
      parts.push(JSON.stringify(value));
    } else if (Array.isArray(value)) this.#array(value);
    else if (typeof value === 'object') this.#object(value);
    else throw new TypeError(`no canonical JSON for ${typeof value}`);
    if (this.#parts.length >= PIECE) this.flush();
  }

  flush(): void {
    this.#emit(this.#parts.join(''));
    this.#parts = [];
  }

  #array(items: readonly unknown[]): void {
    this.#parts.push('[');
    for (let at = 0; at < items.length; at++) {
      if (at > 0) this.#parts.push(',');
      this.write(items[at] ?? null);
    }
    this.#parts.push(']');
  }

  #object(value: object): void {
    let before = '{';
    // `sort` orders strings by UTF-16 code unit
    for (const key of Object.keys(value).sort()) {
      const member = (value as Readonly<Record<string, unknown>>)[key];
      if (member === undefined) continue;
      this.#parts.push(before, quoted(key), ':');
      this.write(member);
      before = ',';
    }
    this.#parts.push(before === '{' ? '{}' : '}');
  }
}

/** Lower-case hex SHA-256 of the canonical JSON. */
export function digestOf(value: unknown): string {
  const hash = createHash('sha256');
  const writer = new Writer((piece) => hash.update(piece));
  writer.write(value);
  writer.flush();
  return hash.digest('hex');
}

/**
 * The value as a reader of its JSON gets it: without members that are `undefined`. What has none is not copied: reports
 * are large.
 * @throws TypeError as `canonicalJson`
 */
export function asJson<T>(value: T): T;
export function asJson(value: unknown): unknown {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`no canonical JSON for ${value}`);
    return value === 0 ? 0 : value;
  }
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    let copy: unknown[] | undefined;
    for (let at = 0; at < items.length; at++) {
      const item = asJson(items[at] ?? null);
      if (!Object.is(item, items[at])) (copy ??= [...items])[at] = item;
    }
    return copy ?? items;
  }
  if (typeof value !== 'object' || value === null) return value;
  let changed = false;
  const members: [string, unknown][] = [];
  for (const [key, member] of Object.entries(value)) {
    const plain: unknown = member === undefined ? undefined : asJson(member);
    changed ||= plain === undefined || !Object.is(plain, member);
    if (plain !== undefined) members.push([key, plain]);
  }
  return changed ? Object.fromEntries(members) : value;
}
