// SPDX-License-Identifier: Apache-2.0
/**
 * The value of an APK Signature Scheme v2, v3 or v3.1 pair, parsed to its last byte. Integers are little-endian, every length
 * is a u32 in front of what it counts.
 * https://source.android.com/docs/security/features/apksigning/v2#apk-signature-scheme-v2-block-format
 * https://source.android.com/docs/security/features/apksigning/v3#format
 */
import { FormatError } from '../errors.js';
import { SignedCursor, type Close, type Leftover } from './signed-cursor.js';

export type SignatureScheme = 'v2' | 'v3' | 'v3.1';

export interface AlgorithmValue {
  readonly algorithm: number;
  readonly value: Buffer;
}

export interface SignerAttribute {
  readonly id: number;
  readonly value: Buffer;
  /** In the file. */
  readonly offset: number;
}

export interface SignerBlock {
  /** In the file. */
  readonly offset: number;
  readonly signedData: Buffer;
  readonly digests: readonly AlgorithmValue[];
  readonly certificates: readonly Buffer[];
  readonly attributes: readonly SignerAttribute[];
  /** v3 and v3.1: outside and inside of the signed data. */
  readonly sdkRange:
    | { readonly min: number; readonly max: number; readonly signedMin: number; readonly signedMax: number }
    | undefined;
  readonly signatures: readonly AlgorithmValue[];
  readonly publicKey: Buffer;
}

export interface SignerBlocks {
  readonly signers: readonly SignerBlock[];
  readonly leftovers: readonly Leftover[];
}

const MAX_SIGNERS = 10;

/** `offset`: of the value in the file. @throws FormatError `apk-signature/…` when Android could not parse it either */
export function readSignerBlocks(scheme: SignatureScheme, value: Buffer, offset: number): SignerBlocks {
  const leftovers: Leftover[] = [];
  const close: Close = (cursor) => {
    if (cursor.left > 0) leftovers.push({ offset: cursor.offset, size: cursor.left });
  };
  const outer = new SignedCursor(value, offset);
  const list = outer.region('signers');
  close(outer);
  const signers: SignerBlock[] = [];
  while (list.left > 0) {
    if (signers.length === MAX_SIGNERS)
      throw new FormatError(
        'apk-signature',
        'too-many-signers',
        list.offset,
        `more than ${MAX_SIGNERS} signers`,
      );
    signers.push(readSigner(scheme, list.region('signer'), close));
  }
  if (signers.length === 0) throw new FormatError('apk-signature', 'no-signers', offset, 'no signer');
  return { signers, leftovers };
}

function readSigner(scheme: SignatureScheme, signer: SignedCursor, close: Close): SignerBlock {
  const offset = signer.offset;
  const signed = signer.region('signed data');
  const digests = readPairs(signed.region('digests'), 'digest', close);
  const certificates: Buffer[] = [];
  const certificateList = signed.region('certificates');
  while (certificateList.left > 0) certificates.push(certificateList.bytes('certificate'));
  const signedRange = scheme !== 'v2' ? ([signed.u32('minSDK'), signed.u32('maxSDK')] as const) : undefined;
  // absent in files of the first v2 signers
  const attributes = signed.left > 0 ? readAttributes(signed.region('attributes')) : [];
  // apksig ends v2 signed data with one empty element more (V2SchemeSigner.generateSignerBlock)
  if (scheme === 'v2' && signed.left === 4 && signed.whole.readUInt32LE(signed.whole.length - 4) === 0)
    signed.rest();
  close(signed);
  const range = scheme !== 'v2' ? ([signer.u32('minSDK'), signer.u32('maxSDK')] as const) : undefined;
  const signatures = readPairs(signer.region('signatures'), 'signature', close);
  const publicKey = signer.bytes('public key');
  close(signer);
  return {
    offset,
    signedData: signed.whole,
    digests,
    certificates,
    attributes,
    sdkRange:
      range === undefined || signedRange === undefined
        ? undefined
        : { min: range[0], max: range[1], signedMin: signedRange[0], signedMax: signedRange[1] },
    signatures,
    publicKey,
  };
}

function readAttributes(list: SignedCursor): SignerAttribute[] {
  const attributes: SignerAttribute[] = [];
  while (list.left > 0) {
    const attribute = list.region('attribute');
    const { offset } = attribute;
    attributes.push({ id: attribute.u32('attribute id'), value: attribute.rest(), offset });
  }
  return attributes;
}

function readPairs(list: SignedCursor, what: string, close: Close): AlgorithmValue[] {
  const pairs: AlgorithmValue[] = [];
  while (list.left > 0) {
    const pair = list.region(what);
    pairs.push({ algorithm: pair.u32('algorithm'), value: pair.bytes(what) });
    close(pair);
  }
  return pairs;
}
