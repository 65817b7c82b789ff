// SPDX-License-Identifier: Apache-2.0
/**
 * Symbolic links of two directories: equal where both have the same target, which lies inside of the directory. They are
 * never followed, and one that leads out of it has no twin.
 */
import { createHash } from 'node:crypto';
import { BufferSource } from '../bytes.js';
import type { FileIdentity } from '../model.js';
import { compareSources, type SetOptions } from './compare.js';
import type { PairComparison } from './types.js';

/** A link below a directory. */
export interface SetLink {
  /** Path below the directory. */
  readonly name: string;
  readonly target: string;
}

export interface LinkPairs {
  readonly pairs: readonly PairComparison[];
  readonly unpairedPublished: readonly FileIdentity[];
  readonly unpairedRebuilt: readonly FileIdentity[];
}

/** What a link says is its content, as it is in archives. */
export async function compareLinks(
  published: readonly SetLink[],
  rebuilt: readonly SetLink[],
  options: SetOptions,
): Promise<LinkPairs> {
  // a text is signed by nobody, and is no app
  const { signers: _, packageId: __, ...ofText } = options;
  const twins = new Map(rebuilt.map((link) => [link.name, link]));
  const pairs: PairComparison[] = [];
  const alone: SetLink[] = [];
  for (const link of published) {
    const { name, target } = link;
    if (twins.get(name)?.target !== target || !staysInside(link)) {
      alone.push(link);
      continue;
    }
    twins.delete(name);
    const content = Buffer.from(target);
    const pair = await compareSources(new BufferSource(content), new BufferSource(Buffer.from(content)), {
      ...ofText,
      publishedName: name,
      rebuiltName: name,
    });
    pairs.push(pair);
  }
  return {
    pairs,
    unpairedPublished: alone.map(identify),
    unpairedRebuilt: [...twins.values()].map(identify),
  };
}

/** By its words alone: what a link on the way leads to is compared by itself. */
export function staysInside({ name, target }: SetLink): boolean {
  if (target.startsWith('/') || target.includes('\0')) return false;
  let depth = name.split('/').length - 1;
  for (const part of target.split('/')) {
    if (part === '..') depth--;
    else if (part !== '.' && part !== '') depth++;
    if (depth < 0) return false;
  }
  return true;
}

function identify({ name, target }: SetLink): FileIdentity {
  const content = Buffer.from(target);
  return { name, size: content.length, sha256: createHash('sha256').update(content).digest('hex') };
}
