// SPDX-License-Identifier: Apache-2.0
/**
 * CMS SignedData with its content elsewhere, as a JAR signature block holds it. Read as strict DER, every byte accounted
 * for: what nothing determines or verifies is listed in `loose`.
 * RFC 5652, sections 3, 5 and 11 (PKCS #7: RFC 2315); algorithm protection: RFC 6211.
 */
import { FormatError } from '../errors.js';
import { DIGEST_OIDS, SIGNATURE_OIDS, type CmsDigest, type CmsSignatureAlgorithm } from './cms-algorithms.js';
import {
  DER,
  expectTag,
  isInSetOrder,
  readChildren,
  readDer,
  readInteger,
  readOid,
  readSmallInteger,
  type DerValue,
} from './der.js';

/** What somebody could have put there without any check failing; `offset` in the signature block. */
export type LooseCode =
  | 'cms-version'
  | 'cms-content'
  | 'cms-crls'
  | 'cms-unknown-certificate'
  | 'cms-unsigned-attributes'
  | 'cms-unknown-attribute'
  | 'cms-signing-time'
  | 'cms-parameters'
  | 'cms-unused-digest'
  | 'cms-set-order';

export interface LooseBytes {
  readonly code: LooseCode;
  readonly message: string;
  readonly offset: number;
}

export interface SignedAttributes {
  /** As signed: with the tag of a SET. */
  readonly encoded: Buffer;
  readonly contentType: string | undefined;
  readonly messageDigest: Buffer | undefined;
  /** One of those above or another one is there several times, or with several values. */
  readonly repeated: boolean;
  /** The algorithms that are signed are those of the signer. */
  readonly protectedAlgorithms: boolean;
  /** Of all types: the values as they are encoded. */
  readonly values: ReadonlyMap<string, readonly Buffer[]>;
}

export interface CmsSigner {
  readonly offset: number;
  /** DER of the issuer's name and content of the serial number; a key identifier is not understood by Android. */
  readonly issuer: Buffer;
  readonly serial: Buffer;
  readonly digestOid: string;
  readonly digest: CmsDigest | undefined;
  readonly signatureOid: string;
  readonly algorithm: CmsSignatureAlgorithm | undefined;
  readonly signedAttributes: SignedAttributes | undefined;
  readonly signature: Buffer;
}

export interface SignedData {
  readonly contentType: string;
  /** Inside of it, where it is not elsewhere. */
  readonly content: Buffer | undefined;
  /** DER. */
  readonly certificates: readonly Buffer[];
  readonly signers: readonly CmsSigner[];
  readonly loose: readonly LooseBytes[];
}

export const DATA_OID = '1.2.840.113549.1.7.1';
const SIGNED_DATA_OID = '1.2.840.113549.1.7.2';
export const CONTENT_TYPE = '1.2.840.113549.1.9.3';
export const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
const SIGNING_TIME = '1.2.840.113549.1.9.5';
const ALGORITHM_PROTECTION = '1.2.840.113549.1.9.52';
const CONTEXT_0 = 0xa0;
const CONTEXT_1 = 0xa1;
const MAX_SIGNERS = 10;
const MAX_CERTIFICATES = 20;

type Loose = (code: LooseCode, value: DerValue, message: string) => void;

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('cms', code, offset, message);
}

/** @throws FormatError `cms/…` or `der/…` */
export function readSignedData(block: Buffer): SignedData {
  const loose: LooseBytes[] = [];
  const add = (code: LooseCode, value: DerValue, message: string): void => {
    loose.push({ code, message, offset: value.encoded.byteOffset - block.byteOffset });
  };
  const outer = readChildren(readDer(block, DER.sequence));
  const type = readOid(expectTag(outer[0], DER.oid));
  if (type !== SIGNED_DATA_OID) fail('content-type', 0, `content of type ${type}, expected signed data`);
  if (outer.length !== 2) fail('structure', 0, `${outer.length} parts, expected 2`);
  const [signedData, ...others] = readChildren(expectTag(outer[1], CONTEXT_0));
  if (others.length > 0) fail('structure', 0, `${others.length} values beside the signed data`);
  const parts = readChildren(expectTag(signedData, DER.sequence));
  const version = readSmallInteger(parts.shift());
  const digestSet = expectTag(parts.shift(), DER.set);
  const encapsulated = readChildren(expectTag(parts.shift(), DER.sequence));
  const contentType = readOid(expectTag(encapsulated[0], DER.oid));
  const [, content, ...behind] = encapsulated;
  if (behind.length > 0) fail('structure', 0, `${behind.length} values behind the content`);
  if (content !== undefined)
    add('cms-content', content, `content of ${content.encoded.length} bytes beside the signature file`);
  const certificates: Buffer[] = [];
  if (parts[0]?.tag === CONTEXT_0) readCertificates(parts[0], certificates, add);
  if (parts[0]?.tag === CONTEXT_0) parts.shift();
  const crls = parts[0]?.tag === CONTEXT_1 ? parts.shift() : undefined;
  if (crls !== undefined) add('cms-crls', crls, `revocation lists of ${crls.encoded.length} bytes`);
  const signerSet = expectTag(parts.shift(), DER.set);
  if (parts.length > 0) fail('structure', parts[0]?.offset ?? 0, `${parts.length} values after the signers`);
  const infos = readChildren(signerSet);
  if (infos.length > MAX_SIGNERS) fail('too-many-signers', signerSet.offset, `${infos.length} signers`);
  if (!isInSetOrder(infos)) add('cms-set-order', signerSet, 'signers are not in the order of DER');
  const signers = infos.map((info) => readSigner(info, block, add));
  // 5.1: 1 for data with certificates by issuer and serial number
  if (version !== 1 && signedData !== undefined)
    add('cms-version', signedData, `signed data of version ${version}, expected 1`);
  checkDigests(digestSet, signers, add);
  return { contentType, content: octetsIn(content), certificates, signers, loose };
}

/** RFC 5652, 5.2: an octet string under tag [0]; PKCS #7 allows others, which have no reader here. */
function octetsIn(content: DerValue | undefined): Buffer | undefined {
  if (content?.tag !== CONTEXT_0) return undefined;
  const [octets, ...others] = readChildren(content);
  return others.length === 0 && octets?.tag === DER.octetString ? octets.content : undefined;
}

function readCertificates(set: DerValue, certificates: Buffer[], add: Loose): void {
  const values = readChildren(set);
  if (values.length > MAX_CERTIFICATES)
    fail('too-many-certificates', set.offset, `${values.length} certificates`);
  if (!isInSetOrder(values)) add('cms-set-order', set, 'certificates are not in the order of DER');
  for (const value of values)
    if (value.tag === DER.sequence) certificates.push(value.encoded);
    else
      add('cms-unknown-certificate', value, `a certificate of another kind, ${value.encoded.length} bytes`);
}

/** The list in front tells what the signers use, and nothing else. */
function checkDigests(set: DerValue, signers: readonly CmsSigner[], add: Loose): void {
  const algorithms = readChildren(set);
  if (!isInSetOrder(algorithms)) add('cms-set-order', set, 'digest algorithms are not in the order of DER');
  const used = new Set(signers.map(({ digestOid }) => digestOid));
  const seen = new Set<string>();
  for (const value of algorithms) {
    const oid = readAlgorithm(value, add);
    if (!used.has(oid) || seen.has(oid))
      add('cms-unused-digest', value, `digest algorithm ${oid}, which no signer uses`);
    seen.add(oid);
  }
}

/** The object identifier; parameters are absent or NULL. */
function readAlgorithm(value: DerValue | undefined, add: Loose): string {
  const parts = readChildren(expectTag(value, DER.sequence));
  const oid = readOid(expectTag(parts[0], DER.oid));
  const [, parameters, ...more] = parts;
  if (
    parameters !== undefined &&
    (parameters.tag !== DER.null || parameters.content.length > 0 || more.length > 0)
  )
    add('cms-parameters', parameters, `parameters of ${parameters.encoded.length} bytes for ${oid}`);
  return oid;
}

function readSigner(info: DerValue, block: Buffer, add: Loose): CmsSigner {
  const parts = readChildren(expectTag(info, DER.sequence));
  const version = readSmallInteger(parts.shift());
  const identifier = readChildren(expectTag(parts.shift(), DER.sequence));
  const [issuer, serial, ...rest] = identifier;
  if (rest.length > 0) fail('structure', info.offset, `${rest.length} values after the serial number`);
  if (version !== 1) add('cms-version', info, `signer of version ${version}, expected 1`);
  const digestAlgorithm = parts.shift();
  const digestOid = readAlgorithm(digestAlgorithm, add);
  const attributes = parts[0]?.tag === CONTEXT_0 ? parts.shift() : undefined;
  const signatureAlgorithm = parts.shift();
  const signatureOid = readAlgorithm(signatureAlgorithm, add);
  const signature = expectTag(parts.shift(), DER.octetString);
  const unsigned = parts[0]?.tag === CONTEXT_1 ? parts.shift() : undefined;
  if (unsigned !== undefined)
    add('cms-unsigned-attributes', unsigned, `unsigned attributes of ${unsigned.encoded.length} bytes`);
  if (parts.length > 0) fail('structure', info.offset, `${parts.length} values at the end of a signer`);
  return {
    offset: info.encoded.byteOffset - block.byteOffset,
    issuer: expectTag(issuer, DER.sequence).encoded,
    serial: readInteger(serial),
    digestOid,
    digest: DIGEST_OIDS.get(digestOid),
    signatureOid,
    algorithm: SIGNATURE_OIDS.get(signatureOid),
    signedAttributes:
      attributes === undefined
        ? undefined
        : readAttributes(attributes, [digestAlgorithm, signatureAlgorithm], add),
    signature: signature.content,
  };
}

function readAttributes(
  tagged: DerValue,
  algorithms: readonly (DerValue | undefined)[],
  add: Loose,
): SignedAttributes {
  const encoded = Buffer.from(tagged.encoded);
  encoded[0] = DER.set;
  const attributes = readChildren(tagged);
  if (!isInSetOrder(attributes)) add('cms-set-order', tagged, 'attributes are not in the order of DER');
  const found = new Map<string, DerValue>();
  const all = new Map<string, readonly Buffer[]>();
  let repeated = false;
  for (const attribute of attributes) {
    const [type, set, ...rest] = readChildren(expectTag(attribute, DER.sequence));
    const oid = readOid(expectTag(type, DER.oid));
    const values = readChildren(expectTag(set, DER.set));
    const [value] = values;
    all.set(oid, [...(all.get(oid) ?? []), ...values.map(({ encoded: bytes }) => bytes)]);
    if (rest.length > 0) fail('structure', attribute.offset, 'an attribute with more than type and values');
    if (values.length !== 1 || value === undefined || found.has(oid)) repeated = true;
    if (value !== undefined && !found.has(oid)) found.set(oid, value);
    if (oid === SIGNING_TIME && isTime(value))
      add('cms-signing-time', attribute, `signing time ${value?.content.toString('latin1') ?? ''}`);
    else if (![CONTENT_TYPE, MESSAGE_DIGEST, ALGORITHM_PROTECTION].includes(oid))
      add('cms-unknown-attribute', attribute, `attribute ${oid} of ${attribute.encoded.length} bytes`);
  }
  const type = found.get(CONTENT_TYPE);
  const digest = found.get(MESSAGE_DIGEST);
  const protection = found.get(ALGORITHM_PROTECTION);
  return {
    encoded,
    contentType: type === undefined ? undefined : readOid(expectTag(type, DER.oid)),
    messageDigest: digest === undefined ? undefined : expectTag(digest, DER.octetString).content,
    repeated,
    protectedAlgorithms: protection === undefined || repeats(protection, algorithms),
    values: all,
  };
}

/** RFC 6211: the digest algorithm as it stands in the signer, its signature algorithm with tag [1]. */
function repeats(protection: DerValue, algorithms: readonly (DerValue | undefined)[]): boolean {
  const parts = readChildren(expectTag(protection, DER.sequence));
  const [digest, signature] = algorithms;
  return (
    parts.length === 2 &&
    parts[0]?.encoded.equals(digest?.encoded ?? Buffer.alloc(0)) === true &&
    parts[1]?.tag === CONTEXT_1 &&
    parts[1].content.equals(signature?.content ?? Buffer.alloc(0))
  );
}

/** RFC 5652, 11.3: UTC time in seconds until 2049, generalized time after. */
function isTime(value: DerValue | undefined): boolean {
  if (value === undefined) return false;
  const text = value.content.toString('latin1');
  const pattern =
    /^(?:20[5-9][0-9]|[2-9][1-9][0-9]{2}|[0-9]{2})(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]Z$/;
  return value.tag === DER.utcTime
    ? text.length === 13 && pattern.test(text)
    : value.tag === DER.generalizedTime && text.length === 15 && pattern.test(text);
}
