// SPDX-License-Identifier: Apache-2.0
/** BOM stores block by block, and small asset catalogs in them. */

export interface BomParts {
  readonly blocks: readonly Buffer[];
  /** Names of blocks, which count from 1. */
  readonly variables: Readonly<Record<string, number>>;
  readonly version?: number;
  readonly gap?: Buffer;
  readonly trailing?: Buffer;
  /** In place of where a block lies. */
  readonly pointers?: Readonly<Record<number, readonly [offset: number, size: number]>>;
  readonly blockCount?: number;
}

export const be32 = (...values: readonly number[]): Buffer => {
  const out = Buffer.alloc(4 * values.length);
  for (const [at, value] of values.entries()) out.writeUInt32BE(value, 4 * at);
  return out;
};

export function buildBom(parts: BomParts): Buffer {
  let at = 512 + (parts.gap?.length ?? 0);
  const pointers = parts.blocks.map((block, index) => {
    const own = [at, block.length] as const;
    at += block.length;
    return parts.pointers?.[index + 1] ?? own;
  });
  const names = Buffer.concat([
    be32(Object.keys(parts.variables).length),
    ...Object.entries(parts.variables).map(([name, index]) =>
      Buffer.concat([be32(index), Buffer.from([name.length]), Buffer.from(name, 'latin1')]),
    ),
  ]);
  const table = Buffer.concat([
    be32(parts.blockCount ?? pointers.length + 1, 0, 0),
    ...pointers.map((pointer) => be32(...pointer)),
    be32(2, 0, 0, 0, 0),
  ]);
  const head = Buffer.alloc(512);
  head.write('BOMStore', 'latin1');
  be32(parts.version ?? 1, pointers.length, at + names.length, table.length, at, names.length).copy(head, 8);
  return Buffer.concat([
    head,
    parts.gap ?? Buffer.alloc(0),
    ...parts.blocks,
    names,
    table,
    parts.trailing ?? Buffer.alloc(0),
  ]);
}

export function treeBlock(child: number, count: number): Buffer {
  return Buffer.concat([Buffer.from('tree', 'latin1'), be32(1, child, 4096, count), Buffer.from([0])]);
}

export function nodeBlock(
  isLeaf: boolean,
  entries: readonly (readonly [value: number, key: number])[],
  forward = 0,
): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(isLeaf ? 1 : 0, 0);
  head.writeUInt16BE(entries.length, 2);
  return Buffer.concat([head, be32(forward, 0), ...entries.map((entry) => be32(...entry))]);
}

export interface RenditionSpec {
  readonly name: string;
  readonly key: readonly number[];
  readonly data: Buffer;
  readonly width?: number;
  readonly statedSize?: number;
}

export function renditionBlock({ name, data, width = 10, statedSize = data.length }: RenditionSpec): Buffer {
  const head = Buffer.alloc(184);
  head.write('ISTC', 'latin1');
  head.writeUInt32LE(1, 4);
  head.writeUInt32LE(width, 12);
  head.writeUInt32LE(20, 16);
  head.writeUInt32LE(200, 20);
  head.write('BGRA', 24, 'latin1');
  head.writeUInt16LE(12, 36);
  head.write(name, 40, 'utf8');
  head.writeUInt32LE(statedSize, 180);
  return Buffer.concat([head, data]);
}

export interface CarSpec {
  readonly facets: Readonly<Record<string, number>>;
  readonly renditions: readonly RenditionSpec[];
  readonly time?: number;
  readonly program?: string;
  readonly parts?: Partial<BomParts>;
}

/** Attributes 12 (scale) and 17 (identifier). */
export function buildCar({
  facets,
  renditions,
  time = 1_700_000_000,
  program = 'CoreUI-1',
  parts,
}: CarSpec): Buffer {
  const header = Buffer.alloc(436);
  header.write('RATC', 'latin1');
  for (const [at, value] of [900, 17, time, renditions.length].entries())
    header.writeUInt32LE(value, 4 + 4 * at);
  header.write(`@(#)PROGRAM:${program}\n`, 20, 'latin1');
  header.write('Xcode 26.0', 148, 'latin1');
  header.fill(7, 404, 420);
  const format = Buffer.alloc(20);
  format.write('tmfk', 'latin1');
  for (const [at, value] of [0, 2, 12, 17].entries()) format.writeUInt32LE(value, 4 + 4 * at);
  const blocks: Buffer[] = [header, format];
  const add = (block: Buffer): number => blocks.push(block);
  const tree = (entries: readonly (readonly [value: number, key: number])[]): number =>
    add(treeBlock(add(nodeBlock(true, entries)), entries.length));
  const facetTree = tree(
    Object.entries(facets).map(([name, identifier]) => {
      const token = Buffer.alloc(10);
      for (const [at, value] of [0, 0, 1, 17, identifier].entries()) token.writeUInt16LE(value, 2 * at);
      return [add(token), add(Buffer.from(name))];
    }),
  );
  const renditionTree = tree(
    renditions.map((one) => {
      const key = Buffer.alloc(2 * one.key.length);
      for (const [at, value] of one.key.entries()) key.writeUInt16LE(value, 2 * at);
      return [add(renditionBlock(one)), add(key)];
    }),
  );
  const meta = add(Buffer.from('META'));
  return buildBom({
    ...parts,
    blocks: [...blocks, ...(parts?.blocks ?? [])],
    variables: {
      CARHEADER: 1,
      KEYFORMAT: 2,
      FACETKEYS: facetTree,
      RENDITIONS: renditionTree,
      EXTENDED_METADATA: meta,
      ...parts?.variables,
    },
  });
}
