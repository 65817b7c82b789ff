// SPDX-License-Identifier: Apache-2.0
/**
 * Android binary XML as data and back: what is read gives, written again, the same bytes. An unknown chunk, bytes behind
 * the document, padding, a string or a resource id that nothing uses: each is refused, since the model has no place for
 * it. Stricter than `AxmlReader`, which reads what Android reads.
 * https://android.googlesource.com/platform/frameworks/base/+/refs/heads/main/libs/androidfw/include/androidfw/ResourceTypes.h
 * (ResXMLTree_node, ResXMLTree_attrExt, ResXMLTree_attribute, ResXMLTree_cdataExt).
 */
import { FormatError } from '../errors.js';
import { firstDifference, readStringPool, writeStringPool, type StringPool } from './string-pool.js';

export interface AxmlValueFields {
  readonly type: number;
  readonly data: number;
}

export interface AxmlAttributeFields extends AxmlValueFields {
  readonly namespace: number;
  readonly name: number;
  readonly raw: number;
}

interface NodeFields {
  readonly line: number;
  readonly comment: number;
}

export type AxmlNode =
  | (NodeFields & {
      readonly kind: 'namespace-start' | 'namespace-end';
      readonly prefix: number;
      readonly uri: number;
    })
  | (NodeFields & {
      readonly kind: 'start';
      readonly namespace: number;
      readonly name: number;
      /** Places of the attributes `id`, `class` and `style`, from 1. */
      readonly places: readonly [id: number, className: number, style: number];
      readonly attributes: readonly AxmlAttributeFields[];
    })
  | (NodeFields & { readonly kind: 'end'; readonly namespace: number; readonly name: number })
  | (NodeFields & AxmlValueFields & { readonly kind: 'text'; readonly text: number; readonly size: number });

export interface AxmlDocument {
  readonly pool: StringPool;
  /** Resource ids of the first strings, which are names of attributes. */
  readonly map: readonly number[];
  readonly nodes: readonly AxmlNode[];
}

export const NONE = 0xffffffff;
export const TYPE_STRING = 0x03;

const XML = 0x0003;
const MAP = 0x0180;
const NODE_TYPES = {
  'namespace-start': 0x0100,
  'namespace-end': 0x0101,
  start: 0x0102,
  end: 0x0103,
  text: 0x0104,
} as const satisfies Record<AxmlNode['kind'], number>;
const MAX_SIZE = 8 << 20;

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('axml', code, offset, message);
}

/** @throws FormatError `axml/…` for every byte that the model does not give again */
export function readAxmlDocument(bytes: Buffer): AxmlDocument {
  if (bytes.length > MAX_SIZE) fail('too-large', 0, `${bytes.length} bytes, at most ${MAX_SIZE} are read`);
  if (bytes.length < 36 || bytes.readUInt16LE(0) !== XML) fail('magic', 0, 'no binary XML');
  let at = 8;
  const next = (): { readonly type: number; readonly offset: number; readonly size: number } => {
    const left = bytes.length - at;
    const size = left < 8 ? 0 : bytes.readUInt32LE(at + 4);
    if (size < 8 || size > left) fail('chunk-size', at, `chunk of ${size} bytes with ${left} left`);
    at += size;
    return { type: bytes.readUInt16LE(at - size), offset: at - size, size };
  };
  const poolChunk = next();
  const pool = readStringPool(bytes, poolChunk.offset, poolChunk.size, 'axml');
  const mapChunk = next();
  if (mapChunk.type !== MAP) fail('no-resource-map', mapChunk.offset, 'no resource map behind the strings');
  const map: number[] = [];
  for (let entry = 8; entry + 4 <= mapChunk.size; entry += 4)
    map.push(bytes.readUInt32LE(mapChunk.offset + entry));
  const nodes: AxmlNode[] = [];
  while (at < bytes.length) {
    const { offset, size } = next();
    nodes.push(readNode(bytes.subarray(offset, offset + size), offset));
  }
  const document: AxmlDocument = { pool, map, nodes };
  const again = writeAxmlDocument(document);
  if (again.length !== bytes.length)
    fail('layout', 0, `${bytes.length} bytes, what they hold takes ${again.length}`);
  const differs = firstDifference(again, bytes);
  if (differs !== undefined) fail('layout', differs, 'a byte that nothing of the document gives');
  checkUses(document);
  return document;
}

function readNode(chunk: Buffer, offset: number): AxmlNode {
  const type = chunk.readUInt16LE(0);
  const need = (size: number): void => {
    if (chunk.length < size) fail('node-size', offset, `node of ${chunk.length} bytes, at least ${size}`);
  };
  need(24);
  const fields = { line: chunk.readUInt32LE(8), comment: chunk.readUInt32LE(12) };
  const a = chunk.readUInt32LE(16);
  const b = chunk.readUInt32LE(20);
  if (type === NODE_TYPES['namespace-start'])
    return { kind: 'namespace-start', ...fields, prefix: a, uri: b };
  if (type === NODE_TYPES['namespace-end']) return { kind: 'namespace-end', ...fields, prefix: a, uri: b };
  if (type === NODE_TYPES.end) return { kind: 'end', ...fields, namespace: a, name: b };
  if (type === NODE_TYPES.text) {
    need(28);
    const value = { size: chunk.readUInt16LE(20), type: chunk.readUInt8(23), data: chunk.readUInt32LE(24) };
    return { kind: 'text', ...fields, text: a, ...value };
  }
  if (type !== NODE_TYPES.start) fail('unknown-chunk', offset, `chunk of type ${type}`);
  need(36);
  const attributes: AxmlAttributeFields[] = [];
  for (let at = 36; at + 20 <= chunk.length; at += 20)
    attributes.push({
      namespace: chunk.readUInt32LE(at),
      name: chunk.readUInt32LE(at + 4),
      raw: chunk.readUInt32LE(at + 8),
      type: chunk.readUInt8(at + 15),
      data: chunk.readUInt32LE(at + 16),
    });
  const places = [chunk.readUInt16LE(30), chunk.readUInt16LE(32), chunk.readUInt16LE(34)] as const;
  return { kind: 'start', ...fields, namespace: a, name: b, places, attributes };
}

export function writeAxmlDocument({ pool, map, nodes }: AxmlDocument): Buffer {
  const ids = words(map);
  const body = Buffer.concat([
    writeStringPool(pool),
    Buffer.concat([head(MAP, 8, 8 + ids.length), ids]),
    ...nodes.map(writeNode),
  ]);
  return Buffer.concat([head(XML, 8, 8 + body.length), body]);
}

function writeNode(node: AxmlNode): Buffer {
  const body = bodyOf(node);
  const size = 16 + body.length;
  return Buffer.concat([head(NODE_TYPES[node.kind], 16, size), words([node.line, node.comment]), body]);
}

function bodyOf(node: AxmlNode): Buffer {
  switch (node.kind) {
    case 'namespace-start':
    case 'namespace-end':
      return words([node.prefix, node.uri]);
    case 'end':
      return words([node.namespace, node.name]);
    case 'text':
      return Buffer.concat([words([node.text]), valueBytes(node.size, node)]);
    case 'start': {
      const { attributes, places } = node;
      return Buffer.concat([
        words([node.namespace, node.name]),
        halves(20, 20, attributes.length & 0xffff, ...places),
        ...attributes.map((one) =>
          Buffer.concat([words([one.namespace, one.name, one.raw]), valueBytes(8, one)]),
        ),
      ]);
    }
  }
}

/** Res_value: size, a zero, type, data. */
function valueBytes(size: number, { type, data }: AxmlValueFields): Buffer {
  const out = Buffer.alloc(8);
  out.writeUInt16LE(size, 0);
  out.writeUInt8(type, 3);
  out.writeUInt32LE(data, 4);
  return out;
}

function head(type: number, headerSize: number, size: number): Buffer {
  return Buffer.concat([halves(type, headerSize), words([size])]);
}

function words(values: readonly number[]): Buffer {
  const out = Buffer.alloc(4 * values.length);
  for (const [index, one] of values.entries()) out.writeUInt32LE(one, 4 * index);
  return out;
}

function halves(...values: readonly number[]): Buffer {
  const out = Buffer.alloc(2 * values.length);
  for (const [index, one] of values.entries()) out.writeUInt16LE(one, 2 * index);
  return out;
}

/** The node with every index of a string replaced; `NONE` stays. */
export function withStrings(node: AxmlNode, replace: (index: number) => number): AxmlNode {
  const of = (index: number): number => (index === NONE ? NONE : replace(index));
  const comment = of(node.comment);
  const data = ({ type, data: word }: AxmlValueFields): number => (type === TYPE_STRING ? of(word) : word);
  switch (node.kind) {
    case 'namespace-start':
    case 'namespace-end':
      return { ...node, comment, prefix: of(node.prefix), uri: of(node.uri) };
    case 'end':
      return { ...node, comment, namespace: of(node.namespace), name: of(node.name) };
    case 'text':
      return { ...node, comment, text: of(node.text), data: data(node) };
    case 'start':
      return {
        ...node,
        comment,
        namespace: of(node.namespace),
        name: of(node.name),
        attributes: node.attributes.map((one) => ({
          namespace: of(one.namespace),
          name: of(one.name),
          raw: of(one.raw),
          type: one.type,
          data: data(one),
        })),
      };
  }
}

/** Indices of the strings that these nodes use. */
export function stringsOf(nodes: readonly AxmlNode[]): Set<number> {
  const used = new Set<number>();
  for (const node of nodes) withStrings(node, (index) => (used.add(index), index));
  return used;
}

/** Every string is used, every resource id belongs to the name of an attribute, and no style is there. */
function checkUses({ pool, map, nodes }: AxmlDocument): void {
  const { length } = pool.strings;
  const used = stringsOf(nodes);
  for (const index of used) if (index >= length) fail('string-index', 0, `string ${index} of ${length}`);
  if (used.size !== length) {
    const unused = pool.strings.findIndex((_, index) => !used.has(index));
    fail('unused-string', 8, `string ${unused} of ${length} is used by nothing`);
  }
  const names = new Set(
    nodes.flatMap((node) => (node.kind === 'start' ? node.attributes.map((one) => one.name) : [])),
  );
  const idle = map.findIndex((_, index) => !names.has(index));
  if (idle !== -1) fail('unused-resource-id', 8, `resource id ${idle} belongs to no attribute`);
  if (pool.styles.length > 0) fail('style', 8, `${pool.styles.length} styles`);
}
