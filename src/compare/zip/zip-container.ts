// SPDX-License-Identifier: Apache-2.0
/**
 * ZIP and APK: every record of both sides gets its owner by one alignment (ARCHITECTURE.md, "The ledger").
 * Specification: APPNOTE.TXT 6.3.10; field offsets in the comments are those of 4.3.7 and 4.3.12.
 */
import type { ApkSignatureCheck } from '../../formats/apk-signature.js';
import { readZip, type ZipStructure } from '../../formats/zip.js';
import { outsideCommonOrder, type Pairing, pairMembers } from '../align.js';
import type { Container, Opened } from '../container.js';
import { secondReaderDisagrees } from '../decode/second-reader.js';
import { isWorse, LedgerBuilder, worst } from '../ledger.js';
import type { LedgerNode } from '../types.js';
import { node, type Place, type Walk } from '../walk.js';
import { bundleSlots } from '../ipa/bundle-slots.js';
import { isApp } from '../ipa/is-app.js';
import { contentRules } from './content-rules.js';
import { coveredBy, coverEntry, coveringRule } from './covered-entry.js';
import { compareEntryData } from './data.js';
import { decodeAhead, type DecodedAhead } from './decoded-ahead.js';
import { compareEnd } from './end-records.js';
import { type EntryData, EQUAL_DATA, opaque } from './entry-data.js';
import { EntryEquality } from './entry-equality.js';
import { observeEncoding, reportContested, reportEncoding } from './entry-findings.js';
import { pairable, positionsAmongPaired, rankOf, ranksInOrder, unpaired } from './entry-order.js';
import { appRecordsRule, entryTimesRule, hasRow } from './entry-times.js';
import { compareGaps } from './gaps.js';
import { finishJarCheck, openJarCheck, type OpenJarCheck } from './jar-check.js';
import { jarEntryOwners, noSignatureExtents, withJarSignature, withStampEntry } from './jar-entries.js';
import { findLayout } from './layout.js';
import { MemberTable } from './member-table.js';
import { ObservationTable } from './observations.js';
import { addOneSided, type OneSidedTotals, reportJarSignature } from './one-sided.js';
import { compareDirectoryRecord, compareLocalRecord, type RecordContext } from './records.js';
import { signatureEntries } from './signature-entries.js';
import { compareBlocks } from './signing-block.js';
import { determinedStampEntry } from './stamp-entry.js';
import { planTransplant } from './transplant.js';
import {
  isContested,
  isJarSigned,
  openZipSide,
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
  if (!nested && isApp(published.structure) && isApp(rebuilt.structure))
    walk.slotContent = bundleSlots({ published, rebuilt });
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
  const stamp = await determinedStampEntry(p);
  const isCovered = coveredBy(walk);
  const added = signatureEntries(
    p,
    r,
    pairing,
    (side, entry) => (side === p && entry === p.zip.entries[stamp ?? -1]) || isCovered(side, entry),
  );
  const search = nested ? undefined : findLayout(p, r, added);
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
      entryTimes: (hasRow(a) ? entryTimes : undefined) ?? appRecordsRule(walk, p, a, r, b),
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
  const signatureOwners = withStampEntry(
    jarEntryOwners(p, r, jarCheck, walk.options.pinned ?? new Set()),
    p,
    stamp,
  );
  const oneSidedTotals: OneSidedTotals = { worst: 'identical', signed: noSignatureExtents() };
  for (const side of [p, r])
    for (const entryIndex of unpaired(side, side === p ? pairing.onlyPublished : pairing.onlyRebuilt))
      addOneSided(walk, sides[side.side], side, entryIndex, members, place, oneSidedTotals, signatureOwners);
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

/** Equal bytes outside of the common order: which of two readings a reader takes can depend on it. */
function baseOf(moved: boolean, contested: boolean): RecordContext['base'] {
  if (!moved) return 'identical';
  return contested ? 'different' : 'reencoded';
}
