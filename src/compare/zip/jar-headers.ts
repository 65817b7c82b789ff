// SPDX-License-Identifier: Apache-2.0
/**
 * Header fields of the entries that signing adds, as the tools write them: a closed table. Everything else in their
 * records follows from content and place.
 * https://android.googlesource.com/platform/tools/apksig/ LocalFileRecord.java, CentralDirectoryRecord.java
 * https://android.googlesource.com/platform/tools/base/ zipflinger, apkzlib
 */
import type { ByteSource } from '../../bytes.js';
import type { ZipEntry, ZipStructure } from '../../formats/zip.js';

/** `newest`: that of the newest other entry. A number is the DOS date above the time. `any`: when it was signed. */
type EntryTime = 'newest' | 'any' | number;

interface HeaderProfile {
  readonly tool: string;
  readonly madeBy: readonly number[];
  readonly needed: readonly number[];
  readonly flags: readonly number[];
  readonly methods: readonly number[];
  readonly external: readonly number[];
  readonly times: readonly EntryTime[];
}

/** 1 January 1981, 01:01:02, the oldest that JavaScript, Java and DOS agree about. */
const YEAR_1981 = 0x02210821;
/** 1 January 2009, of platform builds. */
const YEAR_2009 = 0x3a210000;
const REGULAR = 0o100000;
const mode = (permissions: number): number => ((REGULAR | permissions) << 16) >>> 0;

const PROFILES: readonly HeaderProfile[] = [
  {
    tool: 'apksigner',
    madeBy: [20],
    needed: [20],
    flags: [0x0800],
    methods: [8],
    external: [0],
    times: ['newest', YEAR_2009],
  },
  {
    tool: 'apkzlib',
    madeBy: [24],
    needed: [20],
    flags: [0, 0x0800],
    methods: [8],
    external: [0],
    times: [0],
  },
  {
    tool: 'zipflinger',
    madeBy: [0x0300, 0x031e],
    needed: [20, 0],
    flags: [0],
    methods: [0, 8],
    external: [0, mode(0o644), mode(0o664), mode(0o666)],
    times: [0, YEAR_1981],
  },
  {
    tool: 'java',
    madeBy: [20],
    needed: [20],
    flags: [0x0808, 0x0008],
    methods: [8],
    external: [0],
    times: [YEAR_2009, 'newest', 'any'],
  },
];

const DESCRIPTOR = 0x0008;
const DESCRIPTOR_SIZE = 16;

export interface HeaderMatch {
  readonly tool: string;
  /** The time is anybody's choice. */
  readonly freeTime: boolean;
}

/** The tool that writes such a local header, descriptor and directory record; `undefined` for none that is known. */
export function matchHeaders(source: ByteSource, entry: ZipEntry, newest: number): HeaderMatch | undefined {
  if (entry.cdExtraLength !== 0 || entry.localExtraLength !== 0) return undefined;
  if (entry.cdSize !== 46 + entry.cdNameLength || entry.localNameLength !== entry.cdNameLength)
    return undefined;
  const record = source.read(entry.cdOffset, 46);
  const time = record.readUInt32LE(12);
  for (const profile of PROFILES) {
    if (!isWrittenBy(profile, source, entry, Buffer.from(record))) continue;
    const match = profile.times.find(
      (known) => known === 'any' || (known === 'newest' ? newest : known) === time,
    );
    if (match !== undefined) return { tool: profile.tool, freeTime: match === 'any' };
  }
  return undefined;
}

function isWrittenBy(profile: HeaderProfile, source: ByteSource, entry: ZipEntry, record: Buffer): boolean {
  const known =
    profile.madeBy.includes(entry.versionMadeBy) &&
    profile.needed.includes(record.readUInt16LE(6)) &&
    profile.flags.includes(entry.flags) &&
    profile.methods.includes(entry.method) &&
    profile.external.includes(entry.externalAttributes) &&
    // disk number and internal attributes
    record.readUInt32LE(34) === 0;
  if (!known) return false;
  const described = (entry.flags & DESCRIPTOR) !== 0;
  if (entry.descriptorSize !== (described ? DESCRIPTOR_SIZE : 0)) return false;
  const local = Buffer.from(source.read(entry.localOffset, 30 + entry.localNameLength));
  // version needed, flags, method, time, date
  if (!local.subarray(4, 14).equals(record.subarray(6, 16))) return false;
  if (!local.subarray(30).equals(entry.rawName)) return false;
  const sums = record.subarray(16, 28);
  // aligning tools fill the local fields in, and leave the descriptor
  if (
    !local.subarray(14, 26).equals(sums) &&
    !(described && local.subarray(14, 26).every((byte) => byte === 0))
  )
    return false;
  if (!described) return true;
  const descriptor = source.read(entry.dataOffset + entry.compressedSize, DESCRIPTOR_SIZE);
  return descriptor.readUInt32LE(0) === 0x08074b50 && descriptor.subarray(4).equals(sums);
}

/** Date above time, of the newest of these entries; as apksigner compares them. */
export function newestTime(source: ByteSource, entries: Iterable<ZipEntry>): number {
  let newest = 0;
  for (const { cdOffset } of entries) {
    newest = Math.max(newest, source.read(cdOffset + 12, 4).readUInt32LE(0));
  }
  return newest;
}

/**
 * At the end as apksigner and apkzlib write them, or at the beginning as jarsigner does, each kind in its order (file and
 * block of each signer, before or after the manifest); or where the names of all entries are sorted, as apkzlib writes a
 * directory. In the order of data and in that of the directory.
 */
export function arePlacedByTool(zip: ZipStructure, signature: ReadonlySet<number>): boolean {
  const directory = zip.entries.map((_, index) => index);
  return [zip.dataOrder, directory].every((order) => {
    const kinds = (indices: readonly number[]): string =>
      indices.map((index) => (signature.has(index) ? kindOf(zip.entries[index]) : '-')).join('');
    return (
      /^(?:FB)+M$|^M(?:FB)+$/.test(kinds(order.slice(-signature.size))) ||
      /^M(?:FB)+$/.test(kinds(order.slice(0, signature.size))) ||
      isSorted(order.map((index) => zip.entries[index]?.rawName ?? NO_NAME))
    );
  });
}

const NO_NAME = Buffer.alloc(0);

function isSorted(names: readonly Buffer[]): boolean {
  return names.every((name, index) => Buffer.compare(names[index - 1] ?? NO_NAME, name) <= 0);
}

function kindOf(entry: ZipEntry | undefined): string {
  const name = entry?.rawName.toString('latin1') ?? '';
  if (name.endsWith('.MF')) return 'M';
  return name.endsWith('.SF') ? 'F' : 'B';
}
