// SPDX-License-Identifier: Apache-2.0
/** Times and modes of the entries as bundletool and Google Play write them: one row of a closed table for a whole file. */
import type { ZipEntry } from '../../formats/zip.js';
import type { RuleName } from '../../model.js';
import type { Walk } from '../walk.js';
import { isJarSignatureEntry, rawNameOf, type ZipSide } from './zip-side.js';

const RULE = 'play-entry-times' satisfies RuleName;

interface Row {
  readonly time: number;
  readonly date: number;
  readonly internalAttributes: number;
  readonly externalAttributes: number;
}

/** Both at 1981-01-01 01:01:02, made by Unix. */
const ROWS: readonly Row[] = [
  // rw-r--r--: splits as Google Play delivers them
  { time: 0x0821, date: 0x0221, internalAttributes: 0, externalAttributes: 0x81a40000 },
  // rw-rw-rw-: what bundletool 1.18 writes
  { time: 0x0821, date: 0x0221, internalAttributes: 0, externalAttributes: 0x81b60000 },
];

/**
 * The rule, where it was asked for and is needed: all entries of one side have one row, those of the other side another
 * one. Entries that could each choose would have room for a bit each.
 */
export function entryTimesRule(walk: Walk, p: ZipSide, r: ZipSide): RuleName | undefined {
  if (p.nested || r.nested || !walk.options.rules.has(RULE)) return undefined;
  const [published, rebuilt] = [rowOf(p), rowOf(r)];
  return published === undefined || rebuilt === undefined || published === rebuilt ? undefined : RULE;
}

/** The stamp, which the store adds, was looked at by no row: nothing of it is left out here. */
export function hasRow(entry: ZipEntry): boolean {
  return rawNameOf(entry) !== 'stamp-cert-sha256';
}

/** Entries that signing adds have times of their own, and are owned elsewhere. */
function rowOf(side: ZipSide): Row | undefined {
  const [first, ...others] = side.zip.entries.filter(
    (entry) => !isJarSignatureEntry(side, entry) && hasRow(entry),
  );
  const row = first && ROWS.find((one) => matches(side, first, one));
  return row !== undefined && others.every((entry) => matches(side, entry, row)) ? row : undefined;
}

function matches({ source }: ZipSide, entry: ZipEntry, row: Row): boolean {
  const record = source.read(entry.cdOffset, 46);
  const same =
    record.readUInt16LE(12) === row.time &&
    record.readUInt16LE(14) === row.date &&
    record.readUInt16LE(36) === row.internalAttributes &&
    record.readUInt32LE(38) === row.externalAttributes;
  if (!same) return false;
  const local = source.read(entry.localOffset, 14);
  return local.readUInt16LE(10) === row.time && local.readUInt16LE(12) === row.date;
}

const APP_RULE = 'appstore-entry-records' satisfies RuleName;

/** What an entry is stays the same: a file, no link, nothing that runs as somebody else. */
export function appRecordsRule(
  walk: Walk,
  p: ZipSide,
  a: ZipEntry,
  r: ZipSide,
  b: ZipEntry,
): RuleName | undefined {
  if (p.nested || r.nested || !walk.options.rules.has(APP_RULE) || walk.slotContent === undefined)
    return undefined;
  return isPlain(p, a) && isPlain(r, b) ? APP_RULE : undefined;
}

const REGULAR = 8;
const DIRECTORY = 4;
const DOS_DIRECTORY = 0x10;
const DOS_ARCHIVED = 0x20;
/** "Apparently a text file", which no reader of apps asks for. */
const TEXT = 1;

/** Its name, its type and the bit of DOS all say directory, or none of them does. */
function isPlain({ source }: ZipSide, { externalAttributes, rawName, cdOffset }: ZipEntry): boolean {
  const isDirectory = rawName.at(-1) === 0x2f;
  const mode = externalAttributes >>> 16;
  const type = mode >>> 12;
  const dos = externalAttributes & 0xffff & ~DOS_ARCHIVED;
  return (
    (type === 0 || type === (isDirectory ? DIRECTORY : REGULAR)) &&
    (mode & 0o7000) === 0 &&
    (dos === 0 || (isDirectory && dos === DOS_DIRECTORY)) &&
    source.read(cdOffset + 36, 2).readUInt16LE(0) <= TEXT
  );
}
