// SPDX-License-Identifier: Apache-2.0
/** Who owns the entries of a JAR signature, which have no partners, and what the signature means beside newer ones. */
import type { RuleName } from '../../model.js';
import { JAR_ISSUES, type JarIssue, type JarIssueCode } from '../../formats/jar-issue.js';
import { MANIFEST_NAME, readJarSignature } from '../../formats/jar-signature.js';
import { sdkVerdicts, type SdkStatus } from '../../formats/sdk-verdicts.js';
import type { Owner, Side, SignatureRecord } from '../types.js';
import type { JarCheck } from './jar-check.js';
import { signatureContent } from './jar-content.js';
import { isContested, isJarSignatureEntry, rawNameOf, type ZipSide } from './zip-side.js';

export interface SignatureEntryOwner {
  readonly owner: Owner;
  readonly rule: RuleName | '';
  readonly region: 'zip/jar-signature' | 'zip/source-stamp';
}

/** Of an entry without partner; `undefined` for one that belongs to no signature. */
export type SignatureEntryOwners = (side: ZipSide, entry: number) => SignatureEntryOwner | undefined;

const REGION = 'zip/jar-signature';
const UNREAD: SignatureEntryOwner = { owner: 'unread', rule: '', region: REGION };

/** The entry of a source stamp, by its index in the published file, beside those of a JAR signature. */
export function withStampEntry(
  owners: SignatureEntryOwners,
  published: ZipSide,
  stamp: number | undefined,
): SignatureEntryOwners {
  if (stamp === undefined) return owners;
  return (side, entry) =>
    side === published && entry === stamp
      ? { owner: 'signature', rule: 'source-stamp', region: 'zip/source-stamp' }
      : owners(side, entry);
}

/** `check`: of the published side, if that is JAR-signed. `pinned`: certificates that may sign although others issued them. */
export function jarEntryOwners(
  published: ZipSide,
  rebuilt: ZipSide,
  check: JarCheck | undefined,
  pinned: ReadonlySet<string>,
): SignatureEntryOwners {
  const ofPublished = publishedOwner(published, check, pinned);
  const ofRebuilt: SignatureEntryOwner = isReadWhole(rebuilt)
    ? { owner: 'signature', rule: 'jar-signature', region: REGION }
    : UNREAD;
  const replaced = check !== undefined && takesOver(check, rebuilt);
  return (side, index) => {
    const entry = side.zip.entries[index];
    if (entry === undefined) return undefined;
    // two readers can get something else out of it: no signature says which
    if (isContested(side, entry)) return isJarSignatureEntry(side, entry) ? UNREAD : undefined;
    if (side === rebuilt && replaced && rawNameOf(entry) === MANIFEST_NAME) return ofPublished;
    if (!isJarSignatureEntry(side, entry)) return undefined;
    // whoever reads it otherwise has another signature
    if (isContested(side, entry)) return UNREAD;
    if (side === rebuilt) return ofRebuilt;
    return check?.owned.has(index) === true ? ofPublished : UNREAD;
  };
}

function publishedOwner(
  { block, signature }: ZipSide,
  check: JarCheck | undefined,
  pinned: ReadonlySet<string>,
): SignatureEntryOwner {
  if (check === undefined || check.owned.size === 0) return UNREAD;
  if (block !== undefined || signature.status !== 'unsigned') {
    if (block?.trusted !== true || otherSigners(signature, check) !== undefined) return UNREAD;
    return { owner: check.free ? 'excluded' : 'signature', rule: 'jar-signature', region: REGION };
  }
  const isKnown = check.signers.every(({ certificateSha256 }) => pinned.has(certificateSha256));
  return check.selfSigned || isKnown
    ? { owner: 'excluded', rule: 'jar-signature-only', region: REGION }
    : UNREAD;
}

/** Nobody has to have signed our own file, but nothing else may lie in the entries. */
function isReadWhole({ source, zip, jarSigned }: ZipSide): boolean {
  if (!jarSigned) return false;
  const { findings } = readJarSignature(
    {
      entries: zip.entries,
      content(index) {
        const entry = zip.entries[index];
        const content = entry === undefined ? 'no-entry' : signatureContent(source, entry, MAX_SIZE);
        return typeof content === 'string' ? content : content.bytes;
      },
      head: Buffer.alloc(0),
      schemes: new Set(),
    },
    false,
  );
  return !findings.list().some(({ code }) => NOT_READ.has(code));
}

const MAX_SIZE = 16 << 20;
const NOT_READ: ReadonlySet<JarIssueCode> = new Set<JarIssueCode>([
  'cms-malformed',
  'cms-not-canonical',
  'v1-no-manifest',
  'v1-manifest-malformed',
  'v1-file-unread',
  'v1-file-place',
  'v1-block-without-file',
  'v1-file-without-block',
]);

/**
 * An unsigned rebuilt file has a manifest of its own, in whose place signing puts one with the same main attributes: then
 * that one is not missing. Otherwise a manifest of an unsigned file is content like any other.
 */
function takesOver({ reading, owned }: JarCheck, rebuilt: ZipSide): boolean {
  if (rebuilt.jarSigned || rebuilt.nested || owned.size === 0) return false;
  const [entry, second] = rebuilt.zip.entries.filter((candidate) => rawNameOf(candidate) === MANIFEST_NAME);
  if (entry === undefined || second !== undefined) return false;
  const given = reading.givenAttributes;
  const sorted = (lines: readonly (readonly [string, string])[]): string =>
    JSON.stringify(lines.map((line) => JSON.stringify(line)).sort());
  return given !== undefined && sorted(given) === sorted(reading.manifest.main.lines);
}

/**
 * v1 and v2 have the same signers; where there is no v2, v1 is by a signer of v3 or by one that its lineage names: Android
 * then sees one publisher on all versions.
 */
function otherSigners({ signers }: ZipSide['signature'], check: JarCheck): string | undefined {
  const of = (scheme: string): string[] =>
    signers.filter((signer) => signer.scheme === scheme).map(({ certificateSha256 }) => certificateSha256);
  const own = [...new Set(check.signers.map(({ certificateSha256 }) => certificateSha256))].sort();
  const v2 = [...new Set(of('v2'))].sort();
  const all = new Set(
    signers.flatMap(({ certificateSha256, lineage = [] }) => [
      certificateSha256,
      ...lineage.map((step) => step.certificateSha256),
    ]),
  );
  const same = v2.length > 0 ? own.join() === v2.join() : own.every((certificate) => all.has(certificate));
  return same ? undefined : `v1 is by ${own.join(', ')}, newer schemes by ${[...all].sort().join(', ')}`;
}

/** The record of the newer schemes, and what JAR signing adds to it on the versions of Android that look at it. */
export function withJarSignature(newer: SignatureRecord, side: ZipSide, check: JarCheck): SignatureRecord {
  const isAlone = newer.status === 'unsigned';
  const issues: SignatureRecord['issues'][number][] = [...newer.issues];
  const add = (code: string, message: string, offset = 0): void => {
    issues.push({ code, message, offset });
  };
  for (const issue of check.issues) if (isTold(issue)) add(issue.code, issue.message, issue.offset);
  const differ = isAlone ? undefined : otherSigners(side.signature, check);
  if (differ !== undefined) add('v1-signers-differ', differ);
  const inUse = statusesInUse(side, check);
  if (inUse.size === 0 && isAlone)
    add('v1-unused', 'no version of Android that the file is for looks at its JAR signature');
  const signers = [...newer.signers, ...check.signers];
  return { status: statusWith(newer.status, inUse, differ !== undefined), signers, issues };
}

/** On the versions that look at the JAR signature, and take an app like this one with it. */
function statusesInUse({ signature: apk }: ZipSide, check: JarCheck): Set<SdkStatus> {
  const verdicts = sdkVerdicts({ apk, jar: check }, check.app);
  return new Set(
    verdicts
      .filter(({ scheme, codes }) => scheme === 'v1' && !codes.includes('v1-refused-for-target'))
      .map(({ status }) => status),
  );
}

function isTold({ code }: JarIssue): boolean {
  const { effect } = JAR_ISSUES[code];
  return effect === 'invalid' || effect === 'open' || effect === 'loose';
}

function statusWith(
  newer: SignatureRecord['status'],
  inUse: ReadonlySet<SdkStatus>,
  differ: boolean,
): SignatureRecord['status'] {
  if (newer === 'invalid') return newer;
  if (inUse.size === 0) return newer === 'unsigned' ? 'unchecked' : newer;
  if (inUse.has('invalid')) return 'invalid';
  if (inUse.has('unchecked') || differ) return 'unchecked';
  if (newer !== 'unsigned') return newer;
  return inUse.has('verified') ? 'verified' : 'unchecked';
}

/** What a signed entry adds to counts, sizes and offsets of the archive. */
export interface SignatureExtent {
  entries: number;
  records: number;
  data: number;
}

export function noSignatureExtents(): Record<Side, SignatureExtent> {
  const none = (): SignatureExtent => ({ entries: 0, records: 0, data: 0 });
  return { published: none(), rebuilt: none() };
}
