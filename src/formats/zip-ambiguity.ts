// SPDX-License-Identifier: Apache-2.0
/**
 * What readers of one ZIP archive may take differently, entry by entry: from the central directory, and from what
 * `readZip` noted of each entry's local header. Nothing else is read.
 * Specification: APPNOTE.TXT 6.3.10; what Android makes of each stands in `docs/zip.md`
 */
import { CONTESTED, type ZipAmbiguity } from './zip-code.js';
import { recordCodes } from './zip-local.js';
import { nameCodes, nameFindings, normalisedName } from './zip-name.js';
import { unixMode, type ZipEntry, type ZipStructure } from './zip.js';

export interface EntryAmbiguity {
  readonly code: ZipAmbiguity;
  /** Index in directory order. */
  readonly entry: number;
  /** Of another entry that it collides with. */
  readonly other?: number;
}

/** Entries of which two readers can get other content or another name, and by which codes. */
export type Contested = ReadonlyMap<ZipEntry, ReadonlySet<ZipAmbiguity>>;

export interface EntryAmbiguities {
  readonly list: readonly EntryAmbiguity[];
  readonly contested: Contested;
}

const ENCRYPTED = 0x2041; // bits 0, 6 and 13
const RESERVED = 0xd7b0; // bits 4, 5, 7 to 10, 12, 14 and 15
/** For ZIP64; what needs a higher one (4.4.3.2) is no plain stored or deflated entry. */
const VERSION = 45;
/** No byte of deflate decodes to more than this many. */
const GROWTH = 1032;

export function entryAmbiguities(zip: ZipStructure): EntryAmbiguities {
  const list: EntryAmbiguity[] = [];
  const contested = new Map<ZipEntry, Set<ZipAmbiguity>>();
  const names = new NameTable(zip, (code, entry, other) => {
    list.push(other === undefined ? { code, entry } : { code, entry, other });
    if (!CONTESTED.has(code)) return;
    for (const index of [entry, other]) {
      const found = index === undefined ? undefined : zip.entries[index];
      if (found !== undefined) contest(contested, found, code);
    }
  });
  for (const [index, entry] of zip.entries.entries()) {
    const note = (code: ZipAmbiguity): void => {
      list.push({ code, entry: index });
      if (CONTESTED.has(code)) contest(contested, entry, code);
    };
    if (entry.findings !== 0) for (const code of recordCodes(entry.findings)) note(code);
    const { rawName } = entry;
    names.add(index, rawName, entry.flags, note);
    describeData(entry, note);
    describeType(entry, rawName, note);
  }
  names.findPrefixes();
  return { list, contested };
}

export function contest(
  contested: Map<ZipEntry, Set<ZipAmbiguity>>,
  entry: ZipEntry,
  code: ZipAmbiguity,
): void {
  const codes = contested.get(entry);
  if (codes === undefined) contested.set(entry, new Set([code]));
  else codes.add(code);
}

type Note = (code: ZipAmbiguity) => void;

function describeData(entry: ZipEntry, note: Note): void {
  const { flags, method, size, compressedSize } = entry;
  if ((flags & ENCRYPTED) !== 0) note('zip/encrypted');
  if ((flags & RESERVED) !== 0) note('zip/reserved-flags');
  if (entry.versionNeeded > VERSION) note('zip/version-needed');
  if (method === 0) {
    // libziparchive copies as many bytes as the decoded size says, others as many as are stored
    if (size !== compressedSize && (flags & ENCRYPTED) === 0) note('zip/stored-size');
  } else if (method === 8) {
    if (size > compressedSize * GROWTH || compressedSize < 2) note('zip/impossible-size');
  } else note('zip/unknown-method');
  if (entry.cdSize > 46 + entry.cdNameLength + entry.cdExtraLength) note('zip/entry-comment');
}

const TYPE = 0o170000;
const REGULAR = 0o100000;
const DIRECTORY = 0o040000;
const LINK = 0o120000;
const DOS_DIRECTORY = 0x10;

function describeType(entry: ZipEntry, rawName: Buffer, note: Note): void {
  const named = rawName[rawName.length - 1] === 0x2f;
  const type = (unixMode(entry) ?? 0) & TYPE;
  if (named && entry.size > 0) note('zip/directory-with-data');
  const marked = type === DIRECTORY || (entry.externalAttributes & DOS_DIRECTORY) !== 0;
  if (marked !== named && (marked || type === REGULAR)) note('zip/directory-attribute');
  if (type === LINK) note('zip/symlink');
  else if (type !== 0 && type !== REGULAR && type !== DIRECTORY) note('zip/special-file');
}

type Report = (code: ZipAmbiguity, entry: number, other?: number) => void;

/** Ancestors of one name that are looked at. */
const DEEPEST = 64;

/** Names that are the same to somebody. One table by folded name; what is in it is told apart only where two meet. */
class NameTable {
  readonly #zip: ZipStructure;
  readonly #report: Report;
  readonly #first = new Map<string, number>();
  /** Where several names fold to one: by raw name, and by resolved name. */
  readonly #raw = new Map<string, number>();
  readonly #resolved = new Map<string, number>();

  constructor(zip: ZipStructure, report: Report) {
    this.#zip = zip;
    this.#report = report;
  }

  add(index: number, rawName: Buffer, flags: number, note: Note): void {
    const found = nameFindings(rawName, flags);
    if (found !== 0) for (const code of nameCodes(found)) note(code);
    const resolved = normalisedName(rawName, found);
    const folded = resolved.toLowerCase();
    const first = this.#first.get(folded);
    if (first === undefined) {
      this.#first.set(folded, index);
      return;
    }
    const raw = rawName.toString('latin1');
    this.#remember(first);
    const [sameRaw, sameResolved] = [this.#raw.get(raw), this.#resolved.get(resolved)];
    if (sameRaw !== undefined) this.#report('zip/duplicate-name', index, sameRaw);
    else if (sameResolved !== undefined) this.#report('zip/normalised-collision', index, sameResolved);
    else this.#report('zip/case-collision', index, first);
    if (sameRaw === undefined) this.#raw.set(raw, index);
    if (sameResolved === undefined) this.#resolved.set(resolved, index);
  }

  #remember(index: number): void {
    const entry = this.#zip.entries[index];
    if (entry === undefined) return;
    const raw = entry.rawName.toString('latin1');
    if (this.#raw.has(raw)) return;
    this.#raw.set(raw, index);
    const resolved = normalisedName(entry.rawName, nameFindings(entry.rawName, entry.flags));
    if (!this.#resolved.has(resolved)) this.#resolved.set(resolved, index);
  }

  /** Files that other names use as a directory. */
  findPrefixes(): void {
    let before = '';
    const told = new Set<number>();
    for (const folded of this.#first.keys()) {
      const parent = folded.slice(0, Math.max(0, folded.lastIndexOf('/')));
      // neighbours mostly share theirs
      if (parent === before) continue;
      before = parent;
      let path = parent;
      for (let depth = 0; path !== '' && depth < DEEPEST; depth++) {
        const file = this.#first.get(path);
        const entry = file === undefined ? undefined : this.#zip.entries[file];
        const isFile = entry !== undefined && entry.rawName[entry.rawName.length - 1] !== 0x2f;
        if (file !== undefined && isFile && !told.has(file)) {
          told.add(file);
          this.#report('zip/file-and-directory', file);
        }
        path = path.slice(0, Math.max(0, path.lastIndexOf('/')));
      }
    }
  }
}
