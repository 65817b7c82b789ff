// SPDX-License-Identifier: Apache-2.0
/**
 * APK Signature Scheme v2 and v3, verified in full: every signer and every algorithm present, not only those that
 * Android would pick. What is not understood to the last byte is `unchecked`, never `verified`.
 * https://source.android.com/docs/security/features/apksigning/v2#verification
 * https://source.android.com/docs/security/features/apksigning/v3#verification
 */
import { constants, verify } from 'node:crypto';
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import { contentDigests, type ContentDigest } from './apk-content-digest.js';
import { readSignerBlocks, type SignatureScheme, type SignerBlock } from './apk-signer-block.js';
import { PAIR_ID, readSigningBlock, type SigningBlock, type SigningBlockPair } from './apk-signing-block.js';
import { readCertificate, type Certificate } from './x509.js';

export interface ApkSections {
  readonly centralDirectoryOffset: number;
  readonly centralDirectorySize: number;
  /** Of the end of central directory record (of the ZIP64 one where there is one). */
  readonly endOffset: number;
}

/** `offset` in the file. */
export interface SignatureIssue {
  readonly code: string;
  readonly message: string;
  readonly offset: number;
}

export interface ApkSigner {
  readonly scheme: SignatureScheme;
  readonly certificateSha256: string;
  readonly subject: string;
  readonly keyType: string;
  readonly keyBits: number;
  readonly minSdk?: number;
  readonly maxSdk?: number;
}

export interface ApkSignatureCheck {
  readonly block: SigningBlock | undefined;
  readonly signers: readonly ApkSigner[];
  /**
   * `verified`: every byte of the block is understood and every signature holds. `invalid`: something does not hold.
   * `unchecked`: nothing failed, but something was not checked. `parsed`: understood to the last byte, no key was used.
   */
  readonly status: 'verified' | 'invalid' | 'unchecked' | 'unsigned' | 'parsed';
  readonly issues: readonly SignatureIssue[];
}

interface Algorithm {
  readonly name: string;
  readonly digest: ContentDigest;
  readonly keyType: 'rsa' | 'ec';
  /** Length of the salt: the scheme is PSS. */
  readonly pss?: number;
}

const ALGORITHMS: ReadonlyMap<number, Algorithm> = new Map([
  [0x0101, { name: 'RSASSA-PSS with SHA-256', digest: 'sha256', keyType: 'rsa', pss: 32 }],
  [0x0102, { name: 'RSASSA-PSS with SHA-512', digest: 'sha512', keyType: 'rsa', pss: 64 }],
  [0x0103, { name: 'RSASSA-PKCS1-v1_5 with SHA-256', digest: 'sha256', keyType: 'rsa' }],
  [0x0104, { name: 'RSASSA-PKCS1-v1_5 with SHA-512', digest: 'sha512', keyType: 'rsa' }],
  [0x0201, { name: 'ECDSA with SHA-256', digest: 'sha256', keyType: 'ec' }],
  [0x0202, { name: 'ECDSA with SHA-512', digest: 'sha512', keyType: 'ec' }],
] satisfies [number, Algorithm][]);

/** v2: the file was also signed with the scheme of this number, so that stripping that one shows. */
const STRIPPING_PROTECTION = 0xbeeff00d;
const PAGE = 4096;

class Findings {
  readonly invalid: SignatureIssue[] = [];
  readonly unchecked: SignatureIssue[] = [];

  fails(code: string, offset: number, message: string): void {
    this.invalid.push({ code, message, offset });
  }

  leavesOpen(code: string, offset: number, message: string): void {
    this.unchecked.push({ code, message, offset });
  }
}

/** Verifies the signing block before the central directory. Never throws for what the file holds. */
export function checkApkSignature(source: ByteSource, sections: ApkSections): ApkSignatureCheck {
  return inspect(source, sections, true);
}

/** The same parser without any key: for the rebuilt side, whose signature is taken off. */
export function parseApkSignature(source: ByteSource, sections: ApkSections): ApkSignatureCheck {
  return inspect(source, sections, false);
}

function inspect(source: ByteSource, sections: ApkSections, useKeys: boolean): ApkSignatureCheck {
  const findings = new Findings();
  let block: SigningBlock | undefined;
  const signers: ApkSigner[] = [];
  try {
    block = readSigningBlock(source, sections.centralDirectoryOffset);
    if (block === undefined) return { block, signers, status: 'unsigned', issues: [] };
    const parsed = readPairs(source, block, findings);
    for (const { scheme, signer } of parsed) {
      const certificate = describeSigner(scheme, signer, findings);
      if (certificate === undefined) continue;
      signers.push(signerOf(scheme, signer, certificate));
      if (useKeys) verifySigner(signer, certificate, findings);
    }
    if (parsed.length === 0)
      findings.leavesOpen('no-known-scheme', block.offset, 'no v2 or v3 signature in the signing block');
    checkSameSigner(block, signers, findings);
    if (useKeys) verifyContents(source, sections, block, parsed, findings);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    findings.fails(error.code, error.offset, error.message);
  }
  const issues = [...findings.invalid, ...findings.unchecked];
  const clean = useKeys ? 'verified' : 'parsed';
  const status =
    findings.invalid.length > 0 ? 'invalid' : findings.unchecked.length > 0 ? 'unchecked' : clean;
  return { block, signers, status, issues };
}

interface ParsedSigner {
  readonly scheme: SignatureScheme;
  readonly signer: SignerBlock;
}

function readPairs(source: ByteSource, block: SigningBlock, findings: Findings): ParsedSigner[] {
  const parsed: ParsedSigner[] = [];
  const seen = new Set<number>();
  for (const [index, pair] of block.pairs.entries()) {
    if (seen.has(pair.id)) {
      findings.leavesOpen(
        'duplicate-pair',
        pair.offset - 4,
        `pair ${hex(pair.id)} occurs again: readers take the first or the last`,
      );
      continue;
    }
    seen.add(pair.id);
    if (pair.id === PAIR_ID.v2 || pair.id === PAIR_ID.v3) {
      const scheme = pair.id === PAIR_ID.v2 ? 'v2' : 'v3';
      const value = Buffer.from(source.read(pair.offset, pair.size));
      const { signers, leftovers } = readSignerBlocks(scheme, value, pair.offset);
      for (const { offset, size } of leftovers)
        findings.leavesOpen('unowned-bytes', offset, `${size} bytes that no reader looks at`);
      parsed.push(...signers.map((signer) => ({ scheme, signer }) as const));
    } else if (pair.id === PAIR_ID.verityPadding) checkPadding(source, block, pair, index, findings);
    else
      findings.leavesOpen(
        pairCode(pair.id),
        pair.offset - 4,
        `pair ${hex(pair.id)} of ${pair.size} bytes is not checked`,
      );
  }
  checkRanges(block, parsed, findings);
  const hasV3 = seen.has(PAIR_ID.v3);
  for (const { scheme, signer } of parsed) checkAttributes(scheme, signer, hasV3, findings);
  return parsed;
}

function pairCode(id: number): string {
  return Object.values(PAIR_ID).some((known) => known === id) ? 'unchecked-pair' : 'unknown-pair';
}

/** Zeros of exactly the length that brings the block to a page (ApkSigningBlockUtils.generateApkSigningBlock), last. */
function checkPadding(
  source: ByteSource,
  block: SigningBlock,
  pair: SigningBlockPair,
  index: number,
  findings: Findings,
): void {
  const without = block.size - (12 + pair.size);
  const missing = PAGE - (without % PAGE);
  const expected = (missing < 12 ? missing + PAGE : missing) - 12;
  const zeros = source.read(pair.offset, pair.size).every((byte) => byte === 0);
  if (!zeros)
    findings.leavesOpen('padding-not-zero', pair.offset, 'verity padding holds bytes other than zero');
  else if (pair.size !== expected || without % PAGE === 0 || index !== block.pairs.length - 1)
    findings.leavesOpen(
      'padding-size',
      pair.offset,
      `verity padding of ${pair.size} bytes, the signer writes ${without % PAGE === 0 ? 0 : expected} at the end`,
    );
}

/** v3 signers take turns: each Android version has one of them, and no other is looked at. */
function checkRanges(block: SigningBlock, parsed: readonly ParsedSigner[], findings: Findings): void {
  const ranges = parsed.flatMap(({ signer }) => (signer.sdkRange === undefined ? [] : [signer.sdkRange]));
  ranges.sort((a, b) => a.min - b.min);
  for (const [index, { min }] of ranges.entries()) {
    const before = ranges[index - 1];
    if (before !== undefined && min !== before.max + 1)
      findings.leavesOpen(
        'sdk-ranges',
        block.offset,
        `a v3 signer from SDK ${min} on, the one before it is for SDK ${before.min}-${before.max}`,
      );
  }
}

/** Without a lineage (which is not checked) Android versions before and after v3 must see the same signer. */
function checkSameSigner(block: SigningBlock, signers: readonly ApkSigner[], findings: Findings): void {
  const of = (scheme: SignatureScheme): string[] =>
    [
      ...new Set(
        signers.filter((signer) => signer.scheme === scheme).map((signer) => signer.certificateSha256),
      ),
    ].sort();
  const [v2, v3] = [of('v2'), of('v3')];
  if (v2.length > 0 && v3.length > 0 && v2.join() !== v3.join())
    findings.leavesOpen('signers-differ', block.offset, `v2 is by ${v2.join()}, v3 by ${v3.join()}`);
}

function checkAttributes(
  scheme: SignatureScheme,
  signer: SignerBlock,
  hasV3: boolean,
  findings: Findings,
): void {
  for (const [index, { id, value, offset }] of signer.attributes.entries()) {
    if (scheme === 'v2' && id === STRIPPING_PROTECTION && value.length === 4 && index === 0) {
      const other = value.readUInt32LE(0);
      if (other === 3 && !hasV3)
        findings.fails('scheme-stripped', offset, 'signed with v3 as well, but there is no v3 signature');
      else if (other !== 3)
        findings.leavesOpen('unknown-scheme', offset, `signed with scheme ${other} as well`);
    } else
      findings.leavesOpen(
        'unchecked-attribute',
        offset,
        `attribute ${hex(id)} of ${value.length} bytes is not checked`,
      );
  }
}

/** Everything about one signer that needs no file content; its certificate, unless there is none. */
function describeSigner(
  scheme: SignatureScheme,
  signer: SignerBlock,
  findings: Findings,
): Certificate | undefined {
  const at = signer.offset;
  const [first, ...chain] = signer.certificates;
  if (first === undefined) {
    findings.fails('no-certificate', at, 'a signer without certificate');
    return undefined;
  }
  const certificate = readCertificate(first);
  for (const encoded of chain) readCertificate(encoded);
  // only the first one signs; others are bytes that nothing verifies
  if (chain.length > 0)
    findings.leavesOpen('certificate-chain', at, `${chain.length} certificates beside the signer's`);
  if (!certificate.publicKeyInfo.equals(signer.publicKey))
    findings.fails('public-key-mismatch', at, "the public key is not the certificate's");
  const digestIds = signer.digests.map(({ algorithm }) => algorithm);
  const signatureIds = signer.signatures.map(({ algorithm }) => algorithm);
  if (signatureIds.length === 0) findings.fails('no-signature', at, 'a signer without signature');
  if (new Set(signatureIds).size !== signatureIds.length)
    findings.leavesOpen('duplicate-algorithm', at, 'an algorithm occurs twice');
  if (digestIds.join() !== signatureIds.join())
    findings.fails(
      'algorithms-differ',
      at,
      `digests for ${digestIds.map(hex).join()}, signatures for ${signatureIds.map(hex).join()}`,
    );
  for (const id of new Set([...digestIds, ...signatureIds]))
    if (!ALGORITHMS.has(id))
      findings.leavesOpen('unknown-algorithm', at, `algorithm ${hex(id)} is not checked`);
  const range = signer.sdkRange;
  if (range !== undefined && (range.min !== range.signedMin || range.max !== range.signedMax))
    findings.fails(
      'sdk-range-differs',
      at,
      `SDK ${range.min}-${range.max} outside, ${range.signedMin}-${range.signedMax} signed`,
    );
  if (range !== undefined && range.min > range.max)
    findings.fails('sdk-range', at, `${scheme} signer for SDK ${range.min}-${range.max}`);
  return certificate;
}

function signerOf(scheme: SignatureScheme, signer: SignerBlock, certificate: Certificate): ApkSigner {
  return {
    scheme,
    certificateSha256: certificate.sha256,
    subject: certificate.subject,
    keyType: certificate.keyType,
    keyBits: certificate.keyBits,
    ...(signer.sdkRange === undefined ? {} : { minSdk: signer.sdkRange.min, maxSdk: signer.sdkRange.max }),
  };
}

/** Each signature over the signed data. */
function verifySigner(signer: SignerBlock, { publicKey }: Certificate, findings: Findings): void {
  for (const { algorithm, value } of signer.signatures) {
    const known = ALGORITHMS.get(algorithm);
    if (known === undefined) continue;
    if (publicKey.asymmetricKeyType !== known.keyType) {
      findings.fails(
        'key-type',
        signer.offset,
        `${known.name} with a key of type ${publicKey.asymmetricKeyType ?? 'unknown'}`,
      );
      continue;
    }
    const padding =
      known.pss === undefined ? {} : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: known.pss };
    if (!verify(known.digest, signer.signedData, { key: publicKey, ...padding }, value))
      findings.fails('signature', signer.offset, `${known.name} does not hold`);
  }
}

/** Each content digest of each signer, in one pass over the file. */
function verifyContents(
  source: ByteSource,
  sections: ApkSections,
  block: SigningBlock,
  parsed: readonly ParsedSigner[],
  findings: Findings,
): void {
  const wanted = new Set<ContentDigest>();
  for (const { signer } of parsed)
    for (const { algorithm } of signer.digests) {
      const known = ALGORITHMS.get(algorithm);
      if (known !== undefined) wanted.add(known.digest);
    }
  if (wanted.size === 0) return;
  const directoryEnd = sections.centralDirectoryOffset + sections.centralDirectorySize;
  if (
    directoryEnd !== sections.endOffset ||
    source.read(sections.endOffset, 4).toString('latin1') !== 'PK\x05\x06'
  ) {
    findings.leavesOpen(
      'unsigned-bytes',
      directoryEnd,
      'bytes between the central directory and its end record, which no signature covers',
    );
    return;
  }
  const digests = contentDigests(source, { ...sections, entriesEnd: block.offset }, wanted);
  for (const { scheme, signer } of parsed)
    for (const { algorithm, value } of signer.digests) {
      const known = ALGORITHMS.get(algorithm);
      const actual = known === undefined ? undefined : digests.get(known.digest);
      if (actual !== undefined && !actual.equals(value))
        findings.fails(
          'content-digest',
          signer.offset,
          `${scheme} ${known?.digest ?? ''} of the contents is ${actual.toString('hex')}, signed is ${value.toString('hex')}`,
        );
    }
}

function hex(id: number): string {
  return `0x${id.toString(16).padStart(8, '0')}`;
}
