// SPDX-License-Identifier: Apache-2.0
/**
 * Android binary XML: its elements with their attributes, in document order, as the platform walks them. Attributes are
 * known by resource id; names of attributes with one are not looked at. Every number here is attacker-controlled.
 * https://android.googlesource.com/platform/frameworks/base/+/refs/heads/main/libs/androidfw/include/androidfw/ResourceTypes.h
 * (ResChunk_header, ResXMLTree_node, ResXMLTree_attrExt, ResXMLTree_attribute, Res_value); ResXMLTree::setTo and
 * ResXMLTree::validateNode in ResourceTypes.cpp.
 *
 * Refuses what readers could understand differently: a second string pool or resource map, attributes out of order
 * (Android finds them by one pass over ascending ids), elements that are not closed.
 */
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import { AxmlStrings } from './axml-strings.js';

export interface AxmlAttribute {
  /** In the document. */
  readonly offset: number;
  /** 0 where the resource map has none. */
  readonly resourceId: number;
  readonly namespace: number;
  readonly name: number;
  /** Index of the text as it was written, or `NO_STRING`. */
  readonly raw: number;
  readonly type: number;
  readonly data: number;
}

export interface AxmlElement {
  readonly offset: number;
  /** 0 for a root. */
  readonly depth: number;
  readonly name: number;
  /** Parsed when called: most elements are skipped. */
  readonly attributes: () => readonly AxmlAttribute[];
}

export type AxmlValue =
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'integer'; readonly value: number }
  /** To a resource: what it resolves to is not in this file. */
  | { readonly kind: 'reference'; readonly id: number }
  | { readonly kind: 'other'; readonly type: number; readonly data: number };

export const NO_STRING = 0xffffffff;

const STRING_POOL = 0x0001;
const XML = 0x0003;
const START_ELEMENT = 0x0102;
const END_ELEMENT = 0x0103;
const FIRST_NODE = 0x0100;
const LAST_NODE = 0x017f;
const RESOURCE_MAP = 0x0180;

const TYPE_REFERENCE = 0x01;
const TYPE_STRING = 0x03;
const TYPE_DYNAMIC_REFERENCE = 0x07;
const FIRST_INTEGER = 0x10;
const LAST_INTEGER = 0x1f;

const CHUNK = 8;
const NODE = 16;
const ELEMENT = 20;
const ATTRIBUTE = 20;
const MAX_SIZE = 8 << 20;
const MAX_ATTRIBUTES = 256;

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('axml', code, offset, message);
}

interface Chunk {
  readonly type: number;
  readonly offset: number;
  readonly headerSize: number;
  readonly size: number;
}

export class AxmlReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  #strings: AxmlStrings | undefined;
  #map: Chunk | undefined;

  /** @throws FormatError `axml/too-large`, `axml/magic` */
  constructor(source: ByteSource) {
    if (source.size > MAX_SIZE) fail('too-large', 0, `${source.size} bytes, at most ${MAX_SIZE} are read`);
    this.#bytes = Buffer.from(source.read(0, source.size));
    this.#end = source.size;
    const document = this.#chunk(0);
    if (document.type !== XML) fail('magic', 0, `chunk of type ${document.type}, binary XML is ${XML}`);
    this.#end = document.size;
    this.#at = document.headerSize;
  }

  /** @throws FormatError */
  string(index: number, from: number): string {
    if (this.#strings === undefined)
      fail('no-string-pool', from, 'a string is needed and there is no string pool');
    return this.#strings.at(index, from);
  }

  /** @throws FormatError `axml/values-differ` where text and typed value of one attribute are two strings */
  value({ type, data, raw, offset }: AxmlAttribute): AxmlValue {
    if (type === TYPE_STRING) {
      const value = this.string(data, offset + 16);
      if (raw !== NO_STRING && raw !== data && this.string(raw, offset + 8) !== value)
        fail('values-differ', offset, 'the text of an attribute is not its typed value');
      return { kind: 'string', value };
    }
    if (type === TYPE_REFERENCE || type === TYPE_DYNAMIC_REFERENCE) return { kind: 'reference', id: data };
    if (type >= FIRST_INTEGER && type <= LAST_INTEGER) return { kind: 'integer', value: data | 0 };
    return { kind: 'other', type, data };
  }

  /**
   * Each element where it opens.
   * @throws FormatError
   */
  *elements(): Generator<AxmlElement, void, undefined> {
    let depth = 0;
    let nodes = false;
    // as the platform: what is shorter than a chunk header at the end is not looked at
    while (this.#at + CHUNK <= this.#end) {
      const chunk = this.#chunk(this.#at);
      this.#at += chunk.size;
      if (chunk.type === STRING_POOL || chunk.type === RESOURCE_MAP) {
        if (nodes) fail('late-chunk', chunk.offset, `chunk of type ${chunk.type} behind the first node`);
        this.#header(chunk);
      } else if (chunk.type >= FIRST_NODE && chunk.type <= LAST_NODE) {
        nodes = true;
        if (chunk.headerSize < NODE)
          fail('node-size', chunk.offset, `node header of ${chunk.headerSize} bytes, at least ${NODE}`);
        if (chunk.type === START_ELEMENT) yield this.#element(chunk, depth++);
        else if (chunk.type === END_ELEMENT && --depth < 0)
          fail('unbalanced', chunk.offset, 'an element ends that did not begin');
      }
      // any other type: the platform skips it
    }
    if (depth !== 0) fail('unbalanced', this.#end, `${depth} elements are not closed`);
  }

  /** Once each, before the first node. */
  #header(chunk: Chunk): void {
    if (chunk.type === STRING_POOL) {
      if (this.#strings !== undefined) fail('second-string-pool', chunk.offset, 'a second string pool');
      this.#strings = new AxmlStrings(this.#bytes, chunk.offset, chunk.size);
    } else {
      if (this.#map !== undefined) fail('second-resource-map', chunk.offset, 'a second resource map');
      this.#map = chunk;
    }
  }

  #chunk(offset: number): Chunk {
    const left = this.#end - offset;
    if (left < CHUNK) fail('truncated', offset, `${left} bytes left, a chunk takes ${CHUNK}`);
    const type = this.#bytes.readUInt16LE(offset);
    const headerSize = this.#bytes.readUInt16LE(offset + 2);
    const size = this.#bytes.readUInt32LE(offset + 4);
    if (headerSize < CHUNK || headerSize > size || size > left || ((headerSize | size) & 3) !== 0)
      fail('chunk-size', offset, `chunk of ${size} bytes with a header of ${headerSize}, ${left} left`);
    return { type, offset, headerSize, size };
  }

  // namespace 4, name 4, start of attributes 2, size of one 2, count 2, indices of id, class and style 2 each
  #element(chunk: Chunk, depth: number): AxmlElement {
    const at = chunk.offset + chunk.headerSize;
    const room = chunk.size - chunk.headerSize;
    if (room < ELEMENT) fail('node-size', chunk.offset, `element of ${room} bytes, at least ${ELEMENT}`);
    return {
      offset: chunk.offset,
      depth,
      name: this.#bytes.readUInt32LE(at + 4),
      attributes: () => this.#attributes(at, room),
    };
  }

  #attributes(at: number, room: number): readonly AxmlAttribute[] {
    const start = this.#bytes.readUInt16LE(at + 8);
    const size = this.#bytes.readUInt16LE(at + 10);
    const count = this.#bytes.readUInt16LE(at + 12);
    if (count === 0) return [];
    if (start < ELEMENT || size < ATTRIBUTE || start + size * count > room)
      fail('attribute-layout', at + 8, `${count} attributes of ${size} bytes from ${start} in ${room} bytes`);
    if (count > MAX_ATTRIBUTES)
      fail('too-many-attributes', at + 12, `${count} attributes, at most ${MAX_ATTRIBUTES} are read`);
    const attributes = Array.from({ length: count }, (_, index) =>
      this.#attribute(at + start + index * size),
    );
    let highest = 0;
    for (const { resourceId, offset } of attributes) {
      if (resourceId === 0) continue;
      if (resourceId === highest)
        fail('duplicate-attribute', offset, `attribute ${hex(resourceId)} occurs twice`);
      if (resourceId < highest)
        fail(
          'attribute-order',
          offset,
          `attribute ${hex(resourceId)} behind ${hex(highest)}: Android would miss it`,
        );
      highest = resourceId;
    }
    return attributes;
  }

  // namespace 4, name 4, text 4, then Res_value: size 2, zero 1, type 1, data 4
  #attribute(offset: number): AxmlAttribute {
    const name = this.#bytes.readUInt32LE(offset + 4);
    return {
      offset,
      resourceId: this.#resourceId(name),
      namespace: this.#bytes.readUInt32LE(offset),
      name,
      raw: this.#bytes.readUInt32LE(offset + 8),
      type: this.#bytes[offset + 15] ?? 0,
      data: this.#bytes.readUInt32LE(offset + 16),
    };
  }

  #resourceId(name: number): number {
    if (this.#map === undefined || name >= (this.#map.size - this.#map.headerSize) >> 2) return 0;
    return this.#bytes.readUInt32LE(this.#map.offset + this.#map.headerSize + 4 * name);
  }
}

function hex(id: number): string {
  return `0x${id.toString(16).padStart(8, '0')}`;
}
