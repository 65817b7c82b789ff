// SPDX-License-Identifier: Apache-2.0
/**
 * Who owns the bytes of signatures that differ. What the signer could have written otherwise is left out within bounds, by
 * a rule; what nothing determines and nothing bounds is a difference; only what is determined to the last byte is
 * `signature`.
 */
import type { CodeDirectory } from '../../formats/code-directory.js';
import type { BlobKind, SignatureBlob } from '../../formats/code-signature.js';
import type { Region } from '../../formats/region.js';
import { isWorse, worst } from '../ledger.js';
import type { Owner } from '../types.js';
import { endsAsSigned, type ThinSide } from './thin-side.js';

/** Part of a signature, with the owner of bytes in it that differ. */
export interface SignaturePart extends Region {
  readonly owner: Owner;
}

export interface SignatureJudgement {
  readonly published: readonly SignaturePart[];
  readonly rebuilt: readonly SignaturePart[];
  /** Of sizes and counts that follow from the signature; `different` where they do not. */
  readonly follows: Owner;
}

/** Bytes that parts other than directories can have. */
const BOUNDS: Readonly<Record<BlobKind, number>> = {
  'code-directory': Number.MAX_SAFE_INTEGER,
  requirements: 16 << 10,
  entitlements: 64 << 10,
  'entitlements-der': 64 << 10,
  'launch-constraint': 16 << 10,
  cms: 64 << 10,
  unknown: 0,
};
/** Identifier and team together. */
const MAX_NAMES = 1024;

/** `trusted`: a place where a signature is one of the app; elsewhere anyone can have signed. */
export function judgeSignatures(
  p: ThinSide,
  r: ThinSide,
  { trusted, exact }: { readonly trusted: boolean; readonly exact: boolean },
): SignatureJudgement {
  const strict = trusted && exact && isDetermined(p, r);
  const partsOf = (own: ThinSide, other: ThinSide): SignaturePart[] =>
    cut(own).map((part) => ({ ...part, owner: trusted ? ownerOf(part, own, other, strict) : 'different' }));
  const [published, rebuilt] = [partsOf(p, r), partsOf(r, p)];
  const all = worst(
    'signature',
    ...published.map(({ owner }) => owner),
    ...rebuilt.map(({ owner }) => owner),
  );
  const aligned =
    trusted &&
    endsAsSigned(p) &&
    endsAsSigned(r) &&
    p.contentEnd - (p.linkEdit?.offset ?? 0) === r.contentEnd - (r.linkEdit?.offset ?? 0);
  return {
    published,
    rebuilt,
    // a difference in the signature is none of the sizes that follow from it
    follows: !aligned ? 'different' : isWorse(all, 'unread') ? (strict ? 'signature' : 'excluded') : all,
  };
}

interface Cut extends Region {
  readonly blob?: SignatureBlob;
  readonly hidden?: true;
}

/** Tiles the range that LC_CODE_SIGNATURE names. */
function cut({ file, check, source }: ThinSide): Cut[] {
  const { signature: range } = file;
  if (range === undefined) return [];
  const { offset: base } = range;
  if (check === undefined)
    return [{ offset: base, size: range.size, kind: 'mach-o/signature', hidden: true }];
  const { signature } = check;
  const loose = new Set(signature.loose.map(({ offset }) => offset));
  const parts: Cut[] = [];
  let at = 0;
  const add = (to: number, kind: string, more: Partial<Cut> = {}): void => {
    if (to > at) parts.push({ offset: base + at, size: to - at, kind, ...more });
    at = Math.max(at, to);
  };
  for (const blob of signature.blobs.toSorted((a, b) => a.offset - b.offset)) {
    const isFirst = at === 0;
    add(
      blob.offset,
      isFirst ? 'mach-o/signature' : 'mach-o/signature-gap',
      loose.has(at) ? { hidden: true } : {},
    );
    const hidden = signature.loose.some(
      ({ offset }) => offset >= blob.offset && offset < blob.offset + blob.size,
    );
    add(blob.offset + blob.size, `mach-o/signature-${blob.kind}`, {
      blob,
      ...(hidden ? { hidden: true as const } : {}),
    });
  }
  add(signature.size, 'mach-o/signature-gap', loose.has(at) ? { hidden: true } : {});
  const parked = signature.loose.some(({ code }) => code === 'signature-trailing');
  add(Math.min(range.size, source.size - base), 'mach-o/signature-fill', parked ? { hidden: true } : {});
  return parts;
}

function ownerOf({ blob, hidden }: Cut, own: ThinSide, other: ThinSide, strict: boolean): Owner {
  if (hidden === true) return 'different';
  if (own.check === undefined) return 'different';
  const { cms, issues } = own.check;
  if (
    own.side === 'published' &&
    (cms.status === 'unread' || issues.some(({ effect }) => effect === 'fails'))
  )
    return 'unread';
  if (blob === undefined) return strict ? 'signature' : 'excluded';
  const tooLarge =
    blob.size > BOUNDS[blob.kind] ||
    own.check.signature.directories.some(({ directory }) => namesOf(directory) > MAX_NAMES);
  if (tooLarge) return 'unread';
  if (blob.kind === 'entitlements' || blob.kind === 'entitlements-der') {
    const twin = other.check?.signature.blobs.find(({ slot }) => slot === blob.slot);
    // who signed with an identity and gave none says that there are none
    if (twin !== undefined || isSignedByIdentity(other)) return 'different';
  }
  return strict ? 'signature' : 'excluded';
}

function namesOf({ identifier, teamId }: CodeDirectory): number {
  return identifier.length + (teamId?.length ?? 0);
}

function isSignedByIdentity({ check }: ThinSide): boolean {
  return check !== undefined && check.cms.status !== 'ad-hoc';
}

/** Nothing is left that the signer of either side chose: the same words, checked slots, no room in the CMS. */
function isDetermined(p: ThinSide, r: ThinSide): boolean {
  if (p.check === undefined || r.check === undefined) return false;
  const [a, b] = [p.check, r.check];
  for (const { issues, unchecked, cms, signature } of [a, b]) {
    if (issues.length > 0 || unchecked.length > 0) return false;
    if (cms.status !== 'ad-hoc' && (cms.status !== 'verified' || cms.loose.length > 0)) return false;
    if (signature.directories.some(({ directory }) => directory.preEncryptPages !== undefined)) return false;
  }
  const words = ({ signature }: typeof a): string =>
    JSON.stringify([
      signature.directories
        .slice(0, 1)
        .map(({ directory: { identifier, teamId, flags, platform, runtime, execSegment } }) => [
          identifier,
          teamId,
          flags,
          platform,
          runtime,
          execSegment === undefined ? [] : Object.values(execSegment).map(String),
        ]),
      signature.blobs
        .filter(({ kind }) => kind !== 'code-directory' && kind !== 'cms')
        .map(({ slot, bytes }) => [slot, bytes.toString('base64')]),
    ]);
  return words(a) === words(b);
}
