// SPDX-License-Identifier: Apache-2.0
/** How the data of one paired ZIP entry relate: equal as stored, or decoded and compared as a node of their own. */
import { crc32 } from 'node:zlib';
import { BufferSource, eachChunk, SliceSource, type ByteSource } from '../../bytes.js';
import type { ZipEntry } from '../../formats/zip.js';
import { inflatePair, walked, type InflatedPair, type Walked } from '../decode/inflate.js';
import { isWorse } from '../ledger.js';
import { HELD_BYTES, type Place, type Walk } from '../walk.js';
import { coveringContent, NO_RULES, type ContentRules } from './content-rules.js';
import { excludingRule, failure, judge, opaque, withChild, type EntryData } from './entry-data.js';
import { compareStreams } from './streams.js';

const STORED = 0;
const DEFLATED = 8;
/** Both sides are deflated, plain, and small enough to be decoded in memory (by a worker, say). */
export function isHeldDeflate(p: ZipEntry, r: ZipEntry): boolean {
  return (
    p.method === DEFLATED &&
    r.method === DEFLATED &&
    ((p.flags | r.flags) & 1) === 0 &&
    heldSize(p, r) <= HELD_BYTES
  );
}

function heldSize(p: ZipEntry, r: ZipEntry): number {
  return Math.max(p.size, r.size, p.compressedSize, r.compressedSize);
}

/** Of an entry whose raw bytes differ. `prepared`: they were decoded ahead; `rules`: those that may cover its content. */
export async function compareEntryData(
  walk: Walk,
  published: ByteSource,
  p: ZipEntry,
  rebuilt: ByteSource,
  r: ZipEntry,
  place: Place,
  prepared?: InflatedPair,
  rules: ContentRules = NO_RULES,
): Promise<EntryData> {
  const encrypted = (p.flags & 1) + (r.flags & 1);
  if (encrypted === 2) {
    walk.cannotVerify('encrypted', `${place.path.join(' > ')}: encrypted on both sides`);
    return opaque('encrypted');
  }
  // a changed method, or encryption on one side, is a difference whatever the content may be
  if (encrypted === 1 || p.method !== r.method) return opaque('different');
  if (p.method === STORED) return compareStored(walk, published, p, rebuilt, r, place, rules);
  if (p.method === DEFLATED) return compareDeflated(walk, published, p, rebuilt, r, place, rules, prepared);
  walk.cannotVerify('unread', `${place.path.join(' > ')}: compression method ${p.method} is not read`);
  return opaque('unread');
}

async function compareStored(
  walk: Walk,
  published: ByteSource,
  p: ZipEntry,
  rebuilt: ByteSource,
  r: ZipEntry,
  place: Place,
  rules: ContentRules,
): Promise<EntryData> {
  const contents = [
    new SliceSource(published, p.dataOffset, p.compressedSize),
    new SliceSource(rebuilt, r.dataOffset, r.compressedSize),
  ] as const;
  const statedTruly =
    p.size === p.compressedSize &&
    r.size === r.compressedSize &&
    crcOf(contents[0]) === p.crc32 &&
    crcOf(contents[1]) === r.crc32;
  const covered = statedTruly ? coveringContent(rules, ...contents) : undefined;
  if (covered !== undefined) return { owner: 'excluded', statedTruly, issues: [], covered };
  const child = await walk.compareNode(contents[0], contents[1], place);
  const excludedBy = child.worst === 'excluded' ? excludingRule(walk.nodes[child.index]) : undefined;
  return {
    owner: child.worst,
    statedTruly,
    child: { index: child.index, splice: true },
    issues: [],
    ...(excludedBy === undefined ? {} : { excludedBy }),
  };
}

function crcOf(source: ByteSource): number {
  let sum = 0;
  eachChunk(source, 0, source.size, (chunk) => (sum = crc32(chunk, sum)));
  return sum;
}

async function compareDeflated(
  walk: Walk,
  published: ByteSource,
  p: ZipEntry,
  rebuilt: ByteSource,
  r: ZipEntry,
  place: Place,
  rules: ContentRules,
  prepared?: InflatedPair,
): Promise<EntryData> {
  const allowed = walk.mayDecode(p.size, r.size, place.path);
  if (allowed !== 'yes') return opaque(allowed === 'no' ? 'unread' : 'different');
  if (heldSize(p, r) > HELD_BYTES) return compareStreams(walk, published, p, rebuilt, r, place);
  const pair =
    prepared ??
    inflatePair(
      { raw: published.read(p.dataOffset, p.compressedSize), size: p.size },
      { raw: rebuilt.read(r.dataOffset, r.compressedSize), size: r.size },
    );
  const { published: a, rebuilt: b } = pair;
  if (pair.equal) return judgeWalked(walk, place, p, pair.published, r, pair.rebuilt);
  const failed = failure(walk, place, a, b);
  if (failed !== undefined || a.kind === 'failed' || b.kind === 'failed')
    return failed ?? opaque('different');
  const contents = [new BufferSource(a.bytes), new BufferSource(b.bytes)] as const;
  const packing = (): EntryData =>
    judgeWalked(
      walk,
      place,
      p,
      walked(a, published.read(p.dataOffset, p.compressedSize), p.size),
      r,
      walked(b, rebuilt.read(r.dataOffset, r.compressedSize), r.size),
    );
  const covered = coveringContent(rules, ...contents);
  if (covered !== undefined) {
    // an entry that a rule leaves out has no room beside its content either
    const summary = packing();
    if (summary.owner === 'reencoded' && summary.statedTruly)
      return { ...summary, owner: 'excluded', covered };
  }
  const child = await walk.compareNode(...contents, place);
  // no way of packing makes this better; which one it was is only asked where it could be all that differs
  const summary = isWorse(child.worst, 'unread')
    ? judge(p, { ...a, issues: [] }, r, { ...b, issues: [] })
    : packing();
  return withChild(summary, child.index, child.worst, excludingRule(walk.nodes[child.index]));
}

function judgeWalked(walk: Walk, place: Place, p: ZipEntry, a: Walked, r: ZipEntry, b: Walked): EntryData {
  const failed = failure(walk, place, a, b);
  if (failed !== undefined || a.kind === 'failed' || b.kind === 'failed')
    return failed ?? opaque('different');
  return judge(p, a, r, b);
}
