// SPDX-License-Identifier: Apache-2.0
/** Whether a file that we built is signed by the publisher. */
import { inspectPublished } from '../compare/inspect-published.js';
import type { Sha256, SignerPin } from '../model.js';

/** The pinned certificate, if one signed the file. */
export async function carriesSignature(
  path: string,
  signers: readonly SignerPin[],
): Promise<Sha256 | undefined> {
  if (signers.length === 0) return undefined;
  const { signature } = await inspectPublished(path);
  // a signature that does not verify is a difference, and found as one
  if (signature.status === 'invalid') return undefined;
  return signature.signers.find((signer) => signers.some((pin) => pin.sha256 === signer.certificateSha256))
    ?.certificateSha256;
}
