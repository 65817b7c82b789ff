// SPDX-License-Identifier: Apache-2.0
/**
 * Signers against pins, for each Android version apart: which signature a version looks at decides who signed for it.
 * https://source.android.com/docs/security/features/apksigning/v3#verification
 */
import type { SignerPin } from '../model.js';
import type { SignerRecord } from './types.js';

/** Versions of the platform, both ends included. */
export interface SdkRange {
  readonly from: number;
  readonly to: number;
}

const LAST = 0x7fffffff;
/** First platform that knows the scheme. */
const SINCE = { v2: 24, v3: 28, 'v3.1': 33 } as const;

const covers = (range: { readonly minSdk?: number; readonly maxSdk?: number }, sdk: number): boolean =>
  (range.minSdk ?? 1) <= sdk && sdk <= (range.maxSdk ?? LAST);

/** The signers of the newest scheme that the platform knows and the file has; older ones are then not looked at. */
export function signersInUse(signers: readonly SignerRecord[], sdk: number): readonly SignerRecord[] {
  const of = (scheme: string): readonly SignerRecord[] =>
    signers.filter((signer) => signer.scheme === scheme);
  // a rotated signer of v3.1 for other versions only leaves v3 in force (ApkSignatureSchemeV3Verifier)
  const rotated = sdk >= SINCE['v3.1'] ? of('v3.1').filter((signer) => covers(signer, sdk)) : [];
  if (rotated.length > 0) return rotated;
  if (sdk >= SINCE.v3 && of('v3').length > 0) return of('v3').filter((signer) => covers(signer, sdk));
  if (sdk >= SINCE.v2 && of('v2').length > 0) return of('v2');
  return of('v1');
}

export interface UnpinnedSigner {
  readonly signer: SignerRecord;
  readonly range: SdkRange;
}

export interface PinCheck {
  /** Signers that Android uses on versions for which no pin allows them; neighbouring ranges are one. */
  readonly unpinned: readonly UnpinnedSigner[];
  /** No version that the file supports uses any of the signers. */
  readonly unused: boolean;
}

/** `minSdk`: the lowest version that the file supports, 1 where it is not known. */
export function checkPins(
  signers: readonly SignerRecord[],
  pins: readonly SignerPin[],
  minSdk: number,
): PinCheck {
  const lowest = Math.max(1, minSdk);
  const starts = new Set<number>([lowest, ...Object.values(SINCE)]);
  for (const range of [...signers, ...pins]) {
    starts.add(range.minSdk ?? 1);
    if (range.maxSdk !== undefined && range.maxSdk < LAST) starts.add(range.maxSdk + 1);
  }
  const froms = [...starts].filter((sdk) => sdk >= lowest).sort((a, b) => a - b);
  const unpinned: UnpinnedSigner[] = [];
  let unused = true;
  for (const [at, from] of froms.entries()) {
    const to = (froms[at + 1] ?? LAST + 1) - 1;
    for (const signer of signersInUse(signers, from)) {
      unused = false;
      if (pins.some((pin) => pin.sha256 === signer.certificateSha256 && covers(pin, from))) continue;
      const before = unpinned.findIndex((found) => found.signer === signer && found.range.to === from - 1);
      if (before === -1) unpinned.push({ signer, range: { from, to } });
      else unpinned[before] = { signer, range: { from: unpinned[before]?.range.from ?? from, to } };
    }
  }
  return { unpinned, unused };
}

export function describeRange({ from, to }: SdkRange): string {
  return to === LAST ? `SDK ${from} and later` : from === to ? `SDK ${from}` : `SDK ${from} to ${to}`;
}
