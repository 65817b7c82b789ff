// SPDX-License-Identifier: Apache-2.0
/**
 * Mach-O as a container: a universal file holds slices, each paired by architecture; a slice on one side alone is a
 * difference, so that a thinned file is told and never assumed.
 */
import { equalRange, SliceSource, type ByteSource } from '../../bytes.js';
import { isFat, readFat, type FatSlice } from '../../formats/macho-fat.js';
import { isZero } from '../../formats/macho-layout.js';
import { isThin, readMachO } from '../../formats/macho.js';
import type { Container, Opened } from '../container.js';
import { tellEqual } from '../ipa/encrypted-members.js';
import { LedgerBuilder, oneSided, worst, worstOf } from '../ledger.js';
import { compareLeaf } from '../leaf.js';
import { splice } from '../splice.js';
import type { RuleName } from '../../model.js';
import type { LedgerNode, Member, Owner, Side } from '../types.js';
import { node, type Place, type Walk } from '../walk.js';
import { compareThin, type Trust } from './thin.js';

/** A thin file is one slice that begins where the file does. */
export interface MachOStructure {
  readonly isFat: boolean;
  readonly headerSize: number;
  readonly recordSize: number;
  readonly slices: readonly Pick<
    FatSlice,
    'architecture' | 'cpuType' | 'cpuSubtype' | 'offset' | 'size' | 'recordOffset' | 'alignment'
  >[];
}

const SIGNING = 'macho-code-signature' satisfies RuleName;
const FOLLOWS: ReadonlySet<string> = new Set([
  'mach-o/slice-offset',
  'mach-o/slice-size',
  'mach-o/slice-fill',
]);

function headOf(source: ByteSource): Buffer {
  return source.read(0, Math.min(16, source.size));
}

export const machoContainer: Container<MachOStructure> = {
  format: 'mach-o',
  recognizes: (source) => {
    const head = headOf(source);
    return isThin(head) || isFat(head);
  },
  parse(source) {
    if (isFat(headOf(source))) {
      const fat = readFat(source);
      return { isFat: true, ...fat };
    }
    const { architecture, cpuType, cpuSubtype } = readMachO(source);
    const slice = {
      architecture,
      cpuType,
      cpuSubtype,
      offset: 0,
      size: source.size,
      recordOffset: 0,
      alignment: 0,
    };
    return { isFat: false, headerSize: 0, recordSize: 0, slices: [slice] };
  },
  compare: compareMachO,
};

/** The file itself, or one of an app that is compared: an archive inside, or one that is no app, has no signature of its own. */
function isTrusted(walk: Walk, { depth }: Place): boolean {
  return depth === 0 || (depth === 1 && walk.slotContent !== undefined);
}

async function compareMachO(
  walk: Walk,
  p: Opened<MachOStructure>,
  r: Opened<MachOStructure>,
  place: Place,
  index: number,
): Promise<LedgerNode> {
  const trusted = isTrusted(walk, place);
  if (!p.structure.isFat && !r.structure.isFat) {
    return compareThin(walk, p.source, r.source, place, { trusted, exact: true });
  }
  const sides = { published: new LedgerBuilder(p.source.size), rebuilt: new LedgerBuilder(r.source.size) };
  const members: Member[] = [];
  const twins = new Map(r.structure.slices.map((slice) => [keyOf(slice), slice]));
  for (const a of p.structure.slices) {
    const b = twins.get(keyOf(a));
    twins.delete(keyOf(a));
    const row = members.length;
    if (b === undefined) {
      members.push(alone(walk, sides.published, 'published', a, row, place));
      continue;
    }
    const child = await compareSlice(
      walk,
      bytesAt(p, a),
      bytesAt(r, b),
      { trusted, exact: false },
      {
        path: [...place.path, a.architecture],
        parent: index,
        depth: place.depth + 1,
      },
    );
    const owned = child.node === undefined ? undefined : walk.nodes[child.node];
    for (const [side, at] of [
      ['published', a],
      ['rebuilt', b],
    ] as const)
      if (owned === undefined) sides[side].add(at.offset, at.size, 'identical', '');
      else splice(sides[side], at.offset, owned[side], row);
    const owner = owned === undefined ? 'identical' : worst(worstOf(owned.published), worstOf(owned.rebuilt));
    members.push({
      ...rowOf(a),
      published: { offset: a.offset, storedSize: a.size, size: a.size },
      rebuilt: { offset: b.offset, storedSize: b.size, size: b.size },
      owner: owner === 'missing' ? 'different' : owner,
      data: owner === 'missing' ? 'different' : owner,
      ...(child.node === undefined ? {} : { node: child.node }),
    });
  }
  for (const b of twins.values())
    members.push(alone(walk, sides.rebuilt, 'rebuilt', b, members.length, place));
  compareTables(sides, p, r, members);
  tellGaps(walk, place, 'published', p);
  tellGaps(walk, place, 'rebuilt', r);
  return node(place, 'mach-o-universal', sides.published.finish(), sides.rebuilt.finish(), members);
}

const keyOf = ({ cpuType, cpuSubtype }: MachOStructure['slices'][number]): string =>
  `${cpuType}/${cpuSubtype & 0xffffff}`;

function bytesAt(
  { source }: Opened<MachOStructure>,
  { offset, size }: { readonly offset: number; readonly size: number },
): SliceSource {
  return new SliceSource(source, offset, size);
}

async function compareSlice(
  walk: Walk,
  published: ByteSource,
  rebuilt: ByteSource,
  trust: Trust,
  place: Place,
): Promise<{ readonly node?: number }> {
  if (published.size === rebuilt.size && equalRange(published, 0, rebuilt, 0, published.size)) {
    tellEqual(walk, place.path.slice(0, -1), published);
    return {};
  }
  if (isThin(headOf(published)) && isThin(headOf(rebuilt)) && isReadable(published) && isReadable(rebuilt)) {
    const index = walk.reserve();
    walk.set(index, compareThin(walk, published, rebuilt, place, trust));
    return { node: index };
  }
  return { node: (await walk.compareNode(published, rebuilt, place)).index };
}

function isReadable(source: ByteSource): boolean {
  try {
    readMachO(source);
    return true;
  } catch {
    return false;
  }
}

function rowOf({
  architecture,
}: {
  readonly architecture: string;
}): Pick<Member, 'name' | 'occurrence' | 'kind' | 'type'> {
  return { name: architecture, occurrence: 0, kind: 'code', type: 'mach-o' };
}

function alone(
  walk: Walk,
  ledger: LedgerBuilder,
  side: Side,
  at: MachOStructure['slices'][number],
  row: number,
  place: Place,
): Member {
  const owner = oneSided(side);
  ledger.add(at.offset, at.size, owner, 'mach-o/slice', row);
  walk.report({
    kind: side === 'published' ? 'only-published' : 'only-rebuilt',
    path: [...place.path, at.architecture],
    size: at.size,
  });
  return {
    ...rowOf(at),
    [side]: { offset: at.offset, storedSize: at.size, size: at.size },
    owner,
    data: owner,
  };
}

/**
 * Header, records and fill. Where both sides have the same architectures in the same order, one behind the other without
 * room, places and sizes follow from the slices, and their owner is the worst of these.
 */
function compareTables(
  sides: Readonly<Record<Side, LedgerBuilder>>,
  p: Opened<MachOStructure>,
  r: Opened<MachOStructure>,
  members: readonly Member[],
): void {
  const [a, b] = [tablesOf(p), tablesOf(r)];
  const alike =
    p.structure.headerSize === r.structure.headerSize &&
    p.structure.slices.every((one, at) => {
      const other = r.structure.slices[at];
      return other !== undefined && keyOf(other) === keyOf(one);
    });
  const slices = worst('signature', ...members.map(({ owner }) => owner));
  const follows: Owner =
    alike && isPacked(p.structure) && isPacked(r.structure) ? worst('excluded', slices) : 'different';
  const rule = follows === 'excluded' ? SIGNING : '';
  for (const [at, x] of a.entries()) {
    const y = alike ? b[at] : undefined;
    if (y === undefined) sides.published.add(x.offset, x.size, 'different', x.kind);
    else if (x.size === y.size && equalRange(p.source, x.offset, r.source, y.offset, x.size)) {
      sides.published.add(x.offset, x.size, 'identical', '');
      sides.rebuilt.add(y.offset, y.size, 'identical', '');
    } else if (FOLLOWS.has(x.kind) && x.kind === y.kind && follows !== 'different') {
      sides.published.add(x.offset, x.size, follows, x.kind, -1, rule);
      sides.rebuilt.add(y.offset, y.size, follows, y.kind, -1, rule);
    } else
      compareLeaf(bytesAt(p, x), bytesAt(r, y), (side, offset, length, owner) =>
        sides[side].add((side === 'published' ? x : y).offset + offset, length, owner, x.kind),
      );
  }
  for (const y of alike ? b.slice(a.length) : b) sides.rebuilt.add(y.offset, y.size, 'missing', y.kind);
}

function tellGaps(walk: Walk, { path }: Place, side: Side, opened: Opened<MachOStructure>): void {
  for (const { offset, size, kind } of tablesOf(opened))
    if (kind === 'mach-o/slice-gap')
      walk.report({
        kind: 'malformed',
        path,
        side,
        code: 'macho/gap',
        offset,
        detail: `${size} bytes between slices that are not zero`,
      });
}

/** Each slice begins at the first place behind the one before that its alignment allows. */
function isPacked({ slices, headerSize }: MachOStructure): boolean {
  let end = headerSize;
  return slices.every(({ offset, size, alignment }) => {
    const unit = 2 ** alignment;
    const packed = offset === Math.ceil(end / unit) * unit;
    end = offset + size;
    return packed;
  });
}

interface Table {
  readonly offset: number;
  readonly size: number;
  readonly kind: string;
}

/** What of a universal file is no slice. */
function tablesOf({ source, structure }: Opened<MachOStructure>): Table[] {
  if (!structure.isFat) return [];
  const wide = structure.recordSize === 32;
  const step = wide ? 8 : 4;
  const tables: Table[] = [
    { offset: 0, size: 8, kind: 'mach-o/slice-count' },
    ...structure.slices.flatMap(({ recordOffset }) => [
      { offset: recordOffset, size: 8, kind: 'mach-o/slice-cpu' },
      { offset: recordOffset + 8, size: step, kind: 'mach-o/slice-offset' },
      { offset: recordOffset + 8 + step, size: step, kind: 'mach-o/slice-size' },
      {
        offset: recordOffset + 8 + 2 * step,
        size: structure.recordSize - 8 - 2 * step,
        kind: 'mach-o/slice-alignment',
      },
    ]),
  ];
  let at = structure.headerSize;
  const gap = (to: number): void => {
    if (to > at)
      tables.push({
        offset: at,
        size: to - at,
        kind: isZero(source, at, to - at) ? 'mach-o/slice-fill' : 'mach-o/slice-gap',
      });
  };
  for (const { offset, size } of structure.slices.toSorted((x, y) => x.offset - y.offset)) {
    gap(offset);
    at = offset + size;
  }
  gap(source.size);
  return tables;
}
