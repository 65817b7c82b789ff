// SPDX-License-Identifier: Apache-2.0
/** What a published file says of itself, before anything is built: who signed it, which package and version it is. */
import { FileSource } from '../bytes.js';
import type { AuthenticityReason, Reason, SignerPin, UnverifiableReason } from '../model.js';
import { judgeAuthenticity, signatureOf } from './authenticity.js';
import { identityOf, type IdentityIssue, type IdentityReading } from './identity.js';
import { oneFileWalk, type OneFileOptions } from './one-file.js';
import type { SignatureRecord } from './types.js';

export interface InspectOptions extends OneFileOptions {
  readonly signers?: readonly SignerPin[];
  readonly packageId?: string;
}

export interface PublishedInspection {
  readonly signature: SignatureRecord;
  /** For `checkIdentity`. */
  readonly reading: IdentityReading;
  readonly identity: Readonly<Record<string, string>>;
  readonly notAuthentic: readonly Reason<AuthenticityReason>[];
  /** What keeps us from knowing, e.g. a signature that was not checked. */
  readonly unverifiable: readonly Reason<UnverifiableReason>[];
  readonly issues: readonly IdentityIssue[];
}

/**
 * The same answers that a comparison gives, by the same code.
 * @throws FailedHere `unreadable-input` for a file that cannot be read
 */
export async function inspectPublished(
  path: string,
  options: InspectOptions = {},
): Promise<PublishedInspection> {
  const source = FileSource.open(path);
  const walk = oneFileWalk(options);
  try {
    const signature = await signatureOf(source, walk.options.limits);
    const reading = await identityOf(source, { walk });
    const { signers = [], packageId } = options;
    return {
      signature,
      reading,
      identity: reading.identity,
      ...judgeAuthenticity(signature, reading, { signers, packageId }, false),
      issues: reading.issues,
    };
  } finally {
    await walk.close();
    source.close();
  }
}
