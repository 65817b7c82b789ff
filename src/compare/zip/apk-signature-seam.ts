// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '../../bytes.js';
export interface ApkSignatureCheck {
  readonly block: { offset: number; size: number } | undefined;
  readonly signers: readonly {
    scheme: string;
    certificateSha256: string;
    subject: string;
    keyType: string;
    keyBits: number;
    minSdk?: number;
    maxSdk?: number;
  }[];
  readonly status: 'verified' | 'invalid' | 'unchecked' | 'unsigned';
  readonly issues: readonly { code: string; message: string; offset: number }[];
}
export interface S {
  centralDirectoryOffset: number;
  centralDirectorySize: number;
  endOffset: number;
}
function f(source: ByteSource, s: S): ApkSignatureCheck {
  const at = s.centralDirectoryOffset;
  if (at < 32 || source.read(at - 16, 16).toString('latin1') !== 'APK Sig Block 42')
    return { block: undefined, signers: [], status: 'unsigned', issues: [] };
  const size = Number(source.read(at - 24, 8).readBigUInt64LE()) + 8;
  return {
    block: { offset: at - size, size },
    signers: [],
    status: 'unchecked',
    issues: [{ code: 'not-implemented', message: 'not checked yet', offset: at }],
  };
}
export const checkApkSignature = f;
export const parseApkSignature = f;
