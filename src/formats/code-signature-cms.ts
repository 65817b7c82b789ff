// SPDX-License-Identifier: Apache-2.0
/**
 * The CMS signature over a CodeDirectory, and the chain of its certificates up to a root that Apple publishes.
 * RFC 5652; https://github.com/apple-oss-distributions/Security/blob/main/OSX/libsecurity_codesigning/lib/signer.cpp
 */
import { createHash, verify } from 'node:crypto';
import { FormatError } from '../errors.js';
import { chainOf, isOf } from './apple-chain.js';
import { derFromBer } from './ber.js';
import { CONTENT_TYPE, DATA_OID, MESSAGE_DIGEST, readSignedData, type LooseBytes } from './cms.js';
import type { CodeSignature } from './code-signature.js';
import { DER, expectTag, readChildren, readDer, readOid } from './der.js';
import { readCertificate, type Certificate } from './x509.js';

/** SET OF SEQUENCE { digest algorithm, digest of a CodeDirectory }, one for each. */
const DIRECTORY_DIGESTS = '1.2.840.113635.100.9.2';
const WRAPPER_HEADER = 8;

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
  const chain = chainOf(own, certificates);
  const top = chain.chain.at(-1) ?? own;
  const message = `${top.subject} is no root that Apple publishes`;
  return { ...chain, issues: chain.root === undefined ? [{ code: 'cms-root', message }] : [], loose };
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
