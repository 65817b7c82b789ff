// SPDX-License-Identifier: Apache-2.0
/**
 * The table of language splits, in which Java's new and old codes of three languages differ. Both documents hold nothing
 * but that table, with every byte determined by it; with the old codes both tables are the same.
 */
import {
  NONE,
  readAxmlDocument,
  TYPE_STRING,
  type AxmlAttributeFields,
  type AxmlDocument,
  type AxmlNode,
} from '../../formats/axml-document.js';
import { isAscending } from '../../formats/axml-order.js';
import { poolText } from '../../formats/string-pool.js';
import { unlessMalformed } from './malformed.js';
import type { Rule } from './rule.js';

export const playSplitLanguages: Rule = {
  class: 'store-edit',
  title: 'Language codes of the splits',
  reason:
    'Java 17 writes he, id and yi where Google Play writes the older iw, in and ji; but for these codes both tables of language splits are the same',
  reference: 'https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/util/Locale.html',
  content: {
    name: /^res\/xml\/splits[0-9]\.xml$/,
    limit: 64 << 10,
    leavesOut: 'content',
    covers: (published, rebuilt) =>
      unlessMalformed(() => {
        const [p, r] = [readSplits(published), readSplits(rebuilt)];
        if (p === undefined || r === undefined || p.flags !== r.flags) return false;
        return JSON.stringify(p.modules) === JSON.stringify(r.modules);
      }),
  },
};

const OLD_CODES: ReadonlyMap<string, string> = new Map([
  ['he', 'iw'],
  ['id', 'in'],
  ['yi', 'ji'],
]);

interface Entry {
  readonly key: string;
  readonly split: string;
}

interface Splits {
  readonly flags: number;
  /** With the old codes, by key. */
  readonly modules: readonly { readonly name: string; readonly entries: readonly Entry[] }[];
}

/** `splits > module[name] > language > entry[key, split]`, as bundletool writes it: no lines, comments or namespaces. */
function readSplits(bytes: Buffer): Splits | undefined {
  const document = readAxmlDocument(bytes);
  if (document.map.length > 0 || !isAscending(document)) return undefined;
  const nodes = document.nodes.map((node) => plainNode(document, node));
  let at = 0;
  const take = (text: string): boolean => nodes[at] === text && ++at > 0;
  const modules: { name: string; entries: Entry[] }[] = [];
  if (!take('<splits')) return undefined;
  while (!take('>splits')) {
    const name = values(document, at, '<module', nodes, ['name']);
    if (name === undefined) return undefined;
    at++;
    if (!take('<language')) return undefined;
    const entries: Entry[] = [];
    while (!take('>language')) {
      const entry = values(document, at, '<entry', nodes, ['key', 'split']);
      if (entry === undefined) return undefined;
      at++;
      if (!take('>entry')) return undefined;
      entries.push({ key: entry[0] ?? '', split: entry[1] ?? '' });
    }
    if (!take('>module')) return undefined;
    // the order of the keys is theirs as well: another one would say something
    if (!entries.every(({ key }, index) => index === 0 || (entries[index - 1]?.key ?? '') < key))
      return undefined;
    modules.push({ name: name[0] ?? '', entries: withOldCodes(entries) });
  }
  return at === nodes.length ? { flags: document.pool.flags, modules } : undefined;
}

/** `<name` or `>name`; the empty string for anything that has more to say. */
function plainNode({ pool }: AxmlDocument, node: AxmlNode): string {
  if ((node.kind !== 'start' && node.kind !== 'end') || node.namespace !== NONE) return '';
  if (node.line !== 0 || node.comment !== NONE) return '';
  if (node.kind === 'end') return `>${poolText(pool, node.name)}`;
  return node.places.every((place) => place === 0) ? `<${poolText(pool, node.name)}` : '';
}

/** The attributes of this element, which are exactly the named ones, all of them text. */
function values(
  { pool, nodes }: AxmlDocument,
  at: number,
  element: string,
  texts: readonly string[],
  names: readonly string[],
): string[] | undefined {
  const node = nodes[at];
  if (node?.kind !== 'start' || texts[at] !== element || node.attributes.length !== names.length)
    return undefined;
  const isText = (one: AxmlAttributeFields, index: number): boolean =>
    one.namespace === NONE &&
    poolText(pool, one.name) === names[index] &&
    one.type === TYPE_STRING &&
    one.raw === one.data;
  return node.attributes.every(isText)
    ? node.attributes.map((one) => poolText(pool, one.data) ?? '')
    : undefined;
}

function withOldCodes(entries: readonly Entry[]): Entry[] {
  const renamed = entries.map(({ key, split }) => {
    const old = OLD_CODES.get(key);
    if (old === undefined) return { key, split };
    const suffix = `config.${key}`;
    const isNamedSo = split === suffix || split.endsWith(`.${suffix}`);
    return { key: old, split: isNamedSo ? `${split.slice(0, -key.length)}${old}` : split };
  });
  return renamed.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
}
