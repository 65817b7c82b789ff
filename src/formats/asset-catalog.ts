// SPDX-License-Identifier: Apache-2.0
/**
 * Compiled asset catalogs, `Assets.car`: what made them, and every rendition with name, size and digest. What a
 * rendition holds is not decoded. Apple publishes no specification; structures as in
 * https://blog.timac.org/2018/1018-reverse-engineering-the-car-file-format/
 */
import { sha256 as digestOf, type ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import {
  accountFor,
  blockOf,
  bytesOf,
  readBomStore,
  readTree,
  type BomBlock,
  type BomFinding,
  type BomStore,
} from './bom-store.js';

export interface CatalogHeader {
  readonly coreUiVersion: number;
  readonly storageVersion: number;
  /** Seconds since 1970, of the day it was made. */
  readonly storageTimestamp: number;
  readonly renditionCount: number;
  /** `@(#)PROGRAM:CoreUI …`, and what compiled it. */
  readonly mainVersion: string;
  readonly version: string;
  readonly uuid: string;
  readonly schemaVersion: number;
}

export interface Rendition {
  /** Of the file in the catalog that it was made from. */
  readonly name: string;
  /** What is asked for by programs. */
  readonly facet?: string;
  /** Attributes by number, in the order of `keyFormat`: scale, idiom, appearance, element … */
  readonly key: readonly number[];
  readonly width: number;
  readonly height: number;
  /** 200 for @2x. */
  readonly scale: number;
  readonly pixelFormat: string;
  readonly layout: number;
  readonly modified: number;
  readonly size: number;
  readonly sha256: string;
}

export interface AssetCatalog {
  readonly header: CatalogHeader;
  readonly keyFormat: readonly number[];
  readonly facets: ReadonlyMap<string, ReadonlyMap<number, number>>;
  readonly renditions: readonly Rendition[];
  /** Other variables, each as a whole: name, size, digest over its blocks. */
  readonly others: ReadonlyMap<string, { readonly size: number; readonly sha256: string }>;
  readonly findings: readonly BomFinding[];
}

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('car', code, offset, message);
}

const CAR_HEADER = 436;
const CSI_HEADER = 184;
const MAX_NAME = 4096;
const MAX_KEY = 128;
/** The attribute that ties renditions to a facet. */
const IDENTIFIER = 17;

export function isAssetCatalog(source: ByteSource): boolean {
  try {
    return readBomStore(source).variables.has('CARHEADER');
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

/** @throws FormatError `car/…` or `bom/…` */
export function readAssetCatalog(source: ByteSource): AssetCatalog {
  const store = readBomStore(source);
  const used = new Set<number>();
  const digests = new BlockDigests(store);
  const header = readHeader(store, used);
  const keyFormat = readKeyFormat(store, used);
  const facets = readFacets(store, used);
  const byIdentifier = new Map(
    [...facets].flatMap(([name, attributes]) => {
      const identifier = attributes.get(IDENTIFIER);
      return identifier === undefined ? [] : [[identifier, name] as const];
    }),
  );
  const place = keyFormat.indexOf(IDENTIFIER);
  const renditions = (readTree(store, 'RENDITIONS', used) ?? []).map(({ key, value }) => {
    const attributes = shorts(bytesOf(store, key, MAX_KEY), key.offset);
    const facet = byIdentifier.get(attributes[place] ?? -1);
    return {
      ...readRendition(store, digests, value),
      key: attributes,
      ...(facet === undefined ? {} : { facet }),
    };
  });
  return {
    header,
    keyFormat,
    facets,
    renditions,
    others: readOthers(store, digests, used),
    findings: accountFor(store, used),
  };
}

function variable(
  store: BomStore,
  name: string,
  used: Set<number>,
): { readonly offset: number; readonly bytes: Buffer } {
  const index = store.variables.get(name);
  if (index === undefined) fail('no-variable', store.names.offset, `no ${name}`);
  const block = blockOf(store, index, store.names.offset);
  used.add(index);
  return { offset: block.offset, bytes: bytesOf(store, block, 1 << 20) };
}

/** Little-endian in a store that is big-endian; the tag reads backwards. */
function readHeader(store: BomStore, used: Set<number>): CatalogHeader {
  const { offset, bytes } = variable(store, 'CARHEADER', used);
  if (bytes.length < CAR_HEADER || bytes.toString('latin1', 0, 4) !== 'RATC')
    fail('header', offset, `a header of ${bytes.length} bytes, ${CAR_HEADER} are expected`);
  return {
    coreUiVersion: bytes.readUInt32LE(4),
    storageVersion: bytes.readUInt32LE(8),
    storageTimestamp: bytes.readUInt32LE(12),
    renditionCount: bytes.readUInt32LE(16),
    mainVersion: text(bytes.subarray(20, 148)),
    version: text(bytes.subarray(148, 404)),
    uuid: bytes.toString('hex', 404, 420),
    schemaVersion: bytes.readUInt32LE(424),
  };
}

function readKeyFormat(store: BomStore, used: Set<number>): readonly number[] {
  const { offset, bytes } = variable(store, 'KEYFORMAT', used);
  const count = bytes.length < 12 ? -1 : bytes.readUInt32LE(8);
  if (bytes.toString('latin1', 0, 4) !== 'tmfk' || count > 64 || bytes.length < 12 + 4 * count || count < 0)
    fail('key-format', offset, `a format of ${count} attributes in ${bytes.length} bytes`);
  return Array.from({ length: count }, (_, index) => bytes.readUInt32LE(12 + 4 * index));
}

/** The name as key; two numbers for a cursor, then attributes with their values. */
function readFacets(store: BomStore, used: Set<number>): ReadonlyMap<string, ReadonlyMap<number, number>> {
  const facets = new Map<string, ReadonlyMap<number, number>>();
  for (const { key, value } of readTree(store, 'FACETKEYS', used) ?? []) {
    const name = bytesOf(store, key, MAX_NAME).toString('utf8');
    const bytes = bytesOf(store, value, MAX_NAME);
    const count = bytes.length < 6 ? -1 : bytes.readUInt16LE(4);
    if (count < 0 || bytes.length < 6 + 4 * count)
      fail('facet', value.offset, `${count} attributes in ${bytes.length} bytes`);
    const attributes = new Map<number, number>();
    for (let at = 6; at < 6 + 4 * count; at += 4)
      attributes.set(bytes.readUInt16LE(at), bytes.readUInt16LE(at + 2));
    facets.set(name, attributes);
  }
  return facets;
}

/** Blocks of an attacker lie in one another: what was read once is not read again, and never more than twice the file. */
class BlockDigests {
  readonly #store: BomStore;
  readonly #known = new Map<number, string>();
  #read = 0;

  constructor(store: BomStore) {
    this.#store = store;
  }

  of({ index, offset, size }: BomBlock): string {
    const known = this.#known.get(index);
    if (known !== undefined) return known;
    this.#read += size;
    if (this.#read > 2 * this.#store.source.size) fail('overlap', offset, 'blocks that lie in one another');
    const digest = digestOf(this.#store.source, offset, size);
    this.#known.set(index, digest);
    return digest;
  }
}

function readRendition(
  { source }: BomStore,
  digests: BlockDigests,
  block: BomBlock,
): Omit<Rendition, 'key' | 'facet'> {
  const { offset, size } = block;
  const head = source.read(offset, Math.min(CSI_HEADER, size));
  if (head.length < CSI_HEADER || head.toString('latin1', 0, 4) !== 'ISTC')
    fail('rendition', offset, `a rendition of ${size} bytes without its header`);
  const stated = CSI_HEADER + head.readUInt32LE(168) + head.readUInt32LE(180);
  if (stated > size) fail('rendition-size', offset, `a rendition of ${size} bytes states ${stated}`);
  return {
    width: head.readUInt32LE(12),
    height: head.readUInt32LE(16),
    scale: head.readUInt32LE(20),
    pixelFormat: Buffer.from(head.subarray(24, 28)).reverse().toString('latin1').replaceAll('\0', ''),
    modified: head.readUInt32LE(32),
    layout: head.readUInt16LE(36),
    name: text(head.subarray(40, 168)),
    size,
    sha256: digests.of(block),
  };
}

/** What is neither header nor rendition, as far as it is a tree or a block. */
function readOthers(store: BomStore, digests: BlockDigests, used: Set<number>): AssetCatalog['others'] {
  const others = new Map<string, { readonly size: number; readonly sha256: string }>();
  for (const [name, index] of store.variables) {
    if (['CARHEADER', 'KEYFORMAT', 'FACETKEYS', 'RENDITIONS'].includes(name)) continue;
    const block = blockOf(store, index, store.names.offset);
    used.add(index);
    const isTree = block.size >= 21 && store.source.read(block.offset, 4).toString('latin1') === 'tree';
    if (!isTree) {
      others.set(name, { size: block.size, sha256: digests.of(block) });
      continue;
    }
    for (const { key, value } of readTree(store, name, used) ?? [])
      others.set(`${name}[${bytesOf(store, key, MAX_NAME).toString('hex')}]`, {
        size: value.size,
        sha256: digests.of(value),
      });
  }
  return others;
}

function shorts(bytes: Buffer, offset: number): readonly number[] {
  if (bytes.length % 2 !== 0) fail('key', offset, `a key of ${bytes.length} bytes`);
  return Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readUInt16LE(2 * index));
}

/** Up to the first NUL. */
function text(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end === -1 ? bytes.length : end);
}
