// SPDX-License-Identifier: Apache-2.0
/** Where two compiled nibs differ: both graphs are walked from their first object, each pair of objects once. */
import type { NibArchive, NibObject, NibValue } from './nib-archive.js';

export interface NibDifference {
  /** Keys from the first object, with the place among values of one key: `UINibTopLevelObjectsKey.UINibEncoderEmptyKey[2]`. */
  readonly path: string;
  readonly published: string | undefined;
  readonly rebuilt: string | undefined;
}

/** Values that are looked at, in all pairs of objects together. */
const MAX_VALUES = 1_000_000;
const MAX_PATH = 400;

export function compareNibs(
  published: NibArchive,
  rebuilt: NibArchive,
  limit: number,
): { readonly found: readonly NibDifference[]; readonly cut: number } {
  const found: NibDifference[] = [];
  let [cut, looked] = [0, 0];
  const add = (path: string, p: string | undefined, r: string | undefined): void => {
    if (found.length === limit) cut++;
    else found.push({ path, published: p, rebuilt: r });
  };
  const seen = new Set<string>();
  const waiting: { readonly path: string; readonly p: number; readonly r: number }[] = [
    { path: '', p: 0, r: 0 },
  ];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { path, p, r } = next;
    const [a, b] = [published.objects[p], rebuilt.objects[r]];
    if (a === undefined || b === undefined || seen.has(`${p} ${r}`)) continue;
    looked += a.values.length + b.values.length + 1;
    if (looked > MAX_VALUES) {
      cut++;
      break;
    }
    seen.add(`${p} ${r}`);
    if (a.className !== b.className) {
      add(path === '' ? '(root)' : path, `object of ${a.className}`, `object of ${b.className}`);
      continue;
    }
    const [left, right] = [named(a), named(b)];
    for (const [key, value] of left) {
      const other = right.get(key);
      const place = path.length > MAX_PATH ? path : path === '' ? key : `${path}.${key}`;
      if (value.kind === 'reference' && other?.kind === 'reference')
        waiting.push({ path: place, p: value.object, r: other.object });
      else if (value.kind !== 'leaf' || other?.kind !== 'leaf' || value.text !== other.text)
        add(place, textOf(published, value), other && textOf(rebuilt, other));
    }
    for (const [key, value] of right)
      if (!left.has(key)) add(path === '' ? key : `${path}.${key}`, undefined, textOf(rebuilt, value));
  }
  return { found, cut };
}

/** Values of one key, told apart by their place. */
function named({ values }: NibObject): ReadonlyMap<string, NibValue> {
  const counts = new Map<string, number>();
  for (const { key } of values) counts.set(key, (counts.get(key) ?? 0) + 1);
  const places = new Map<string, number>();
  return new Map(
    values.map(({ key, value }) => {
      if (counts.get(key) === 1) return [key, value];
      const place = places.get(key) ?? 0;
      places.set(key, place + 1);
      return [`${key}[${place}]`, value];
    }),
  );
}

function textOf({ objects }: NibArchive, value: NibValue): string {
  return value.kind === 'leaf' ? value.text : `object of ${objects[value.object]?.className ?? 'nothing'}`;
}
