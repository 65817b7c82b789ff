// SPDX-License-Identifier: Apache-2.0
/**
 * Signers against pins, for each Android version apart: which signature a version looks at decides who signed for it.
 * https://source.android.com/docs/security/features/apksigning/v3#verification
 */
import { FIRST_V2, FIRST_V3, FIRST_V31, LAST_SDK, type SdkRange } from '../formats/sdk-range.js';
import type { SignerPin } from '../model.js';
import type { SignerRecord } from './types.js';

const LAST = LAST_SDK;
/** First platform that knows the scheme. */
const SINCE = { v2: FIRST_V2, v3: FIRST_V3, 'v3.1': FIRST_V31 } as const;

const covers = (range: { readonly minSdk?: number; readonly maxSdk?: number }, sdk: number): boolean =>
  (range.minSdk ?? 1) <= sdk && sdk <= (range.maxSdk ?? LAST);

/** The signers of the newest scheme that the platform knows and the file has; older ones are then not looked at. */
export function signersInUse(signers: readonly SignerRecord[], sdk: number): readonly SignerRecord[] {
  const of = (scheme: string): readonly SignerRecord[] =>
    signers.filter((signer) => signer.scheme === scheme);
  // a rotated signer of v3.1 for other versions only leaves v3 in force (ApkSignatureSchemeV3Verifier)
  const rotated = sdk >= SINCE['v3.1'] ? of('v3.1').filter((signer) => covers(signer, sdk)) : [];
  // a released version and the one under development after it have one number, and may see two signers
  const both = rotated.some(({ development, minSdk }) => development === true && minSdk === sdk);
  if (rotated.length > 0 && !both) return rotated;
  if (both) return [...rotated, ...of('v3').filter((signer) => covers(signer, sdk))];
  if (sdk >= SINCE.v3 && of('v3').length > 0) return of('v3').filter((signer) => covers(signer, sdk));
  if (sdk >= SINCE.v2 && of('v2').length > 0) return of('v2');
  return of('v1');
}

export interface UnpinnedSigner {
  readonly signer: SignerRecord;
  readonly range: SdkRange;
}

/** A signer that no pin names, and one in its lineage that a pin does. */
export interface RotatedSigner extends UnpinnedSigner {
  readonly pin: SignerPin;
}

export interface PinCheck {
  /** Pins whose signers Android uses, in their order. */
  readonly used: readonly SignerPin[];
  /** Accepted: each key signed for the next one, from a pinned one on. */
  readonly rotated: readonly RotatedSigner[];
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
  // the first version of a signer for the release after it may see another one as well
  for (const { development, minSdk: from = 1 } of signers) if (development === true) starts.add(from + 1);
  const froms = [...starts].filter((sdk) => sdk >= lowest).sort((a, b) => a - b);
  const used = new Set<SignerPin>();
  const rotated: RotatedSigner[] = [];
  const unpinned: UnpinnedSigner[] = [];
  let unused = true;
  for (const [at, from] of froms.entries()) {
    const to = (froms[at + 1] ?? LAST + 1) - 1;
    for (const signer of signersInUse(signers, from)) {
      unused = false;
      const own = pins.filter((pin) => covers(pin, from));
      const pin = own.find(({ sha256 }) => sha256 === signer.certificateSha256);
      const ancestor = pin === undefined ? ancestorOf(signer, own) : undefined;
      if (pin !== undefined) used.add(pin);
      else if (ancestor !== undefined) append(rotated, { signer, pin: ancestor, range: { from, to } });
      else append(unpinned, { signer, range: { from, to } });
    }
  }
  return { used: pins.filter((pin) => used.has(pin)), rotated, unpinned, unused };
}

/** The newest pinned key of the signer's lineage, which was verified. */
function ancestorOf({ lineage = [] }: SignerRecord, pins: readonly SignerPin[]): SignerPin | undefined {
  for (const { certificateSha256 } of lineage.toReversed()) {
    const pin = pins.find(({ sha256 }) => sha256 === certificateSha256);
    if (pin !== undefined) return pin;
  }
  return undefined;
}

/** To the range before it, where that is about the same. */
function append<Found extends UnpinnedSigner & { readonly pin?: SignerPin }>(
  list: Found[],
  found: Found,
): void {
  const at = list.findIndex(
    ({ signer, pin, range }) =>
      signer === found.signer && pin === found.pin && range.to === found.range.from - 1,
  );
  const before = list[at];
  if (before === undefined) list.push(found);
  else list[at] = { ...found, range: { from: before.range.from, to: found.range.to } };
}

export function describeRange({ from, to }: SdkRange): string {
  return to === LAST ? `SDK ${from} and later` : from === to ? `SDK ${from}` : `SDK ${from} to ${to}`;
}
