// SPDX-License-Identifier: Apache-2.0
/** What of one side of a ZIP two readers can take differently: entries, and the bytes between the records. */
import { eachChunk, type ByteSource } from '../../bytes.js';
import { contest, entryAmbiguities, type Contested } from '../../formats/zip-ambiguity.js';
import type { ZipAmbiguity } from '../../formats/zip-code.js';
import type { ZipEntry, ZipStructure } from '../../formats/zip.js';
import type { Gap } from './zip-side.js';

export interface Seen {
  readonly code: ZipAmbiguity;
  readonly offset: number;
  readonly entry?: ZipEntry;
  readonly detail?: string;
}

export interface Ambiguities {
  readonly entries: readonly {
    readonly code: ZipAmbiguity;
    readonly entry: number;
    readonly other?: number;
  }[];
  readonly elsewhere: readonly Seen[];
  /** Entries whose bytes are never merely packed in another way: two readers can get something else out of them. */
  readonly contested: Contested;
  /** The directory itself is one of two: where anything lies depends on the reader. */
  readonly contestedDirectory: boolean;
}

export function ambiguitiesOf(source: ByteSource, zip: ZipStructure, gaps: readonly Gap[]): Ambiguities {
  const { list, contested: own } = entryAmbiguities(zip);
  const elsewhere: Seen[] = [];
  const orphans = new Set<string>();
  for (const gap of gaps) describeGap(source, gap, elsewhere, orphans);
  describeEnd(source, zip, elsewhere);
  const contestedDirectory = elsewhere.some(({ code }) => code === 'zip/directory-gap');
  const contested = new Map([...own].map(([entry, codes]) => [entry, new Set(codes)]));
  if (contestedDirectory) for (const entry of zip.entries) contest(contested, entry, 'zip/directory-gap');
  if (orphans.size > 0)
    for (const entry of zip.entries)
      if (orphans.has(entry.rawName.toString('latin1'))) contest(contested, entry, 'zip/orphan-entry');
  // Android has no encryption and takes any other method for one that it knows: what is there is what it reads
  if (list.some(({ code }) => code === 'zip/encrypted' || code === 'zip/unknown-method') && isForAndroid(zip))
    for (const { code, entry } of list)
      if (code === 'zip/encrypted' || code === 'zip/unknown-method') {
        const found = zip.entries[entry];
        if (found !== undefined) contest(contested, found, code);
      }
  return { entries: list, elsewhere, contested, contestedDirectory };
}

function isForAndroid(zip: ZipStructure): boolean {
  return zip.entries.some(({ rawName }) =>
    ['AndroidManifest.xml', 'classes.dex'].includes(rawName.toString('latin1')),
  );
}

const LOCAL = 'PK\x03\x04';
const OTHER_RECORDS = ['PK\x01\x02', 'PK\x05\x06', 'PK\x06\x06'] as const;
/** What a system runs or loads by the first bytes of a file: Janus is a DEX in front of an APK. */
const EXECUTABLES: readonly (readonly [string, Buffer])[] = [
  ['a DEX file', Buffer.from('dex\n')],
  ['an ELF file', Buffer.from('\x7fELF', 'latin1')],
  ['a script', Buffer.from('#!')],
  ['a Windows program', Buffer.from('MZ')],
  ['a Mach-O file', Buffer.from('cffaedfe', 'hex')],
  ['an OAT or ODEX file', Buffer.from('dey\n')],
];
/** Orphans whose names are looked at. */
const MAX_ORPHANS = 1000;

function describeGap(source: ByteSource, gap: Gap, seen: Seen[], orphans: Set<string>): void {
  const { offset, size, anchor } = gap;
  const note = (code: ZipAmbiguity, at: number, detail: string): void => {
    seen.push({ code, offset: at, detail });
  };
  const length = `${size} bytes that no record owns`;
  if (isVirtual(source, gap)) return note('zip/virtual-entry', offset, length);
  if (anchor === 'end-of-file') note('zip/trailing-bytes', offset, length);
  else if (anchor === 'end-record') note('zip/directory-gap', offset, length);
  else if (offset === 0) {
    note('zip/prefix', offset, length);
    const head = source.read(0, Math.min(8, size));
    const [what] = EXECUTABLES.find(([, magic]) => head.subarray(0, magic.length).equals(magic)) ?? [];
    if (what !== undefined) note('zip/prefix-executable', 0, `starts as ${what}`);
  } else note('zip/gap', offset, length);
  for (const at of occurrences(source, gap, LOCAL)) {
    const name = nameAt(source, at, offset + size);
    if (orphans.size < MAX_ORPHANS && name !== undefined) orphans.add(name);
    note('zip/orphan-entry', at, 'a local header that no directory record names');
  }
  for (const signature of OTHER_RECORDS)
    for (const at of occurrences(source, gap, signature))
      note('zip/records-in-gap', at, `signature 0x${Buffer.from(signature, 'latin1').toString('hex')}`);
}

/** What zipflinger puts where an entry was: a local header without name and data, its extra field all zeros. */
function isVirtual(source: ByteSource, { offset, size }: Gap): boolean {
  if (size < 30 || size > 30 + 0xffff) return false;
  const bytes = source.read(offset, size);
  return (
    bytes.toString('latin1', 0, 4) === LOCAL &&
    bytes.readUInt16LE(28) === size - 30 &&
    [6, 8, 10, 12, 26].every((at) => bytes.readUInt16LE(at) === 0 || at === 12 || at === 10) &&
    bytes.subarray(14, 26).every((byte) => byte === 0) &&
    bytes.subarray(30).every((byte) => byte === 0)
  );
}

function nameAt(source: ByteSource, at: number, end: number): string | undefined {
  if (at + 30 > end) return undefined;
  const length = source.read(at + 26, 2).readUInt16LE(0);
  return at + 30 + length > end ? undefined : source.read(at + 30, length).toString('latin1');
}

/** Of a signature of four bytes; the first thousand. */
function occurrences(source: ByteSource, { offset, size }: Gap, signature: string): number[] {
  const found: number[] = [];
  let tail = '';
  eachChunk(source, offset, size, (chunk, start) => {
    const text = tail + chunk.toString('latin1');
    for (let at = text.indexOf(signature); at !== -1; at = text.indexOf(signature, at + 1))
      if (found.length < MAX_ORPHANS) found.push(start - tail.length + at);
    tail = text.slice(-3);
  });
  return found;
}

const SATURATED_COUNT = 0xffff;
const SATURATED = 0xffffffff;

function describeEnd(source: ByteSource, zip: ZipStructure, seen: Seen[]): void {
  const { offset } = zip.end;
  if (zip.comment.size > 0)
    seen.push({
      code: 'zip/archive-comment',
      offset: zip.comment.offset,
      detail: `${zip.comment.size} bytes`,
    });
  if (zip.entries.length === 0) seen.push({ code: 'zip/no-entries', offset });
  const record = source.read(offset, 22);
  const saturated =
    record.readUInt16LE(8) === SATURATED_COUNT ||
    record.readUInt16LE(10) === SATURATED_COUNT ||
    record.readUInt32LE(12) === SATURATED ||
    record.readUInt32LE(16) === SATURATED;
  if (zip.zip64 === undefined) {
    if (saturated) seen.push({ code: 'zip/zip64-missing', offset });
    return;
  }
  const needed =
    zip.entries.length >= SATURATED_COUNT ||
    zip.centralDirectory.offset >= SATURATED ||
    zip.centralDirectory.size >= SATURATED;
  if (!needed)
    seen.push({
      code: 'zip/zip64-end-unneeded',
      offset: zip.zip64.offset,
      detail: saturated ? 'the end record points to it' : 'the end record says the same',
    });
  const disks = source.read(offset - 4, 4).readUInt32LE(0);
  if (disks !== 1)
    seen.push({ code: 'zip/zip64-disk-count', offset: offset - 4, detail: `${disks} disks in all` });
  if (zip.zip64.size > 56 + 20)
    seen.push({
      code: 'zip/zip64-end-extended',
      offset: zip.zip64.offset + 56,
      detail: `${zip.zip64.size - 76} bytes`,
    });
}
