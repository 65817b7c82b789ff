// SPDX-License-Identifier: Apache-2.0
/** Source stamps without any tool, the odd ones too; written from the layout in apksig's documentation comments. */
import { sign } from 'node:crypto';
import { counted, u32, type Identity, type Pair } from './sign-apk.js';

export const STAMP_PAIR = { v1: 0x2b09189e, v2: 0x6dff800d } as const;

export interface StampSpec {
  readonly identity: Identity;
  /** v2: the scheme's number, and its digest (SHA-256 in chunks). */
  readonly schemes: readonly (readonly [scheme: number, digest: Buffer])[];
  readonly attributes?: readonly (readonly [id: number, value: Buffer])[];
  readonly algorithm?: number;
  /** Appended inside of the stamp, behind it, or inside of its first signature. */
  readonly afterStamp?: Buffer;
  readonly afterBlock?: Buffer;
  readonly afterSignature?: Buffer;
  /** Put in place of the signatures. */
  readonly signatures?: Buffer;
  /** Twice the same signature. */
  readonly twice?: boolean;
}

/** `u64` of a time. */
export function seconds(time: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(time);
  return bytes;
}

const ECDSA_SHA256 = 0x0201;
const CHUNKED_SHA256 = 1;

function signaturesOver(signed: Buffer, spec: StampSpec): Buffer {
  if (spec.signatures !== undefined) return spec.signatures;
  const one = counted(
    u32(spec.algorithm ?? ECDSA_SHA256),
    counted(sign('sha256', signed, spec.identity.privateKey)),
    spec.afterSignature ?? Buffer.alloc(0),
  );
  return spec.twice === true ? Buffer.concat([one, one]) : one;
}

const digests = (digest: Buffer): Buffer => counted(u32(CHUNKED_SHA256), counted(digest));

export function stampPairV1(spec: StampSpec): Pair {
  const [[, digest]] = spec.schemes as [readonly [number, Buffer]];
  const stamp = [counted(spec.identity.certificate), counted(signaturesOver(digests(digest), spec))];
  return {
    id: STAMP_PAIR.v1,
    value: Buffer.concat([
      counted(...stamp, spec.afterStamp ?? Buffer.alloc(0)),
      spec.afterBlock ?? Buffer.alloc(0),
    ]),
  };
}

export function stampPairV2(spec: StampSpec): Pair {
  const schemes = spec.schemes.map(([scheme, digest]) =>
    counted(u32(scheme), counted(signaturesOver(digests(digest), spec))),
  );
  const attributes = counted(...(spec.attributes ?? []).map(([id, value]) => counted(u32(id), value)));
  return {
    id: STAMP_PAIR.v2,
    value: Buffer.concat([
      counted(
        counted(spec.identity.certificate),
        counted(...schemes),
        counted(attributes),
        counted(signaturesOver(attributes, spec)),
        spec.afterStamp ?? Buffer.alloc(0),
      ),
      spec.afterBlock ?? Buffer.alloc(0),
    ]),
  };
}
