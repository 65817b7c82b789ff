// SPDX-License-Identifier: Apache-2.0
/**
 * The CMS signature over a CodeDirectory, and the chain of its certificates up to a root that Apple publishes.
 * RFC 5652; https://github.com/apple-oss-distributions/Security/blob/main/OSX/libsecurity_codesigning/lib/signer.cpp
 */
import { createHash, verify, X509Certificate } from 'node:crypto';
import { FormatError } from '../errors.js';
import { derFromBer } from './ber.js';
import {
  CONTENT_TYPE,
  DATA_OID,
  MESSAGE_DIGEST,
  readSignedData,
  type CmsSigner,
  type LooseBytes,
} from './cms.js';
import type { CodeSignature } from './code-signature.js';
import { DER, expectTag, readChildren, readDer, readOid } from './der.js';
import { readCertificate, type Certificate } from './x509.js';
import { readSigningCertificate } from './x509-signer.js';

/** SHA-256 of the certificates at https://www.apple.com/certificateauthority/ */
const ROOTS: ReadonlyMap<string, string> = new Map([
  ['b0b1730ecbc7ff4505142c49f1295e6eda6bcaed7e2c68c5be91b5a11001f024', 'Apple Root CA'],
  ['c2b9b042dd57830e7d117dac55ac8ae19407d38e41d88f3215bc3a890444a050', 'Apple Root CA - G2'],
  ['63343abfb89a6a03ebb57e9b3f5fa7be7c4f5c756f3017b3a8c488c3653e9179', 'Apple Root CA - G3'],
]);
/** SET OF SEQUENCE { digest algorithm, digest of a CodeDirectory }, one for each. */
const DIRECTORY_DIGESTS = '1.2.840.113635.100.9.2';
const WRAPPER_HEADER = 8;
const MAX_CHAIN = 6;

export type CmsIssueCode =
  | 'cms-unread'
  | 'cms-trailing'
  | 'cms-signer-count'
  | 'cms-signer-unknown'
  | 'cms-algorithm'
  | 'cms-content-type'
  | 'cms-attributes'
  | 'cms-digest'
  | 'cms-signature'
  | 'cms-directory-uncovered'
  | 'cms-chain'
  | 'cms-root';

export interface CmsCheck {
  /**
   * `ad-hoc`: there is none. `verified`: to a root that Apple publishes. `unrooted`: the signature holds, and nobody says
   * for whom. `invalid`: it does not hold. `unread`: it could not be checked.
   */
  readonly status: 'ad-hoc' | 'verified' | 'unrooted' | 'invalid' | 'unread';
  /** From the signer's up. */
  readonly chain: readonly Certificate[];
  readonly root?: string;
  readonly issues: readonly { readonly code: CmsIssueCode; readonly message: string }[];
  /** What the signer could have written otherwise: time, unsigned attributes. */
  readonly loose: readonly LooseBytes[];
}

const none = (status: CmsCheck['status'], code?: CmsIssueCode, message = ''): CmsCheck => ({
  status,
  chain: [],
  issues: code === undefined ? [] : [{ code, message }],
  loose: [],
});

/** Never throws for what the signature holds. */
export function checkSignatureCms({ blobs, directories }: CodeSignature): CmsCheck {
  const blob = blobs.find(({ kind }) => kind === 'cms');
  if (blob === undefined || blob.size === WRAPPER_HEADER) return none('ad-hoc');
  try {
    const bytes = blob.bytes.subarray(WRAPPER_HEADER);
    const { der, consumed } = derFromBer(bytes);
    const trailing = bytes.subarray(consumed).some((byte) => byte !== 0);
    const check = checkSignedData(
      der,
      directories.map(({ blob: { bytes: directory } }) => directory),
    );
    return trailing
      ? {
          ...check,
          issues: [...check.issues, { code: 'cms-trailing', message: 'bytes behind the signature' }],
        }
      : check;
  } catch (error) {
    if (error instanceof FormatError) return none('unread', 'cms-unread', `${error.code}: ${error.detail}`);
    throw error;
  }
}

/** @throws FormatError */
function checkSignedData(der: Buffer, directories: readonly Buffer[]): CmsCheck {
  const data = readSignedData(der);
  const [signer, ...others] = data.signers;
  if (signer === undefined || others.length > 0)
    return none('unread', 'cms-signer-count', `${data.signers.length} signers`);
  const certificates = data.certificates.map(readCertificate);
  const own = certificates.find((certificate) => isOf(signer, certificate));
  if (own === undefined) return none('unread', 'cms-signer-unknown', 'no certificate of the signer');
  const { loose } = data;
  const failed = (status: 'invalid' | 'unread', code: CmsIssueCode, message: string): CmsCheck => ({
    status,
    chain: [own],
    issues: [{ code, message }],
    loose,
  });
  const { signedAttributes: attributes, digest, algorithm } = signer;
  if (digest === undefined || algorithm === undefined || algorithm.key === 'dsa')
    return failed('unread', 'cms-algorithm', `${signer.digestOid} with ${signer.signatureOid}`);
  if (data.contentType !== DATA_OID) return failed('invalid', 'cms-content-type', data.contentType);
  // the digests of all directories are several values of one attribute
  const once = [CONTENT_TYPE, MESSAGE_DIGEST].every((oid) => attributes?.values.get(oid)?.length === 1);
  if (attributes === undefined || !once || attributes.contentType !== DATA_OID)
    return failed('invalid', 'cms-attributes', 'signed attributes are missing, repeated or of other content');
  const [primary, ...alternates] = directories;
  if (
    primary === undefined ||
    attributes.messageDigest?.equals(createHash(digest).update(primary).digest()) !== true
  )
    return failed('invalid', 'cms-digest', 'the digest of the CodeDirectory is another one');
  if (
    own.keyType !== algorithm.key ||
    !verify(algorithm.digest ?? digest, attributes.encoded, own.publicKey, signer.signature)
  )
    return failed('invalid', 'cms-signature', `does not hold for the key of ${own.subject}`);
  const listed = directoryDigests(attributes.values.get(DIRECTORY_DIGESTS) ?? []);
  const uncovered = alternates.some(
    (directory) =>
      !['sha1', 'sha256', 'sha384'].some((hash) =>
        listed.has(createHash(hash).update(directory).digest('hex')),
      ),
  );
  if (uncovered)
    return failed(
      'invalid',
      'cms-directory-uncovered',
      'a second CodeDirectory that the signature does not name',
    );
  return { ...chainOf(own, certificates), loose };
}

function isOf({ issuer, serial }: CmsSigner, { encoded }: Certificate): boolean {
  const own = readSigningCertificate(encoded);
  return own.issuer.equals(issuer) && own.serial.equals(serial);
}

/** @throws FormatError */
function directoryDigests(values: readonly Buffer[]): ReadonlySet<string> {
  const digests = new Set<string>();
  for (const value of values) {
    const [type, digest] = readChildren(readDer(value, DER.sequence));
    readOid(expectTag(type, DER.oid));
    digests.add(expectTag(digest, DER.octetString).content.toString('hex'));
  }
  return digests;
}

/** Whether certificates are in force is not asked: a signature stays when its certificate has run out. */
function chainOf(own: Certificate, certificates: readonly Certificate[]): Omit<CmsCheck, 'loose'> {
  const chain = [own];
  for (let at = own; chain.length < MAX_CHAIN;) {
    const root = ROOTS.get(at.sha256);
    if (root !== undefined) return { status: 'verified', chain, root, issues: [] };
    const below = at;
    const above = certificates.find(
      (candidate) => !chain.includes(candidate) && isIssuedBy(below.encoded, candidate.encoded),
    );
    if (above === undefined) break;
    chain.push(above);
    at = above;
  }
  const top = chain.at(-1) ?? own;
  return {
    status: 'unrooted',
    chain,
    issues: [{ code: 'cms-root', message: `${top.subject} is no root that Apple publishes` }],
  };
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
