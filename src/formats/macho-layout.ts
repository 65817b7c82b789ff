// SPDX-License-Identifier: Apache-2.0
/**
 * Every byte of a Mach-O file of one architecture: header, commands, sections, tables, fill between them. Bytes that two
 * structures claim are told, and so are those that none claims and that are not zero.
 */
import { eachChunk, type ByteSource } from '../bytes.js';
import { hasBytes, type MachOFile } from './macho.js';
import { plainName } from './macho-names.js';
import type { Region } from './region.js';

export interface LayoutIssue {
  readonly code: 'macho/overlap' | 'macho/gap' | 'macho/trailing-bytes';
  readonly offset: number;
  readonly size: number;
  readonly detail: string;
}

export interface MachOLayout {
  /** They tile the file. */
  readonly regions: readonly Region[];
  readonly issues: readonly LayoutIssue[];
}

const MAX_ISSUES = 100;

export function layOutMachO(source: ByteSource, file: MachOFile): MachOLayout {
  const claims = claimsOf(file)
    .filter(({ size }) => size > 0)
    .sort((a, b) => a.offset - b.offset || b.size - a.size);
  const regions: Region[] = [];
  const issues: LayoutIssue[] = [];
  const tell = (issue: LayoutIssue): void => {
    if (issues.length < MAX_ISSUES) issues.push(issue);
  };
  let at = 0;
  let before = 'start of the file';
  for (const { offset, size, kind } of claims) {
    if (offset > at) regions.push(fill(source, at, offset - at, before, tell));
    if (offset < at)
      tell({
        code: 'macho/overlap',
        offset,
        size: Math.min(at, offset + size) - offset,
        detail: `${kind} begins in ${before}`,
      });
    const from = Math.max(at, offset);
    if (offset + size > from) {
      regions.push({ offset: from, size: offset + size - from, kind });
      at = offset + size;
      before = kind;
    }
  }
  if (at < source.size) {
    const rest = fill(source, at, source.size - at, before, () => undefined);
    regions.push(rest);
    const inSegment = file.segments.some((segment) => segment.offset + segment.fileSize >= source.size);
    if (rest.kind !== 'mach-o/fill' || !inSegment)
      tell({
        code: 'macho/trailing-bytes',
        offset: at,
        size: source.size - at,
        detail: `behind ${before}`,
      });
  }
  return { regions, issues };
}

/** Names of segments and sections are of the file. */
export function sectionKind(section: { readonly segment: string; readonly name: string }): string {
  return `${plainName(section.segment)},${plainName(section.name)}`;
}

/** The place of a command, by what it is about: those of the same kind are told apart by their order. */
function claimsOf(file: MachOFile): Region[] {
  const { headerSize, commands, segments, ranges } = file;
  const claims: Region[] = [
    { offset: 0, size: 16, kind: 'mach-o/header' },
    { offset: 16, size: 4, kind: 'mach-o/command-count' },
    { offset: 20, size: 4, kind: 'mach-o/commands-size' },
    { offset: 24, size: headerSize - 24, kind: 'mach-o/flags' },
  ];
  const named = new Map(segments.map((segment) => [segment.command.offset, segment.name]));
  for (const command of commands) {
    const segment = named.get(command.offset);
    if (segment === '__LINKEDIT') claims.push(...linkEditFields(command, file.bits === 64));
    else if (command.name === 'LC_CODE_SIGNATURE') claims.push(...signatureFields(command));
    else if (command.name.startsWith('LC_ENCRYPTION_INFO')) claims.push(...encryptionFields(command));
    else
      claims.push({
        offset: command.offset,
        size: command.size,
        kind: `mach-o/${command.name}${segment === undefined ? '' : ` ${plainName(segment)}`}`,
      });
  }
  for (const segment of segments) {
    const { sections } = segment;
    for (const section of sections) {
      if (hasBytes(section))
        claims.push({ offset: section.offset, size: section.size, kind: sectionKind(section) });
      if (section.relocationCount > 0)
        claims.push({
          offset: section.relocationOffset,
          size: section.relocationCount * 8,
          kind: `mach-o/relocations ${sectionKind(section)}`,
        });
    }
    // a segment without sections is all content; that of the tables is described by them
    if (sections.length === 0 && segment.fileSize > 0 && segment.offset > 0 && segment.name !== '__LINKEDIT')
      claims.push({
        offset: segment.offset,
        size: segment.fileSize,
        kind: `mach-o/segment ${plainName(segment.name)}`,
      });
  }
  for (const { offset, size, kind } of ranges) claims.push({ offset, size, kind });
  return claims;
}

interface Placed {
  readonly offset: number;
  readonly size: number;
  readonly name: string;
}

/** Its sizes follow from the signature behind it. */
function linkEditFields({ offset, size, name }: Placed, wide: boolean): Region[] {
  const step = wide ? 8 : 4;
  const kind = `mach-o/${name} __LINKEDIT`;
  return [
    { offset, size: 24 + step, kind },
    { offset: offset + 24 + step, size: step, kind: 'mach-o/linkedit-memory-size' },
    { offset: offset + 24 + 2 * step, size: step, kind },
    { offset: offset + 24 + 3 * step, size: step, kind: 'mach-o/linkedit-file-size' },
    { offset: offset + 24 + 4 * step, size: size - 24 - 4 * step, kind },
  ];
}

function signatureFields({ offset, size, name }: Placed): Region[] {
  const kind = `mach-o/${name}`;
  return [
    { offset, size: 8, kind },
    { offset: offset + 8, size: 4, kind: 'mach-o/place-of-signature' },
    { offset: offset + 12, size: size - 12, kind: 'mach-o/size-of-signature' },
  ];
}

function encryptionFields({ offset, size, name }: Placed): Region[] {
  const kind = `mach-o/${name}`;
  const rest = size - 20;
  return [
    { offset, size: 8, kind },
    { offset: offset + 8, size: 8, kind: 'mach-o/encrypted-range' },
    { offset: offset + 16, size: 4, kind: 'mach-o/cryptid' },
    ...(rest > 0 ? [{ offset: offset + 20, size: rest, kind: `${kind} padding` }] : []),
  ];
}

function fill(
  source: ByteSource,
  offset: number,
  size: number,
  before: string,
  tell: (issue: LayoutIssue) => void,
): Region {
  if (isZero(source, offset, size)) return { offset, size, kind: 'mach-o/fill' };
  tell({ code: 'macho/gap', offset, size, detail: `behind ${before}` });
  return { offset, size, kind: 'mach-o/gap' };
}

const ZEROS = Buffer.alloc(1 << 20);

export function isZero(source: ByteSource, offset: number, size: number): boolean {
  let zero = true;
  eachChunk(source, offset, size, (chunk) => {
    zero &&= chunk.equals(ZEROS.subarray(0, chunk.length));
  });
  return zero;
}
