// SPDX-License-Identifier: Apache-2.0
/** What is told of an entry beside its owners. */
import { AMBIGUITIES } from '../../formats/zip-code.js';
import type { ZipEntry } from '../../formats/zip.js';
import type { Side } from '../types.js';
import type { Walk } from '../walk.js';
import type { EntryData } from './entry-data.js';
import type { ObservationTable } from './observations.js';
import type { ZipSide } from './zip-side.js';

/** Why nothing in this entry counts as packed differently. */
export function reportContested(
  walk: Walk,
  path: readonly string[],
  p: ZipSide,
  a: ZipEntry,
  r: ZipSide,
  b: ZipEntry,
): void {
  const codes = (side: ZipSide, entry: ZipEntry): string =>
    [...(side.ambiguities.contested.get(entry) ?? ['none'])].sort().join(', ');
  walk.report({
    kind: 'field',
    path,
    field: 'ambiguous entry',
    published: codes(p, a),
    rebuilt: codes(r, b),
    owner: 'different',
  });
}

/** What the streams leave room for, where they had to be decoded. */
export function observeEncoding(
  observations: ObservationTable,
  a: ZipEntry,
  b: ZipEntry,
  member: string,
  { issues }: EntryData,
): void {
  for (const issue of issues) {
    const [side = '', code = ''] = issue.split(': ');
    const found = AMBIGUITIES.find((known) => known === `zip/deflate-${code}`);
    if (found === undefined) continue;
    const entry = side === 'published' ? a : b;
    observations.add(side === 'published' ? 'published' : 'rebuilt', found, () => ({
      offset: entry.dataOffset,
      member,
    }));
  }
}

export function reportEncoding(walk: Walk, path: readonly string[], data: EntryData): void {
  if (data.issues.length === 0) return;
  walk.report({
    kind: 'field',
    path,
    field: 'deflate stream',
    published: issuesOf('published', data),
    rebuilt: issuesOf('rebuilt', data),
    owner: 'different',
  });
}

function issuesOf(side: Side, data: EntryData): string {
  const own = data.issues
    .filter((issue) => issue.startsWith(`${side}: `))
    .map((issue) => issue.slice(side.length + 2));
  return own.length === 0 ? 'tight' : own.join(', ');
}
