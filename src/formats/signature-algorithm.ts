// SPDX-License-Identifier: Apache-2.0
/**
 * The signature algorithms of the APK signature schemes, by their number in the signing block.
 * https://source.android.com/docs/security/features/apksigning/v2#signature-algorithm-ids
 */
import { constants, verify, type KeyObject } from 'node:crypto';
import type { ContentDigest } from './apk-content-digest.js';

export interface SignatureAlgorithm {
  readonly name: string;
  readonly keyType: 'rsa' | 'ec' | 'dsa';
  /** Of the signed data. */
  readonly hash: 'sha256' | 'sha512';
  /** Of the file's content. */
  readonly digest: ContentDigest;
  /** Length of the salt: the scheme is PSS. */
  readonly pss?: number;
  /** First version of Android that knows it, where the scheme is older than that. */
  readonly sinceSdk?: number;
}

const rsa = { keyType: 'rsa' } as const;
const ec = { keyType: 'ec' } as const;
const dsa = { keyType: 'dsa' } as const;
const sha256 = { hash: 'sha256', digest: 'sha256' } as const;
const sha512 = { hash: 'sha512', digest: 'sha512' } as const;
const verity = { hash: 'sha256', digest: 'verity', sinceSdk: 28 } as const;

export const SIGNATURE_ALGORITHMS: ReadonlyMap<number, SignatureAlgorithm> = new Map<
  number,
  SignatureAlgorithm
>([
  [0x0101, { name: 'RSASSA-PSS with SHA-256', ...rsa, ...sha256, pss: 32 }],
  [0x0102, { name: 'RSASSA-PSS with SHA-512', ...rsa, ...sha512, pss: 64 }],
  [0x0103, { name: 'RSASSA-PKCS1-v1_5 with SHA-256', ...rsa, ...sha256 }],
  [0x0104, { name: 'RSASSA-PKCS1-v1_5 with SHA-512', ...rsa, ...sha512 }],
  [0x0201, { name: 'ECDSA with SHA-256', ...ec, ...sha256 }],
  [0x0202, { name: 'ECDSA with SHA-512', ...ec, ...sha512 }],
  [0x0301, { name: 'DSA with SHA-256', ...dsa, ...sha256 }],
  [0x0421, { name: 'RSASSA-PKCS1-v1_5 with SHA-256 over fs-verity', ...rsa, ...verity }],
  [0x0423, { name: 'ECDSA with SHA-256 over fs-verity', ...ec, ...verity }],
  [0x0425, { name: 'DSA with SHA-256 over fs-verity', ...dsa, ...verity }],
]);

/** `key-type`: the algorithm is for keys of another type. */
export type SignatureOutcome = 'holds' | 'fails' | 'key-type';

export function verifySignature(
  { keyType, hash, pss }: SignatureAlgorithm,
  key: KeyObject,
  signed: Buffer,
  signature: Buffer,
): SignatureOutcome {
  if (key.asymmetricKeyType !== keyType) return 'key-type';
  const padding = pss === undefined ? {} : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: pss };
  return verify(hash, signed, { key, ...padding }, signature) ? 'holds' : 'fails';
}
