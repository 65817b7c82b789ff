// SPDX-License-Identifier: Apache-2.0
/**
 * Source stamps, version 1 and 2: a pair of the signing block in which a second key (a store's, mostly) signs the digests
 * of the other schemes. Parsed to the last byte. Whether one holds says nothing about who published the file; Android does
 * not look at it.
 * https://android.googlesource.com/platform/tools/apksig/+/refs/heads/main/src/main/java/com/android/apksig/internal/apk/stamp/
 *
 *   version 1: { certificate, { u32 algorithm, signature }… }
 *   version 2: { certificate, { u32 scheme, { u32 algorithm, signature }… }…, { attributes: u32 id, value }, signatures of them }
 *   signed of each scheme: { u32 content digest algorithm, digest }…, sorted
 */
import { createHash } from 'node:crypto';
import { FormatError } from '../errors.js';
import type { ApkIssueCode } from './apk-signature-issue.js';
import type { CheckedSigner } from './apk-signer-check.js';
import { SIGNATURE_ALGORITHMS, verifySignature } from './signature-algorithm.js';
import { readLineage, type SigningLineage } from './signing-lineage.js';
import { SignedCursor } from './signed-cursor.js';
import { readCertificate, type Certificate } from './x509.js';
import type { PairContext } from './apk-pair-checks.js';

export interface SourceStamp {
  readonly version: 1 | 2;
  readonly certificateSha256: string;
  readonly subject: string;
  readonly keyType: string;
  readonly keyBits: number;
  /** Whose digests are signed: 1, 2, 3; of version 1 it is not said. */
  readonly schemes: readonly number[];
  /** Seconds since 1970, as the signer says. */
  readonly time?: number;
  /** SHA-256 of the certificates before the one that stamps, oldest first. */
  readonly lineage?: readonly string[];
  /** Bytes of its own certificate and of those of its lineage, by SHA-256. */
  readonly certificateBytes: ReadonlyMap<string, number>;
  /** Nothing about it was found wrong. */
  readonly verified: boolean;
}

export type StampIssue =
  | 'stamp-malformed'
  | 'stamp-unowned-bytes'
  | 'stamp-entry'
  | 'stamp-no-signature'
  | 'stamp-algorithm'
  | 'stamp-signature'
  | 'stamp-scheme'
  | 'stamp-attribute'
  | 'stamp-time'
  | 'stamp-lineage';

export const STAMP_ENTRY = 'stamp-cert-sha256';
const MANIFEST = 'META-INF/MANIFEST.MF';
const LINEAGE = 0x9d6303f7;
const TIME = 0xe43c5946;
/** As Java's hash table gives them out (HashMap, sixteen buckets), which is what apksig writes them from. */
const ATTRIBUTE_ORDER = [LINEAGE, TIME];
/** 2020 to 2100: no room for anything but a time. */
const FIRST_TIME = 1_577_836_800;
const LAST_TIME = 4_102_444_800;
const MAX_SIGNATURES = 8;
const MAX_SCHEMES = 8;

/** apksig's ContentDigestAlgorithm. */
const DIGEST_IDS = { sha256: 1, sha512: 2, verity: 3 } as const;
const JAR_DIGEST_ID = 4;

interface SignatureValue {
  readonly algorithm: number;
  readonly value: Buffer;
  readonly offset: number;
}

/** For the table of pair checks. `undefined` for one that could not be taken apart. */
export function checkSourceStamp(version: 1 | 2, context: PairContext): SourceStamp | undefined {
  const { pair, value, findings } = context;
  let found = false;
  const add = (code: StampIssue & ApkIssueCode, offset: number, message: string): void => {
    found = true;
    findings.add(code, offset, message);
  };
  const close = (cursor: SignedCursor): void => {
    if (cursor.left > 0)
      add('stamp-unowned-bytes', cursor.offset, `${cursor.left} bytes that no reader looks at`);
  };
  try {
    const outer = new SignedCursor(value, pair.offset);
    const stamp = outer.region('source stamp');
    close(outer);
    const certificate = readCertificate(stamp.bytes('stamp certificate'));
    checkEntry(certificate, context, add);
    const verify = (signatures: readonly SignatureValue[], signed: Buffer, what: string): void => {
      if (!context.useKeys) return;
      for (const { algorithm, value: signature, offset } of signatures) {
        const known = SIGNATURE_ALGORITHMS.get(algorithm);
        if (known === undefined) continue;
        const outcome = verifySignature(known, certificate.publicKey, signed, signature);
        if (outcome !== 'holds')
          add('stamp-signature', offset, `${known.name} over ${what} does not hold (${outcome})`);
      }
    };
    const rest =
      version === 1
        ? readVersion1(stamp, context, add, close, verify)
        : readVersion2(stamp, context, certificate, add, close, verify);
    close(stamp);
    return {
      version,
      certificateSha256: certificate.sha256,
      subject: certificate.subject,
      keyType: certificate.keyType,
      keyBits: certificate.keyBits,
      ...rest,
      certificateBytes: new Map([...rest.certificateBytes, [certificate.sha256, certificate.encoded.length]]),
      verified: context.useKeys && !found,
    };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    add('stamp-malformed', pair.offset, `${error.code}: ${error.message}`);
    return undefined;
  }
}

type Add = (code: StampIssue & ApkIssueCode, offset: number, message: string) => void;
type Close = (cursor: SignedCursor) => void;
type Verify = (signatures: readonly SignatureValue[], signed: Buffer, what: string) => void;
type Rest = Pick<SourceStamp, 'schemes' | 'time' | 'lineage' | 'certificateBytes'>;

/** The archive names the stamp's certificate in an entry of its own, which the other schemes cover. */
function checkEntry({ encoded, sha256 }: Certificate, { pair, content }: PairContext, add: Add): void {
  const entry = content(STAMP_ENTRY);
  if (entry === undefined) add('stamp-entry', pair.offset, `no entry ${STAMP_ENTRY}, or not one only`);
  else if (!entry.equals(createHash('sha256').update(encoded).digest()))
    add(
      'stamp-entry',
      pair.offset,
      `entry ${STAMP_ENTRY} holds ${entry.subarray(0, 32).toString('hex')}, the certificate is ${sha256}`,
    );
}

function readVersion1(
  stamp: SignedCursor,
  { pair, signers }: PairContext,
  add: Add,
  close: Close,
  verify: Verify,
): Rest {
  const signatures = readSignatures(stamp.region('stamp signatures'), pair.offset, add, close);
  // which scheme's digests were signed is not said: the newest one's (DefaultApkSignerEngine)
  const scheme = signers.some((signer) => signer.scheme === 'v3') ? 3 : 2;
  const signed = signedDigests(scheme, signers, undefined);
  if (signed === undefined)
    add('stamp-scheme', pair.offset, 'no v2 or v3 signature whose digests it could sign');
  else verify(signatures, signed, `the digests of v${scheme}`);
  return { schemes: [], certificateBytes: new Map() };
}

function readVersion2(
  stamp: SignedCursor,
  context: PairContext,
  certificate: Certificate,
  add: Add,
  close: Close,
  verify: Verify,
): Rest {
  const { pair, signers, content } = context;
  const schemes: number[] = [];
  const list = stamp.region('signed digests');
  while (list.left > 0) {
    const { offset } = list;
    if (schemes.length === MAX_SCHEMES)
      throw new FormatError('source-stamp', 'too-many-schemes', offset, `more than ${MAX_SCHEMES} schemes`);
    const one = list.region('scheme');
    const scheme = one.u32('scheme');
    const signatures = readSignatures(one.region('scheme signatures'), offset, add, close);
    close(one);
    if (scheme <= (schemes.at(-1) ?? 0)) add('stamp-scheme', offset, `scheme ${scheme} is out of order`);
    schemes.push(scheme);
    const signed = signedDigests(scheme, signers, content(MANIFEST));
    if (signed === undefined)
      add('stamp-scheme', offset, `scheme ${scheme} is stamped, which the file does not have`);
    else verify(signatures, signed, `the digests of scheme ${scheme}`);
  }
  for (const [scheme, name] of [
    [2, 'v2'],
    [3, 'v3'],
  ] as const)
    if (signers.some((signer) => signer.scheme === name) && !schemes.includes(scheme))
      add('stamp-scheme', pair.offset, `${name} is not stamped`);
  const attributes = stamp.region('stamp attributes');
  const read = readAttributes(attributes, certificate, context.useKeys, add, close);
  const signatures = readSignatures(stamp.region('signatures of attributes'), pair.offset, add, close);
  verify(signatures, attributes.whole, 'its attributes');
  return { schemes, ...read };
}

/** Each algorithm once and known: what is not verified is not a signature. */
function readSignatures(list: SignedCursor, at: number, add: Add, close: Close): SignatureValue[] {
  const signatures: SignatureValue[] = [];
  while (list.left > 0) {
    const { offset } = list;
    if (signatures.length === MAX_SIGNATURES)
      throw new FormatError('source-stamp', 'too-many-signatures', offset, `more than ${MAX_SIGNATURES}`);
    const one = list.region('stamp signature');
    const algorithm = one.u32('algorithm');
    signatures.push({ algorithm, value: one.bytes('stamp signature'), offset });
    close(one);
    if (!SIGNATURE_ALGORITHMS.has(algorithm))
      add('stamp-algorithm', offset, `algorithm 0x${algorithm.toString(16).padStart(8, '0')} is not known`);
  }
  if (signatures.length === 0) add('stamp-no-signature', at, 'nothing is signed');
  if (new Set(signatures.map(({ algorithm }) => algorithm)).size !== signatures.length)
    add('stamp-algorithm', at, 'an algorithm occurs twice');
  return signatures;
}

/** What the stamp of a scheme signs; `undefined` where the file has no such scheme. */
function signedDigests(
  scheme: number,
  signers: readonly CheckedSigner[],
  manifest: Buffer | undefined,
): Buffer | undefined {
  const digests = new Map<number, Buffer>();
  if (scheme === 1 && manifest !== undefined)
    digests.set(JAR_DIGEST_ID, createHash('sha256').update(manifest).digest());
  const name = scheme === 2 ? 'v2' : scheme === 3 ? 'v3' : undefined;
  for (const { scheme: own, signer } of signers)
    if (own === name)
      for (const { algorithm, value } of signer.digests) {
        const known = SIGNATURE_ALGORITHMS.get(algorithm);
        if (known !== undefined) digests.set(DIGEST_IDS[known.digest], value);
      }
  if (digests.size === 0) return undefined;
  return Buffer.concat(
    [...digests]
      .sort(([a], [b]) => a - b)
      .map(([id, digest]) => {
        const head = Buffer.alloc(12);
        head.writeUInt32LE(8 + digest.length);
        head.writeUInt32LE(id, 4);
        head.writeUInt32LE(digest.length, 8);
        return Buffer.concat([head, digest]);
      }),
  );
}

function readAttributes(
  attributes: SignedCursor,
  certificate: Certificate,
  useKeys: boolean,
  add: Add,
  close: Close,
): Omit<Rest, 'schemes'> {
  let found: Omit<Rest, 'schemes'> = { certificateBytes: new Map() };
  let rank = -1;
  const list = attributes.region('list of attributes');
  while (list.left > 0) {
    const one = list.region('stamp attribute');
    const { offset } = one;
    const id = one.u32('attribute id');
    const value = one.rest();
    const place = ATTRIBUTE_ORDER.indexOf(id);
    if (place <= rank || (id === TIME && value.length !== 8)) {
      const text = `attribute 0x${id.toString(16).padStart(8, '0')} of ${value.length} bytes`;
      add('stamp-attribute', offset, `${text} is not known, misplaced, or of another length`);
      continue;
    }
    rank = place;
    if (id === TIME) {
      const time = value.readBigUInt64LE(0);
      if (time < FIRST_TIME || time > LAST_TIME)
        add('stamp-time', offset, `time ${time}, expected ${FIRST_TIME} to ${LAST_TIME}`);
      else found = { ...found, time: Number(time) };
    } else {
      const lineage = readLineage(value, offset + 4, useKeys, close);
      checkLineage(lineage, certificate, offset, add);
      const certificates = lineage.nodes.map((node) => node.certificate);
      found = {
        ...found,
        certificateBytes: new Map(certificates.map(({ sha256, encoded }) => [sha256, encoded.length])),
        lineage: certificates.slice(0, -1).map(({ sha256 }) => sha256),
      };
    }
  }
  close(attributes);
  return found;
}

function checkLineage(
  { nodes, issues }: SigningLineage,
  { sha256 }: Certificate,
  at: number,
  add: Add,
): void {
  for (const { code, message, offset } of issues) add('stamp-lineage', offset, `${code}: ${message}`);
  const last = nodes.at(-1)?.certificate.sha256;
  if (last !== sha256)
    add('stamp-lineage', at, `the lineage ends with ${last ?? 'nothing'}, the stamp is by ${sha256}`);
}
