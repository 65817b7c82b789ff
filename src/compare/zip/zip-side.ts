// SPDX-License-Identifier: Apache-2.0
/** One side of a ZIP comparison: its structure, its signing block, and the bytes that no record owns. */
import type { ByteSource } from '../../bytes.js';
import {
  checkApkSignature,
  parseApkSignature,
  type ApkSections,
  type ApkSignatureCheck,
  type SignatureIssue,
} from '../../formats/apk-signature.js';
import { APK_ISSUES } from '../../formats/apk-signature-issue.js';
import type { Extent, ZipEntry, ZipStructure } from '../../formats/zip.js';
import { readManifest } from '../../formats/jar-manifest.js';
import { MANIFEST_NAME } from '../../formats/jar-signature.js';
import type { Side, SignatureRecord } from '../types.js';
import { signatureContent } from './jar-content.js';
import { ambiguitiesOf, type Ambiguities } from './ambiguity.js';

/** What follows a gap: an entry (index in directory order), the signing block, the directory, the end records, nothing. */
export type Anchor = number | 'signing-block' | 'central-directory' | 'end-record' | 'end-of-file';

export interface Gap extends Extent {
  readonly anchor: Anchor;
}

export interface SigningBlockExtent extends Extent {
  /** Zero bytes before it, up to a page boundary (apksigner), as part of the signature. */
  readonly fill: number;
  /** Published: every byte parsed and verified. Rebuilt: every byte parsed. */
  readonly trusted: boolean;
}

export interface ZipSide {
  readonly side: Side;
  readonly source: ByteSource;
  /** An archive inside of the file. */
  readonly nested: boolean;
  readonly zip: ZipStructure;
  readonly gaps: readonly Gap[];
  readonly ambiguities: Ambiguities;
  readonly block: SigningBlockExtent | undefined;
  readonly signature: ApkSignatureCheck;
  /** Bytes of the main section of its JAR manifest; only where something lies in front of the first entry. */
  readonly mainAttributes: number | undefined;
  /** The file itself was JAR-signed (v1): its signature entries have no partners. */
  readonly jarSigned: boolean;
}

const PAGE = 4096;
const MAX_MANIFEST = 16 << 20;
const JAR_SIGNATURE_FILE = /^META-INF\/[^/]+\.SF$/i;
const JAR_SIGNATURE_ENTRY = /^META-INF\/([^/]+\.(SF|RSA|DSA|EC)|MANIFEST\.MF)$/i;

export function rawNameOf(entry: ZipEntry): string {
  return entry.rawName.toString('latin1');
}

export function signedSections(zip: ZipStructure): ApkSections {
  return {
    centralDirectoryOffset: zip.centralDirectory.offset,
    centralDirectorySize: zip.centralDirectory.size,
    endOffset: zip.zip64?.offset ?? zip.end.offset,
  };
}

/**
 * A published signature is verified to the last byte (`checked`, if it already was), a rebuilt one parsed to the last
 * byte. Only that of the file itself says who published it; anyone can sign an archive inside (`nested`), so nothing is
 * trusted there.
 */
export function openZipSide(
  side: Side,
  source: ByteSource,
  zip: ZipStructure,
  nested: boolean,
  checked?: ApkSignatureCheck,
): ZipSide {
  const check = side === 'published' && !nested ? checkApkSignature : parseApkSignature;
  const signature = withoutOverlap(zip, checked ?? check(source, signedSections(zip)));
  const gaps = findGaps(source, zip, signature.block);
  const block = signature.block;
  const before = gaps.find((gap) => gap.anchor === 'signing-block');
  const fill = before !== undefined && isPageFill(source, before) ? before.size : 0;
  const hidden = fill === 0 ? gaps : gaps.filter((gap) => gap.anchor !== 'signing-block');
  return {
    side,
    source,
    nested,
    zip,
    gaps: hidden,
    ambiguities: ambiguitiesOf(source, zip, hidden),
    block:
      block === undefined
        ? undefined
        : {
            offset: block.offset,
            size: block.size,
            fill,
            trusted: !nested && signature.status === (side === 'published' ? 'verified' : 'parsed'),
          },
    signature,
    jarSigned: !nested && isJarSigned(zip),
    mainAttributes: gaps.some((gap) => gap.offset === 0) ? mainSectionSize(source, zip) : undefined,
  };
}

function mainSectionSize(source: ByteSource, zip: ZipStructure): number | undefined {
  const entry = zip.entries.find((candidate) => rawNameOf(candidate) === MANIFEST_NAME);
  const content = entry === undefined ? undefined : signatureContent(source, entry, MAX_MANIFEST);
  return typeof content === 'object' ? readManifest(content.bytes).main.end : undefined;
}

/** A block that reaches into the last entry is that entry's data: the signature would not cover what is in it. */
function withoutOverlap(zip: ZipStructure, signature: ApkSignatureCheck): ApkSignatureCheck {
  const { block } = signature;
  const last = zip.entries[zip.dataOrder.at(-1) ?? -1];
  if (block === undefined || last === undefined || last.end <= block.offset) return signature;
  const issue: SignatureIssue = {
    code: 'block-overlaps-entry',
    message: `the signing block begins at ${block.offset}, before ${last.end}, the end of the last entry`,
    offset: block.offset,
  };
  const status = signature.status === 'invalid' ? 'invalid' : 'unchecked';
  return { ...signature, block: undefined, status, issues: [...signature.issues, issue] };
}

/** Fewer than a page of zeros that end on a page boundary: determined by where they start. */
function isPageFill(source: ByteSource, gap: Extent): boolean {
  if (gap.size >= PAGE || (gap.offset + gap.size) % PAGE !== 0) return false;
  return source.read(gap.offset, gap.size).every((byte) => byte === 0);
}

function findGaps(source: ByteSource, zip: ZipStructure, block: Extent | undefined): Gap[] {
  const gaps: Gap[] = [];
  let cursor = 0;
  const next = (offset: number, end: number, anchor: Anchor): void => {
    if (offset > cursor) gaps.push({ offset: cursor, size: offset - cursor, anchor });
    cursor = end;
  };
  for (const index of zip.dataOrder) {
    const entry = zip.entries[index];
    if (entry !== undefined) next(entry.localOffset, entry.end, index);
  }
  if (block !== undefined) next(block.offset, block.offset + block.size, 'signing-block');
  next(
    zip.centralDirectory.offset,
    zip.centralDirectory.offset + zip.centralDirectory.size,
    'central-directory',
  );
  const end = zip.zip64?.offset ?? zip.end.offset;
  next(end, zip.comment.offset + zip.comment.size, 'end-record');
  next(source.size, source.size, 'end-of-file');
  return gaps;
}

/** Two readers can get something else out of this entry, so that it is equal or different and nothing between. */
export function isContested({ ambiguities: { contested } }: ZipSide, entry: ZipEntry): boolean {
  return contested.size > 0 && contested.has(entry);
}

/** Asked several times of an archive with thousands of names. */
const jarSigned = new WeakMap<ZipStructure, boolean>();

export function isJarSigned(zip: ZipStructure): boolean {
  let known = jarSigned.get(zip);
  if (known === undefined) {
    known = zip.entries.some(
      ({ rawName }) => isM(rawName[0]) && JAR_SIGNATURE_FILE.test(rawName.toString('latin1')),
    );
    jarSigned.set(zip, known);
  }
  return known;
}

const isM = (byte: number | undefined): boolean => byte === 0x4d || byte === 0x6d;

/** Belongs to a JAR signature: never paired. A MANIFEST.MF of a file without signature files is ordinary content. */
export function isJarSignatureEntry(side: Pick<ZipSide, 'jarSigned'>, entry: ZipEntry): boolean {
  return side.jarSigned && JAR_SIGNATURE_ENTRY.test(rawNameOf(entry));
}

/** What the signing block says; a JAR signature beside it adds to that (`withJarSignature`). */
export function signatureRecord({ signature }: ZipSide): SignatureRecord {
  const { signers, issues } = signature;
  // `parsed` is a state of rebuilt files only: no key was used
  const status = signature.status === 'parsed' ? 'unchecked' : signature.status;
  return {
    status,
    signers,
    issues: issues
      .filter(({ code }) => APK_ISSUES[code].effect !== 'unsupported')
      .map(({ code, message, offset }) => ({ code, message, offset })),
  };
}
