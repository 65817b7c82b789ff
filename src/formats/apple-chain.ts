// SPDX-License-Identifier: Apache-2.0
/** From the certificate of a signer up to a root that Apple publishes, for programs and for provisioning profiles. */
import { X509Certificate } from 'node:crypto';
import { FormatError } from '../errors.js';
import type { CmsSigner } from './cms.js';
import type { Certificate } from './x509.js';
import { readSigningCertificate } from './x509-signer.js';

/** SHA-256 of the certificates at https://www.apple.com/certificateauthority/ */
const ROOTS: ReadonlyMap<string, string> = new Map([
  ['b0b1730ecbc7ff4505142c49f1295e6eda6bcaed7e2c68c5be91b5a11001f024', 'Apple Root CA'],
  ['c2b9b042dd57830e7d117dac55ac8ae19407d38e41d88f3215bc3a890444a050', 'Apple Root CA - G2'],
  ['63343abfb89a6a03ebb57e9b3f5fa7be7c4f5c756f3017b3a8c488c3653e9179', 'Apple Root CA - G3'],
]);
const MAX_CHAIN = 6;

export interface AppleChain {
  /** `unrooted`: the signature holds, and nobody says for whom. */
  readonly status: 'verified' | 'unrooted' | 'invalid' | 'unread';
  /** From the signer's up. */
  readonly chain: readonly Certificate[];
  readonly root?: string;
}

/** @throws FormatError */
export function isOf({ issuer, serial }: CmsSigner, { encoded }: Certificate): boolean {
  const own = readSigningCertificate(encoded);
  return own.issuer.equals(issuer) && own.serial.equals(serial);
}

/** Whether certificates are in force is not asked: a signature stays when its certificate has run out. @throws FormatError */
export function chainOf(own: Certificate, certificates: readonly Certificate[]): AppleChain {
  const chain = [own];
  for (let at = own; chain.length < MAX_CHAIN;) {
    const root = ROOTS.get(at.sha256);
    if (root !== undefined) return { status: 'verified', chain, root };
    const below = at;
    const above = certificates.find(
      (candidate) => !chain.includes(candidate) && isIssuedBy(below.encoded, candidate.encoded),
    );
    if (above === undefined) break;
    chain.push(above);
    at = above;
  }
  return { status: 'unrooted', chain };
}

/** @throws FormatError for a certificate that OpenSSL does not take */
function isIssuedBy(encoded: Buffer, by: Buffer): boolean {
  try {
    const [certificate, issuer] = [new X509Certificate(encoded), new X509Certificate(by)];
    return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch (cause) {
    throw new FormatError('x509', 'structure', 0, 'a certificate that OpenSSL does not read', { cause });
  }
}
