// SPDX-License-Identifier: Apache-2.0
/**
 * Who signed a signature file: the blocks over it and what Android makes of them.
 * https://android.googlesource.com/platform/tools/apksig/+/refs/heads/main/src/main/java/com/android/apksig/internal/apk/v1/V1SchemeVerifier.java
 * https://android.googlesource.com/platform/libcore/+/refs/heads/main/ojluni/src/main/java/sun/security/pkcs/SignerInfo.java
 */
import { hash, verify } from 'node:crypto';
import { FormatError } from '../errors.js';
import { readSignedData, type CmsSigner, type SignedData } from './cms.js';
import { supportedOn, type CmsDigest } from './cms-algorithms.js';
import { JAR_ISSUES, type JarFindings, type JarIssueCode } from './jar-issue.js';
import { EVERY_SDK, LAST_SDK, outside, type SdkRange } from './sdk-range.js';
import { encodedByJava, isSameName } from './x500-name.js';
import { readCertificate, type Certificate } from './x509.js';
import { readSigningCertificate } from './x509-signer.js';

/** Before Android 7 only the first signer of a block is looked at, after that the first one that verifies. */
const SEVERAL_SINCE = 24;
const CONTENT_TYPE_SINCE = 24;
const SIGNED_ATTRIBUTES_SINCE = 19;

/** Encodings that a lenient reader takes: what they hold can be told in more than one way. */
const LENIENT: ReadonlySet<string> = new Set([
  'der/indefinite-length',
  'der/length-not-minimal',
  'der/length-too-large',
  'der/integer-not-minimal',
  'der/high-tag-number',
  'der/trailing-bytes',
  'der/oid',
]);

export interface BlockSigner {
  readonly certificate: Certificate;
  readonly sdk: SdkRange;
}

export interface ReadBlock {
  readonly data: SignedData;
  /** Whose signature over the file holds, and for which versions of Android. */
  readonly signers: readonly BlockSigner[];
}

interface KnownCertificate {
  readonly certificate: Certificate;
  readonly issuer: Buffer;
  readonly serial: Buffer;
  readonly maySign: boolean;
  readonly unknownCritical: readonly string[];
}

/** `where` names the block in messages. Without `useKeys` nothing is verified: the block is only read. */
export function readBlock(
  block: Buffer,
  file: Buffer,
  where: string,
  useKeys: boolean,
  findings: JarFindings,
): ReadBlock | undefined {
  try {
    const data = readSignedData(block);
    for (const { code, message, offset } of data.loose) findings.add(code, `${where}: ${message}`, offset);
    const known = data.certificates.map(knownCertificate);
    if (data.signers.length === 0) findings.add('cms-no-signer', `${where}: no signer`);
    if (data.signers.length > 1)
      findings.add('cms-several-signers', `${where}: ${data.signers.length} signers in one block`);
    const signers = useKeys ? verifySigners(data, known, file, where, findings) : [];
    for (const one of known) {
      const own = data.signers.filter((signer) => isCertificateOf(one, signer));
      if (own.length === 0)
        findings.add(
          'cms-extra-certificate',
          `${where}: certificate ${one.certificate.sha256} signs nothing`,
        );
      for (const { issuer, offset } of own)
        if (!issuer.equals(one.issuer) && !issuer.equals(encodedByJava(one.issuer)))
          findings.add('cms-issuer-encoding', `${where}: another encoding of the issuer`, offset);
    }
    if (new Set(known.map(({ certificate }) => certificate.sha256)).size < known.length)
      findings.add('cms-extra-certificate', `${where}: a certificate occurs twice`);
    return { data, signers };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const code: JarIssueCode = LENIENT.has(error.code) ? 'cms-not-canonical' : 'cms-malformed';
    findings.add(code, `${where}: ${error.message}`, error.offset);
    return undefined;
  }
}

function isCertificateOf({ issuer, serial }: KnownCertificate, signer: CmsSigner): boolean {
  return signer.serial.equals(serial) && isSameName(signer.issuer, issuer);
}

function knownCertificate(encoded: Buffer): KnownCertificate {
  return { certificate: readCertificate(encoded), ...readSigningCertificate(encoded) };
}

type Outcome =
  | { readonly kind: 'holds'; readonly certificate: Certificate }
  | { readonly kind: 'fails'; readonly code: JarIssueCode; readonly message: string };

/** One signer decides on old versions, any of them on new ones. */
function verifySigners(
  data: SignedData,
  known: readonly KnownCertificate[],
  file: Buffer,
  where: string,
  findings: JarFindings,
): BlockSigner[] {
  const signers: BlockSigner[] = [];
  const decide = (sdk: SdkRange, outcome: Outcome | undefined): void => {
    if (outcome?.kind === 'fails') findings.add(outcome.code, `${where}: ${outcome.message}`, 0, sdk);
    else if (outcome !== undefined) signers.push({ certificate: outcome.certificate, sdk });
  };
  const outcomes = data.signers.map((signer) => verifySigner(signer, data, known, file, true));
  const [first] = data.signers;
  const [recently] = outcomes;
  // a content type is looked at since then: the key is turned a second time only where that is what fails
  const before =
    first !== undefined && recently?.kind === 'fails' && recently.code === 'cms-content-type'
      ? verifySigner(first, data, known, file, false)
      : recently;
  decide({ from: EVERY_SDK.from, to: SEVERAL_SINCE - 1 }, before);
  const recent: SdkRange = { from: SEVERAL_SINCE, to: LAST_SDK };
  const holds = outcomes.find(({ kind }) => kind === 'holds');
  decide(recent, holds ?? outcomes[0]);
  // what makes the reader give up does so whichever signer it is about
  for (const outcome of outcomes)
    if (outcome.kind === 'fails' && holds !== undefined && GIVES_UP.has(outcome.code))
      decide(recent, outcome);
  for (const signer of data.signers) algorithmRemarks(signer, where, findings);
  const [a, b] = signers;
  return a !== undefined && b !== undefined && a.certificate.sha256 === b.certificate.sha256
    ? [{ certificate: a.certificate, sdk: EVERY_SDK }]
    : signers;
}

/** Not "this signer does not match, try the next". */
const GIVES_UP: ReadonlySet<JarIssueCode> = new Set<JarIssueCode>([
  'cms-no-certificate',
  'cms-certificate-usage',
  'cms-certificate-extension',
  'cms-no-content-type',
  'cms-no-message-digest',
  'cms-repeated-attribute',
  'cms-unknown-algorithm',
  'cms-key-type',
]);

function algorithmRemarks(signer: CmsSigner, where: string, findings: JarFindings): void {
  const { digest, algorithm, signedAttributes } = signer;
  if (digest !== undefined && algorithm !== undefined) {
    const names = `${digest} with ${algorithm.key}${algorithm.digest === undefined ? '' : ` (${algorithm.digest})`}`;
    for (const sdk of outside(supportedOn(digest, algorithm)))
      findings.add('cms-unsupported-algorithm', `${where}: ${names}`, signer.offset, sdk);
    if (algorithm.digest !== undefined && algorithm.digest !== digest)
      findings.add('cms-algorithm-mismatch', `${where}: ${names}`, signer.offset);
  }
  if (signedAttributes === undefined) return;
  findings.add('cms-signed-attributes', `${where}: signed attributes`, signer.offset, {
    from: EVERY_SDK.from,
    to: SIGNED_ATTRIBUTES_SINCE - 1,
  });
  if (!signedAttributes.protectedAlgorithms)
    findings.add('cms-protected-algorithms', `${where}: other algorithms are signed`, signer.offset);
  if (signedAttributes.contentType === undefined)
    findings.add('cms-no-content-type', `${where}: no content type`, signer.offset, {
      from: CONTENT_TYPE_SINCE,
      to: LAST_SDK,
    });
}

function verifySigner(
  signer: CmsSigner,
  data: SignedData,
  known: readonly KnownCertificate[],
  file: Buffer,
  recent: boolean,
): Outcome {
  const fails = (code: JarIssueCode, message: string = JAR_ISSUES[code].text): Outcome => ({
    kind: 'fails',
    code,
    message,
  });
  const { digest, algorithm, signedAttributes } = signer;
  if (digest === undefined || algorithm === undefined)
    return fails('cms-unknown-algorithm', `digest ${signer.digestOid}, signature ${signer.signatureOid}`);
  const own = known.find((one) => isCertificateOf(one, signer));
  if (own === undefined) return fails('cms-no-certificate');
  if (!own.maySign) return fails('cms-certificate-usage');
  if (own.unknownCritical.length > 0)
    return fails('cms-certificate-extension', `critical extension ${own.unknownCritical.join(', ')}`);
  const { publicKey } = own.certificate;
  if (publicKey.asymmetricKeyType !== algorithm.key)
    return fails(
      'cms-key-type',
      `${algorithm.key} with a key of type ${publicKey.asymmetricKeyType ?? 'unknown'}`,
    );
  if (signedAttributes !== undefined) {
    const { contentType, messageDigest, repeated } = signedAttributes;
    if (repeated) return fails('cms-repeated-attribute');
    if (recent && contentType !== undefined && contentType !== data.contentType)
      return fails('cms-content-type', `${contentType}, the content is ${data.contentType}`);
    if (messageDigest === undefined) return fails('cms-no-message-digest');
    const actual = digestOf(digest, file);
    if (!messageDigest.equals(actual))
      return fails(
        'cms-message-digest',
        `${messageDigest.toString('hex')}, the file has ${actual.toString('hex')}`,
      );
  }
  const signed = signedAttributes?.encoded ?? file;
  return verify(algorithm.digest ?? digest, signed, publicKey, signer.signature)
    ? { kind: 'holds', certificate: own.certificate }
    : fails('cms-signature', `${algorithm.digest ?? digest} with ${algorithm.key} does not hold`);
}

export function digestOf(algorithm: CmsDigest, bytes: Uint8Array): Buffer {
  return Buffer.from(hash(algorithm, bytes, 'buffer'));
}
