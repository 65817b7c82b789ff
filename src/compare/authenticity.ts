// SPDX-License-Identifier: Apache-2.0
/** Whether a published file is its publisher's: a pure function of its signature, its identity and what is expected. */
import type { AuthenticityReason, Reason, SignerPin } from '../model.js';
import type { SignatureRecord } from './types.js';

export interface ExpectedAuthor {
  /** Certificates of which one must have signed; none: any valid signature will do. */
  readonly signers?: readonly SignerPin[];
  readonly packageId?: string;
}

export function authenticity(
  signature: SignatureRecord,
  identity: Readonly<Record<string, string>>,
  expected: ExpectedAuthor,
): Reason<AuthenticityReason>[] {
  const reasons: Reason<AuthenticityReason>[] = [];
  const pins = expected.signers ?? [];
  if (signature.status === 'invalid')
    reasons.push({
      code: 'signature-invalid',
      detail: signature.issues
        .map((issue) => issue.code)
        .sort()
        .join(', '),
    });
  if (pins.length > 0 && (signature.status === 'unsigned' || signature.status === 'not-applicable'))
    reasons.push({
      code: 'unsigned',
      detail: `expected a signature by ${pins.map((pin) => pin.sha256).join(' or ')}`,
    });
  if (pins.length > 0)
    for (const signer of signature.signers)
      if (!pins.some((pin) => pin.sha256 === signer.certificateSha256))
        reasons.push({
          code: 'signer-not-pinned',
          detail: `signed by ${signer.certificateSha256} (${signer.scheme}), pinned ${pins.map((pin) => pin.sha256).join(', ')}`,
        });
  const found = identity['package'];
  if (expected.packageId !== undefined && found !== expected.packageId)
    reasons.push({
      code: 'other-package',
      detail: `package ${found ?? 'unknown'}, expected ${expected.packageId}`,
    });
  return reasons;
}
