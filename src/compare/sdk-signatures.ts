// SPDX-License-Identifier: Apache-2.0
/** What each version of Android makes of the published file, from its signatures and from what its manifest asks for. */
import { LAST_SDK } from '../formats/sdk-range.js';
import { sdkVerdicts, type AppVersions, type FileSignatures } from '../formats/sdk-verdicts.js';
import type { IdentityReading } from './identity.js';
import type { SignatureRecord } from './types.js';

/** `signatures` is absent for a file that is no archive, or whose signature was not looked at. */
export function withSdkVerdicts(
  record: SignatureRecord,
  signatures: FileSignatures | undefined,
  reading: IdentityReading,
): SignatureRecord {
  if (signatures === undefined || (record.status === 'unsigned' && signatures.jar === undefined))
    return record;
  return {
    ...record,
    bySdk: sdkVerdicts(signatures, appVersions(reading)).map(({ sdk, ...verdict }) => ({
      minSdk: sdk.from,
      ...(sdk.to === LAST_SDK ? {} : { maxSdk: sdk.to }),
      ...verdict,
    })),
  };
}

/** Only numbers that were read: a codename or a reference is none. */
export function appVersions({ identity }: IdentityReading): AppVersions {
  const number = (text: string | undefined): number | undefined =>
    text !== undefined && /^[1-9][0-9]{0,9}$/.test(text) ? Number(text) : undefined;
  const [minSdk, targetSdk] = [number(identity.minSdk), number(identity.targetSdk)];
  return {
    ...(minSdk === undefined ? {} : { minSdk }),
    ...(targetSdk === undefined ? {} : { targetSdk }),
  };
}
