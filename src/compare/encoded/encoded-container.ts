// SPDX-License-Identifier: Apache-2.0
/**
 * A file that is one encoded stream (gzip, xz, zstd): its payload is one leaf here and the root of a ledger over the
 * decoded bytes (ARCHITECTURE.md, "The ledger").
 */
import { equalRange, type ByteSource } from '../../bytes.js';
import type { Region } from '../../formats/region.js';
import { classify } from '../classify.js';
import type { Container, Opened } from '../container.js';
import { ContentSink } from '../decode/content-sink.js';
import { undecoded } from '../decode/undecoded.js';
import { LedgerBuilder, oneSided, worst } from '../ledger.js';
import { RegionQueue } from '../region-queue.js';
import type { LedgerNode, MemberSide, Owner, Side } from '../types.js';
import { node, type Place, type Walk } from '../walk.js';
import type { EncodedStream, Encoding } from './encoding.js';

type Side2<T> = Readonly<Record<Side, T>>;
const SIDES = ['published', 'rebuilt'] as const;

export function encodedContainer(encoding: Encoding): Container<EncodedStream> {
  return {
    format: encoding.format,
    recognizes: (source) => encoding.recognizes(source),
    parse: (source) => encoding.read(source),
    compare: (walk, published, rebuilt, place, index) =>
      compareEncoded(walk, encoding, { published, rebuilt }, place, index),
  };
}

/** What became of the content. */
interface Content {
  readonly owner: Owner;
  readonly sizes: Side2<number>;
  readonly child?: number;
}

async function compareEncoded(
  walk: Walk,
  encoding: Encoding,
  opened: Side2<Opened<EncodedStream>>,
  place: Place,
  index: number,
): Promise<LedgerNode> {
  const name = contentName(place, encoding);
  const content = await compareContent(walk, opened, {
    path: [...place.path, name],
    parent: index,
    depth: place.depth + 1,
  });
  const payloadKind = `${encoding.format}/data`;
  const samePayload = equalPayload(opened, payloadKind);
  const payload: Owner = samePayload ? 'identical' : content.owner;
  const sides = {
    published: new LedgerBuilder(opened.published.source.size),
    rebuilt: new LedgerBuilder(opened.rebuilt.source.size),
  };
  for (const side of SIDES)
    for (const region of opened[side].structure.regions)
      if (region.kind === payloadKind) sides[side].add(region.offset, region.size, payload, payloadKind, 0);
  const fields = compareFields(walk, encoding, opened, sides, content.owner, place, payloadKind);
  const row = {
    name,
    occurrence: 0,
    ...classify(name),
    published: sideOf(opened.published, payloadKind, content.sizes.published),
    rebuilt: sideOf(opened.rebuilt, payloadKind, content.sizes.rebuilt),
    owner: worst(payload, fields),
    data: payload,
    ...(content.child === undefined || samePayload ? {} : { node: content.child }),
  };
  return node(place, encoding.format, sides.published.finish(), sides.rebuilt.finish(), [row]);
}

function contentName(place: Place, { extension }: Encoding): string {
  const own = place.path.at(-1) ?? '';
  return own.length > extension.length && own.endsWith(extension)
    ? own.slice(0, -extension.length)
    : 'content';
}

function sideOf({ structure }: Opened<EncodedStream>, payloadKind: string, size: number): MemberSide {
  const payload = structure.regions.filter((region) => region.kind === payloadKind);
  return {
    offset: payload[0]?.offset ?? 0,
    storedSize: payload.reduce((total, region) => total + region.size, 0),
    size,
    encoded: true,
  };
}

/** Decodes both sides, whether their payloads are equal or not: it verifies what the fields around them state. */
async function compareContent(
  walk: Walk,
  opened: Side2<Opened<EncodedStream>>,
  place: Place,
): Promise<Content> {
  const { published, rebuilt } = opened;
  const stated = {
    published: published.structure.statedSize ?? published.source.size,
    rebuilt: rebuilt.structure.statedSize ?? rebuilt.source.size,
  };
  const allowed = walk.mayDecode(stated.published, stated.rebuilt, place.path);
  if (allowed !== 'yes') return { owner: allowed === 'no' ? 'unread' : 'different', sizes: stated };
  const sinks = { published: new ContentSink(walk), rebuilt: new ContentSink(walk) };
  try {
    const room = Math.max(0, walk.roomToDecode);
    const [p, r] = [
      await decode(walk, published, room, sinks.published),
      await decode(walk, rebuilt, room, sinks.rebuilt),
    ];
    const unstated = SIDES.filter((side) => opened[side].structure.statedSize === undefined);
    walk.countDecoded(Math.max(0, ...unstated.map((side) => sinks[side].size)));
    const ends = { published: p, rebuilt: r };
    // out of room for all, not too large for one: that says nothing about either side
    if (room < walk.options.limits.memberBytes && unstated.some((side) => isTooLarge(ends[side]))) {
      const { decodedBytes } = walk.options.limits;
      walk.cannotVerify(
        'limits',
        `${place.path.join(' > ')}: more than ${decodedBytes} decoded bytes in all (--max-decoded)`,
      );
      return { owner: 'unread', sizes: stated };
    }
    if (p.kind === 'missing-tool' || r.kind === 'missing-tool') {
      const tool = p.kind === 'missing-tool' ? p.tool : r.kind === 'missing-tool' ? r.tool : '';
      const detail = `${place.path.join(' > ')}: ${tool} is not installed, so nobody decoded it`;
      walk.report({ kind: 'unread', path: place.path, code: 'missing-tool', detail });
      walk.cannotVerify('unread', detail);
      return { owner: 'unread', sizes: stated };
    }
    const failed = undecoded(walk, place.path, p, r);
    if (failed !== undefined) return { owner: failed, sizes: stated };
    return await compareDecoded(walk, opened, sinks, place);
  } finally {
    sinks.published.close();
    sinks.rebuilt.close();
  }
}

type Decoded = { kind: 'decoded' | 'failed'; code?: string } | { kind: 'missing-tool'; tool: string };

function isTooLarge(end: Decoded): boolean {
  return end.kind === 'failed' && end.code === 'larger-than-stated';
}

async function decode(
  walk: Walk,
  { source, structure }: Opened<EncodedStream>,
  room: number,
  sink: ContentSink,
): Promise<Decoded> {
  const maxBytes = structure.statedSize ?? Math.min(walk.options.limits.memberBytes, room);
  const end = await structure.decode(walk, source, maxBytes, sink);
  if (end.kind !== 'decoded' || structure.statedSize === undefined || sink.size === structure.statedSize)
    return end;
  return { kind: 'failed', code: 'other-size-than-stated' };
}

async function compareDecoded(
  walk: Walk,
  { published, rebuilt }: Side2<Opened<EncodedStream>>,
  sinks: Side2<ContentSink>,
  place: Place,
): Promise<Content> {
  const [p, r] = [sinks.published.finish(), sinks.rebuilt.finish()];
  const sizes = { published: p.size, rebuilt: r.size };
  const issues = [
    ...published.structure.issues(p.size).map((code) => `published: ${code}`),
    ...rebuilt.structure.issues(r.size).map((code) => `rebuilt: ${code}`),
  ];
  // an encoding with room for hidden bytes is a difference, whatever it decodes to
  const encodingOwner: Owner = issues.length === 0 ? 'reencoded' : 'different';
  if (issues.length > 0)
    walk.report({
      kind: 'field',
      path: place.path,
      field: 'encoding',
      published: published.structure.issues(p.size).join(', ') || 'tight',
      rebuilt: rebuilt.structure.issues(r.size).join(', ') || 'tight',
      owner: 'different',
    });
  if (p.size === r.size && equalRange(p, 0, r, 0, p.size)) return { owner: encodingOwner, sizes };
  const child = await walk.compareNode(p, r, place);
  const childOwner: Owner = child.worst === 'missing' ? 'different' : child.worst;
  return { owner: worst(encodingOwner, childOwner), sizes, child: child.index };
}

function equalPayload({ published, rebuilt }: Side2<Opened<EncodedStream>>, kind: string): boolean {
  const [p, r] = [published, rebuilt].map(({ structure }) =>
    structure.regions.filter((region) => region.kind === kind),
  ) as [Region[], Region[]];
  return (
    p.length === r.length &&
    p.every((region, at) => sameBytes(published.source, region, rebuilt.source, r[at]))
  );
}

function sameBytes(a: ByteSource, x: Region, b: ByteSource, y: Region | undefined): boolean {
  return y !== undefined && x.size === y.size && equalRange(a, x.offset, b, y.offset, x.size);
}

/** Everything but the payload, paired by kind and occurrence; the worst owner. */
function compareFields(
  walk: Walk,
  encoding: Encoding,
  { published, rebuilt }: Side2<Opened<EncodedStream>>,
  sides: Side2<LedgerBuilder>,
  content: Owner,
  place: Place,
  payloadKind: string,
): Owner {
  let fields: Owner = 'identical';
  const fieldsOf = (regions: readonly Region[]): Region[] =>
    regions.filter((region) => region.kind !== payloadKind);
  const waiting = new RegionQueue(fieldsOf(rebuilt.structure.regions));
  const judge = (kind: string, p: Region | undefined, r: Region | undefined): void => {
    const equal = p !== undefined && sameBytes(published.source, p, rebuilt.source, r);
    const follows = encoding.following.has(kind);
    const owner = equal ? 'identical' : follows ? worst('reencoded', content) : 'different';
    fields = worst(fields, owner);
    if (p !== undefined) sides.published.add(p.offset, p.size, owner, kind);
    if (r !== undefined)
      sides.rebuilt.add(r.offset, r.size, p === undefined && !follows ? oneSided('rebuilt') : owner, kind);
    if (!equal && !follows)
      walk.report({
        kind: 'field',
        path: place.path,
        field: kind,
        published: shown(published.source, p),
        rebuilt: shown(rebuilt.source, r),
        owner: 'different',
      });
  };
  for (const p of fieldsOf(published.structure.regions)) judge(p.kind, p, waiting.take(p.kind));
  for (const r of waiting.rest()) judge(r.kind, undefined, r);
  return fields;
}

const SHOWN = 32;

function shown(source: ByteSource, region: Region | undefined): string {
  if (region === undefined) return 'absent';
  const hex = source.read(region.offset, Math.min(SHOWN, region.size)).toString('hex');
  return region.size > SHOWN ? `${hex}… (${region.size} bytes)` : hex;
}
