// SPDX-License-Identifier: Apache-2.0
/** Texts of an app in `.strings` files that differ, by key; the compiled ones are property lists. */
import type { ByteSource } from '../../bytes.js';
import { FormatError } from '../../errors.js';
import { comparePlists } from '../../formats/plist-difference.js';
import { readStringsFile, type StringsFile } from '../../formats/strings-file.js';
import { printable } from '../../printable.js';
import type { Difference } from '../types.js';
import type { Explainer } from './explain-leaf.js';

const MAX_BYTES = 16 << 20;
const MAX_KEYS = 200;
const MAX_TEXT = 300;

export const explainStrings: Explainer = async ({ path, published, rebuilt }) => {
  if (path.at(-1)?.endsWith('.strings') !== true) return undefined;
  const [p, r] = [open(published), open(rebuilt)];
  if (p === undefined || r === undefined) return undefined;
  const { found, cut } = comparePlists(p.root, r.root, MAX_KEYS);
  const field = (name: string, a: string, b: string): Difference => ({
    kind: 'field',
    path,
    field: `strings/${shown(name)}`,
    published: shown(a),
    rebuilt: shown(b),
    owner: 'different',
  });
  const findings = [
    ...(p.encoding === r.encoding ? [] : [field('encoding', p.encoding, r.encoding)]),
    ...found.map((one) => field(one.path, one.published ?? 'absent', one.rebuilt ?? 'absent')),
    ...(cut === 0 ? [] : [field('more', `${cut} more keys differ`, '')]),
  ];
  // comments, spaces and order show as text
  return findings.length === 0 ? undefined : findings;
};

function open(source: ByteSource): StringsFile | undefined {
  if (source.size > MAX_BYTES) return undefined;
  try {
    return readStringsFile(source);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

function shown(text: string): string {
  return printable(text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text);
}
