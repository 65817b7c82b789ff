// SPDX-License-Identifier: Apache-2.0
/**
 * The meta-data elements that Google Play adds to `application`: taken out of both manifests again, what remains must be
 * the same bytes. What the edit itself may choose is a positive number of at most 65,535 and one of two stamp types.
 */
import {
  NONE,
  readAxmlDocument,
  stringsOf,
  TYPE_STRING,
  withStrings,
  writeAxmlDocument,
  type AxmlAttributeFields,
  type AxmlDocument,
  type AxmlNode,
} from '../../formats/axml-document.js';
import { isAscending } from '../../formats/axml-order.js';
import { poolText } from '../../formats/string-pool.js';
import { unlessMalformed } from './malformed.js';
import type { Rule } from './rule.js';

export const playManifestMetadata: Rule = {
  class: 'store-edit',
  title: "Google Play's meta-data in the manifest",
  reason:
    'Google Play adds com.android.stamp.source, com.android.stamp.type and com.android.vending.derived.apk.id at the end of application; without them both manifests are the same bytes',
  reference: 'https://github.com/signalapp/Signal-Android/issues/13565',
  content: {
    name: /^AndroidManifest\.xml$/,
    limit: 8 << 20,
    leavesOut: 'content',
    covers: (published, rebuilt) =>
      unlessMalformed(() => {
        const [p, r] = [readAxmlDocument(published), readAxmlDocument(rebuilt)];
        const [without, base] = [withoutPlay(p), withoutPlay(r)];
        if (without === undefined || base === undefined) return false;
        // where the tool sorts the strings, those of the edit have their places too
        if (isAscending(base) && !(isAscending(p) && isAscending(r))) return false;
        return writeAxmlDocument(without).equals(writeAxmlDocument(base));
      }),
  },
};

const ANDROID = 'http://schemas.android.com/apk/res/android';
const NAME = 0x01010003;
const VALUE = 0x01010024;
const RESOURCE = 0x01010025;
const TYPE_REFERENCE = 0x01;
const TYPE_INTEGER = 0x10;
/** Of the APKs made from one bundle. */
const MAX_DERIVED_ID = 0xffff;

const SOURCE = 'com.android.stamp.source';
const TYPE = 'com.android.stamp.type';
const DERIVED = 'com.android.vending.derived.apk.id';
const SPLITS = 'com.android.vending.splits';
const SOURCES = new Set(['https://play.google.com/store']);
/** bundletool's StampType. */
const TYPES = new Set(['STAMP_TYPE_STANDALONE_APK', 'STAMP_TYPE_DISTRIBUTION_APK']);

/** All that the edit may need a string for. */
const WORDS = new Set([
  'android',
  ANDROID,
  'meta-data',
  'name',
  'value',
  'resource',
  SOURCE,
  TYPE,
  DERIVED,
  SPLITS,
  ...SOURCES,
  ...TYPES,
]);

type Start = Extract<AxmlNode, { kind: 'start' }>;

/** `undefined` where one of the names stands anywhere else, twice, or with anything else. */
function withoutPlay(document: AxmlDocument): AxmlDocument | undefined {
  const found = children(document);
  const names = found.map(({ start }) => nameOf(document, start));
  const removed: number[] = [];
  const derived = names.indexOf(DERIVED);
  if (derived !== -1) {
    // the last child of all
    if (derived !== names.length - 1 || !isDerivedId(document, found[derived]?.start)) return undefined;
    removed.push(derived);
  }
  const source = names.indexOf(SOURCE);
  if (source !== -1 || names.includes(TYPE)) {
    // both in this order, and behind them only what comes with the splits
    const behind = names.slice(source + 2);
    const isPlace =
      source !== -1 &&
      names[source + 1] === TYPE &&
      behind.every((name, at) => name === DERIVED || (name === SPLITS && at === 0));
    if (!isPlace) return undefined;
    if (!isText(document, found[source]?.start, SOURCES)) return undefined;
    if (!isText(document, found[source + 1]?.start, TYPES)) return undefined;
    const splits = names.indexOf(SPLITS, source);
    if (splits !== -1 && !isReference(document, found[splits]?.start)) return undefined;
    removed.push(source, source + 1);
  }
  return withoutNodes(
    document,
    new Set(removed.flatMap((child) => [found[child]?.at ?? -1, (found[child]?.at ?? -1) + 1])),
  );
}

interface Child {
  readonly at: number;
  readonly start: Start;
}

/** Elements directly under the one `application` of `manifest`. */
function children({ pool, nodes }: AxmlDocument): Child[] {
  const found: Child[] = [];
  const path: string[] = [];
  for (const [at, node] of nodes.entries()) {
    if (node.kind === 'end') path.pop();
    if (node.kind !== 'start') continue;
    if (path.length === 2 && path[0] === 'manifest' && path[1] === 'application')
      found.push({ at, start: node });
    path.push(poolText(pool, node.name) ?? '');
  }
  return found;
}

function nameOf(document: AxmlDocument, start: Start): string | undefined {
  const isMeta = start.namespace === NONE && poolText(document.pool, start.name) === 'meta-data';
  const name = isMeta ? attribute(document, start, NAME) : undefined;
  return name?.type === TYPE_STRING ? poolText(document.pool, name.data) : undefined;
}

function attribute(document: AxmlDocument, start: Start, id: number): AxmlAttributeFields | undefined {
  return start.attributes.find((one) => document.map[one.name] === id);
}

/** A leaf as Google Play writes it, of two attributes and nothing else: its second one. */
function second(
  document: AxmlDocument,
  start: Start | undefined,
  id: number,
): AxmlAttributeFields | undefined {
  if (start === undefined || start.attributes.length !== 2) return undefined;
  const end = document.nodes[document.nodes.indexOf(start) + 1];
  const isLeaf = end?.kind === 'end' && end.name === start.name && end.namespace === NONE && isUnplaced(end);
  const [name, other] = start.attributes;
  if (!isLeaf || !isUnplaced(start) || !start.places.every((place) => place === 0)) return undefined;
  if (name?.raw !== name?.data || name !== attribute(document, start, NAME)) return undefined;
  const isAndroid = start.attributes.every((one) => poolText(document.pool, one.namespace) === ANDROID);
  return isAndroid && other !== undefined && document.map[other.name] === id ? other : undefined;
}

/** What no source file has: line 0, no comment. */
function isUnplaced({ line, comment }: AxmlNode): boolean {
  return line === 0 && comment === NONE;
}

function isDerivedId(document: AxmlDocument, start: Start | undefined): boolean {
  const value = second(document, start, VALUE);
  return (
    value?.raw === NONE && value.type === TYPE_INTEGER && value.data >= 1 && value.data <= MAX_DERIVED_ID
  );
}

function isText(document: AxmlDocument, start: Start | undefined, known: ReadonlySet<string>): boolean {
  const value = second(document, start, VALUE);
  if (value?.type !== TYPE_STRING || value.raw !== value.data) return false;
  return known.has(poolText(document.pool, value.data) ?? '');
}

function isReference(document: AxmlDocument, start: Start | undefined): boolean {
  return second(document, start, RESOURCE)?.type === TYPE_REFERENCE;
}

/** Strings and resource ids that only these nodes use go with them. */
function withoutNodes(document: AxmlDocument, removed: ReadonlySet<number>): AxmlDocument | undefined {
  const { pool, map, nodes } = document;
  const kept = nodes.filter((_, at) => !removed.has(at));
  const used = stringsOf(kept);
  const places = new Map<number, number>();
  for (const index of pool.strings.keys()) if (used.has(index)) places.set(index, places.size);
  const strings = pool.strings.filter((_, index) => used.has(index));
  const dropped = pool.strings.filter((_, index) => !used.has(index));
  // an attribute is found by its resource id: Android does not look at the text beside it, which could be anything
  if (!pool.strings.every((_, index) => used.has(index) || WORDS.has(poolText(pool, index) ?? '')))
    return undefined;
  // one that stays and one that goes cannot be the same: the second would be there for nothing
  const texts = new Set(strings.map((text) => text.toString('latin1')));
  for (const text of dropped.map((one) => one.toString('latin1'))) {
    if (texts.has(text)) return undefined;
    texts.add(text);
  }
  return {
    pool: { ...pool, strings },
    map: map.filter((_, index) => used.has(index)),
    nodes: kept.map((node) => withStrings(node, (index) => places.get(index) ?? NONE)),
  };
}
