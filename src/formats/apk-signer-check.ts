// SPDX-License-Identifier: Apache-2.0
/** One signer of the signing block: its certificate, attributes, lineage and signatures. */
import type { ApkFindings, IssueSubject } from './apk-signature-issue.js';
import type { SignatureScheme, SignerAttribute, SignerBlock } from './apk-signer-block.js';
import { FIRST_V2, LAST_SDK } from './sdk-range.js';
import { SIGNATURE_ALGORITHMS, verifySignature } from './signature-algorithm.js';
import { readLineage, type SigningLineage } from './signing-lineage.js';
import { readCertificate, type Certificate } from './x509.js';

export interface CheckedSigner {
  readonly scheme: SignatureScheme;
  readonly signer: SignerBlock;
  readonly certificate: Certificate;
  /** Without anything wrong in it. */
  readonly lineage?: SigningLineage;
  /** v3: from this version of Android on there is a v3.1 signer. */
  readonly rotationMinSdk?: number;
  /** v3.1: also for the development release of the version before its range. */
  readonly targetsDevelopment: boolean;
}

/** v2: the file was also signed with the scheme of this number, so that stripping that one shows. */
const STRIPPING_PROTECTION = 0xbeeff00d;
const PROOF_OF_ROTATION = 0x3ba06f8c;
const ROTATION_MIN_SDK = 0x559f8b02;
const ROTATION_ON_DEV_RELEASE = 0xc2a6b3ba;

/** Of certificates that sign nothing, so many are read; a block has room for thousands. */
const MAX_CHAIN = 16;

/** `undefined` for a signer that does not even have a certificate. @throws FormatError of certificates and lineages */
export function checkSigner(
  scheme: SignatureScheme,
  signer: SignerBlock,
  useKeys: boolean,
  all: ApkFindings,
): CheckedSigner | undefined {
  const findings = all.about(subjectOf(scheme, signer));
  const at = signer.offset;
  const [first, ...chain] = signer.certificates;
  if (first === undefined) {
    findings.add('no-certificate', at, 'a signer without certificate');
    return undefined;
  }
  const certificate = readCertificate(first);
  for (const encoded of chain.slice(0, MAX_CHAIN)) readCertificate(encoded);
  // only the first one signs; others are bytes that nothing verifies
  if (chain.length > 0)
    findings.add('certificate-chain', at, `${chain.length} certificates beside the signer's`);
  if (!certificate.publicKeyInfo.equals(signer.publicKey))
    findings.add('public-key-mismatch', at, "the public key is not the certificate's");
  checkAlgorithms(scheme, signer, findings);
  checkRange(scheme, signer, findings);
  if (useKeys) verifySigner(signer, certificate, findings);
  return { scheme, signer, certificate, ...checkAttributes(scheme, signer, certificate, useKeys, findings) };
}

/** For issues: v3 signers are for some versions of Android only. */
export function subjectOf(scheme: SignatureScheme, { sdkRange }: SignerBlock): IssueSubject {
  if (sdkRange === undefined || sdkRange.min > sdkRange.max) return { scheme };
  return { scheme, sdk: { from: sdkRange.min, to: sdkRange.max } };
}

function checkAlgorithms(scheme: SignatureScheme, signer: SignerBlock, findings: ApkFindings): void {
  const at = signer.offset;
  const digestIds = signer.digests.map(({ algorithm }) => algorithm);
  const signatureIds = signer.signatures.map(({ algorithm }) => algorithm);
  if (signatureIds.length === 0) findings.add('no-signature', at, 'a signer without signature');
  if (new Set(signatureIds).size !== signatureIds.length)
    findings.add('duplicate-algorithm', at, 'an algorithm occurs twice');
  if (digestIds.join() !== signatureIds.join())
    findings.add(
      'algorithms-differ',
      at,
      `digests for ${digestIds.map(hex).join()}, signatures for ${signatureIds.map(hex).join()}`,
    );
  for (const id of new Set([...digestIds, ...signatureIds]))
    if (!SIGNATURE_ALGORITHMS.has(id))
      findings.add('unknown-algorithm', at, `algorithm ${hex(id)} is not checked`);
  checkSince(scheme, signatureIds, at, findings);
}

/** Only v2 is older than some of the algorithms. */
function checkSince(
  scheme: SignatureScheme,
  ids: readonly number[],
  at: number,
  findings: ApkFindings,
): void {
  const known = ids.flatMap((id) => SIGNATURE_ALGORITHMS.get(id) ?? []);
  if (scheme !== 'v2' || known.length === 0) return;
  const since = Math.min(...known.map(({ sinceSdk = FIRST_V2 }) => sinceSdk));
  if (since > FIRST_V2)
    findings
      .about({ sdk: { from: FIRST_V2, to: Math.min(since - 1, LAST_SDK) } })
      .add('algorithm-since', at, `no algorithm that Android knows before SDK ${since}`);
}

function checkRange(
  scheme: SignatureScheme,
  { sdkRange: range, offset }: SignerBlock,
  findings: ApkFindings,
): void {
  if (range === undefined) return;
  if (range.min !== range.signedMin || range.max !== range.signedMax)
    findings.add(
      'sdk-range-differs',
      offset,
      `SDK ${range.min}-${range.max} outside, ${range.signedMin}-${range.signedMax} signed`,
    );
  if (range.min > range.max)
    findings.add('sdk-range', offset, `${scheme} signer for SDK ${range.min}-${range.max}`);
}

/** A signature over the signed data by each algorithm; the first of one that occurs again, as Android does it. */
function verifySigner(signer: SignerBlock, { publicKey }: Certificate, findings: ApkFindings): void {
  const seen = new Set<number>();
  for (const { algorithm, value } of signer.signatures) {
    const known = SIGNATURE_ALGORITHMS.get(algorithm);
    if (known === undefined || seen.has(algorithm)) continue;
    seen.add(algorithm);
    const outcome = verifySignature(known, publicKey, signer.signedData, value);
    if (outcome === 'key-type')
      findings.add(
        'key-type',
        signer.offset,
        `${known.name} with a key of type ${publicKey.asymmetricKeyType ?? 'unknown'}`,
      );
    else if (outcome === 'fails') findings.add('signature', signer.offset, `${known.name} does not hold`);
  }
}

type Attributes = Pick<CheckedSigner, 'lineage' | 'rotationMinSdk' | 'targetsDevelopment'>;

/** Those that a signer of this scheme has, in their order and each once. */
function checkAttributes(
  scheme: SignatureScheme,
  signer: SignerBlock,
  certificate: Certificate,
  useKeys: boolean,
  findings: ApkFindings,
): Attributes {
  let attributes: Attributes = { targetsDevelopment: false };
  let rank = -1;
  for (const attribute of signer.attributes) {
    const place = ORDER[scheme].indexOf(attribute.id);
    if (place <= rank) {
      unchecked(attribute, findings);
      continue;
    }
    rank = place;
    const { id, value, offset } = attribute;
    if (id === PROOF_OF_ROTATION) {
      const lineage = checkLineage(attribute, certificate, useKeys, findings);
      if (lineage !== undefined) attributes = { ...attributes, lineage };
    } else if (id === ROTATION_ON_DEV_RELEASE && value.length === 0)
      attributes = { ...attributes, targetsDevelopment: true };
    else if (id === ROTATION_MIN_SDK && value.length === 4)
      attributes = { ...attributes, rotationMinSdk: value.readUInt32LE(0) };
    else if (id !== STRIPPING_PROTECTION || value.length !== 4) unchecked(attribute, findings);
    else if (value.readUInt32LE(0) !== 3)
      findings.add('unknown-scheme', offset, `signed with scheme ${value.readUInt32LE(0)} as well`);
  }
  return attributes;
}

const ORDER: Readonly<Record<SignatureScheme, readonly number[]>> = {
  v2: [STRIPPING_PROTECTION],
  v3: [PROOF_OF_ROTATION, ROTATION_MIN_SDK],
  'v3.1': [PROOF_OF_ROTATION, ROTATION_ON_DEV_RELEASE],
};

function unchecked({ id, value, offset }: SignerAttribute, findings: ApkFindings): void {
  findings.add('unchecked-attribute', offset, `attribute ${hex(id)} of ${value.length} bytes is not checked`);
}

/** Of a v2 signer: it says that the file is signed with v3 as well. */
export function announcesV3({ attributes }: SignerBlock): boolean {
  return attributes.some(
    ({ id, value }) => id === STRIPPING_PROTECTION && value.length === 4 && value.readUInt32LE(0) === 3,
  );
}

function checkLineage(
  { value, offset }: SignerAttribute,
  certificate: Certificate,
  useKeys: boolean,
  findings: ApkFindings,
): SigningLineage | undefined {
  let free = false;
  const lineage = readLineage(value, offset + 4, useKeys, (cursor) => {
    if (cursor.left === 0) return;
    free = true;
    findings.add('unowned-bytes', cursor.offset, `${cursor.left} bytes that no reader looks at`);
  });
  for (const { code, message, offset: at } of lineage.issues) findings.add(code, at, message);
  const last = lineage.nodes.at(-1)?.certificate.sha256;
  if (last !== certificate.sha256) {
    findings.add(
      'lineage-certificate',
      offset,
      `the lineage ends with ${last ?? 'nothing'}, the signer is ${certificate.sha256}`,
    );
    return undefined;
  }
  return free || lineage.issues.length > 0 ? undefined : lineage;
}

export function hex(id: number): string {
  return `0x${id.toString(16).padStart(8, '0')}`;
}
