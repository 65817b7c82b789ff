// SPDX-License-Identifier: Apache-2.0
/** Field by field: the local header with its descriptor (APPNOTE 4.3.7, 4.3.9) and the directory record (4.3.12) of a pair. */
import { SliceSource } from '../../bytes.js';
import type { ZipEntry } from '../../formats/zip.js';
import type { LedgerBuilder } from '../ledger.js';
import { isWorse, worst } from '../ledger.js';
import { compareLeaf } from '../leaf.js';
import { splice } from '../splice.js';
import type { RuleName } from '../../model.js';
import type { Owner, Side } from '../types.js';
import type { Walk } from '../walk.js';
import type { EntryData } from './entry-data.js';
import { holdsOnlyTimes } from './time-fields.js';
import { demandedAlignment, splitPadding } from './padding.js';
import { rawNameOf, type ZipSide } from './zip-side.js';

export interface RecordSide {
  readonly side: ZipSide;
  readonly entry: ZipEntry;
}

export interface RecordContext {
  readonly walk: Walk;
  readonly sides: Readonly<Record<Side, LedgerBuilder>>;
  readonly published: RecordSide;
  readonly rebuilt: RecordSide;
  readonly path: readonly string[];
  readonly member: number;
  /** Owner of equal bytes of container records: `reencoded` for an entry outside the common order. */
  readonly base: 'identical' | 'reencoded' | 'different';
  /** Two readers can get something else out of it: nothing that differs is merely packed in another way. */
  readonly contested: boolean;
  /** A named signing tool, run again on the rebuilt file, gives every offset and all padding of the published one. */
  readonly layoutExplained: boolean;
  /** The rule that leaves out times and modes, where both sides have throughout what a row of its table says. */
  readonly entryTimes: RuleName | undefined;
}

interface RecordBytes {
  readonly offset: number;
  readonly bytes: Buffer;
}

/** Gives owners to pairs of byte ranges of two records and remembers the worst. */
class FieldPainter {
  readonly #context: RecordContext;
  /** Read once: an archive has a hundred thousand fields. */
  readonly #published: RecordBytes;
  readonly #rebuilt: RecordBytes;
  /** The rule that leaves out the content, and with it what describes it. */
  readonly #excludedBy: RuleName | undefined;
  worst: Owner = 'identical';

  /** The records begin at these offsets of the files and have these lengths. */
  constructor(
    context: RecordContext,
    data: EntryData,
    pOffset: number,
    pLength: number,
    rOffset: number,
    rLength: number,
  ) {
    const { published, rebuilt } = context;
    this.#context = context;
    this.#excludedBy = data.covered?.rule ?? data.excludedBy;
    this.#published = { offset: pOffset, bytes: published.side.source.read(pOffset, pLength) };
    this.#rebuilt = { offset: rOffset, bytes: rebuilt.side.source.read(rOffset, rLength) };
  }

  /** A field at the same place of both records. */
  fixed(region: string, at: number, size: number, unequal: Owner): void {
    this.field(region, this.#published.offset + at, size, this.#rebuilt.offset + at, size, unequal);
  }

  /** Where the entry lies, which other entries decide: all that can differ of a contested one. */
  place(region: string, at: number, size: number, unequal: Owner): void {
    this.#paint(region, this.#published.offset + at, size, this.#rebuilt.offset + at, size, unequal);
  }

  /** A time or a mode that the store writes anew. */
  stamped(region: string, at: number, size: number): void {
    const rule = this.#context.entryTimes;
    const [p, r] = [this.#published.offset + at, this.#rebuilt.offset + at];
    this.field(region, p, size, r, size, rule === undefined ? 'different' : 'excluded', rule);
  }

  /** What a tool that packs an app writes of itself. */
  packed(region: string, pOffset: number, pLength: number, rOffset: number, rLength: number): void {
    const rule = this.#context.entryTimes;
    const isLeftOut = rule === 'appstore-entry-records' && hasOnlyTimes(this.#context);
    this.field(region, pOffset, pLength, rOffset, rLength, isLeftOut ? 'excluded' : 'different', rule);
  }

  /** Ranges relative to the files. Equal bytes get the base owner, others `unequal`. */
  field(
    region: string,
    pOffset: number,
    pLength: number,
    rOffset: number,
    rLength: number,
    unequal: Owner,
    excludedBy = this.#excludedBy,
  ): void {
    const lenient = unequal === 'reencoded' || unequal === 'excluded';
    const strict = this.#context.contested && lenient ? 'different' : unequal;
    this.#paint(region, pOffset, pLength, rOffset, rLength, strict, excludedBy);
  }

  #paint(
    region: string,
    pOffset: number,
    pLength: number,
    rOffset: number,
    rLength: number,
    unequal: Owner,
    excludedBy?: RuleName,
  ): void {
    const { sides, member, base } = this.#context;
    const equal = pLength === rLength && this.#equal(pOffset, rOffset, pLength);
    const owner = equal ? base : unequal;
    // the rebuilt bytes that the published side has nothing for are `missing`
    const rebuiltOwner: Owner = owner === 'different' && pLength === 0 ? 'missing' : owner;
    const rule = owner === 'signature' ? 'apk-alignment' : owner === 'excluded' ? excludedBy : undefined;
    sides.published.add(pOffset, pLength, owner, region, member, rule ?? '');
    sides.rebuilt.add(rOffset, rLength, rebuiltOwner, region, member, rule ?? '');
    if (rule !== undefined) {
      this.#context.walk.coverByRule(rule, 'published', pLength);
      this.#context.walk.coverByRule(rule, 'rebuilt', rLength);
    }
    if (pLength + rLength > 0) this.worst = worst(this.worst, owner);
    // an offset that follows from what lies in front is no finding of its own: one would come for each entry behind it
    const follows = region === OFFSET_REGION && unequal === 'reencoded';
    // nor is what a rule leaves out: it is counted there
    if (!equal && !follows && unequal !== 'excluded' && isWorse(unequal, 'signature'))
      this.#context.walk.report({
        kind: 'field',
        path: this.#context.path,
        field: region,
        published: shown(partOf(this.#published, pOffset, pLength)),
        rebuilt: shown(partOf(this.#rebuilt, rOffset, rLength)),
        owner: unequal,
      });
  }

  #equal(pOffset: number, rOffset: number, length: number): boolean {
    const { bytes: a, offset: aStart } = this.#published;
    const { bytes: b, offset: bStart } = this.#rebuilt;
    const p = pOffset - aStart;
    const r = rOffset - bStart;
    if (p < 0 || r < 0 || p + length > a.length || r + length > b.length)
      throw new RangeError(
        `field of ${length} bytes at ${pOffset} and ${rOffset} lies outside of its record`,
      );
    for (let at = 0; at < length; at++) if (a[p + at] !== b[r + at]) return false;
    return true;
  }
}

/** Both headers of both sides: no extra field but for times, and a version that every reader has. */
function hasOnlyTimes({ published, rebuilt }: RecordContext): boolean {
  return [published, rebuilt].every(({ side: { source }, entry }) => {
    const local = source.read(entry.localOffset + 30 + entry.localNameLength, entry.localExtraLength);
    const central = source.read(entry.cdOffset + 46 + entry.cdNameLength, entry.cdExtraLength);
    return entry.versionNeeded <= 20 && holdsOnlyTimes(local) && holdsOnlyTimes(central);
  });
}

function partOf({ bytes, offset }: RecordBytes, at: number, length: number): Buffer {
  return bytes.subarray(at - offset, at - offset + length);
}

function shown(bytes: Buffer): string {
  const hex = bytes.subarray(0, 64).toString('hex');
  if (bytes.length === 2 || bytes.length === 4) return `0x${Buffer.from(bytes).reverse().toString('hex')}`;
  return bytes.length > 64 ? `${hex}… (${bytes.length} bytes)` : hex;
}

/** Local header, data and descriptor; the worst owner of header and descriptor. */
export function compareLocalRecord(context: RecordContext, data: EntryData, wholeEqual: boolean): Owner {
  const { published, rebuilt, sides } = context;
  const p = published.entry;
  const r = rebuilt.entry;
  const pHeader = p.dataOffset - p.localOffset;
  const rHeader = r.dataOffset - r.localOffset;
  const pDescriptor = p.dataOffset + p.compressedSize;
  const rDescriptor = r.dataOffset + r.compressedSize;
  if (wholeEqual) {
    for (const [side, entry] of [
      ['published', p],
      ['rebuilt', r],
    ] as const) {
      sides[side].add(
        entry.localOffset,
        entry.dataOffset - entry.localOffset,
        context.base,
        'zip/order',
        context.member,
      );
      sides[side].add(entry.dataOffset, entry.compressedSize, 'identical', '');
      const after = entry.dataOffset + entry.compressedSize;
      sides[side].add(after, entry.end - after, context.base, 'zip/order', context.member);
    }
    return context.base;
  }
  const painter = new FieldPainter(context, data, p.localOffset, pHeader, r.localOffset, rHeader);
  const pExtra = splitExtra(published);
  const rExtra = splitExtra(rebuilt);
  const padding = paddingOwner(context, pExtra, rExtra);
  painter.fixed('zip/local-signature', 0, 4, 'different');
  painter.packed('zip/local-version-needed', p.localOffset + 4, 2, r.localOffset + 4, 2);
  painter.fixed(
    'zip/local-flags',
    6,
    2,
    flagsOwner(context, localFlags(published) ^ localFlags(rebuilt), data),
  );
  painter.fixed('zip/local-method', 8, 2, 'different');
  painter.stamped('zip/local-time', 10, 2);
  painter.stamped('zip/local-date', 12, 2);
  painter.fixed(
    'zip/local-crc32',
    14,
    4,
    derivedOwner(context, data, 14, (entry) => entry.crc32),
  );
  painter.fixed(
    'zip/local-compressed-size',
    18,
    4,
    derivedOwner(context, data, 18, (entry) => entry.compressedSize),
  );
  painter.fixed(
    'zip/local-size',
    22,
    4,
    derivedOwner(context, data, 22, (entry) => entry.size),
  );
  painter.fixed('zip/local-name-length', 26, 2, 'different');
  if (pExtra.fieldsLength === rExtra.fieldsLength) painter.fixed('zip/local-extra-length', 28, 2, padding);
  else painter.packed('zip/local-extra-length', p.localOffset + 28, 2, r.localOffset + 28, 2);
  painter.field(
    'zip/local-name',
    p.localOffset + 30,
    p.localNameLength,
    r.localOffset + 30,
    r.localNameLength,
    'different',
  );
  const pExtraStart = p.localOffset + 30 + p.localNameLength;
  const rExtraStart = r.localOffset + 30 + r.localNameLength;
  painter.packed('zip/local-extra', pExtraStart, pExtra.fieldsLength, rExtraStart, rExtra.fieldsLength);
  painter.field(
    'zip/padding',
    pExtraStart + pExtra.fieldsLength,
    pHeader - (pExtraStart - p.localOffset) - pExtra.fieldsLength,
    rExtraStart + rExtra.fieldsLength,
    rHeader - (rExtraStart - r.localOffset) - rExtra.fieldsLength,
    padding,
  );
  addData(context, data);
  if (p.descriptorSize + r.descriptorSize === 0) return painter.worst;
  const after = new FieldPainter(context, data, pDescriptor, p.descriptorSize, rDescriptor, r.descriptorSize);
  const owner = descriptorOwner(context, data);
  after.field('zip/descriptor', pDescriptor, p.descriptorSize, rDescriptor, r.descriptorSize, owner);
  return worst(painter.worst, after.worst);
}

/** The directory record; its worst owner. */
export function compareDirectoryRecord(context: RecordContext, data: EntryData): Owner {
  const { published, rebuilt } = context;
  const p = published.entry;
  const r = rebuilt.entry;
  if (context.base === 'identical' && equalButOffset(published, rebuilt)) return paintOffset(context, data);
  const painter = new FieldPainter(context, data, p.cdOffset, p.cdSize, r.cdOffset, r.cdSize);
  painter.fixed('zip/directory-signature', 0, 4, 'different');
  painter.packed('zip/directory-made-by', p.cdOffset + 4, 2, r.cdOffset + 4, 2);
  painter.packed('zip/directory-version-needed', p.cdOffset + 6, 2, r.cdOffset + 6, 2);
  painter.fixed('zip/directory-flags', 8, 2, flagsOwner(context, p.flags ^ r.flags, data));
  painter.fixed('zip/directory-method', 10, 2, 'different');
  painter.stamped('zip/directory-time', 12, 2);
  painter.stamped('zip/directory-date', 14, 2);
  painter.fixed('zip/directory-crc32', 16, 4, statedOwner(data));
  painter.fixed('zip/directory-compressed-size', 20, 4, statedOwner(data));
  painter.fixed('zip/directory-size', 24, 4, statedOwner(data));
  painter.fixed('zip/directory-lengths', 28, 2, 'different');
  painter.packed('zip/directory-lengths', p.cdOffset + 30, 2, r.cdOffset + 30, 2);
  painter.fixed('zip/directory-lengths', 32, 2, 'different');
  painter.fixed('zip/directory-disk', 34, 2, 'different');
  painter.stamped('zip/directory-attributes', 36, 6);
  painter.place(OFFSET_REGION, OFFSET_AT, 4, offsetOwner(context));
  painter.field(
    'zip/directory-name',
    p.cdOffset + 46,
    p.cdNameLength,
    r.cdOffset + 46,
    r.cdNameLength,
    'different',
  );
  const pRest = 46 + p.cdNameLength;
  const rRest = 46 + r.cdNameLength;
  painter.packed(
    'zip/directory-extra',
    p.cdOffset + pRest,
    p.cdExtraLength,
    r.cdOffset + rRest,
    r.cdExtraLength,
  );
  const pComment = pRest + p.cdExtraLength;
  const rComment = rRest + r.cdExtraLength;
  painter.field(
    'zip/directory-comment',
    p.cdOffset + pComment,
    p.cdSize - pComment,
    r.cdOffset + rComment,
    r.cdSize - rComment,
    'different',
  );
  return painter.worst;
}

const OFFSET_AT = 42;
const OFFSET_REGION = 'zip/directory-offset';

/** Nearly every record: only where the entry lies can differ, so that the other fields need not be looked at. */
function equalButOffset({ side: p, entry: a }: RecordSide, { side: r, entry: b }: RecordSide): boolean {
  if (a.cdSize !== b.cdSize) return false;
  const x = p.source.read(a.cdOffset, a.cdSize);
  const y = r.source.read(b.cdOffset, b.cdSize);
  const after = OFFSET_AT + 4;
  return (
    x.compare(y, 0, OFFSET_AT, 0, OFFSET_AT) === 0 && x.compare(y, after, b.cdSize, after, a.cdSize) === 0
  );
}

function paintOffset(context: RecordContext, data: EntryData): Owner {
  const { published, rebuilt, sides } = context;
  const { cdOffset: offset, cdSize } = published.entry;
  const { cdOffset: other } = rebuilt.entry;
  const painter = new FieldPainter(context, data, offset, cdSize, other, cdSize);
  sides.published.add(offset, OFFSET_AT, 'identical', '');
  sides.rebuilt.add(other, OFFSET_AT, 'identical', '');
  painter.place(OFFSET_REGION, OFFSET_AT, 4, offsetOwner(context));
  const rest = OFFSET_AT + 4;
  sides.published.add(offset + rest, cdSize - rest, 'identical', '');
  sides.rebuilt.add(other + rest, cdSize - rest, 'identical', '');
  return painter.worst;
}

interface SplitField {
  readonly fieldsLength: number;
  readonly padded: boolean;
  readonly alignment: number;
}

function splitExtra({ side, entry }: RecordSide): SplitField {
  const start = entry.localOffset + 30 + entry.localNameLength;
  const { fields, alignment } = splitPadding(
    side.source.read(start, entry.localExtraLength),
    entry.dataOffset,
  );
  return { fieldsLength: fields, padded: fields < entry.localExtraLength, alignment };
}

/** Padding that differs, both tails being of a named style or empty. */
function paddingOwner(context: RecordContext, p: SplitField, r: SplitField): Owner {
  if (context.layoutExplained) return 'signature';
  if (!p.padded && !r.padded) return 'different';
  return losesAlignment(context) ? 'different' : 'reencoded';
}

/** Android maps some from the file: what was aligned in the rebuilt APK must be so in the published one. */
function losesAlignment({ published, rebuilt }: RecordContext): boolean {
  if (rebuilt.entry.method !== 0) return false;
  const demanded = demandedAlignment(rawNameOf(rebuilt.entry), splitExtra(rebuilt).alignment);
  return rebuilt.entry.dataOffset % demanded === 0 && published.entry.dataOffset % demanded !== 0;
}

/** Follows from what lies in front, which has owners of its own. */
function offsetOwner(context: RecordContext): Owner {
  if (context.layoutExplained) return 'signature';
  const { published, rebuilt } = context;
  if ([published, rebuilt].some(({ side }) => side.ambiguities.contestedDirectory)) return 'different';
  return losesAlignment(context) ? 'different' : 'reencoded';
}

function localFlags({ side, entry }: RecordSide): number {
  return side.source.read(entry.localOffset + 6, 2).readUInt16LE(0);
}

const STORED = 0;
const DEFLATED = 8;
const LEVEL_BITS = 0b0110;
const DESCRIPTOR_BIT = 0b1000;

/** Level bits of deflated data, and the descriptor bit where the descriptor that it announces is there. */
function flagsOwner({ published, rebuilt }: RecordContext, differing: number, data: EntryData): Owner {
  const deflated = published.entry.method === DEFLATED && rebuilt.entry.method === DEFLATED;
  if ((differing & ~(DESCRIPTOR_BIT | (deflated ? LEVEL_BITS : 0))) !== 0) return 'different';
  if ((differing & DESCRIPTOR_BIT) !== 0 && !(isAnnounced(published) && isAnnounced(rebuilt)))
    return 'different';
  return plain(worst('reencoded', data.owner));
}

/** Local header and directory say the same of a descriptor, and it is there or not as they say. */
function isAnnounced(side: RecordSide): boolean {
  const there = side.entry.descriptorSize > 0;
  return [localFlags(side), side.entry.flags].every((flags) => ((flags & DESCRIPTOR_BIT) !== 0) === there);
}

/** CRC and sizes in the directory: a difference over equal data is one value that lies. */
function statedOwner(data: EntryData): Owner {
  if (data.owner === 'identical' || !data.statedTruly) return unreadOr(data, 'different');
  return plain(worst('reencoded', data.owner));
}

/** CRC and sizes in the local header: they repeat the directory, or are zero where a descriptor follows. */
function derivedOwner(
  context: RecordContext,
  data: EntryData,
  at: number,
  stated: (entry: ZipEntry) => number,
): Owner {
  const isTrue = ({ side, entry }: RecordSide): boolean => {
    const value = side.source.read(entry.localOffset + at, 4).readUInt32LE(0);
    if (value === stated(entry)) return true;
    return value === 0 && entry.descriptorSize > 0 && (localFlags({ side, entry }) & 8) !== 0;
  };
  if (!isTrue(context.published) || !isTrue(context.rebuilt)) return 'different';
  const p = stated(context.published.entry);
  const r = stated(context.rebuilt.entry);
  // the directory agrees: only one side leaves the value to its descriptor
  if (p === r) return plain(worst('reencoded', data.owner));
  return statedOwner(data);
}

/** Descriptors are only taken for such when they tell the truth, so what differs is what they describe or their form. */
function descriptorOwner({ published, rebuilt }: RecordContext, data: EntryData): Owner {
  const [p, r] = [published.entry, rebuilt.entry];
  if (!isAnnounced(published) || !isAnnounced(rebuilt)) return 'different';
  if (p.crc32 === r.crc32 && p.size === r.size && p.compressedSize === r.compressedSize)
    return plain(worst('reencoded', data.owner));
  return statedOwner(data);
}

/** Data that neither side decodes say nothing about the fields that describe them. */
function unreadOr(data: EntryData, owner: Owner): Owner {
  return data.owner === 'unread' || data.owner === 'encrypted' ? data.owner : owner;
}

/** Content that a rule covers; compressed bytes have no places that could be told apart. */
function addCovered(context: RecordContext, { rule, leavesOut }: NonNullable<EntryData['covered']>): void {
  const { walk, sides, member, published, rebuilt } = context;
  const [p, r] = [published, rebuilt].map(
    ({ side, entry }) => new SliceSource(side.source, entry.dataOffset, entry.compressedSize),
  ) as [SliceSource, SliceSource];
  const leaveOut = (side: Side, offset: number, length: number): void => {
    sides[side].add(context[side].entry.dataOffset + offset, length, 'excluded', 'zip/data', member, rule);
    walk.coverByRule(rule, side, length);
  };
  if (leavesOut === 'content' || published.entry.method !== STORED || p.size !== r.size) {
    leaveOut('published', 0, p.size);
    leaveOut('rebuilt', 0, r.size);
    return;
  }
  compareLeaf(p, r, (side, offset, length, owner) => {
    if (owner !== 'identical') leaveOut(side, offset, length);
    else sides[side].add(context[side].entry.dataOffset + offset, length, 'identical', '');
  });
}

function plain(owner: Owner): Owner {
  return owner === 'missing' ? 'different' : owner;
}

function addData(context: RecordContext, data: EntryData): void {
  const { walk, sides, member } = context;
  if (data.covered !== undefined) {
    addCovered(context, data.covered);
    return;
  }
  for (const side of ['published', 'rebuilt'] as const) {
    const { entry } = context[side];
    const child = data.child?.splice === true ? walk.nodes[data.child.index] : undefined;
    const { excludedBy } = data;
    if (child === undefined) {
      const owner = plain(data.owner);
      const rule = owner === 'excluded' ? excludedBy : undefined;
      sides[side].add(entry.dataOffset, entry.compressedSize, owner, 'zip/data', member, rule ?? '');
      if (rule !== undefined) walk.coverByRule(rule, side, entry.compressedSize);
    } else {
      splice(sides[side], entry.dataOffset, child[side], member);
      for (const { rule, length } of child[side].runs)
        if (rule !== undefined) walk.coverByRule(rule, side, length);
    }
  }
}
