// SPDX-License-Identifier: Apache-2.0
/**
 * APK Signature Scheme v2, v3 and v3.1, verified in full: every signer and every algorithm present, not only those that
 * Android would pick. What is not understood to the last byte is `unchecked`, never `verified`.
 * https://source.android.com/docs/security/features/apksigning/v2#verification
 * https://source.android.com/docs/security/features/apksigning/v3#verification
 * https://source.android.com/docs/security/features/apksigning/v3-1
 */
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import { contentDigests, type ContentDigest } from './apk-content-digest.js';
import { PAIR_CHECKS, type PairContext } from './apk-pair-checks.js';
import { ApkFindings, type SignatureIssue } from './apk-signature-issue.js';
import { checkAgreement } from './apk-signer-agreement.js';
import { readSignerBlocks, type SignatureScheme } from './apk-signer-block.js';
import { checkSigner, hex, subjectOf, type CheckedSigner } from './apk-signer-check.js';
import { PAIR_ID, readSigningBlock, type SigningBlock, type SigningBlockPair } from './apk-signing-block.js';
import { SIGNATURE_ALGORITHMS } from './signature-algorithm.js';
import { smallEntries } from './small-entry.js';
import type { SourceStamp } from './source-stamp.js';
import type { Capability } from './signing-lineage.js';

export type { SignatureIssue } from './apk-signature-issue.js';

export interface ApkSections {
  readonly centralDirectoryOffset: number;
  readonly centralDirectorySize: number;
  /** Of the end of central directory record (of the ZIP64 one where there is one). */
  readonly endOffset: number;
}

/** One certificate of a lineage. */
export interface LineageStep {
  readonly certificateSha256: string;
  readonly subject: string;
  /** What the key may still do once it is not the newest. */
  readonly capabilities: readonly Capability[];
}

export interface ApkSigner {
  readonly scheme: SignatureScheme;
  readonly certificateSha256: string;
  readonly subject: string;
  readonly keyType: string;
  readonly keyBits: number;
  readonly minSdk?: number;
  readonly maxSdk?: number;
  /** v3.1: for the release that was under development when `minSdk` was the last one, and not for `minSdk` itself. */
  readonly development?: boolean;
  /** Oldest first, the signer last; only where every step of it holds. */
  readonly lineage?: readonly LineageStep[];
}

/** A pair that only its writer can read: nothing in it was checked, and nothing in it can be. */
export interface OpaquePair {
  readonly kind: 'dependency-info' | 'play-frosting';
  /** Of its value, in the file. */
  readonly offset: number;
  readonly size: number;
}

export interface ApkSignatureCheck {
  readonly block: SigningBlock | undefined;
  readonly signers: readonly ApkSigner[];
  /** Each at most once, and within its bound; no part of `status`. */
  readonly opaque: readonly OpaquePair[];
  /** Those that could be taken apart; what is wrong with one is among the issues. */
  readonly stamps: readonly SourceStamp[];
  /**
   * `verified`: every byte of the block but those of `opaque` pairs is understood and every signature holds. `invalid`:
   * something does not hold. `unchecked`: nothing failed, but something was not checked. `parsed`: understood to the last
   * byte, no key was used.
   */
  readonly status: 'verified' | 'invalid' | 'unchecked' | 'unsigned' | 'parsed';
  readonly issues: readonly SignatureIssue[];
}

const PAGE = 4096;
const SCHEMES: ReadonlyMap<number, SignatureScheme> = new Map([
  [PAIR_ID.v2, 'v2'],
  [PAIR_ID.v3, 'v3'],
  [PAIR_ID.v31, 'v3.1'],
]);
/** Encrypted by AGP, or signed by Google Play with a key of its own; their sizes grow with an app's dependencies. */
const OPAQUE: ReadonlyMap<number, { readonly kind: OpaquePair['kind']; readonly limit: number }> = new Map([
  [PAIR_ID.dependencyInfo, { kind: 'dependency-info', limit: 256 << 10 }],
  [PAIR_ID.playFrosting, { kind: 'play-frosting', limit: 16 << 10 }],
]);

/** Verifies the signing block before the central directory. Never throws for what the file holds. */
export function checkApkSignature(source: ByteSource, sections: ApkSections): ApkSignatureCheck {
  return inspect(source, sections, true);
}

/** The same parser without any key: for the rebuilt side, whose signature is taken off. */
export function parseApkSignature(source: ByteSource, sections: ApkSections): ApkSignatureCheck {
  return inspect(source, sections, false);
}

function inspect(source: ByteSource, sections: ApkSections, useKeys: boolean): ApkSignatureCheck {
  const findings = new ApkFindings();
  let block: SigningBlock | undefined;
  let signers: readonly CheckedSigner[] = [];
  const others: OtherPairs = { opaque: [], stamps: [] };
  try {
    block = readSigningBlock(source, sections.centralDirectoryOffset);
    if (block === undefined) return { block, signers: [], ...others, status: 'unsigned', issues: [] };
    signers = readPairs(source, block, useKeys, others, findings);
    checkRoom(signers, others.stamps, block.offset, findings);
    if (!block.pairs.some(({ id }) => SCHEMES.has(id)))
      findings.add('no-known-scheme', block.offset, 'no v2 or v3 signature in the signing block');
    checkAgreement(signers, block.offset, findings);
    if (useKeys) verifyContents(source, sections, block, signers, findings);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    findings.unreadable(error);
  }
  const clean = useKeys ? 'verified' : 'parsed';
  return {
    block,
    signers: signers.map(signerOf),
    ...others,
    status: findings.has('invalid') ? 'invalid' : findings.has('open') ? 'unchecked' : clean,
    issues: findings.list(),
  };
}

/** Of all certificates together, those of lineages and stamps too: each may hold what its signer likes. */
const MAX_CERTIFICATES = 32 << 10;

function checkRoom(
  signers: readonly CheckedSigner[],
  stamps: readonly SourceStamp[],
  offset: number,
  findings: ApkFindings,
): void {
  const each = new Map<string, number>(stamps.flatMap(({ certificateBytes }) => [...certificateBytes]));
  for (const { certificate, lineage } of signers)
    for (const { sha256, encoded } of [
      certificate,
      ...(lineage?.nodes.map((node) => node.certificate) ?? []),
    ])
      each.set(sha256, encoded.length);
  const bytes = [...each.values()].reduce((sum, size) => sum + size, 0);
  if (bytes > MAX_CERTIFICATES)
    findings.add(
      'certificates-too-large',
      offset,
      `${each.size} certificates of ${bytes} bytes together, at most ${MAX_CERTIFICATES}`,
    );
}

interface OtherPairs {
  readonly opaque: OpaquePair[];
  readonly stamps: SourceStamp[];
}

function readPairs(
  source: ByteSource,
  block: SigningBlock,
  useKeys: boolean,
  found: OtherPairs,
  findings: ApkFindings,
): readonly CheckedSigner[] {
  const signers: CheckedSigner[] = [];
  const others: SigningBlockPair[] = [];
  const seen = new Set<number>();
  for (const [index, pair] of block.pairs.entries()) {
    const { id, offset } = pair;
    if (seen.has(id)) {
      findings.add(
        'duplicate-pair',
        offset - 4,
        `pair ${hex(id)} occurs again: readers take the first or the last`,
      );
      continue;
    }
    seen.add(id);
    const scheme = SCHEMES.get(id);
    if (scheme !== undefined)
      signers.push(...readSigners(source, scheme, pair, useKeys, findings.about({ scheme })));
    else if (id === PAIR_ID.verityPadding) checkPadding(source, block, pair, index, findings);
    else others.push(pair);
  }
  if (block.rest !== undefined) findings.add('malformed-pairs', block.rest.offset, block.rest.why);
  const content = smallEntries(source);
  for (const pair of others) checkOther(source, pair, { signers, useKeys, content, findings }, found);
  return signers;
}

function checkOther(
  source: ByteSource,
  pair: SigningBlockPair,
  context: Omit<PairContext, 'pair' | 'value'>,
  { opaque, stamps }: OtherPairs,
): void {
  const { findings } = context;
  const { id, offset, size } = pair;
  const written = OPAQUE.get(id);
  const check = PAIR_CHECKS.get(id);
  if (written !== undefined && size <= written.limit) opaque.push({ kind: written.kind, offset, size });
  else if (written !== undefined)
    findings.add(
      'pair-too-large',
      offset - 4,
      `pair ${hex(id)} (${written.kind}) of ${size} bytes, at most ${written.limit}`,
    );
  else if (check !== undefined) {
    const stamp = check({ ...context, pair, value: Buffer.from(source.read(offset, size)) });
    if (stamp !== undefined) stamps.push(stamp);
  } else
    findings.add(
      Object.values(PAIR_ID).some((known) => known === id) ? 'unchecked-pair' : 'unknown-pair',
      offset - 4,
      `pair ${hex(id)} of ${size} bytes is not checked`,
    );
}

/** What cannot be read of one scheme leaves the others as they are. */
function readSigners(
  source: ByteSource,
  scheme: SignatureScheme,
  { offset, size }: SigningBlockPair,
  useKeys: boolean,
  findings: ApkFindings,
): readonly CheckedSigner[] {
  const checked: CheckedSigner[] = [];
  try {
    const { signers, leftovers } = readSignerBlocks(scheme, Buffer.from(source.read(offset, size)), offset);
    for (const rest of leftovers)
      findings.add('unowned-bytes', rest.offset, `${rest.size} bytes that no reader looks at`);
    for (const signer of signers) {
      const one = checkSigner(scheme, signer, useKeys, findings);
      if (one !== undefined) checked.push(one);
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    findings.unreadable(error);
  }
  return checked;
}

/** Zeros of exactly the length that brings the block to a page (ApkSigningBlockUtils.generateApkSigningBlock), last. */
function checkPadding(
  source: ByteSource,
  block: SigningBlock,
  pair: SigningBlockPair,
  index: number,
  findings: ApkFindings,
): void {
  const without = block.size - (12 + pair.size);
  const missing = PAGE - (without % PAGE);
  const expected = (missing < 12 ? missing + PAGE : missing) - 12;
  const zeros = source.read(pair.offset, pair.size).every((byte) => byte === 0);
  if (!zeros) findings.add('padding-not-zero', pair.offset, 'verity padding holds bytes other than zero');
  else if (pair.size !== expected || without % PAGE === 0 || index !== block.pairs.length - 1)
    findings.add(
      'padding-size',
      pair.offset,
      `verity padding of ${pair.size} bytes, the signer writes ${without % PAGE === 0 ? 0 : expected} at the end`,
    );
}

function signerOf({ scheme, signer, certificate, lineage, targetsDevelopment }: CheckedSigner): ApkSigner {
  return {
    scheme,
    certificateSha256: certificate.sha256,
    subject: certificate.subject,
    keyType: certificate.keyType,
    keyBits: certificate.keyBits,
    ...(signer.sdkRange === undefined ? {} : { minSdk: signer.sdkRange.min, maxSdk: signer.sdkRange.max }),
    ...(targetsDevelopment ? { development: true } : {}),
    ...(lineage === undefined
      ? {}
      : {
          lineage: lineage.nodes.map(({ certificate: { sha256, subject }, capabilities }) => ({
            certificateSha256: sha256,
            subject,
            capabilities,
          })),
        }),
  };
}

/** Each content digest of each signer, in one pass over the file. */
function verifyContents(
  source: ByteSource,
  sections: ApkSections,
  block: SigningBlock,
  signers: readonly CheckedSigner[],
  findings: ApkFindings,
): void {
  const wanted = new Set<ContentDigest>();
  for (const { signer } of signers)
    for (const { algorithm } of signer.digests) {
      const known = SIGNATURE_ALGORITHMS.get(algorithm);
      if (known !== undefined) wanted.add(known.digest);
    }
  if (wanted.size === 0) return;
  const directoryEnd = sections.centralDirectoryOffset + sections.centralDirectorySize;
  if (
    directoryEnd !== sections.endOffset ||
    source.read(sections.endOffset, 4).toString('latin1') !== 'PK\x05\x06'
  ) {
    findings.add(
      'unsigned-bytes',
      directoryEnd,
      'bytes between the central directory and its end record, which no signature covers',
    );
    return;
  }
  const digests = contentDigests(source, { ...sections, entriesEnd: block.offset }, wanted);
  for (const { scheme, signer } of signers)
    for (const { algorithm, value } of signer.digests) {
      const known = SIGNATURE_ALGORITHMS.get(algorithm);
      const actual = known === undefined ? undefined : digests.get(known.digest);
      const own = findings.about(subjectOf(scheme, signer));
      if (known !== undefined && actual === undefined)
        own.add(
          'verity-unaligned',
          signer.offset,
          `fs-verity with a signing block at ${block.offset}, which is not on a page of ${PAGE} bytes`,
        );
      if (actual !== undefined && !actual.equals(value))
        own.add(
          'content-digest',
          signer.offset,
          `${scheme} ${known?.digest ?? ''} of the contents is ${actual.toString('hex')}, signed is ${value.toString('hex')}`,
        );
    }
}
