// SPDX-License-Identifier: Apache-2.0
/** Ambiguities of both sides of a ZIP node, one observation a code: how many, and the first few with their numbers. */
import type { ByteSource } from '../../bytes.js';
import { FormatError } from '../../errors.js';
import { isRefusal, RECORD_CODES, type RecordCode, type ZipAmbiguity } from '../../formats/zip-code.js';
import { readZip, type ZipEntry, type ZipStructure } from '../../formats/zip.js';
import { printableBytes } from '../../printable.js';
import type { Observation, Side, Sighting, Sightings } from '../types.js';
import { openZipSide, type ZipSide } from './zip-side.js';

/** Kept of each code and side; the others are counted. */
const FIRST = 3;

type Counted = { -readonly [Key in keyof Sightings]: Sightings[Key] } & { readonly first: Sighting[] };

export class ObservationTable {
  readonly #path: readonly string[];
  readonly #seen = new Map<ZipAmbiguity, Partial<Record<Side, Counted>>>();

  constructor(path: readonly string[]) {
    this.#path = path;
  }

  addSide(side: ZipSide): void {
    const { entries, elsewhere } = side.ambiguities;
    for (const { code, entry: index, other } of entries) {
      const entry = side.zip.entries[index];
      if (entry === undefined) continue;
      const before = other === undefined ? undefined : side.zip.entries[other];
      this.add(side.side, code, () => sighting(side, code, entry, before));
    }
    for (const { code, offset, detail } of elsewhere)
      this.add(side.side, code, () => ({ offset, ...(detail === undefined ? {} : { detail }) }));
  }

  add(side: Side, code: ZipAmbiguity, describe: () => Sighting): void {
    const sides = this.#seen.get(code) ?? {};
    const counted = sides[side] ?? { count: 0, first: [] };
    if (counted.count++ < FIRST) counted.first.push(describe());
    sides[side] = counted;
    this.#seen.set(code, sides);
  }

  list(): Observation[] {
    return [...this.#seen]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([code, sides]) => ({ code, path: this.#path, ...sides }));
  }
}

/** Of one file that is the same on both sides, the refusal included. */
export function observeArchive(source: ByteSource): {
  readonly zip?: ZipStructure;
  readonly observations: readonly Observation[];
} {
  let zip: ZipStructure;
  try {
    zip = readZip(source);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    // any file can hold the four bytes of an end record
    if (!isRefusal(error.code) || !hasMagic(source)) return { observations: [] };
    const refused = { count: 1, first: [{ offset: error.offset, detail: error.detail }] };
    return { observations: [{ code: error.code, path: [], published: refused, rebuilt: refused }] };
  }
  const table = new ObservationTable([]);
  table.addSide(openZipSide('published', source, zip, true));
  const observations = table.list().map((observation) => ({
    ...observation,
    ...(observation.published === undefined ? {} : { rebuilt: observation.published }),
  }));
  return { zip, observations };
}

function hasMagic(source: ByteSource): boolean {
  return source.size >= 4 && [0x04034b50, 0x06054b50].includes(source.read(0, 4).readUInt32LE(0));
}

const MEMBER = 300;

function sighting(
  side: ZipSide,
  code: ZipAmbiguity,
  entry: ZipEntry,
  before: ZipEntry | undefined,
): Sighting {
  const name = printableBytes(entry.rawName.subarray(0, MEMBER));
  const { offset, detail } = isRecordCode(code) ? ofRecords(side, code, entry) : ofEntry(code, entry, before);
  return { offset, member: name, ...(detail === undefined ? {} : { detail }) };
}

function isRecordCode(code: ZipAmbiguity): code is RecordCode {
  return (RECORD_CODES as readonly string[]).includes(code);
}

interface Place {
  readonly offset: number;
  readonly detail?: string;
}

/** Where the fields lie that disagree: in the local header, in the directory record, and how long they are. */
const FIELDS: Partial<Record<RecordCode, readonly [local: number, directory: number, size: 2 | 4]>> = {
  'zip/local-flags': [6, 8, 2],
  'zip/local-level': [6, 8, 2],
  'zip/local-method': [8, 10, 2],
  'zip/local-time': [10, 12, 4],
  'zip/local-crc32': [14, 16, 4],
  'zip/local-compressed-size': [18, 20, 4],
  'zip/local-size': [22, 24, 4],
  'zip/local-version-needed': [4, 6, 2],
};

function ofRecords({ source }: ZipSide, code: RecordCode, entry: ZipEntry): Place {
  const field = FIELDS[code];
  if (field !== undefined) {
    const [local, directory, size] = field;
    const shown = (at: number): string => `0x${Buffer.from(source.read(at, size)).reverse().toString('hex')}`;
    const offset = entry.localOffset + local;
    return { offset, detail: `local ${shown(offset)}, directory ${shown(entry.cdOffset + directory)}` };
  }
  const nameAt = entry.localOffset + 30;
  if (code === 'zip/local-name') {
    const local = printableBytes(source.read(nameAt, Math.min(MEMBER, entry.localNameLength)));
    return { offset: nameAt, detail: `local ${local}` };
  }
  if (code.startsWith('zip/descriptor'))
    return {
      offset: entry.dataOffset + entry.compressedSize,
      detail: `descriptor of ${entry.descriptorSize} bytes`,
    };
  return {
    offset: nameAt + entry.localNameLength,
    detail: `extra fields of ${entry.localExtraLength} bytes local, ${entry.cdExtraLength} in the directory`,
  };
}

function ofEntry(code: ZipAmbiguity, entry: ZipEntry, before: ZipEntry | undefined): Place {
  const offset = entry.cdOffset;
  if (before !== undefined)
    return {
      offset: offset + 46,
      detail: `as ${printableBytes(before.rawName.subarray(0, MEMBER))} at ${before.cdOffset + 46}`,
    };
  if (code.startsWith('zip/name') || code === 'zip/file-and-directory') return { offset: offset + 46 };
  if (code === 'zip/encrypted' || code === 'zip/reserved-flags')
    return { offset: offset + 8, detail: `flags 0x${entry.flags.toString(16).padStart(4, '0')}` };
  if (code === 'zip/unknown-method') return { offset: offset + 10, detail: `method ${entry.method}` };
  if (code === 'zip/version-needed') return { offset: offset + 6, detail: `version ${entry.versionNeeded}` };
  if (code === 'zip/entry-comment')
    return {
      offset: offset + 46 + entry.cdNameLength + entry.cdExtraLength,
      detail: `${entry.cdSize - 46 - entry.cdNameLength - entry.cdExtraLength} bytes`,
    };
  if (code === 'zip/directory-attribute' || code === 'zip/symlink' || code === 'zip/special-file')
    return {
      offset: offset + 38,
      detail: `attributes 0x${entry.externalAttributes.toString(16).padStart(8, '0')}`,
    };
  return {
    offset: offset + 20,
    detail: `method ${entry.method}, ${entry.compressedSize} bytes stored, ${entry.size} stated`,
  };
}
