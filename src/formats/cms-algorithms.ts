// SPDX-License-Identifier: Apache-2.0
/**
 * Digest and signature algorithms of CMS signatures over JARs, and the Android versions that take them together.
 * RFC 3370, RFC 5754, RFC 5758; versions as in apksig:
 * https://android.googlesource.com/platform/tools/apksig/+/refs/heads/main/src/main/java/com/android/apksig/internal/oid/OidConstants.java
 */
import { LAST_SDK, type SdkRange } from './sdk-range.js';

export type CmsDigest = 'md5' | 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512';
export type CmsKey = 'rsa' | 'dsa' | 'ec';

/** `digest`: hashed with that one whatever the digest algorithm is; else with the digest algorithm. */
export interface CmsSignatureAlgorithm {
  readonly key: CmsKey;
  readonly digest?: CmsDigest;
}

export const DIGEST_OIDS: ReadonlyMap<string, CmsDigest> = new Map([
  ['1.2.840.113549.2.5', 'md5'],
  ['1.3.14.3.2.26', 'sha1'],
  ['2.16.840.1.101.3.4.2.4', 'sha224'],
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
]);

export const SIGNATURE_OIDS: ReadonlyMap<string, CmsSignatureAlgorithm> = new Map<
  string,
  CmsSignatureAlgorithm
>([
  ['1.2.840.113549.1.1.1', { key: 'rsa' }],
  ['1.2.840.113549.1.1.4', { key: 'rsa', digest: 'md5' }],
  ['1.2.840.113549.1.1.5', { key: 'rsa', digest: 'sha1' }],
  ['1.2.840.113549.1.1.14', { key: 'rsa', digest: 'sha224' }],
  ['1.2.840.113549.1.1.11', { key: 'rsa', digest: 'sha256' }],
  ['1.2.840.113549.1.1.12', { key: 'rsa', digest: 'sha384' }],
  ['1.2.840.113549.1.1.13', { key: 'rsa', digest: 'sha512' }],
  ['1.2.840.10040.4.1', { key: 'dsa' }],
  ['1.2.840.10040.4.3', { key: 'dsa', digest: 'sha1' }],
  ['2.16.840.1.101.3.4.3.1', { key: 'dsa', digest: 'sha224' }],
  ['2.16.840.1.101.3.4.3.2', { key: 'dsa', digest: 'sha256' }],
  ['1.2.840.10045.2.1', { key: 'ec' }],
  ['1.2.840.10045.4.1', { key: 'ec', digest: 'sha1' }],
  ['1.2.840.10045.4.3.1', { key: 'ec', digest: 'sha224' }],
  ['1.2.840.10045.4.3.2', { key: 'ec', digest: 'sha256' }],
  ['1.2.840.10045.4.3.3', { key: 'ec', digest: 'sha384' }],
  ['1.2.840.10045.4.3.4', { key: 'ec', digest: 'sha512' }],
]);

const from = (sdk: number): SdkRange => ({ from: sdk, to: LAST_SDK });
const EARLY: SdkRange = { from: 1, to: 8 };
const NEVER: readonly SdkRange[] = [];
/** When the platform looked digest and signature algorithm up by name, each for itself. */
const LOLLIPOP_AND_M: readonly SdkRange[] = [{ from: 21, to: 23 }];

/** The signature algorithm names no digest. */
const BARE: Readonly<Record<CmsKey, Readonly<Record<CmsDigest, readonly SdkRange[]>>>> = {
  rsa: {
    md5: [from(1)],
    sha1: [from(1)],
    sha224: [EARLY, from(21)],
    sha256: [EARLY, from(18)],
    sha384: [from(18)],
    sha512: [from(18)],
  },
  dsa: {
    md5: NEVER,
    sha1: [from(1)],
    sha224: [from(22)],
    sha256: [from(22)],
    sha384: NEVER,
    sha512: NEVER,
  },
  ec: {
    md5: NEVER,
    sha1: [from(18)],
    sha224: [from(21)],
    sha256: [from(18)],
    sha384: [from(18)],
    sha512: [from(18)],
  },
};

/** It names the digest that is used. */
const SAME: typeof BARE = {
  rsa: {
    md5: [EARLY, from(21)],
    sha1: [from(1)],
    sha224: [EARLY, from(21)],
    sha256: [EARLY, from(18)],
    sha384: [from(21)],
    sha512: [from(21)],
  },
  dsa: { ...BARE.dsa, sha1: [from(9)], sha224: [from(21)], sha256: [from(21)] },
  ec: {
    md5: NEVER,
    sha1: [from(18)],
    sha224: [from(21)],
    sha256: [from(21)],
    sha384: [from(21)],
    sha512: [from(21)],
  },
};

const ONLY_LOLLIPOP: ReadonlySet<string> = new Set(['sha224/sha256', 'sha256/sha1', 'sha512/sha384']);

/** The Android versions that take these two together, in order. */
export function supportedOn(
  digest: CmsDigest,
  { key, digest: named }: CmsSignatureAlgorithm,
): readonly SdkRange[] {
  if (named === undefined) return BARE[key][digest];
  if (named === digest) return SAME[key][digest];
  return key === 'rsa' && ONLY_LOLLIPOP.has(`${digest}/${named}`) ? [{ from: 21, to: 21 }] : LOLLIPOP_AND_M;
}
