// SPDX-License-Identifier: Apache-2.0
/** What of an X.509 certificate decides whether Android lets it sign a JAR. RFC 5280, sections 4.1 and 4.2. */
import { FormatError } from '../errors.js';
import { DER, expectTag, readChildren, readDer, readInteger, readOid, type DerValue } from './der.js';

export interface SigningCertificate {
  /** DER of the name. */
  readonly issuer: Buffer;
  /** Content of the integer. */
  readonly serial: Buffer;
  /** The extension is absent, or allows signatures (digitalSignature or nonRepudiation). */
  readonly maySign: boolean;
  /** Critical extensions that Java's certificates do not know. */
  readonly unknownCritical: readonly string[];
}

const KEY_USAGE = '2.5.29.15';
/** Under 2.5.29, as `sun.security.x509.OIDMap` has them. */
const KNOWN = new Set([14, 15, 16, 17, 18, 19, 20, 21, 24, 27, 28, 29, 30, 31, 32, 33, 35, 36, 37, 46, 54]);
const KNOWN_ELSEWHERE: ReadonlySet<string> = new Set([
  '2.16.840.1.113730.1.1',
  '1.3.6.1.5.5.7.1.1',
  '1.3.6.1.5.5.7.1.11',
  '1.3.6.1.5.5.7.48.1.5',
]);
const EXTENSIONS = 0xa3;

/** `encoded` is a certificate that `readCertificate` took. @throws FormatError `der/…` or `x509/…` */
export function readSigningCertificate(encoded: Buffer): SigningCertificate {
  const [tbs] = readChildren(readDer(encoded, DER.sequence));
  const fields = readChildren(expectTag(tbs, DER.sequence));
  const at = fields[0]?.tag === 0xa0 ? 1 : 0;
  const serial = readInteger(fields[at]);
  const issuer = expectTag(fields[at + 2], DER.sequence).encoded;
  const unknownCritical: string[] = [];
  let maySign = true;
  for (const extension of extensionsOf(fields.find((field) => field.tag === EXTENSIONS))) {
    const parts = readChildren(expectTag(extension, DER.sequence));
    const oid = readOid(expectTag(parts[0], DER.oid));
    const critical = parts.length === 3;
    if (critical && !isKnown(oid)) unknownCritical.push(oid);
    if (oid === KEY_USAGE) maySign = allowsSignatures(expectTag(parts.at(-1), DER.octetString));
  }
  return { issuer, serial, maySign, unknownCritical };
}

function extensionsOf(tagged: DerValue | undefined): DerValue[] {
  if (tagged === undefined) return [];
  const [list, ...rest] = readChildren(tagged);
  if (rest.length > 0)
    throw new FormatError('x509', 'structure', tagged.offset, `${rest.length} values beside the extensions`);
  return readChildren(expectTag(list, DER.sequence));
}

function isKnown(oid: string): boolean {
  return oid.startsWith('2.5.29.') ? KNOWN.has(Number(oid.slice(7))) : KNOWN_ELSEWHERE.has(oid);
}

/** The first two bits of the bit string. */
function allowsSignatures(wrapped: DerValue): boolean {
  const { content } = readDer(wrapped.content, DER.bitString);
  return ((content[1] ?? 0) & 0xc0) !== 0;
}
