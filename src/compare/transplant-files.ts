// SPDX-License-Identifier: Apache-2.0
/** A published APK made again from a rebuilt one and the published signature, without comparing anything else. */
import { sha256, type ByteSource } from '../bytes.js';
import { parseApkSignature } from '../formats/apk-signature.js';
import type { RuleName } from '../model.js';
import { printable } from '../printable.js';
import { pairMembers } from './align.js';
import { findLayout } from './zip/layout.js';
import { signatureEntries } from './zip/signature-entries.js';
import { departsAt, eachPiece, planTransplant, type Transplant } from './zip/transplant.js';
import { covers } from './zip/covered-entry.js';
import { pairable } from './zip/entry-order.js';
import { zipContainer } from './zip/zip-container.js';
import { openZipSide, rawNameOf, signedSections, type ZipSide } from './zip/zip-side.js';

export type TransplantOutcome =
  | {
      readonly kind: 'equal';
      readonly profile: string;
      /** From the published file: entries of its signature with their records, and its signing block. */
      readonly takenBytes: number;
      readonly size: number;
      readonly sha256: string;
      /** The bytes of the file that was made, in order. */
      readonly each: (take: (bytes: Uint8Array) => void) => void;
    }
  /** `offset` in the published file, `place`: what is there. */
  | { readonly kind: 'departs'; readonly profile: string; readonly offset: number; readonly place: string }
  | { readonly kind: 'impossible'; readonly why: string; readonly offset?: number; readonly place?: string };

/** @throws FormatError for what is no ZIP archive; no signature is verified */
export function transplantFiles(
  published: ByteSource,
  rebuilt: ByteSource,
  rules: readonly RuleName[] = [],
): TransplantOutcome {
  const [p, r] = [zipContainer.parse(published), zipContainer.parse(rebuilt)];
  const pairing = pairMembers(pairable('published', p, false), pairable('rebuilt', r, false));
  // nobody's key is needed to say where a signature lies
  const sides = [
    openZipSide('published', published, p, false, parseApkSignature(published, signedSections(p))),
    openZipSide('rebuilt', rebuilt, r, false),
  ] as const;
  const entries = signatureEntries(...sides, pairing, (side, entry) =>
    rules.some((name) => covers(name, side, entry)),
  );
  const made = planTransplant(...sides, findLayout(...sides, entries), () => false);
  if ('why' in made) {
    const { why, offset } = made;
    return {
      kind: 'impossible',
      why,
      ...(offset === undefined ? {} : { offset, place: placeOf(sides[0], offset) }),
    };
  }
  const offset = departsAt(made.pieces, published);
  return offset === undefined
    ? equal(made, published)
    : { kind: 'departs', profile: made.profile, offset, place: placeOf(sides[0], offset) };
}

function equal({ profile, takenBytes, pieces }: Transplant, published: ByteSource): TransplantOutcome {
  return {
    kind: 'equal',
    profile,
    takenBytes,
    size: published.size,
    sha256: sha256(published),
    each: (take) => eachPiece(pieces, take),
  };
}

/** What lies at this offset. */
export function placeOf({ zip, block }: ZipSide, offset: number): string {
  const entry = zip.entries.find(({ localOffset, end }) => localOffset <= offset && offset < end);
  if (entry !== undefined) {
    const part =
      offset < entry.dataOffset
        ? 'local header'
        : offset < entry.dataOffset + entry.compressedSize
          ? 'data'
          : 'data descriptor';
    return `${part} of ${printable(rawNameOf(entry))}`;
  }
  const record = zip.entries.find(({ cdOffset, cdSize }) => cdOffset <= offset && offset < cdOffset + cdSize);
  if (record !== undefined) return `directory record of ${printable(rawNameOf(record))}`;
  if (block !== undefined && block.offset <= offset && offset < block.offset + block.size)
    return 'signing block';
  const end = zip.end.offset;
  if (offset >= end && offset < end + zip.end.size) return 'end record';
  if (offset >= zip.comment.offset && offset < zip.comment.offset + zip.comment.size) return 'comment';
  return 'bytes that no record owns';
}
