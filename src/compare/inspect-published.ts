// SPDX-License-Identifier: Apache-2.0
/** What a published file says of itself, before anything is built: who signed it, which package and version it is. */
import { FileSource, type ByteSource } from '../bytes.js';
import type { AuthenticityReason, Reason, SignerNote, SignerPin, UnverifiableReason } from '../model.js';
import { judgeAuthenticity, signatureOf } from './authenticity.js';
import { encryptedPrograms, isProgram, type EncryptedPrograms } from './ipa/encrypted-members.js';
import { identityOf, type IdentityIssue, type IdentityReading } from './identity.js';
import { withSdkVerdicts } from './sdk-signatures.js';
import { oneFileWalk, type OneFileOptions } from './one-file.js';
import { assertOneVersion } from './one-version.js';
import { SetOpener, type SetFile } from './set-members.js';
import type { SignatureRecord } from './types.js';
import type { Walk } from './walk.js';

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
  /** Told of its signers beside the verdict. */
  readonly notes: readonly Reason<SignerNote>[];
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
    return await inspect(source, walk, options);
  } finally {
    await walk.close();
    source.close();
  }
}

/**
 * Programs of an app of Apple's platforms that FairPlay encrypts; `undefined` for any other file.
 * @throws FailedHere `unreadable-input` for a file that cannot be read
 */
export async function inspectEncryption(
  path: string,
  options: OneFileOptions = {},
): Promise<EncryptedPrograms | undefined> {
  const source = FileSource.open(path);
  const walk = oneFileWalk(options);
  try {
    const { format } = await identityOf(source, { walk });
    const isApple = format === 'ipa' || format === 'mac-app' || isProgram(source);
    return isApple ? await encryptedPrograms(walk, source) : undefined;
  } finally {
    await walk.close();
    source.close();
  }
}

export interface MemberInspection extends PublishedInspection {
  readonly name: string;
  /** A configuration or a feature, whose manifest says less than that of the base. */
  readonly split: boolean;
}

/**
 * Of an archive of splits each APK, as the comparison names it; `undefined` of any other file.
 * @throws UsageError `mixed-versions`
 */
export async function inspectSplits(
  file: SetFile,
  options: InspectOptions = {},
): Promise<readonly MemberInspection[] | undefined> {
  const walk = oneFileWalk(options);
  const opener = new SetOpener(walk);
  try {
    const set = await opener.open('published', [file]);
    if (set.archives.length === 0) return undefined;
    assertOneVersion(set.members);
    const found: MemberInspection[] = [];
    for (const { name, source, facts } of set.members)
      if (facts !== undefined)
        found.push({ name, split: facts.split !== '', ...(await inspect(source, walk, options)) });
    return found;
  } finally {
    opener.close();
    await walk.close();
  }
}

async function inspect(
  source: ByteSource,
  walk: Walk,
  { signers = [], packageId }: InspectOptions,
): Promise<PublishedInspection> {
  const { record, signatures } = await signatureOf(source, walk.options.limits);
  const reading = await identityOf(source, { walk });
  const signature = withSdkVerdicts(record, signatures, reading);
  return {
    signature,
    reading,
    identity: reading.identity,
    ...judgeAuthenticity(signature, reading, { signers, packageId }, false),
    issues: reading.issues,
  };
}
