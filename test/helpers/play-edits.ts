// SPDX-License-Identifier: Apache-2.0
/** What Google Play does to the splits that bundletool makes, on their bytes; and such edits as it does not make. */
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import { BufferSource } from '../../src/bytes.js';
import {
  NONE,
  readAxmlDocument,
  withStrings,
  writeAxmlDocument,
  type AxmlAttributeFields,
  type AxmlDocument,
  type AxmlNode,
} from '../../src/formats/axml-document.js';
import { poolText, UTF8_FLAG } from '../../src/formats/string-pool.js';
import { readZip, type ZipEntry } from '../../src/formats/zip.js';

export const PLAY_SOURCE = 'https://play.google.com/store';
export const DELIVERED_MODE = 0x81a40000;

export interface MetaData {
  readonly name: string;
  readonly value: string | number;
  /** Instead of what follows from the value. */
  readonly type?: number;
  readonly raw?: string;
  /** `resource` in place of `value`. */
  readonly resource?: true;
  readonly line?: number;
  /** Put before the `behind` last children of its parent. */
  readonly behind?: number;
  /** The element it is put under; default `application`. */
  readonly parent?: string;
  readonly children?: readonly MetaData[];
}

/** In the order in which a split carries them. */
export function playMetaData(
  id: number,
  stamp: 'STAMP_TYPE_DISTRIBUTION_APK' | 'STAMP_TYPE_STANDALONE_APK' | undefined,
  behind: number,
): MetaData[] {
  const stamps: MetaData[] =
    stamp === undefined
      ? []
      : [
          { name: 'com.android.stamp.source', value: PLAY_SOURCE, behind },
          { name: 'com.android.stamp.type', value: stamp, behind },
        ];
  return [...stamps, { name: 'com.android.vending.derived.apk.id', value: id }];
}

const ANDROID = 'http://schemas.android.com/apk/res/android';
const IDS = { name: 0x01010003, value: 0x01010024, resource: 0x01010025 } as const;

/** Strings by text, sorted as aapt2 does when written. */
class Strings {
  readonly #texts = new Map<string, number>();
  readonly #ids = new Map<number, number>();
  readonly #all: { readonly text: string; readonly id: number }[] = [];

  constructor({ pool, map }: AxmlDocument) {
    for (const index of pool.strings.keys()) this.#add(poolText(pool, index) ?? '', map[index] ?? 0);
  }

  of(text: string, id = 0): number {
    return (id === 0 ? this.#texts.get(text) : this.#ids.get(id)) ?? this.#add(text, id);
  }

  #add(text: string, id: number): number {
    const index = this.#all.push({ text, id }) - 1;
    if (id === 0) this.#texts.set(text, index);
    else this.#ids.set(id, index);
    return index;
  }

  write(nodes: readonly AxmlNode[], flags: number): Buffer {
    const order = [...this.#all.keys()].sort((a, b) => {
      const [x, y] = [this.#all[a], this.#all[b]];
      if (x === undefined || y === undefined) return 0;
      const rank = (x.id === 0 ? 2 ** 32 : x.id) - (y.id === 0 ? 2 ** 32 : y.id);
      return rank === 0 ? (x.text < y.text ? -1 : 1) : rank;
    });
    const encoding = (flags & UTF8_FLAG) === 0 ? 'utf16le' : 'utf8';
    const place = new Map(order.map((index, at) => [index, at]));
    return writeAxmlDocument({
      pool: {
        flags,
        strings: order.map((index) => Buffer.from(this.#all[index]?.text ?? '', encoding)),
        styles: [],
      },
      map: order.flatMap((index) => (this.#all[index]?.id === 0 ? [] : [this.#all[index]?.id ?? 0])),
      nodes: nodes.map((node) => withStrings(node, (index) => place.get(index) ?? NONE)),
    });
  }
}

/** The manifest with these elements, one after the other. */
export function addMetaData(manifest: Buffer, added: readonly MetaData[]): Buffer {
  const document = readAxmlDocument(manifest);
  const strings = new Strings(document);
  const nodes = [...document.nodes];
  for (const meta of added) {
    const parent = meta.parent ?? 'application';
    let end = nodes.findLastIndex((node) => node.kind === 'end' && node.name === strings.of(parent));
    for (let left = meta.behind ?? 0; left > 0; left--) {
      let depth = 0;
      do {
        end--;
        const { kind } = nodes[end] as AxmlNode;
        if (kind === 'end') depth++;
        if (kind === 'start') depth--;
      } while (depth > 0);
    }
    nodes.splice(end, 0, ...elementOf(meta, strings));
  }
  return strings.write(nodes, document.pool.flags);
}

function elementOf(meta: MetaData, strings: Strings): AxmlNode[] {
  const { name, value, type, raw, line = 0, resource } = meta;
  const namespace = strings.of(ANDROID);
  const field = (key: keyof typeof IDS, kind: number, data: number, text: number): AxmlAttributeFields => ({
    namespace,
    name: strings.of(key, IDS[key]),
    raw: text,
    type: kind,
    data,
  });
  const data = typeof value === 'string' ? strings.of(value) : value;
  const text = raw === undefined ? (typeof value === 'string' ? data : NONE) : strings.of(raw);
  const kind = type ?? (typeof value === 'string' ? 3 : 0x10);
  const common = { line, comment: NONE, namespace: NONE, name: strings.of('meta-data') };
  return [
    {
      kind: 'start',
      ...common,
      places: [0, 0, 0],
      attributes: [
        field('name', 3, strings.of(name), strings.of(name)),
        field(resource === true ? 'resource' : 'value', kind, data, text),
      ],
    },
    ...(meta.children ?? []).flatMap((child) => elementOf(child, strings)),
    { kind: 'end', ...common },
  ];
}

/** Text of the document replaced, each whole string, and the entries of splits put in the order of their keys again. */
export function renameStrings(document: Buffer, names: ReadonlyMap<string, string>): Buffer {
  const read = readAxmlDocument(document);
  const texts = [...read.pool.strings.keys()].map((index) => poolText(read.pool, index) ?? '');
  const renamed = new Strings({ pool: { ...read.pool, strings: [] }, map: [], nodes: [] });
  const place = texts.map((text, index) => {
    const id = read.map[index] ?? 0;
    return renamed.of(id === 0 ? (names.get(text) ?? text) : text, id);
  });
  const nodes = read.nodes.map((node) => withStrings(node, (index) => place[index] ?? NONE));
  const textOf = new Map(place.map((index, at) => [index, texts[at] ?? '']));
  const keyOf = (node: AxmlNode | undefined): string | undefined => {
    if (node?.kind !== 'start' || textOf.get(node.name) !== 'entry') return undefined;
    const key = textOf.get(node.attributes[0]?.data ?? 0) ?? '';
    return names.get(key) ?? key;
  };
  for (let at = 0; at < nodes.length; at++) {
    let count = 0;
    while (keyOf(nodes[at + 2 * count]) !== undefined) count++;
    const entries = Array.from({ length: count }, (_, index) => ({
      key: keyOf(nodes[at + 2 * index]) ?? '',
      pair: nodes.slice(at + 2 * index, at + 2 * index + 2),
    })).sort((a, b) => (a.key < b.key ? -1 : 1));
    if (count > 1) nodes.splice(at, 2 * count, ...entries.flatMap(({ pair }) => pair));
    at += 2 * count;
  }
  return renamed.write(nodes, read.pool.flags);
}

export interface Repack {
  readonly edit?: (name: string, content: Buffer) => Buffer;
  readonly externalAttributes?: (name: string) => number;
  readonly time?: number;
  readonly stamp?: Buffer;
}

/** The archive with some contents changed and all else as it was: headers, order, alignment of what is stored. */
export function repack(apk: Buffer, change: Repack): Buffer {
  const zip = readZip(new BufferSource(apk));
  const parts: Buffer[] = [];
  const records: Buffer[] = [];
  let offset = 0;
  for (const index of zip.dataOrder) {
    const entry = zip.entries[index] as ZipEntry;
    const name = entry.rawName.toString('latin1');
    const raw = apk.subarray(entry.dataOffset, entry.dataOffset + entry.compressedSize);
    const before = entry.method === 8 ? inflateRawSync(raw) : raw;
    const content = change.edit?.(name, before) ?? before;
    const stored = content === before ? raw : entry.method === 8 ? deflateRawSync(content) : content;
    const local = Buffer.from(apk.subarray(entry.localOffset, entry.dataOffset));
    const record = Buffer.from(apk.subarray(entry.cdOffset, entry.cdOffset + entry.cdSize));
    for (const [bytes, crc, time] of [
      [local, 14, 10],
      [record, 16, 12],
    ] as const) {
      bytes.writeUInt32LE(crc32(content), crc);
      bytes.writeUInt32LE(stored.length, crc + 4);
      bytes.writeUInt32LE(content.length, crc + 8);
      if (change.time !== undefined) bytes.writeUInt16LE(change.time, time);
    }
    if (change.externalAttributes !== undefined) record.writeUInt32LE(change.externalAttributes(name), 38);
    const header = local.subarray(0, 30 + entry.localNameLength);
    const alignment = entry.method === 0 ? alignmentOf(entry) : 1;
    const padding = -(offset + header.length) & (alignment - 1);
    header.writeUInt16LE(padding, 28);
    record.writeUInt32LE(offset, 42);
    parts.push(header, Buffer.alloc(padding), stored);
    records.push(record);
    offset += header.length + padding + stored.length;
  }
  if (change.stamp !== undefined) {
    const [local, record] = stampEntry(change.stamp, offset);
    parts.push(local);
    records.push(record);
    offset += local.length;
  }
  const directory = Buffer.concat(records);
  const end = Buffer.from(apk.subarray(zip.end.offset, zip.end.offset + 22));
  end.writeUInt16LE(records.length, 8);
  end.writeUInt16LE(records.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, directory, end]);
}

function alignmentOf({ rawName, dataOffset }: ZipEntry): number {
  let alignment = 1;
  const most = rawName.toString('latin1').endsWith('.so') ? 16384 : 4;
  while (alignment < most && dataOffset % (2 * alignment) === 0) alignment *= 2;
  return alignment;
}

/** As apksig adds it: deflated, UTF-8 flag, 1981-01-01 01:01:02. */
function stampEntry(digest: Buffer, offset: number): [local: Buffer, record: Buffer] {
  const name = Buffer.from('stamp-cert-sha256');
  const data = deflateRawSync(digest);
  const common = Buffer.alloc(26);
  for (const [at, value] of [20, 0x0800, 8, 0x0821, 0x0221].entries()) common.writeUInt16LE(value, 2 * at);
  common.writeUInt32LE(crc32(digest), 10);
  common.writeUInt32LE(data.length, 14);
  common.writeUInt32LE(digest.length, 18);
  common.writeUInt16LE(name.length, 22);
  const tail = Buffer.alloc(14);
  tail.writeUInt32LE(offset, 10);
  return [
    Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, name, data]),
    Buffer.concat([Buffer.from('PK\x01\x02\x14\0', 'latin1'), common, tail, name]),
  ];
}
