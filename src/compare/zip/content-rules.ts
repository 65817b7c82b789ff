// SPDX-License-Identifier: Apache-2.0
/** Which rules that were asked for may leave out the content of an entry, and which one does. */
import type { ByteSource } from '../../bytes.js';
import type { ZipEntry } from '../../formats/zip.js';
import type { RuleName } from '../../model.js';
import { rules } from '../rules/index.js';
import type { ContentRule, EntryArchives } from '../rules/rule.js';
import type { Walk } from '../walk.js';
import type { EntryData } from './entry-data.js';
import { isContested, rawNameOf, type ZipSide } from './zip-side.js';

/** Those that may cover the content of one entry, and what lies around it. */
export interface ContentRules {
  readonly named: readonly RuleName[];
  readonly archives?: EntryArchives;
}

export const NO_RULES: ContentRules = { named: [] };

/** By name: an entry that two readers can take differently is not meant, and stores edit no archive inside. */
export function contentRules(walk: Walk, p: ZipSide, a: ZipEntry, r: ZipSide, b: ZipEntry): ContentRules {
  if (p.nested || r.nested || walk.options.rules.size === 0) return NO_RULES;
  const named = [...walk.options.rules]
    .filter((name) => contentRule(name)?.name.test(rawNameOf(a)))
    // what leaves out least is asked first
    .sort((x, y) => Number(leavesAllOut(x)) - Number(leavesAllOut(y)));
  if (named.length === 0 || isContested(p, a) || isContested(r, b)) return NO_RULES;
  return { named, archives: { name: a.rawName.toString('utf8'), published: p, rebuilt: r } };
}

function contentRule(name: RuleName): ContentRule | undefined {
  const rule = rules[name];
  return 'content' in rule ? rule.content : undefined;
}

function leavesAllOut(name: RuleName): boolean {
  return contentRule(name)?.leavesOut === 'content';
}

/** The first that covers what lies between these two contents. */
export function coveringContent(
  { named, archives }: ContentRules,
  published: ByteSource,
  rebuilt: ByteSource,
): EntryData['covered'] {
  const size = Math.max(published.size, rebuilt.size);
  for (const rule of named) {
    const content = contentRule(rule);
    if (content === undefined || size > content.limit) continue;
    const covers = content.covers(published.read(0, published.size), rebuilt.read(0, rebuilt.size), archives);
    if (covers) return { rule, leavesOut: content.leavesOut };
  }
  return undefined;
}
