// SPDX-License-Identifier: Apache-2.0
/** Compiled nibs that differ, by the keys that lead to an object. */
import type { ByteSource } from '../../bytes.js';
import { FormatError } from '../../errors.js';
import { isNibArchive, readNibArchive, type NibArchive } from '../../formats/nib-archive.js';
import { compareNibs } from '../../formats/nib-difference.js';
import { printable } from '../../printable.js';
import type { Difference } from '../types.js';
import type { Explainer } from './explain-leaf.js';

const MAX_PATHS = 200;
const MAX_TEXT = 300;

export const explainNib: Explainer = async ({ path, published, rebuilt }) => {
  const [p, r] = [open(published), open(rebuilt)];
  if (p === undefined || r === undefined) return undefined;
  const { found, cut } = compareNibs(p, r, MAX_PATHS);
  const field = (name: string, a: string | undefined, b: string | undefined): Difference => ({
    kind: 'field',
    path,
    field: `nib/${shown(name)}`,
    published: a === undefined ? 'absent' : shown(a),
    rebuilt: b === undefined ? 'absent' : shown(b),
    owner: 'different',
  });
  const counts = [
    ['coder version', p.coderVersion, r.coderVersion],
    ['number of objects', p.objects.length, r.objects.length],
    ['bytes behind the classes', p.trailing.length, r.trailing.length],
  ] as const;
  const findings = [
    ...counts.flatMap(([name, a, b]) => (a === b ? [] : [field(name, String(a), String(b))])),
    ...found.map((one) => field(one.path, one.published, one.rebuilt)),
    ...(cut === 0 ? [] : [field('more', `${cut} more differ`, '')]),
  ];
  return findings.length === 0 ? undefined : findings;
};

function open(source: ByteSource): NibArchive | undefined {
  if (!isNibArchive(source)) return undefined;
  try {
    return readNibArchive(source);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

function shown(text: string): string {
  return printable(text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text);
}
