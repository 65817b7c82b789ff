// SPDX-License-Identifier: Apache-2.0
/**
 * Two ELF files that differ, section by section. Every byte of the file is in a section, in the header, in one of the
 * two tables, or in none of them; each of these that differs is one finding.
 * https://gabi.xinuos.com/
 */
import type { ByteSource } from '../../bytes.js';
import { FormatError } from '../../errors.js';
import { hasBytes, readElf, type ElfFile, type ElfSection } from '../../formats/elf.js';
import { printable } from '../../printable.js';
import type { Cause, Difference } from '../types.js';
import { countDifferent, type Range } from './count-different.js';
import { causeOf, ElfEvidence, type ElfSide, type SectionPair } from './elf-cause.js';
import type { Explainer } from './explain-leaf.js';

/** Beyond this a file is shown by its bytes: never a time limit, which would make reports depend on the machine. */
const MAX_BYTES = 2 ** 30;
/** Findings about sections of one file; what is more is summed up in one. */
const MAX_SECTIONS = 500;
const MAX_NAME = 200;

export const explainElf: Explainer = async ({ path, published, rebuilt }) => {
  const p = open(published);
  const r = open(rebuilt);
  if (p === undefined || r === undefined) return undefined;
  const pairs = pairSections(p.elf.sections, r.elf.sections);
  const findings = [
    ...headerFields(path, p.elf, r.elf),
    ...sections(path, p, r, pairs),
    ...attributes(path, pairs),
    ...order(path, p.elf, pairs),
    ...outside(path, p, r, pairs),
  ];
  return findings.length === 0 ? undefined : findings;
};

/** Nothing for what is no ELF file, is damaged, or has sections that overlap: those could state any amount of work. */
function open(source: ByteSource): ElfSide | undefined {
  if (source.size < 16 || source.size > MAX_BYTES || source.read(0, 4).toString('latin1') !== '\x7fELF')
    return undefined;
  try {
    const elf = readElf(source);
    const total = elf.sections.reduce((sum, section) => sum + fileRange(section).size, 0);
    return total > source.size ? undefined : { source, elf };
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/** Where a section lies in the file. */
function fileRange(section: ElfSection): Range {
  return hasBytes(section) ? section : { offset: 0, size: 0 };
}

/** In the order of the published side, with what only the rebuilt side has behind it. */
function pairSections(
  published: readonly ElfSection[],
  rebuilt: readonly ElfSection[],
): readonly SectionPair[] {
  const waiting = new Map<string, ElfSection[]>();
  for (const section of rebuilt.toReversed()) {
    const others = waiting.get(section.name);
    if (others === undefined) waiting.set(section.name, [section]);
    else others.push(section);
  }
  const pairs: SectionPair[] = published.map((section) => {
    const twin = waiting.get(section.name)?.pop();
    return { name: section.name, published: section, ...(twin === undefined ? {} : { rebuilt: twin }) };
  });
  const left = new Set([...waiting.values()].flat());
  for (const section of rebuilt) if (left.has(section)) pairs.push({ name: section.name, rebuilt: section });
  return pairs;
}

const shown = (name: string): string => printable(name.slice(0, MAX_NAME)) || '(no name)';

function headerFields(path: readonly string[], p: ElfFile, r: ElfFile): readonly Difference[] {
  const fields = [
    ['class', `${p.bits} bits`, `${r.bits} bits`],
    [
      'byte order',
      p.littleEndian ? 'little endian' : 'big endian',
      r.littleEndian ? 'little endian' : 'big endian',
    ],
    ['machine', p.machine, r.machine],
    ['type', p.type, r.type],
    ['OS ABI', String(p.osAbi), String(r.osAbi)],
    ['flags', hex(p.flags), hex(r.flags)],
    ['entry point', hex(p.entry), hex(r.entry)],
    ['number of sections', String(p.sections.length), String(r.sections.length)],
    ['number of segments', String(p.segments.length), String(r.segments.length)],
  ] as const;
  return fields.flatMap(([field, published, rebuilt]) =>
    published === rebuilt
      ? []
      : [{ kind: 'field', path, field: `elf/${field}`, published, rebuilt, owner: 'different' } as const],
  );
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

function sections(
  path: readonly string[],
  p: ElfSide,
  r: ElfSide,
  pairs: readonly SectionPair[],
): readonly Difference[] {
  const differing = pairs.flatMap((pair) => {
    const published = pair.published && fileRange(pair.published);
    const rebuilt = pair.rebuilt && fileRange(pair.rebuilt);
    const bytes =
      published !== undefined && rebuilt !== undefined
        ? countDifferent(p.source, published, r.source, rebuilt)
        : (published?.size ?? rebuilt?.size ?? 0);
    const sameSize = pair.published?.size === pair.rebuilt?.size;
    return bytes === 0 && sameSize ? [] : [{ pair, bytes }];
  });
  const evidence = new ElfEvidence(
    p,
    r,
    differing.map(({ pair }) => pair),
  );
  const findings: Difference[] = differing.slice(0, MAX_SECTIONS).map(({ pair, bytes }) => {
    const cause = causeOf(evidence, pair);
    return finding(path, shown(pair.name), pair.published?.size, pair.rebuilt?.size, bytes, cause);
  });
  const more = differing.slice(MAX_SECTIONS);
  if (more.length > 0) {
    const bytes = more.reduce((sum, each) => sum + each.bytes, 0);
    findings.push(finding(path, `(${more.length} further sections)`, undefined, undefined, bytes));
  }
  return findings;
}

function finding(
  path: readonly string[],
  name: string,
  publishedSize: number | undefined,
  rebuiltSize: number | undefined,
  differentBytes: number,
  cause?: Cause,
): Difference {
  return {
    kind: 'section',
    path,
    section: name,
    ...(publishedSize === undefined ? {} : { publishedSize }),
    ...(rebuiltSize === undefined ? {} : { rebuiltSize }),
    differentBytes,
    ...(cause === undefined ? {} : { cause }),
  };
}

/** Type, flags and alignment of sections; of addresses, which all move together, the first that moved. */
function attributes(path: readonly string[], pairs: readonly SectionPair[]): readonly Difference[] {
  const findings: Difference[] = [];
  const add = (field: string, published: string, rebuilt: string): void =>
    void findings.push({ kind: 'field', path, field, published, rebuilt, owner: 'different' });
  let moved = 0;
  let first: readonly [string, string] | undefined;
  for (const { name, published, rebuilt } of pairs) {
    if (published === undefined || rebuilt === undefined) continue;
    if (published.address !== rebuilt.address) {
      moved++;
      first ??= [`${shown(name)} at ${hex(published.address)}`, `${shown(name)} at ${hex(rebuilt.address)}`];
    }
    if (findings.length >= MAX_SECTIONS) continue;
    if (published.type !== rebuilt.type) add(`elf/section ${shown(name)} type`, published.type, rebuilt.type);
    if (published.flags !== rebuilt.flags)
      add(`elf/section ${shown(name)} flags`, hex(published.flags), hex(rebuilt.flags));
    if (published.alignment !== rebuilt.alignment)
      add(`elf/section ${shown(name)} alignment`, String(published.alignment), String(rebuilt.alignment));
  }
  if (first !== undefined) add(`elf/section addresses (${moved} moved)`, ...first);
  return findings;
}

/** Sections of both sides that the rebuilt file has in another order. */
function order(path: readonly string[], p: ElfFile, pairs: readonly SectionPair[]): readonly Difference[] {
  const indexes = pairs.flatMap(({ published, rebuilt }) =>
    published === undefined || rebuilt === undefined ? [] : [rebuilt.index],
  );
  let highest = -1;
  const behind = indexes.filter((index) => {
    const moved = index < highest;
    highest = Math.max(highest, index);
    return moved;
  });
  if (behind.length === 0) return [];
  const detail = `${behind.length} of ${p.sections.length} sections stand in another order`;
  return [{ kind: 'order', path, moved: behind.length, detail }];
}

/** The header, the tables, and what is in neither of them nor in a section. */
function outside(
  path: readonly string[],
  p: ElfSide,
  r: ElfSide,
  pairs: readonly SectionPair[],
): readonly Difference[] {
  const resized = pairs.some(({ published, rebuilt }) => published?.size !== rebuilt?.size);
  const findings: Difference[] = [];
  for (const [name, table] of [
    ['(file header)', 'header'],
    ['(section headers)', 'sections'],
    ['(program headers)', 'segments'],
  ] as const) {
    const [a, b] = [p.elf.tables[table], r.elf.tables[table]];
    const bytes = countDifferent(p.source, a, r.source, b);
    const cause = resized ? movedOnly(p, r, table) : undefined;
    if (bytes > 0) findings.push(finding(path, name, a.size, b.size, bytes, cause));
  }
  const a = gaps(p);
  const b = gaps(r);
  const total = (ranges: readonly Range[]): number => ranges.reduce((sum, { size }) => sum + size, 0);
  const none = { offset: 0, size: 0 };
  const bytes = Array.from({ length: Math.max(a.length, b.length) }, (_, i) =>
    countDifferent(p.source, a[i] ?? none, r.source, b[i] ?? none),
  ).reduce((sum, each) => sum + each, 0);
  if (bytes > 0) findings.push(finding(path, '(in no section)', total(a), total(b), bytes));
  return findings;
}

/** What neither the header nor a table nor a section covers. */
function gaps({ source, elf }: ElfSide): readonly Range[] {
  const covered: readonly Range[] = [...Object.values(elf.tables), ...elf.sections.map(fileRange)];
  const found: Range[] = [];
  let at = 0;
  for (const { offset, size } of covered.toSorted((a, b) => a.offset - b.offset)) {
    if (size === 0) continue;
    if (offset > at) found.push({ offset: at, size: offset - at });
    at = Math.max(at, offset + size);
  }
  if (at < source.size) found.push({ offset: at, size: source.size - at });
  return found;
}

/** Fields of each entry that follow from the sizes of sections, as `[offset, size]` for 32 and 64 bits. */
const MOVING = {
  // e_shoff; e_entry is a finding of its own
  header: { 32: [[32, 4]], 64: [[40, 8]] },
  // sh_name, sh_addr, sh_offset, sh_size
  sections: {
    32: [
      [0, 4],
      [12, 12],
    ],
    64: [
      [0, 4],
      [16, 24],
    ],
  },
  // p_offset, p_vaddr, p_paddr, p_filesz, p_memsz
  segments: { 32: [[4, 20]], 64: [[8, 40]] },
} as const;

/** The cause when, sizes and places aside, both sides state the same. */
function movedOnly(p: ElfSide, r: ElfSide, table: keyof typeof MOVING): Cause | undefined {
  const [a, b] = [p.elf.tables[table], r.elf.tables[table]];
  if (p.elf.bits !== r.elf.bits || a.size !== b.size) return undefined;
  const [x, y] = [p, r].map(({ source, elf }) => {
    const bytes = Buffer.from(source.read(elf.tables[table].offset, a.size));
    for (let at = 0; at < bytes.length; at += a.entrySize)
      for (const [offset, size] of MOVING[table][elf.bits]) bytes.fill(0, at + offset, at + offset + size);
    return bytes;
  });
  if (x === undefined || y === undefined || !x.equals(y)) return undefined;
  return {
    kind: 'derived-from-other-difference',
    evidence: 'only sizes, addresses and offsets differ, and sections have other sizes',
  };
}
