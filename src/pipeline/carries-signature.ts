// SPDX-License-Identifier: Apache-2.0
/** Whether a file that we built is signed by the publisher. */
import { inspectPublished } from '../compare/inspect-published.js';
import type { Sha256, SignerPin } from '../model.js';

/** The certificate that signed the file, if it is pinned or follows from a pinned one. */
export async function carriesSignature(
  path: string,
  signers: readonly SignerPin[],
): Promise<Sha256 | undefined> {
  if (signers.length === 0) return undefined;
  const { signature } = await inspectPublished(path);
  // a signature that does not verify is a difference, and found as one
  if (signature.status === 'invalid') return undefined;
  return signature.signers.find(({ certificateSha256, lineage = [] }) => {
    const keys = new Set([certificateSha256, ...lineage.map((step) => step.certificateSha256)]);
    return signers.some((pin) => keys.has(pin.sha256));
  })?.certificateSha256;
}
