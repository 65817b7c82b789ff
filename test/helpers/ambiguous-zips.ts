// SPDX-License-Identifier: Apache-2.0
/** One archive for each code of `docs/zip.md`: what two readers can take differently, and what we refuse to read. */
import { deflateRawSync } from 'node:zlib';
import { BufferSource } from '../../src/bytes.js';
import type { ZipAmbiguity, ZipRefusal } from '../../src/formats/zip-code.js';
import { walkDeflate } from '../../src/formats/deflate.js';
import { readZip, type ZipEntry } from '../../src/formats/zip.js';
import { buildZip, type ZipLayout, type ZipMember } from './build-zip.js';

export interface AmbiguousZip {
  readonly code: ZipAmbiguity;
  /** With its first deflated entry packed at this level. */
  readonly build: (level: number) => Buffer;
  /** Another level on the other side: only packing, or a difference where the entry is contested. */
  readonly repacked: 'equivalent' | 'unreproducible';
}

export const TEXT = Array.from({ length: 60 }, (_, at) => `line ${at * at} of ${at}, and so on\n`).join('');
const OTHER: ZipMember = { name: 'other.txt', data: 'stored', method: 0 };
const NOTHING = Buffer.alloc(0);

export function plainZip(level = 6): Buffer {
  return buildZip([{ name: 'a.txt', data: TEXT, level }, OTHER]);
}

type Edit = (zip: Buffer, entry: ZipEntry) => void;

/** The first entry changed as given; `edit` patches the finished bytes. */
function first(change: Partial<ZipMember>, edit?: Edit): (level: number) => Buffer {
  return (level) => edited([{ name: 'a.txt', data: TEXT, level, ...change }, OTHER], {}, edit);
}

function edited(members: readonly ZipMember[], layout: ZipLayout, edit?: Edit): Buffer {
  const zip = buildZip(members, layout);
  const [entry] = readZip(new BufferSource(Buffer.from(zip))).entries;
  if (edit !== undefined && entry !== undefined) edit(zip, entry);
  return zip;
}

function more(...members: readonly ZipMember[]): (level: number) => Buffer {
  return (level) => buildZip([{ name: 'a.txt', data: TEXT, level }, OTHER, ...members]);
}

function laid(layout: ZipLayout): (level: number) => Buffer {
  return (level) => buildZip([{ name: 'a.txt', data: TEXT, level }, OTHER], layout);
}

const local =
  (at: number, size: 2 | 4, change: (value: number) => number): Edit =>
  (zip, { localOffset }) =>
    void zip.writeUIntLE(change(zip.readUIntLE(localOffset + at, size)), localOffset + at, size);

const field = (id: number, ...body: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(4 + body.length);
  bytes.writeUInt16LE(id, 0);
  bytes.writeUInt16LE(body.length, 2);
  bytes.set(body, 4);
  return bytes;
};
const eight = (value: number): number[] => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return [...bytes];
};
/** ZIP64 information in the directory: sizes saturated, `extra` bytes more than that needs. */
const zip64Extra = (extra: readonly number[]): ((level: number) => Buffer) => {
  return (level) => {
    const raw = deflateRawSync(TEXT, { level });
    const information = field(1, ...eight(TEXT.length), ...eight(raw.length), ...extra);
    return first({ raw, extra: information, localExtra: NOTHING }, (zip, { cdOffset }) => {
      zip.writeUInt32LE(0xffffffff, cdOffset + 20);
      zip.writeUInt32LE(0xffffffff, cdOffset + 24);
    })(level);
  };
};
const unix = (mode: number): Partial<ZipMember> => ({
  madeBy: 0x0314,
  externalAttributes: (mode << 16) >>> 0,
});
/** Four bytes of content whose CRC-32 is the signature of a descriptor: found by solving for it. */
export const CRC_IS_SIGNATURE = Buffer.from('ac0a7ad5', 'hex');
/** Of `a.txt`: readers use the second name only if it belongs to the first. */
const NAME_CRC = [...Buffer.from('baf7ebc1', 'hex')];
const emptyBlocks = (count: number): Buffer => Buffer.from('000000ffff'.repeat(count), 'hex');
const virtualEntry = Buffer.alloc(132);
virtualEntry.writeUInt32LE(0x04034b50, 0);
virtualEntry.writeUInt16LE(132 - 30, 28);

const end = (zip: Buffer): number => zip.lastIndexOf('PK\x05\x06', undefined, 'latin1');

const contested = (code: ZipAmbiguity, build: (level: number) => Buffer): AmbiguousZip => ({
  code,
  build,
  repacked: 'unreproducible',
});
const harmless = (code: ZipAmbiguity, build: (level: number) => Buffer): AmbiguousZip => ({
  code,
  build,
  repacked: 'equivalent',
});

export const AMBIGUOUS: readonly AmbiguousZip[] = [
  contested('zip/local-name', first({ localName: 'b.txt' })),
  contested('zip/local-flags', first({ localFlags: 0x800 })),
  harmless('zip/local-level', first({ localFlags: 2 })),
  contested('zip/local-method', first({ localMethod: 0 })),
  contested(
    'zip/local-time',
    first(
      {},
      local(10, 2, (time) => time + 1),
    ),
  ),
  contested('zip/local-crc32', first({ localCrc32: 1 })),
  contested(
    'zip/local-compressed-size',
    first(
      {},
      local(18, 4, (size) => size - 1),
    ),
  ),
  contested(
    'zip/local-size',
    first(
      {},
      local(22, 4, (size) => size + 1),
    ),
  ),
  harmless(
    'zip/local-version-needed',
    first(
      {},
      local(4, 2, () => 10),
    ),
  ),
  harmless('zip/local-extra', first({ localExtra: field(0xcafe) })),
  contested('zip/descriptor-missing', first({ descriptor: 'absent' })),
  harmless(
    'zip/descriptor-and-sizes',
    first(
      { descriptor: 'signed' },
      local(22, 4, () => TEXT.length),
    ),
  ),
  harmless('zip/descriptor-unsigned', first({ descriptor: 'plain' })),
  contested('zip/descriptor-ambiguous', (level) =>
    buildZip([
      // another level gives other bytes only if something can be packed
      { name: 'a.txt', data: CRC_IS_SIGNATURE, level: level === 9 ? 0 : level, descriptor: 'plain' },
      OTHER,
    ]),
  ),
  contested(
    'zip/descriptor-zip64',
    first({ descriptor: 'wide', localExtra: field(1, ...eight(0), ...eight(0)) }),
  ),
  harmless('zip/descriptor-stored', (level) =>
    buildZip([
      { name: 'a.txt', data: TEXT, level },
      { ...OTHER, descriptor: 'signed' },
    ]),
  ),
  harmless('zip/zip64-extra-unneeded', first({ extra: field(1), localExtra: NOTHING })),
  contested('zip/zip64-extra-length', zip64Extra([...eight(0)])),
  contested(
    'zip/zip64-local',
    first(
      {},
      local(18, 4, () => 0xffffffff),
    ),
  ),
  harmless('zip/extra-malformed', first({ extra: Buffer.from('ffff0900aa', 'hex') })),
  harmless('zip/extra-repeated', first({ extra: Buffer.concat([field(0xcafe), field(0xcafe)]) })),
  contested('zip/extra-unicode-path', first({ extra: field(0x7075, 1, ...NAME_CRC, 0x62) })),
  harmless('zip/extra-unicode-comment', first({ extra: field(0x6375, 1, 0, 0, 0, 0, 0x62) })),
  harmless('zip/padding-not-zero', first({ localExtra: field(0xd935, 4, 0, 0x62) })),
  harmless('zip/name-empty', first({ name: '' })),
  contested('zip/name-nul', first({ name: 'a.txt\0b' })),
  harmless('zip/name-control', first({ name: 'a\nb.txt' })),
  harmless('zip/name-parent', first({ name: '../a.txt' })),
  harmless('zip/name-absolute', first({ name: '/a.txt' })),
  harmless('zip/name-backslash', first({ name: 'x\\a.txt' })),
  harmless('zip/name-dot', first({ name: 'x//./a.txt' })),
  harmless('zip/name-not-utf8', first({ name: Buffer.from([0xff, 0x61]) })),
  harmless('zip/name-not-flagged', first({ name: 'ä.txt' })),
  contested('zip/duplicate-name', more({ name: 'a.txt', data: 'evil' })),
  harmless('zip/normalised-collision', more({ name: './a.txt', data: 'evil' })),
  harmless('zip/case-collision', more({ name: 'A.TXT', data: 'evil' })),
  harmless('zip/file-and-directory', more({ name: 'a.txt/b', data: 'evil' })),
  harmless('zip/reserved-flags', first({ flags: 0x8000 })),
  harmless(
    'zip/version-needed',
    first({}, (zip, { cdOffset, localOffset }) => {
      zip.writeUInt16LE(0x7fff, cdOffset + 6);
      zip.writeUInt16LE(0x7fff, localOffset + 4);
    }),
  ),
  harmless('zip/encrypted', more({ name: 'secret', data: 'x', flags: 1 })),
  harmless('zip/unknown-method', more({ name: 'odd', data: 'x', method: 93 })),
  harmless('zip/stored-size', more({ name: 'odd', data: 'xyz', method: 0, size: 2 })),
  harmless('zip/impossible-size', more({ name: 'bomb', data: '', size: 1 << 30 })),
  harmless('zip/directory-with-data', more({ name: 'd/', data: 'x', method: 0 })),
  harmless('zip/directory-attribute', more({ name: 'd', method: 0, ...unix(0o040755) })),
  harmless('zip/symlink', more({ name: 'l', data: 'a.txt', method: 0, ...unix(0o120777) })),
  harmless('zip/special-file', more({ name: 'p', method: 0, ...unix(0o010644) })),
  harmless('zip/entry-comment', first({ comment: Buffer.from('hidden') })),
  harmless('zip/archive-comment', laid({ comment: Buffer.from('hidden') })),
  harmless('zip/prefix', laid({ prefix: Buffer.from('hidden') })),
  harmless('zip/prefix-executable', laid({ prefix: Buffer.from('dex\n035\0') })),
  harmless('zip/gap', (level) =>
    buildZip([
      { name: 'a.txt', data: TEXT, level },
      { ...OTHER, gapBefore: Buffer.alloc(7) },
    ]),
  ),
  harmless('zip/virtual-entry', laid({ prefix: virtualEntry })),
  contested('zip/orphan-entry', more({ name: 'a.txt', data: 'evil', orphan: true })),
  harmless('zip/records-in-gap', laid({ prefix: buildZip([]) })),
  contested('zip/directory-gap', laid({ betweenDirectoryAndEnd: Buffer.from('hidden') })),
  harmless('zip/trailing-bytes', laid({ trailing: Buffer.from('hidden') })),
  harmless('zip/zip64-end-unneeded', laid({ zip64: true })),
  harmless('zip/zip64-end-extended', laid({ zip64: true, zip64Extension: Buffer.from('hidden') })),
  harmless('zip/zip64-disk-count', (level) => {
    const zip = laid({ zip64: true })(level);
    zip.writeUInt32LE(0, end(zip) - 4);
    return zip;
  }),
];

/** Seen only where the streams had to be decoded: with another encoding on the other side. */
export const DEFLATE: readonly (readonly [ZipAmbiguity, Buffer])[] = [
  ['zip/deflate-slack', Buffer.concat([deflateRawSync(TEXT), Buffer.from('hidden')])],
  ['zip/deflate-empty-block', Buffer.concat([emptyBlocks(2), deflateRawSync(TEXT)])],
  ['zip/deflate-padding-bits', withPaddingBits()],
  ['zip/deflate-oversize', Buffer.concat([emptyBlocks(2000), deflateRawSync(TEXT)])],
];

/** The bits between the end of the stream and the end of its last byte. */
function withPaddingBits(): Buffer {
  for (let level = 1; level <= 9; level++) {
    const raw = deflateRawSync(TEXT, { level });
    const used = walkDeflate(raw).bitsUsed % 8;
    if (used === 0) continue;
    const last = raw.length - 1;
    raw[last] = (raw[last] ?? 0) | (0xff << used);
    return raw;
  }
  throw new Error('no level leaves bits');
}

export function deflateZip(raw: Buffer): Buffer {
  return buildZip([{ name: 'a.txt', data: TEXT, raw }, OTHER]);
}

const directory = (zip: Buffer): number => zip.readUInt32LE(end(zip) + 16);

function broken(edit: (zip: Buffer) => void, layout: ZipLayout = {}): Buffer {
  const zip = buildZip([{ name: 'a.txt', data: TEXT }, OTHER], layout);
  edit(zip);
  return zip;
}

export const REFUSED: readonly (readonly [ZipRefusal, Buffer])[] = [
  ['no-end-record', broken((zip) => zip.fill(0, end(zip)))],
  ['ambiguous-end-record', broken(() => undefined, { comment: buildZip([]) })],
  [
    'ambiguous-end-record',
    // a comment that says it is longer than the file: some readers take this record, some the other
    broken(() => undefined, { comment: Buffer.concat([buildZip([]).subarray(0, 20), Buffer.from([9, 0])]) }),
  ],
  ['ambiguous-end-record', broken(() => undefined, { comment: Buffer.from('PK\x05\x06', 'latin1') })],
  ['multi-disk', broken((zip) => zip.writeUInt16LE(1, end(zip) + 4))],
  ['multi-disk', broken((zip) => zip.writeUInt16LE(1, directory(zip) + 34))],
  ['entry-count', broken(() => undefined, { entryCount: 1 })],
  ['entry-count', broken((zip) => zip.writeUInt16LE(1, end(zip) + 8))],
  ['zip64', broken((zip) => zip.writeUInt32LE(1, end(zip) + 12), { zip64: true })],
  ['number-too-large', broken((zip) => zip.fill(0xff, end(zip) - 12, end(zip) - 4), { zip64: true })],
  [
    'too-many-entries',
    broken((zip) => [24, 32].map((at) => zip.writeUInt32LE(1 << 24, end(zip) - 76 + at)), { zip64: true }),
  ],
  ['directory-out-of-range', broken((zip) => zip.writeUInt32LE(zip.length, end(zip) + 16))],
  ['directory-too-large', broken((zip) => zip.writeUInt32LE(1 << 30, end(zip) + 12))],
  ['directory-truncated', broken((zip) => zip.writeUInt32LE(60, end(zip) + 12))],
  ['bad-directory-record', broken((zip) => zip.writeUInt32LE(0, end(zip) + 16))],
  ['local-header-out-of-range', broken((zip) => zip.writeUInt32LE(0x7fffffff, directory(zip) + 42))],
  ['no-local-header', broken((zip) => zip.writeUInt32LE(1, directory(zip) + 42))],
  ['data-out-of-range', broken((zip) => zip.writeUInt32LE(1 << 30, directory(zip) + 20))],
  ['overlap', overlapping()],
];

/** Two directory records, one local header: the content twice for the price of once. */
function overlapping(): Buffer {
  return broken((zip) => {
    const second = zip.indexOf('PK\x01\x02', directory(zip) + 4, 'latin1');
    zip.writeUInt32LE(0, second + 42);
    zip.writeUInt32LE(zip.readUInt32LE(directory(zip) + 20), second + 20);
  });
}
