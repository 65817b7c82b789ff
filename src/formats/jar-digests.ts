// SPDX-License-Identifier: Apache-2.0
/**
 * Which digest of a section Android looks at: until 4.2 the first known one that the section itself names, after that
 * the strongest. As in apksig, V1SchemeVerifier.getDigestsToVerify, and the platform's StrictJarVerifier.
 */
import type { ManifestSection } from './jar-manifest.js';
import { LAST_SDK, type SdkRange } from './sdk-range.js';

export type JarDigest = 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512';

export interface ChosenDigest {
  readonly algorithm: JarDigest;
  readonly value: Buffer;
  /** Not the one base64 form of its value. */
  readonly oddlyEncoded: boolean;
  readonly sdk: SdkRange;
}

/** What follows the algorithm in an attribute's name. */
export type DigestSuffix = '-digest' | '-digest-manifest' | '-digest-manifest-main-attributes';

/** Android 4.3 and later, strongest first: the name in front of the suffix. */
const STRONGEST: readonly (readonly [name: string, algorithm: JarDigest])[] = [
  ['sha-512', 'sha512'],
  ['sha-384', 'sha384'],
  ['sha-256', 'sha256'],
  ['sha1', 'sha1'],
];
const SINCE_STRONGEST = 18;

/** Before that, by the name of a Java algorithm. */
const BY_NAME: ReadonlyMap<string, { readonly algorithm: JarDigest; readonly since: number }> = new Map([
  ['md5', { algorithm: 'md5', since: 1 }],
  ['sha', { algorithm: 'sha1', since: 1 }],
  ['sha1', { algorithm: 'sha1', since: 1 }],
  ['sha-1', { algorithm: 'sha1', since: 1 }],
  ['sha-256', { algorithm: 'sha256', since: 1 }],
  ['sha-384', { algorithm: 'sha384', since: 9 }],
  ['sha-512', { algorithm: 'sha512', since: 9 }],
]);
const OLD: readonly SdkRange[] = [
  { from: 1, to: 8 },
  { from: 9, to: SINCE_STRONGEST - 1 },
];

/** One for each range of versions that has one; neighbouring ranges of one digest are one. */
export function chosenDigests(section: ManifestSection, suffix: DigestSuffix): ChosenDigest[] {
  const chosen: ChosenDigest[] = [];
  const add = (attribute: string, algorithm: JarDigest, sdk: SdkRange): void => {
    const text = section.attributes.get(attribute);
    if (text === undefined) return;
    const value = Buffer.from(text, 'base64');
    const before = chosen.at(-1);
    if (
      before !== undefined &&
      before.algorithm === algorithm &&
      before.value.equals(value) &&
      before.sdk.to + 1 === sdk.from
    )
      chosen[chosen.length - 1] = { ...before, sdk: { from: before.sdk.from, to: sdk.to } };
    else chosen.push({ algorithm, value, oddlyEncoded: value.toString('base64') !== text, sdk });
  };
  for (const sdk of OLD) {
    const named = (section.attributes.get('digest-algorithms') ?? 'SHA SHA1').toLowerCase();
    const found = named
      .split(/[ \t\n\r\f]+/)
      .find(
        (name) => section.attributes.has(name + suffix) && (BY_NAME.get(name)?.since ?? LAST_SDK) <= sdk.from,
      );
    const known = found === undefined ? undefined : BY_NAME.get(found);
    if (known !== undefined && found !== undefined) add(found + suffix, known.algorithm, sdk);
  }
  const strongest = STRONGEST.find(([name]) => section.attributes.has(name + suffix));
  if (strongest !== undefined)
    add(strongest[0] + suffix, strongest[1], { from: SINCE_STRONGEST, to: LAST_SDK });
  return chosen;
}
