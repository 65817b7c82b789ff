// SPDX-License-Identifier: Apache-2.0
/**
 * ZIP and APK: every record of both sides gets its owner by one alignment (ARCHITECTURE.md, "The ledger").
 * Specification: APPNOTE.TXT 6.3.10; field offsets in the comments are those of 4.3.7 and 4.3.12.
 */
import { equalRange, SliceSource } from '../../bytes.js';
import type { ApkSignatureCheck } from '../../formats/apk-signature.js';
import { AMBIGUITIES } from '../../formats/zip-code.js';
import { readZip, type ZipEntry, type ZipStructure } from '../../formats/zip.js';
import { outsideCommonOrder, pairMembers, withOccurrences, type Named, type Pairing } from '../align.js';
import type { Container, Opened } from '../container.js';
import { isWorse, LedgerBuilder, oneSided, worst } from '../ledger.js';
import { compareLeaf } from '../leaf.js';
import { rules } from '../rules/index.js';
import type { RuleName } from '../../model.js';
import type { LedgerNode, Owner, Side } from '../types.js';
import { node, type Place, type Walk } from '../walk.js';
import { secondReaderDisagrees } from '../decode/second-reader.js';
import { contentRules } from './content-rules.js';
import { compareEntryData } from './data.js';
import { entryTimesRule, hasRow } from './entry-times.js';
import { decodeAhead, type DecodedAhead } from './decoded-ahead.js';
import { EQUAL_DATA, opaque, type EntryData } from './entry-data.js';
import { EntryEquality } from './entry-equality.js';
import { JAR_ISSUES } from '../../formats/jar-issue.js';
import { finishJarCheck, openJarCheck, type JarCheck, type OpenJarCheck } from './jar-check.js';
import {
  jarEntryOwners,
  noSignatureExtents,
  withJarSignature,
  type JarEntryOwners,
  type SignatureExtent,
} from './jar-entries.js';
import { protectionOf } from '../explain/store-protection.js';
import { MemberTable } from './member-table.js';
import { ObservationTable } from './observations.js';
import { findLayout } from './layout.js';
import { signatureEntries } from './signature-entries.js';
import { planTransplant } from './transplant.js';
import { isVirtualEntry } from './virtual-entry.js';
import { compareBlocks } from './signing-block.js';
import { compareDirectoryRecord, compareLocalRecord, type RecordContext } from './records.js';
import {
  type Anchor,
  type Gap,
  isContested,
  isJarSignatureEntry,
  isJarSigned,
  openZipSide,
  rawNameOf,
  signatureRecord,
  signedSections,
  type ZipSide,
} from './zip-side.js';

export const zipContainer: Container<ZipStructure> = {
  format: 'zip',
  recognizes(source) {
    // a local header or, in an empty archive, the end record; APKs with a prefix are found by their end record
    if (source.size < 22) return false;
    const magic = source.read(0, 4).readUInt32LE(0);
    if (magic === 0x04034b50 || magic === 0x06054b50) return true;
    const tail = Math.min(source.size, 22 + 0xffff);
    return source.read(source.size - tail, tail).includes('PK\x05\x06', 0, 'latin1');
  },
  parse: readZip,
  compare: compareZip,
};

/** Totals of what one side has and the other does not, for the counts and sizes of the end record. */
interface OneSidedTotals {
  worst: Owner;
  /** Of entries that belong to a JAR signature. */
  readonly jar: Readonly<Record<Side, SignatureExtent>>;
}

async function compareZip(
  walk: Walk,
  published: Opened<ZipStructure>,
  rebuilt: Opened<ZipStructure>,
  place: Place,
  index: number,
): Promise<LedgerNode> {
  const nested = place.depth > 0;
  // the key is turned on another thread while this one looks for equal entries
  const checking = nested ? undefined : walk.facts.signature(signedSections(published.structure));
  if (!nested) walk.facts.prefetch('rebuilt');
  const jar =
    nested || !isJarSigned(published.structure)
      ? undefined
      : openJarCheck(published.source, published.structure, walk.options.limits);
  const pairing = pairMembers(
    pairable('published', published.structure, nested),
    pairable('rebuilt', rebuilt.structure, nested),
  );
  const equality = new EntryEquality(published, rebuilt, pairing.pairs, () => walk.checkAborted());
  const ahead = decodeAhead(published, rebuilt, pairing.pairs, equality, jar?.digests);
  try {
    return await compareRecords(walk, published, rebuilt, place, index, {
      checking,
      jar,
      pairing,
      equality,
      ahead,
    });
  } finally {
    await Promise.all([ahead?.close(), jar?.digests.close()]);
  }
}

/** What is found out, or under way, before the first record is compared. */
interface Preparation {
  readonly checking: Promise<ApkSignatureCheck> | undefined;
  readonly jar: OpenJarCheck | undefined;
  readonly pairing: Pairing;
  readonly equality: EntryEquality;
  readonly ahead: DecodedAhead | undefined;
}

async function compareRecords(
  walk: Walk,
  published: Opened<ZipStructure>,
  rebuilt: Opened<ZipStructure>,
  place: Place,
  index: number,
  { checking, jar, pairing, equality, ahead }: Preparation,
): Promise<LedgerNode> {
  const nested = place.depth > 0;
  const r = openZipSide('rebuilt', rebuilt.source, rebuilt.structure, nested);
  // meanwhile the other thread may come to the signature
  if (!nested) walk.disagreement = await secondReaderDisagrees(published.source, published.structure);
  const p = openZipSide('published', published.source, published.structure, nested, await checking);
  if (!nested) walk.signature = { record: signatureRecord(p), signatures: { apk: p.signature } };
  const search = nested ? undefined : findLayout(p, r, signatureEntries(p, r, pairing, coveredBy(walk)));
  const layoutExplained = isSigned(p) && search?.layout !== undefined;
  const sides = { published: new LedgerBuilder(p.source.size), rebuilt: new LedgerBuilder(r.source.size) };
  const entryTimes = entryTimesRule(walk, p, r);

  const observations = new ObservationTable(place.path);
  for (const side of [p, r]) observations.addSide(side);
  const members = new MemberTable(p, r);
  const movedData = outsideCommonOrder(ranksInOrder(pairing.pairs, p.zip.dataOrder, r.zip.dataOrder));
  const movedRecord = outsideCommonOrder(pairing.pairs.map((pair) => pair.rebuilt));
  const dataPosition = rankOf(p.zip.dataOrder, p.zip.entries.length);
  const pairedBefore = positionsAmongPaired(pairing.pairs, dataPosition);
  let moved = 0;

  for (const [pairIndex, pair] of pairing.pairs.entries()) {
    const a = p.zip.entries[pair.published];
    const b = r.zip.entries[pair.rebuilt];
    if (a === undefined || b === undefined) continue;
    if ((pairIndex & 0x3ff) === 0) {
      walk.checkAborted();
      walk.options.onProgress?.({
        kind: 'phase-progress',
        phase: 'compare',
        done: pairIndex,
        total: pairing.pairs.length,
        unit: 'entries',
      });
    }
    const name = members.nameOf(a);
    const member = members.pair(pair.published, pair.rebuilt, name);
    const isMoved = movedData.has(pairedBefore[pairIndex] ?? -1);
    const isRecordMoved = movedRecord.has(pairIndex);
    if (isMoved || isRecordMoved) moved++;
    const wholeEqual = equality.whole(pairIndex);
    const contested = isContested(p, a) || isContested(r, b);
    const rule = wholeEqual ? undefined : coveringRule(walk, p, a, r, b);
    if (rule !== undefined) {
      coverEntry(walk, sides.published, p, a, member, rule);
      coverEntry(walk, sides.rebuilt, r, b, member, rule);
      members.settle(member, 'excluded', 'excluded');
      continue;
    }
    const context: RecordContext = {
      walk,
      sides,
      published: { side: p, entry: a },
      rebuilt: { side: r, entry: b },
      path: [...place.path, name],
      member,
      base: baseOf(isMoved, contested),
      contested,
      layoutExplained,
      entryTimes: hasRow(a) ? entryTimes : undefined,
    };
    const isEqual = equality.data(pairIndex);
    const prepared = isEqual ? undefined : await ahead?.get(pairIndex);
    if (prepared?.digests !== undefined) jar?.digests.put(pair.published, prepared.digests);
    const data: EntryData = isEqual
      ? EQUAL_DATA
      : contested
        ? opaque('different')
        : await compareEntryData(
            walk,
            p.source,
            a,
            r.source,
            b,
            { path: context.path, parent: index, depth: place.depth + 1 },
            prepared,
            contentRules(walk, p, a, r, b),
          );
    reportEncoding(walk, context.path, data);
    observeEncoding(observations, a, b, name, data);
    const local = compareLocalRecord(context, data, wholeEqual);
    const record = compareDirectoryRecord({ ...context, base: baseOf(isRecordMoved, contested) }, data);
    if (contested && isWorse(worst(local, record, data.owner), 'excluded'))
      reportContested(walk, context.path, p, a, r, b);
    members.settle(member, worst(local, record, data.owner), data.owner, data.child?.index);
  }
  // its threads hold memory
  await ahead?.close();
  if (moved > 0)
    walk.report({ kind: 'order', path: place.path, moved, detail: `${moved} entries lie in another order` });

  const jarCheck =
    jar === undefined ? undefined : await finishJarCheck(jar, { source: r.source, zip: r.zip });
  if (jarCheck !== undefined)
    walk.signature = {
      record: withJarSignature(signatureRecord(p), p, jarCheck),
      signatures: { apk: p.signature, jar: jarCheck },
    };
  const jarOwners = jarEntryOwners(p, r, jarCheck, walk.options.pinned ?? new Set());
  const oneSidedTotals: OneSidedTotals = { worst: 'identical', jar: noSignatureExtents() };
  for (const side of [p, r])
    for (const entryIndex of unpaired(side, side === p ? pairing.onlyPublished : pairing.onlyRebuilt))
      addOneSided(walk, sides[side.side], side, entryIndex, members, place, oneSidedTotals, jarOwners);
  const partners = new Map(pairing.pairs.map((pair) => [pair.published, pair.rebuilt]));
  compareGaps(walk, sides, p, r, partners, layoutExplained, place);
  compareBlocks(walk, sides, p, r, place);
  if (jarCheck !== undefined) reportJarSignature(walk, place, jarCheck, oneSidedTotals.worst);
  compareEnd(walk, sides, p, r, oneSidedTotals, layoutExplained, place);
  walk.observe(observations.list());
  if (search !== undefined) {
    const pairOf = new Map(pairing.pairs.map((pair, at) => [pair.published, { ...pair, at }]));
    walk.transplant = {
      published: p,
      rebuilt: r,
      plan: () =>
        planTransplant(p, r, search, (publishedIndex, rebuiltIndex) => {
          const pair = pairOf.get(publishedIndex);
          return pair?.rebuilt === rebuiltIndex && equality.whole(pair.at);
        }),
    };
  }
  return node(
    place,
    p.block === undefined && r.block === undefined ? 'zip' : 'apk',
    sides.published.finish(),
    sides.rebuilt.finish(),
    members.list(),
  );
}

/** By a signing block that was verified, or entries that are. */
function isSigned({ block, jarSigned }: ZipSide): boolean {
  return block === undefined ? jarSigned : block.trusted;
}

function* rawNames(zip: ZipStructure): Generator<Buffer> {
  for (const entry of zip.entries) yield entry.rawName;
}

/** Entries that take part in pairing; the others get a name that no entry has. */
export function pairable(side: Side, zip: ZipStructure, nested: boolean): Named[] {
  const named = withOccurrences(rawNames(zip));
  const jarSigned = !nested && isJarSigned(zip);
  if (!jarSigned) return named;
  return named.map((name, index) => {
    const entry = zip.entries[index];
    return entry !== undefined && isJarSignatureEntry({ jarSigned }, entry)
      ? { key: `\u{10000}${side}/${index}`, occurrence: 0 }
      : name;
  });
}

function unpaired(side: ZipSide, indices: readonly number[]): readonly number[] {
  return [...indices].sort(
    (x, y) => (side.zip.entries[x]?.localOffset ?? 0) - (side.zip.entries[y]?.localOffset ?? 0),
  );
}

function rankOf(order: readonly number[], count: number): Int32Array {
  const ranks = new Int32Array(count);
  for (const [rank, entry] of order.entries()) ranks[entry] = rank;
  return ranks;
}

/** For each pair its position when pairs are sorted by the published side's data order. */
function positionsAmongPaired(
  pairs: readonly { readonly published: number }[],
  dataPosition: Int32Array,
): number[] {
  const sorted = pairs
    .map((_, index) => index)
    .sort(
      (x, y) => (dataPosition[pairs[x]?.published ?? 0] ?? 0) - (dataPosition[pairs[y]?.published ?? 0] ?? 0),
    );
  const positions: number[] = [];
  for (const [position, pairIndex] of sorted.entries()) positions[pairIndex] = position;
  return positions;
}

/** The rebuilt data ranks in the published data order. */
function ranksInOrder(
  pairs: readonly { readonly published: number; readonly rebuilt: number }[],
  publishedOrder: readonly number[],
  rebuiltOrder: readonly number[],
): number[] {
  const partner = new Map(pairs.map((pair) => [pair.published, pair.rebuilt]));
  const rebuiltRank = rankOf(rebuiltOrder, rebuiltOrder.length);
  return publishedOrder.flatMap((entry) => {
    const other = partner.get(entry);
    return other === undefined ? [] : [rebuiltRank[other] ?? 0];
  });
}

/** Equal bytes outside of the common order: which of two readings a reader takes can depend on it. */
function baseOf(moved: boolean, contested: boolean): RecordContext['base'] {
  if (!moved) return 'identical';
  return contested ? 'different' : 'reencoded';
}

/** Why nothing in this entry counts as packed differently. */
function reportContested(
  walk: Walk,
  path: readonly string[],
  p: ZipSide,
  a: ZipEntry,
  r: ZipSide,
  b: ZipEntry,
): void {
  const codes = (side: ZipSide, entry: ZipEntry): string =>
    [...(side.ambiguities.contested.get(entry) ?? ['none'])].sort().join(', ');
  walk.report({
    kind: 'field',
    path,
    field: 'ambiguous entry',
    published: codes(p, a),
    rebuilt: codes(r, b),
    owner: 'different',
  });
}

/** What the streams leave room for, where they had to be decoded. */
function observeEncoding(
  observations: ObservationTable,
  a: ZipEntry,
  b: ZipEntry,
  member: string,
  { issues }: EntryData,
): void {
  for (const issue of issues) {
    const [side = '', code = ''] = issue.split(': ');
    const found = AMBIGUITIES.find((known) => known === `zip/deflate-${code}`);
    if (found === undefined) continue;
    const entry = side === 'published' ? a : b;
    observations.add(side === 'published' ? 'published' : 'rebuilt', found, () => ({
      offset: entry.dataOffset,
      member,
    }));
  }
}

function reportEncoding(walk: Walk, path: readonly string[], data: EntryData): void {
  if (data.issues.length === 0) return;
  walk.report({
    kind: 'field',
    path,
    field: 'deflate stream',
    published: issuesOf('published', data),
    rebuilt: issuesOf('rebuilt', data),
    owner: 'different',
  });
}

function issuesOf(side: Side, data: EntryData): string {
  const own = data.issues
    .filter((issue) => issue.startsWith(`${side}: `))
    .map((issue) => issue.slice(side.length + 2));
  return own.length === 0 ? 'tight' : own.join(', ');
}

/** The first rule asked for that covers what this entry is on both sides; for entries that differ. */
function coveringRule(walk: Walk, p: ZipSide, a: ZipEntry, r: ZipSide, b: ZipEntry): RuleName | undefined {
  for (const name of walk.options.rules) {
    if (covers(name, p, a) && covers(name, r, b)) return name;
  }
  return undefined;
}

/** A rule covers one entry of the file itself: stores edit no archive inside, and of several entries with a name none is meant. */
export function covers(name: RuleName, side: ZipSide, entry: ZipEntry): boolean {
  const { source, nested, signature } = side;
  const rule = rules[name];
  if (nested || !('coversEntry' in rule)) return false;
  const stamps = signature.stamps.map(({ certificateSha256 }) => certificateSha256);
  return rule.coversEntry(source, entry, stamps) && !isContested(side, entry);
}

/** By a rule that was asked for. */
function coveredBy(walk: Walk): (side: ZipSide, entry: ZipEntry) => boolean {
  return (side, entry) => [...walk.options.rules].some((name) => covers(name, side, entry));
}

function coverEntry(
  walk: Walk,
  ledger: LedgerBuilder,
  side: ZipSide,
  entry: ZipEntry,
  member: number,
  rule: RuleName,
): void {
  const size = entry.end - entry.localOffset;
  ledger.add(entry.localOffset, size, 'excluded', 'zip/entry', member, rule);
  ledger.add(entry.cdOffset, entry.cdSize, 'excluded', 'zip/directory-record', member, rule);
  walk.coverByRule(rule, side.side, size + entry.cdSize);
  if (rule !== 'play-stamp-cert' || side.side !== 'published' || side.signature.stamps.length > 0) return;
  walk.report({
    kind: 'unread',
    path: [rawNameOf(entry)],
    code: 'stamp-unchecked',
    detail: 'no source stamp in the signing block that its 32 bytes could be compared with',
  });
}

function addOneSided(
  walk: Walk,
  ledger: LedgerBuilder,
  side: ZipSide,
  entryIndex: number,
  members: MemberTable,
  place: Place,
  totals: OneSidedTotals,
  jarOwners: JarEntryOwners,
): void {
  const entry = side.zip.entries[entryIndex];
  if (entry === undefined) return;
  const rule = [...walk.options.rules].find((name) => covers(name, side, entry));
  if (rule !== undefined) {
    const member = members.single(side.side, entry, 'excluded');
    coverEntry(walk, ledger, side, entry, member, rule);
    totals.worst = worst(totals.worst, 'excluded');
    return;
  }
  const jar = jarOwners(side, entryIndex);
  const owner: Owner = jar?.owner ?? oneSided(side.side);
  const member = members.single(side.side, entry, owner);
  const region = jar === undefined ? 'zip/entry' : 'zip/jar-signature';
  const size = entry.end - entry.localOffset;
  const ruleOf = jar?.rule ?? '';
  ledger.add(entry.localOffset, size, owner, region, member, ruleOf);
  ledger.add(
    entry.cdOffset,
    entry.cdSize,
    owner,
    jar === undefined ? 'zip/directory-record' : region,
    member,
    ruleOf,
  );
  totals.worst = worst(totals.worst, owner);
  if (jar !== undefined) {
    if (jar.rule !== '') walk.coverByRule(jar.rule, side.side, size + entry.cdSize);
    const extent = totals.jar[side.side];
    extent.entries += 1;
    extent.records += entry.cdSize;
    extent.data += size;
    return;
  }
  walk.report({
    kind: side.side === 'published' ? 'only-published' : 'only-rebuilt',
    path: [...place.path, members.nameOf(entry)],
    size: entry.size,
    ...(side.side === 'published' && !side.nested ? protectionOf(entry) : {}),
  });
}

/** What keeps the entries of the published signature from having an owner other than `unread`. */
function reportJarSignature(walk: Walk, place: Place, check: JarCheck, found: Owner): void {
  if (found !== 'unread') return;
  const codes = new Set<string>();
  for (const { code, message, offset } of check.issues) {
    const { effect } = JAR_ISSUES[code];
    if (effect !== 'invalid' && effect !== 'open' && effect !== 'loose') continue;
    codes.add(code);
    walk.report({ kind: 'unread', path: place.path, code, detail: `${message} (offset ${offset})` });
  }
  if (codes.size > 0)
    walk.cannotVerify('unread', `the JAR signature leaves bytes open: ${[...codes].sort().join(', ')}`);
}

type Sides = Readonly<Record<Side, LedgerBuilder>>;

/** Bytes that no record owns, compared with those before the same structure of the other side. */
function compareGaps(
  walk: Walk,
  sides: Sides,
  p: ZipSide,
  r: ZipSide,
  partner: ReadonlyMap<number, number>,
  layoutExplained: boolean,
  place: Place,
): void {
  const rebuiltGaps = new Map(r.gaps.map((gap) => [gap.anchor, gap]));
  const ownVirtual = (side: ZipSide, gap: Gap): boolean => {
    if (!layoutExplained || !isVirtualEntry(side, gap)) return false;
    sides[side.side].add(gap.offset, gap.size, 'signature', 'apk/virtual-entry', -1, 'apk-alignment');
    walk.coverByRule('apk-alignment', side.side, gap.size);
    return true;
  };
  for (const gap of p.gaps) {
    const anchor: Anchor | undefined = typeof gap.anchor === 'number' ? partner.get(gap.anchor) : gap.anchor;
    const other = anchor === undefined ? undefined : rebuiltGaps.get(anchor);
    const region = gapRegion(gap.offset, gap.anchor);
    if (other === undefined) {
      if (ownVirtual(p, gap)) continue;
      sides.published.add(gap.offset, gap.size, 'different', region);
      reportHidden(walk, place, p, region, gap.offset, gap.size);
      continue;
    }
    rebuiltGaps.delete(other.anchor);
    let differs = false;
    compareLeaf(slice(p, gap), slice(r, other), (side, offset, length, owner) => {
      sides[side].add((side === 'published' ? gap : other).offset + offset, length, owner, region);
      differs ||= length > 0 && owner !== 'identical';
    });
    if (differs) reportHidden(walk, place, p, region, gap.offset, gap.size);
  }
  for (const gap of rebuiltGaps.values()) {
    if (ownVirtual(r, gap)) continue;
    const region = gapRegion(gap.offset, gap.anchor);
    sides.rebuilt.add(gap.offset, gap.size, 'missing', region);
    reportHidden(walk, place, r, region, gap.offset, gap.size);
  }
}

function gapRegion(offset: number, anchor: Anchor): string {
  if (anchor === 'end-of-file') return 'zip/trailing-bytes';
  return offset === 0 ? 'zip/prefix' : `zip/gap-before-${typeof anchor === 'number' ? 'entry' : anchor}`;
}

function slice(side: ZipSide, extent: { readonly offset: number; readonly size: number }): SliceSource {
  return new SliceSource(side.source, extent.offset, extent.size);
}

function reportHidden(
  walk: Walk,
  place: Place,
  side: ZipSide,
  region: string,
  offset: number,
  length: number,
): void {
  const hex = side.source.read(offset, Math.min(64, length)).toString('hex');
  walk.report({ kind: 'hidden', path: place.path, side: side.side, region, offset, length, hex });
}

/** Bytes that signing added before the central directory. */
function signatureBytes(side: ZipSide): number {
  return side.block === undefined || !side.block.trusted ? 0 : side.block.size + side.block.fill;
}

/** The end records and the archive comment; offsets are those of 4.3.16. */
function compareEnd(
  walk: Walk,
  sides: Sides,
  p: ZipSide,
  r: ZipSide,
  { worst: oneSidedWorst, jar }: OneSidedTotals,
  layoutExplained: boolean,
  place: Place,
): void {
  const field = (region: string, at: number, size: number, owner: Owner, rebuiltAt = at): void => {
    const a = p.zip.end.offset + at;
    const b = r.zip.end.offset + rebuiltAt;
    const equal = equalRange(p.source, a, r.source, b, size);
    sides.published.add(a, size, equal ? 'identical' : owner, region);
    sides.rebuilt.add(b, size, equal ? 'identical' : owner, region);
    if (!equal && owner === 'different')
      walk.report({
        kind: 'field',
        path: place.path,
        field: region,
        published: hexOf(p, a, size),
        rebuilt: hexOf(r, b, size),
        owner,
      });
  };
  // what one side has alone explains other counts and sizes, and is owned there
  const explained: Owner =
    oneSidedWorst === 'identical'
      ? 'reencoded'
      : worst('reencoded', oneSidedWorst === 'missing' ? 'different' : oneSidedWorst);
  const signing = [signatureBytes(p) + jar.published.data, signatureBytes(r) + jar.rebuilt.data] as const;
  const net = (published: number, rebuilt: number): boolean =>
    oneSidedWorst === 'signature' && published === rebuilt;
  const netOffset =
    layoutExplained ||
    (signing[0] + signing[1] > 0 &&
      p.zip.centralDirectory.offset - signing[0] === r.zip.centralDirectory.offset - signing[1]);
  const counts: Owner = net(
    p.zip.entries.length - jar.published.entries,
    r.zip.entries.length - jar.rebuilt.entries,
  )
    ? 'signature'
    : oneSidedWorst === 'identical'
      ? 'different'
      : explained;
  const sizes: Owner = net(
    p.zip.centralDirectory.size - jar.published.records,
    r.zip.centralDirectory.size - jar.rebuilt.records,
  )
    ? 'signature'
    : explained;
  field('zip/end-signature', 0, 8, 'different');
  field('zip/entry-count', 8, 4, counts);
  field('zip/directory-size', 12, 4, sizes);
  field('zip/directory-offset', 16, 4, netOffset ? 'signature' : 'reencoded');
  field('zip/comment-length', 20, 2, 'different');
  compareExtent(walk, sides, p, p.zip.comment, r, r.zip.comment, 'zip/comment', place);
  const [a, b] = [p.zip.zip64, r.zip.zip64];
  if (a === undefined || b === undefined || a.size !== b.size) {
    const nothing = { offset: 0, size: 0 };
    compareExtent(walk, sides, p, a ?? nothing, r, b ?? nothing, 'zip/zip64-end', place);
    return;
  }
  // 4.3.14, then what may extend it, then the locator (4.3.15)
  const wide = (region: string, at: number, size: number, owner: Owner): void =>
    field(region, a.offset + at - p.zip.end.offset, size, owner, b.offset + at - r.zip.end.offset);
  const locator = a.size - 20;
  wide('zip/zip64-end', 0, 24, 'different');
  wide('zip/entry-count', 24, 16, counts);
  wide('zip/directory-size', 40, 8, sizes);
  wide('zip/directory-offset', 48, 8, netOffset ? 'signature' : 'reencoded');
  wide('zip/zip64-end', 56, locator - 56, 'different');
  wide('zip/zip64-locator', locator, 8, 'different');
  wide('zip/zip64-end-offset', locator + 8, 8, 'reencoded');
  wide('zip/zip64-locator', locator + 16, 4, 'different');
}

function compareExtent(
  walk: Walk,
  sides: Sides,
  p: ZipSide,
  a: { readonly offset: number; readonly size: number },
  r: ZipSide,
  b: { readonly offset: number; readonly size: number },
  region: string,
  place: Place,
): void {
  let differs = false;
  compareLeaf(slice(p, a), slice(r, b), (side, offset, length, owner) => {
    sides[side].add((side === 'published' ? a : b).offset + offset, length, owner, region);
    differs ||= length > 0 && owner !== 'identical';
  });
  if (differs && a.size > 0) reportHidden(walk, place, p, region, a.offset, a.size);
  else if (differs) reportHidden(walk, place, r, region, b.offset, b.size);
}

function hexOf(side: ZipSide, offset: number, size: number): string {
  return side.source.read(offset, size).toString('hex');
}
