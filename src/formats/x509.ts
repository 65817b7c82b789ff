// SPDX-License-Identifier: Apache-2.0
/** The parts of an X.509 certificate that tell who signed. RFC 5280, section 4.1; names as in RFC 4514. */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { FormatError } from '../errors.js';
import { DER, expectTag, readChildren, readDer, readOid, type DerValue } from './der.js';

export interface Certificate {
  readonly encoded: Buffer;
  /** Of the whole encoding, lower-case hex. */
  readonly sha256: string;
  readonly subject: string;
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKeyInfo: Buffer;
  readonly publicKey: KeyObject;
  readonly keyType: string;
  /** Modulus or curve size in bits; 0 where the type has none. */
  readonly keyBits: number;
}

const ATTRIBUTES: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '1.2.840.113549.1.9.1': 'emailAddress',
};
/** Two bytes a character. */
const BMP_STRING = 0x1e;
/** A certificate has no business being longer, and what is in it is nowhere else looked at. */
const MAX_SIZE = 16 << 10;

/** @throws FormatError `der/…` or `x509/…`; trailing bytes are refused */
export function readCertificate(encoded: Buffer): Certificate {
  if (encoded.length > MAX_SIZE)
    throw new FormatError(
      'x509',
      'too-large',
      0,
      `certificate of ${encoded.length} bytes, at most ${MAX_SIZE}`,
    );
  const outer = readChildren(readDer(encoded, DER.sequence));
  const [tbs, algorithm, signature] = outer;
  if (outer.length !== 3) throw new FormatError('x509', 'structure', 0, `${outer.length} parts, expected 3`);
  expectTag(algorithm, DER.sequence);
  expectTag(signature, DER.bitString);
  const fields = readChildren(expectTag(tbs, DER.sequence));
  // [0] version is absent in version 1 certificates
  const at = fields[0]?.tag === 0xa0 ? 1 : 0;
  expectTag(fields[at], DER.integer);
  expectTag(fields[at + 1], DER.sequence);
  expectTag(fields[at + 2], DER.sequence);
  expectTag(fields[at + 3], DER.sequence);
  const subject = expectTag(fields[at + 4], DER.sequence);
  const keyInfo = expectTag(fields[at + 5], DER.sequence);
  const publicKey = readPublicKey(keyInfo.encoded);
  return {
    encoded,
    sha256: createHash('sha256').update(encoded).digest('hex'),
    subject: readName(subject),
    publicKeyInfo: keyInfo.encoded,
    publicKey,
    ...describeKey(publicKey),
  };
}

/** @throws FormatError `x509/public-key` for a key that cannot be used */
export function readPublicKey(keyInfo: Buffer): KeyObject {
  readDer(keyInfo, DER.sequence);
  try {
    return createPublicKey({ key: keyInfo, format: 'der', type: 'spki' });
  } catch (cause) {
    throw new FormatError('x509', 'public-key', 0, 'a public key that is not understood', { cause });
  }
}

const CURVE_BITS: Readonly<Record<string, number>> = {
  prime256v1: 256,
  secp384r1: 384,
  secp521r1: 521,
  secp256k1: 256,
};

function describeKey(key: KeyObject): { readonly keyType: string; readonly keyBits: number } {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  return {
    keyType: key.asymmetricKeyType ?? 'unknown',
    keyBits: modulusLength ?? (namedCurve === undefined ? 0 : (CURVE_BITS[namedCurve] ?? 0)),
  };
}

/** Most significant part first, as encoded. */
function readName(name: DerValue): string {
  return readChildren(name)
    .flatMap((set) => readChildren(expectTag(set, DER.set)))
    .map((attribute) => {
      const [type, value] = readChildren(expectTag(attribute, DER.sequence));
      if (type === undefined || value === undefined)
        throw new FormatError('x509', 'name', attribute.offset, 'an attribute without value');
      const oid = readOid(type);
      if (value.tag === BMP_STRING && value.content.length % 2 !== 0)
        throw new FormatError('x509', 'name', value.offset, 'half a character at the end of a name');
      const text =
        value.tag === BMP_STRING
          ? Buffer.from(value.content).swap16().toString('utf16le')
          : value.content.toString('utf8');
      return `${ATTRIBUTES[oid] ?? oid}=${text.replace(/[,+"\\<>;=]/g, '\\$&')}`;
    })
    .join(', ');
}
