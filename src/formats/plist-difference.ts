// SPDX-License-Identifier: Apache-2.0
/** Where two property lists differ, by key path. Explains only: two files are equal by their bytes or not at all. */
import { createHash } from 'node:crypto';
import type { PlistEntry, PlistValue } from './plist-value.js';

export interface PlistDifference {
  /** `CFBundleIcons.CFBundlePrimaryIcon`, `UIBackgroundModes[2]`; a key with other characters in quotes; the root is ``. */
  readonly path: string;
  readonly published: string | undefined;
  readonly rebuilt: string | undefined;
}

export interface PlistDifferences {
  readonly found: readonly PlistDifference[];
  /** Beyond the limit. */
  readonly cut: number;
  /** Dictionaries that have the same keys in another order. */
  readonly reordered: number;
}

const MAX_TEXT = 400;

export function comparePlists(published: PlistValue, rebuilt: PlistValue, limit = 500): PlistDifferences {
  const found: PlistDifference[] = [];
  let [cut, reordered] = [0, 0];
  const add = (path: string, p: PlistValue | undefined, r: PlistValue | undefined): void => {
    if (found.length === limit) cut++;
    else found.push({ path, published: p && describePlist(p), rebuilt: r && describePlist(r) });
  };
  const compare = (path: string, p: PlistValue, r: PlistValue): void => {
    if (p.kind === 'dict' && r.kind === 'dict') {
      const [left, right] = [firstOf(p.entries), firstOf(r.entries)];
      for (const [key, value] of left) {
        const other = right.get(key);
        if (other === undefined) add(under(path, key), value, undefined);
        else compare(under(path, key), value, other);
      }
      for (const [key, value] of right) if (!left.has(key)) add(under(path, key), undefined, value);
      const common = p.entries.filter(({ key }) => right.has(key));
      const others = r.entries.filter(({ key }) => left.has(key));
      if (common.some(({ key }, at) => others[at]?.key !== key)) reordered++;
    } else if ((p.kind === 'array' || p.kind === 'set') && p.kind === r.kind) {
      const others = r.items;
      for (let at = 0; at < Math.max(p.items.length, others.length); at++) {
        const [a, b] = [p.items[at], others[at]];
        if (a !== undefined && b !== undefined) compare(`${path}[${at}]`, a, b);
        else add(`${path}[${at}]`, a, b);
      }
    } else if (!equalLeaves(p, r)) add(path, p, r);
  };
  compare('', published, rebuilt);
  return { found, cut, reordered };
}

/** Of a key that is there twice the first; the second is a finding of the reader. */
function firstOf(entries: readonly PlistEntry[]): ReadonlyMap<string, PlistValue> {
  const first = new Map<string, PlistValue>();
  for (const { key, value } of entries) if (!first.has(key)) first.set(key, value);
  return first;
}

function under(path: string, key: string): string {
  const name = /^[\w~:-]+$/.test(key) ? key : JSON.stringify(key.slice(0, MAX_TEXT));
  return path === '' ? name : `${path}.${name}`;
}

function equalLeaves(p: PlistValue, r: PlistValue): boolean {
  switch (p.kind) {
    case 'dict':
    case 'array':
    case 'set':
      return false;
    case 'data':
      return r.kind === 'data' && p.value.equals(r.value);
    case 'date':
      return r.kind === 'date' && Object.is(p.seconds, r.seconds);
    case 'real':
      return r.kind === 'real' && Object.is(p.value, r.value) && p.bits === r.bits;
    case 'string':
    case 'integer':
    case 'uid':
    case 'boolean':
      return r.kind === p.kind && p.value === r.value;
  }
}

/** The same values in the same order; how they are stored does not count. */
export function equalPlists(p: PlistValue, r: PlistValue): boolean {
  const { found, reordered } = comparePlists(p, r, 1);
  return found.length === 0 && reordered === 0;
}

/** One value in one line. Texts are the file's: make them safe before they are shown. */
export function describePlist(value: PlistValue): string {
  switch (value.kind) {
    case 'dict':
      return `dictionary of ${value.entries.length}`;
    case 'array':
    case 'set':
      return `${value.kind} of ${value.items.length}`;
    case 'string':
      return JSON.stringify(
        value.value.length > MAX_TEXT ? `${value.value.slice(0, MAX_TEXT)}…` : value.value,
      );
    case 'integer':
      return value.value.toString();
    case 'uid':
      return `UID ${value.value}`;
    case 'real':
      return `real ${value.value}`;
    case 'boolean':
      return String(value.value);
    case 'date':
      return dateText(value.seconds);
    case 'data':
      return value.value.length <= 32
        ? `data ${value.value.toString('hex') || '(none)'}`
        : `data of ${value.value.length} bytes, SHA-256 ${createHash('sha256').update(value.value).digest('hex')}`;
  }
}

const EPOCH = 978_307_200;

/** Seconds from the beginning of 2001 as a date, where there is one. */
export function dateText(seconds: number): string {
  const date = new Date((EPOCH + seconds) * 1000);
  return Number.isNaN(date.getTime()) ? `date ${seconds}` : date.toISOString();
}
