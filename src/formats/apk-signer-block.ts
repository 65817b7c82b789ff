// SPDX-License-Identifier: Apache-2.0
/**
 * The value of an APK Signature Scheme v2 or v3 pair, parsed to its last byte. Integers are little-endian, every length
 * is a u32 in front of what it counts.
 * https://source.android.com/docs/security/features/apksigning/v2#apk-signature-scheme-v2-block-format
 * https://source.android.com/docs/security/features/apksigning/v3#format
 */
import { FormatError } from '../errors.js';

export type SignatureScheme = 'v2' | 'v3';

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
  /** v3: outside and inside of the signed data. */
  readonly sdkRange:
    | { readonly min: number; readonly max: number; readonly signedMin: number; readonly signedMax: number }
    | undefined;
  readonly signatures: readonly AlgorithmValue[];
  readonly publicKey: Buffer;
}

export interface SignerBlocks {
  readonly signers: readonly SignerBlock[];
  /** Places where bytes follow what the format has: nothing reads them, so they are free. */
  readonly leftovers: readonly { readonly offset: number; readonly size: number }[];
}

const MAX_SIGNERS = 10;

/** A cursor over one length-prefixed region; offsets are those of the file. */
class Cursor {
  readonly #bytes: Buffer;
  readonly #base: number;
  #at = 0;

  constructor(bytes: Buffer, base: number) {
    this.#bytes = bytes;
    this.#base = base;
  }

  get offset(): number {
    return this.#base + this.#at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u32(what: string): number {
    return this.#take(4, what).readUInt32LE(0);
  }

  /** A length and that many bytes, as a cursor of their own. */
  region(what: string): Cursor {
    const length = this.u32(`length of ${what}`);
    const base = this.offset;
    return new Cursor(this.#take(length, what), base);
  }

  bytes(what: string): Buffer {
    const length = this.u32(`length of ${what}`);
    return this.#take(length, what);
  }

  rest(): Buffer {
    return this.#take(this.left, 'rest');
  }

  /** All bytes, read or not. */
  get whole(): Buffer {
    return this.#bytes;
  }

  #take(length: number, what: string): Buffer {
    if (length > this.left)
      throw new FormatError(
        'apk-signature',
        'truncated',
        this.offset,
        `${what} of ${length} bytes, ${this.left} left`,
      );
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

/** `offset`: of the value in the file. @throws FormatError `apk-signature/…` when Android could not parse it either */
export function readSignerBlocks(scheme: SignatureScheme, value: Buffer, offset: number): SignerBlocks {
  const leftovers: { offset: number; size: number }[] = [];
  const close = (cursor: Cursor): void => {
    if (cursor.left > 0) leftovers.push({ offset: cursor.offset, size: cursor.left });
  };
  const outer = new Cursor(value, offset);
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

function readSigner(scheme: SignatureScheme, signer: Cursor, close: (cursor: Cursor) => void): SignerBlock {
  const offset = signer.offset;
  const signed = signer.region('signed data');
  const digests = readPairs(signed.region('digests'), 'digest', close);
  const certificates: Buffer[] = [];
  const certificateList = signed.region('certificates');
  while (certificateList.left > 0) certificates.push(certificateList.bytes('certificate'));
  const signedRange = scheme === 'v3' ? ([signed.u32('minSDK'), signed.u32('maxSDK')] as const) : undefined;
  // absent in files of the first v2 signers
  const attributes = signed.left > 0 ? readAttributes(signed.region('attributes')) : [];
  // apksig ends v2 signed data with one empty element more (V2SchemeSigner.generateSignerBlock)
  if (scheme === 'v2' && signed.left === 4 && signed.whole.readUInt32LE(signed.whole.length - 4) === 0)
    signed.rest();
  close(signed);
  const range = scheme === 'v3' ? ([signer.u32('minSDK'), signer.u32('maxSDK')] as const) : undefined;
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

function readAttributes(list: Cursor): SignerAttribute[] {
  const attributes: SignerAttribute[] = [];
  while (list.left > 0) {
    const attribute = list.region('attribute');
    const { offset } = attribute;
    attributes.push({ id: attribute.u32('attribute id'), value: attribute.rest(), offset });
  }
  return attributes;
}

function readPairs(list: Cursor, what: string, close: (cursor: Cursor) => void): AlgorithmValue[] {
  const pairs: AlgorithmValue[] = [];
  while (list.left > 0) {
    const pair = list.region(what);
    pairs.push({ algorithm: pair.u32('algorithm'), value: pair.bytes(what) });
    close(pair);
  }
  return pairs;
}
