// SPDX-License-Identifier: Apache-2.0
/**
 * Why a section of an ELF file differs, where its own bytes prove it. A cause is only named for a section that was read
 * to its last byte: what an attacker calls `.comment` or `.note.gnu.build-id` is no excuse for anything else.
 */
import type { ByteSource } from '../../bytes.js';
import { buildIdSections } from '../../formats/elf-digest.js';
import type { ElfFile, ElfNote, ElfSection } from '../../formats/elf.js';
import { printable } from '../../printable.js';
import type { Cause } from '../types.js';

export interface ElfSide {
  readonly source: ByteSource;
  readonly elf: ElfFile;
}

/** A section of both sides, or of one; paired by name and occurrence. */
export interface SectionPair {
  readonly name: string;
  readonly published?: ElfSection;
  readonly rebuilt?: ElfSection;
}

const MAX_EVIDENCE = 300;
const MAX_COMMENTS = 1 << 16;
const MAX_LINK = 4096;
const SHF_ALLOC = 2;
const NT_GO_BUILD_ID = 4;

/** What causes are judged by, looked up once a file. */
export class ElfEvidence {
  readonly published: ElfSide;
  readonly rebuilt: ElfSide;
  readonly #ids: readonly [ReadonlyMap<number, ElfNote>, ReadonlyMap<number, ElfNote>];
  readonly #content: readonly SectionPair[];

  constructor(published: ElfSide, rebuilt: ElfSide, differing: readonly SectionPair[]) {
    this.published = published;
    this.rebuilt = rebuilt;
    this.#ids = [buildIdSections(published.elf), buildIdSections(rebuilt.elf)];
    this.#content = differing.filter((pair) => !this.isBuildId(pair) && pair.name !== '.gnu_debuglink');
  }

  isBuildId(pair: SectionPair): boolean {
    return this.buildIds(pair) !== undefined;
  }

  /** Of both sides, hex, when the section holds nothing else. */
  buildIds({ published, rebuilt }: SectionPair): readonly [string, string] | undefined {
    const p = published && this.#ids[0].get(published.index);
    const r = rebuilt && this.#ids[1].get(rebuilt.index);
    return p && r && [p.description.toString('hex'), r.description.toString('hex')];
  }

  /** The first section that differs and is neither a build id nor a link to debug information. */
  get firstContent(): string | undefined {
    return this.#content[0]?.name;
  }

  /** Sections that differ besides build ids and links to debug information. */
  get contentCount(): number {
    return this.#content.length;
  }
}

export function causeOf(evidence: ElfEvidence, pair: SectionPair): Cause | undefined {
  const { published, rebuilt } = pair;
  if (published === undefined || rebuilt === undefined) return undefined;
  const ids = evidence.buildIds(pair);
  if (ids !== undefined) return buildId(evidence, ids);
  if (pair.name === '.note.go.buildid') return goBuildId(evidence, pair);
  if (pair.name === '.comment') return compilers(evidence, published, rebuilt);
  if (pair.name === '.gnu_debuglink') return debugLink(evidence, published, rebuilt);
  return undefined;
}

function buildId({ firstContent, contentCount }: ElfEvidence, [p, r]: readonly [string, string]): Cause {
  const ids = `build id ${p}, rebuilt ${r}`;
  return firstContent === undefined
    ? { kind: 'build-id', evidence: `${ids}; no other section differs` }
    : {
        kind: 'derived-from-other-difference',
        evidence: cut(`${ids}; ${contentCount} other sections differ, first ${printable(firstContent)}`),
      };
}

/** The id that Go's linker writes into a note of its own. */
function goBuildId(evidence: ElfEvidence, pair: SectionPair): Cause | undefined {
  const [p, r] = [evidence.published.elf, evidence.rebuilt.elf].map(({ notes }) =>
    notes.filter(({ place }) => place === pair.name),
  );
  const [a, b] = [p?.[0], r?.[0]];
  if (p?.length !== 1 || r?.length !== 1 || a === undefined || b === undefined) return undefined;
  if ([a, b].some(({ owner, type }) => owner !== 'Go' || type !== NT_GO_BUILD_ID)) return undefined;
  const sizes = [
    [pair.published?.size, a.description.length],
    [pair.rebuilt?.size, b.description.length],
  ] as const;
  // header 12, owner `Go\0\0`, description padded to 4
  if (sizes.some(([size, length]) => size !== 16 + Math.ceil(length / 4) * 4)) return undefined;
  const [x, y] = [a, b].map(({ description }) => printable(description.toString('latin1')));
  return { kind: 'build-id', evidence: cut(`Go build id ${x}, rebuilt ${y}`) };
}

/** What compilers and linkers wrote about themselves; never loaded. */
function compilers(evidence: ElfEvidence, published: ElfSection, rebuilt: ElfSection): Cause | undefined {
  if (!isPlain(published) || !isPlain(rebuilt)) return undefined;
  if (published.size > MAX_COMMENTS || rebuilt.size > MAX_COMMENTS) return undefined;
  const [p, r] = [commentsOf(evidence.published.elf), commentsOf(evidence.rebuilt.elf)];
  const onlyPublished = [...p].filter((comment) => !r.has(comment));
  const onlyRebuilt = [...r].filter((comment) => !p.has(comment));
  const list = (comments: readonly string[]): string => comments.map(printable).join(', ') || 'nothing more';
  return onlyPublished.length + onlyRebuilt.length === 0
    ? { kind: 'order', evidence: 'the same compilers in another order or number' }
    : {
        kind: 'compiler-version',
        evidence: `published ${cut(list(onlyPublished))}; rebuilt ${cut(list(onlyRebuilt))}`,
      };
}

const commentsOf = (elf: ElfFile): ReadonlySet<string> => new Set(elf.comments);

function isPlain({ type, flags }: ElfSection): boolean {
  return type === 'progbits' && (flags & SHF_ALLOC) === 0;
}

/** The name of a file with debug information and the CRC of it: neither is in this file. */
function debugLink(evidence: ElfEvidence, published: ElfSection, rebuilt: ElfSection): Cause | undefined {
  const [p, r] = [linkOf(evidence.published, published), linkOf(evidence.rebuilt, rebuilt)];
  if (p === undefined || r === undefined) return undefined;
  const idNames =
    p.name === debugName(evidence.published.elf.buildId) &&
    r.name === debugName(evidence.rebuilt.elf.buildId);
  if (p.name !== r.name && !idNames) return undefined;
  const sums = `CRC ${p.crc} of separate debug information, rebuilt ${r.crc}`;
  return {
    kind: 'derived-from-other-difference',
    evidence: cut(p.name === r.name ? sums : `${sums}; the names are those of the build ids`),
  };
}

/** Distributions name the file by the build id without its first byte. */
function debugName(buildIdHex: string | undefined): string | undefined {
  return buildIdHex === undefined ? undefined : `${buildIdHex.slice(2)}.debug`;
}

/** Name, NUL, zeros up to a multiple of 4, CRC: all of the section, or it is something else. */
function linkOf(
  { source, elf }: ElfSide,
  section: ElfSection,
): { readonly name: string; readonly crc: string } | undefined {
  if (!isPlain(section) || section.size > MAX_LINK) return undefined;
  const bytes = Buffer.from(source.read(section.offset, section.size));
  const end = bytes.indexOf(0);
  if (end < 1 || bytes.length !== Math.ceil((end + 1) / 4) * 4 + 4) return undefined;
  if (bytes.subarray(end, -4).some((byte) => byte !== 0)) return undefined;
  const at = bytes.length - 4;
  const crc = elf.littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  return { name: bytes.toString('latin1', 0, end), crc: crc.toString(16).padStart(8, '0') };
}

function cut(text: string): string {
  return text.length <= MAX_EVIDENCE ? text : `${text.slice(0, MAX_EVIDENCE)}…`;
}
