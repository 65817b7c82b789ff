// SPDX-License-Identifier: Apache-2.0
/**
 * Containers whose order decides what extraction yields (ar, tar): members outside the longest common order are
 * `different`, and every region of a pair gets its owner by kind (ARCHITECTURE.md, "The ledger").
 */
import { equalRange, SliceSource, type ByteSource } from '../bytes.js';
import type { ContainerMember, Region } from '../formats/region.js';
import { printableBytes } from '../printable.js';
import { outsideCommonOrder, pairMembers, withOccurrences } from './align.js';
import { classify } from './classify.js';
import { LedgerBuilder, oneSided, worst } from './ledger.js';
import { compareLeaf } from './leaf.js';
import { RegionQueue } from './region-queue.js';
import { splice } from './splice.js';
import type { LedgerNode, Member, Owner, Side } from './types.js';
import { node, type Place, type Walk } from './walk.js';

export interface OrderedMember extends ContainerMember {
  /** What extraction makes of it, for the rows: `file`, `symbolic link` … */
  readonly type?: string;
}

/** A container laid out: regions before the first member, the members, regions behind the last one. */
export interface OrderedContainer {
  readonly head: readonly Region[];
  readonly members: readonly OrderedMember[];
  readonly tail: readonly Region[];
}

/** How one format's regions are judged where their bytes differ. */
export interface RegionPolicy {
  readonly format: string;
  /** Given the worst owner of the pair's data and of its other fields. `undefined`: compared byte by byte, `different`. */
  readonly unequal: (kind: string, context: UnequalContext) => Owner | undefined;
}

export interface UnequalContext {
  /** Of the data as stored. */
  readonly data: Owner;
  /** Worst of the fields before this one. */
  readonly fields: Owner;
  readonly sizesDiffer: boolean;
  readonly published: Region | undefined;
  readonly rebuilt: Region | undefined;
}

interface Opened {
  readonly source: ByteSource;
  readonly container: OrderedContainer;
}

type Sides = Readonly<Record<Side, LedgerBuilder>>;

export async function compareOrdered(
  walk: Walk,
  policy: RegionPolicy,
  p: Opened,
  r: Opened,
  place: Place,
  index: number,
): Promise<LedgerNode> {
  const sides: Sides = {
    published: new LedgerBuilder(p.source.size),
    rebuilt: new LedgerBuilder(r.source.size),
  };
  const pNamed = withOccurrences(p.container.members.map((member) => member.name));
  const rNamed = withOccurrences(r.container.members.map((member) => member.name));
  const { pairs, onlyPublished, onlyRebuilt } = pairMembers(pNamed, rNamed);
  const moved = outsideCommonOrder(pairs.map((pair) => pair.rebuilt));
  const rows: Member[] = [];
  const frame: UnequalContext = {
    data: 'identical',
    fields: 'identical',
    sizesDiffer: false,
    published: undefined,
    rebuilt: undefined,
  };
  compareRegions(
    walk,
    policy,
    sides,
    p.source,
    p.container.head,
    r.source,
    r.container.head,
    frame,
    place.path,
  );

  for (const [pairIndex, pair] of pairs.entries()) {
    walk.checkAborted();
    const a = p.container.members[pair.published];
    const b = r.container.members[pair.rebuilt];
    if (a === undefined || b === undefined) continue;
    const name = printableBytes(a.name);
    const path = [...place.path, name];
    const row = {
      ...rowOf(a, name, pNamed[pair.published]?.occurrence ?? 0),
      published: sideOf(a),
      rebuilt: sideOf(b),
    };
    if (moved.has(pairIndex)) {
      addWhole(sides.published, a, 'different', rows.length);
      addWhole(sides.rebuilt, b, 'different', rows.length);
      rows.push({ ...row, owner: 'different', data: 'different' });
      continue;
    }
    const { owner, data, child } = await compareMember(walk, policy, sides, p.source, a, r.source, b, {
      place: { path, parent: index, depth: place.depth + 1 },
      row: rows.length,
    });
    rows.push({ ...row, owner, data, ...(child === undefined ? {} : { node: child }) });
  }
  if (moved.size > 0)
    walk.report({
      kind: 'order',
      path: place.path,
      moved: moved.size,
      detail: `${moved.size} members lie in another order`,
    });
  for (const [side, opened, indices, named] of [
    ['published', p, onlyPublished, pNamed],
    ['rebuilt', r, onlyRebuilt, rNamed],
  ] as const)
    for (const memberIndex of indices) {
      const member = opened.container.members[memberIndex];
      if (member === undefined) continue;
      const owner = oneSided(side);
      const name = printableBytes(member.name);
      addWhole(sides[side], member, owner, rows.length);
      rows.push({
        ...rowOf(member, name, named[memberIndex]?.occurrence ?? 0),
        [side]: sideOf(member),
        owner,
        data: owner,
      });
      walk.report({
        kind: side === 'published' ? 'only-published' : 'only-rebuilt',
        path: [...place.path, name],
        size: member.data.size,
      });
    }
  compareRegions(
    walk,
    policy,
    sides,
    p.source,
    p.container.tail,
    r.source,
    r.container.tail,
    frame,
    place.path,
  );
  return node(place, policy.format, sides.published.finish(), sides.rebuilt.finish(), rows);
}

function rowOf(
  member: OrderedMember,
  name: string,
  occurrence: number,
): Pick<Member, 'name' | 'rawName' | 'occurrence' | 'kind' | 'type'> {
  const { kind, type } = classify(name);
  return {
    name,
    ...(member.name.equals(Buffer.from(name)) ? {} : { rawName: member.name.toString('hex') }),
    occurrence,
    kind,
    type: member.type ?? type,
  };
}

function sideOf({ data }: OrderedMember): { offset: number; storedSize: number; size: number } {
  return { offset: data.offset, storedSize: data.size, size: data.size };
}

function addWhole(ledger: LedgerBuilder, member: OrderedMember, owner: Owner, row: number): void {
  for (const region of member.regions) ledger.add(region.offset, region.size, owner, region.kind, row);
}

async function compareMember(
  walk: Walk,
  policy: RegionPolicy,
  sides: Sides,
  pSource: ByteSource,
  a: OrderedMember,
  rSource: ByteSource,
  b: OrderedMember,
  at: { readonly place: Place; readonly row: number },
): Promise<{ readonly owner: Owner; readonly data: Owner; readonly child?: number }> {
  const pBytes = slice(pSource, a.data);
  const rBytes = slice(rSource, b.data);
  const equal = a.data.size === b.data.size && equalRange(pBytes, 0, rBytes, 0, pBytes.size);
  let data: Owner = 'identical';
  let child: number | undefined;
  if (!equal) {
    const result = await walk.compareNode(pBytes, rBytes, at.place);
    child = result.index;
    data = result.worst;
  }
  const plainData: Owner = data === 'missing' ? 'different' : data;
  const context: UnequalContext = {
    data: plainData,
    fields: 'identical',
    sizesDiffer: a.data.size !== b.data.size,
    published: undefined,
    rebuilt: undefined,
  };
  const [pBefore, pAfter] = aroundData(a);
  const [rBefore, rAfter] = aroundData(b);
  const header = compareRegions(
    walk,
    policy,
    sides,
    pSource,
    pBefore,
    rSource,
    rBefore,
    context,
    at.place.path,
    at.row,
  );
  for (const [side, region] of [
    ['published', a.data],
    ['rebuilt', b.data],
  ] as const) {
    const ledger = child === undefined ? undefined : walk.nodes[child]?.[side];
    if (ledger === undefined) sides[side].add(region.offset, region.size, data, region.kind, at.row);
    else splice(sides[side], region.offset, ledger, at.row);
  }
  const rest = compareRegions(
    walk,
    policy,
    sides,
    pSource,
    pAfter,
    rSource,
    rAfter,
    context,
    at.place.path,
    at.row,
  );
  const owner = worst(header, plainData, rest);
  return { owner, data: plainData, ...(child === undefined ? {} : { child }) };
}

/** The regions before and behind the data. */
function aroundData(member: OrderedMember): readonly [readonly Region[], readonly Region[]] {
  const { regions, data } = member;
  const at = regions.findIndex((region) => region.offset === data.offset && region.kind === data.kind);
  return [regions.slice(0, at), regions.slice(at + 1)];
}

/** Regions of both sides in order, paired by kind and occurrence; one out of order has no partner. The worst owner. */
function compareRegions(
  walk: Walk,
  policy: RegionPolicy,
  sides: Sides,
  pSource: ByteSource,
  published: readonly Region[],
  rSource: ByteSource,
  rebuilt: readonly Region[],
  context: UnequalContext,
  path: readonly string[],
  row = -1,
): Owner {
  let fields: Owner = 'identical';
  const waiting = new RegionQueue(rebuilt);
  let reached = -1;
  for (const a of published) {
    const inOrder = (waiting.peek(a.kind)?.offset ?? -1) > reached;
    const b = inOrder ? waiting.take(a.kind) : undefined;
    reached = b?.offset ?? reached;
    fields = worst(
      fields,
      compareRegion(walk, policy, sides, pSource, a, rSource, b, { ...context, fields }, path, row),
    );
  }
  for (const b of waiting.rest())
    fields = worst(
      fields,
      compareRegion(walk, policy, sides, pSource, undefined, rSource, b, { ...context, fields }, path, row),
    );
  return fields;
}

function compareRegion(
  walk: Walk,
  policy: RegionPolicy,
  sides: Sides,
  pSource: ByteSource,
  a: Region | undefined,
  rSource: ByteSource,
  b: Region | undefined,
  context: UnequalContext,
  path: readonly string[],
  row: number,
): Owner {
  const kind = a?.kind ?? b?.kind ?? '';
  const add = (side: Side, region: Region | undefined, owner: Owner): void => {
    if (region !== undefined) sides[side].add(region.offset, region.size, owner, kind, row);
  };
  if (
    a !== undefined &&
    b !== undefined &&
    a.size === b.size &&
    equalRange(pSource, a.offset, rSource, b.offset, a.size)
  ) {
    add('published', a, 'identical');
    add('rebuilt', b, 'identical');
    return 'identical';
  }
  const sameForm = a === undefined || b === undefined || a.form === b.form;
  const owner = sameForm ? policy.unequal(kind, { ...context, published: a, rebuilt: b }) : undefined;
  if (owner !== undefined) {
    add('published', a, owner === 'missing' ? 'different' : owner);
    add('rebuilt', b, owner);
    return owner;
  }
  walk.report({
    kind: 'field',
    path,
    field: kind,
    published: shown(pSource, a),
    rebuilt: shown(rSource, b),
    owner: 'different',
  });
  if (a === undefined || b === undefined) {
    add('published', a, 'different');
    add('rebuilt', b, 'missing');
    return a === undefined ? 'missing' : 'different';
  }
  compareLeaf(slice(pSource, a), slice(rSource, b), (side, offset, length, leafOwner) =>
    sides[side].add((side === 'published' ? a : b).offset + offset, length, leafOwner, kind, row),
  );
  return 'different';
}

function slice(source: ByteSource, region: Region): SliceSource {
  return new SliceSource(source, region.offset, region.size);
}

const SHOWN = 64;

function shown(source: ByteSource, region: Region | undefined): string {
  if (region === undefined) return 'absent';
  const bytes = source.read(region.offset, Math.min(SHOWN, region.size));
  const text = bytes.toString('latin1').replace(/[\0 ]+$/, '');
  const readable = /^[\x20-\x7e]*$/.test(text) ? text : bytes.toString('hex');
  return region.size > SHOWN ? `${readable}… (${region.size} bytes)` : readable;
}
