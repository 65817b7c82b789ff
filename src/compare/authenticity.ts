// SPDX-License-Identifier: Apache-2.0
/**
 * Whether a published file is the publisher's: who signed it and which package it says it is. What was read and is
 * another one is `not-authentic`; what could not be read is `unverifiable`, and never taken for another one.
 */
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import type { FileSignatures } from '../formats/sdk-verdicts.js';
import type { AuthenticityReason, Reason, SignerNote, SignerPin, UnverifiableReason } from '../model.js';
import { checkIdentity, describeFinding, type IdentityReading } from './identity.js';
import { appVersions } from './sdk-signatures.js';
import { signerNotes } from './signer-notes.js';
import { checkPins, describeRange, type PinCheck } from './signer-pins.js';
import type { SignatureRecord } from './types.js';
import { finishJarCheck, openJarCheck, type JarLimits } from './zip/jar-check.js';
import { withJarSignature } from './zip/jar-entries.js';
import { isJarSigned, openZipSide, signatureRecord } from './zip/zip-side.js';
import { zipContainer } from './zip/zip-container.js';

export interface ExpectedOrigin {
  /** Certificates of which one must have signed; none: any valid signature will do. */
  readonly signers: readonly SignerPin[];
  readonly packageId: string | undefined;
}

export interface Authenticity {
  readonly notAuthentic: readonly Reason<AuthenticityReason>[];
  readonly unverifiable: readonly Reason<UnverifiableReason>[];
  /** Told beside the verdict. */
  readonly notes: readonly Reason<SignerNote>[];
}

export interface ReadSignature {
  readonly record: SignatureRecord;
  /** What it was made from, where something was read. */
  readonly signatures?: FileSignatures;
}

export const NOT_NEEDED: SignatureRecord = {
  status: 'unchecked',
  signers: [],
  issues: [{ code: 'not-needed', message: 'the files are equal and no signer is pinned', offset: 0 }],
};

/** The signature of a published file by itself. Never throws for what the file holds. */
export async function signatureOf(published: ByteSource, limits: JarLimits): Promise<ReadSignature> {
  if (!zipContainer.recognizes(published))
    return { record: { status: 'not-applicable', signers: [], issues: [] } };
  try {
    const zip = zipContainer.parse(published);
    const jar = isJarSigned(zip) ? openJarCheck(published, zip, limits) : undefined;
    try {
      const side = openZipSide('published', published, zip, false);
      const record = signatureRecord(side);
      if (jar === undefined) return { record, signatures: { apk: side.signature } };
      const check = await finishJarCheck(jar);
      return {
        record: withJarSignature(record, side, check),
        signatures: { apk: side.signature, jar: check },
      };
    } finally {
      await jar?.digests.close();
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const { code, message, offset } = error;
    return { record: { status: 'unchecked', signers: [], issues: [{ code, message, offset }] } };
  }
}

/** `equalBytes`: the published file is known to be the rebuilt one, so that nobody's signature adds to that. */
export function judgeAuthenticity(
  signature: SignatureRecord,
  reading: IdentityReading,
  expected: ExpectedOrigin,
  equalBytes: boolean,
): Authenticity {
  const { packageId, signers: pins } = expected;
  const pinned = pins.length === 0 ? undefined : checkPins(signature.signers, pins, lowestSdk(reading));
  const findings = packageId === undefined ? [] : checkIdentity(reading, { packageId });
  return {
    notAuthentic: [
      ...otherSigner(signature, pins, pinned),
      ...findings.flatMap((finding): Reason<AuthenticityReason>[] =>
        finding.kind === 'other-package' ? [{ code: 'other-package', detail: describeFinding(finding) }] : [],
      ),
    ],
    unverifiable: [
      ...uncheckedSignature(signature, equalBytes && expected.signers.length === 0),
      ...findings.flatMap((finding): Reason<UnverifiableReason>[] =>
        finding.kind === 'unread' ? [{ code: 'unread', detail: describeFinding(finding) }] : [],
      ),
    ],
    notes: signerNotes(signature, pins, pinned),
  };
}

function codes({ issues }: SignatureRecord): string {
  return [...new Set(issues.map(({ code }) => code))].sort().join(', ');
}

/** A published signature that nobody checked proves nothing. */
function uncheckedSignature(signature: SignatureRecord, needsNone: boolean): Reason<UnverifiableReason>[] {
  if (signature.status !== 'unchecked' || needsNone) return [];
  return [{ code: 'signature-unchecked', detail: codes(signature) || 'not checked' }];
}

function otherSigner(
  signature: SignatureRecord,
  pins: readonly SignerPin[],
  check: PinCheck | undefined,
): Reason<AuthenticityReason>[] {
  const reasons: Reason<AuthenticityReason>[] = [];
  if (signature.status === 'invalid') reasons.push({ code: 'signature-invalid', detail: codes(signature) });
  if (check === undefined) return reasons;
  const pinned = pins.map(describePin).join(', ');
  if (signature.status === 'unsigned' || signature.status === 'not-applicable')
    return [...reasons, { code: 'unsigned', detail: `expected a signature by ${pinned}` }];
  const { unpinned, unused } = check;
  for (const { signer, range } of unpinned)
    reasons.push({
      code: 'signer-not-pinned',
      detail: `signed by ${signer.certificateSha256} (${signer.scheme}) for ${describeRange(range)}, pinned ${pinned}`,
    });
  if (unused && signature.status === 'verified')
    reasons.push({
      code: 'signer-not-pinned',
      detail: `no version of Android that the file supports uses its signers, pinned ${pinned}`,
    });
  return reasons;
}

/** 1, so every version, where it is not a number that was read. */
function lowestSdk(reading: IdentityReading): number {
  return appVersions(reading).minSdk ?? 1;
}

function describePin({ sha256, minSdk, maxSdk }: SignerPin): string {
  if (minSdk === undefined && maxSdk === undefined) return sha256;
  return `${sha256} (${describeRange({ from: minSdk ?? 1, to: maxSdk ?? 0x7fffffff })})`;
}
