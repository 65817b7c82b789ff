// SPDX-License-Identifier: Apache-2.0
/**
 * JAR signing (APK v1), verified by the rules of Android: MANIFEST.MF lists entries with digests, signature files list
 * sections of it with digests, blocks sign signature files. In two steps, since the contents of all entries are asked for
 * in between: `readJarSignature` tells which digests are wanted, `checkJarSignature` what they mean.
 * https://docs.oracle.com/en/java/javase/17/docs/specs/jar/jar.html#signed-jar-file
 * https://android.googlesource.com/platform/frameworks/base/+/refs/heads/main/core/java/android/util/apk/ApkSignatureVerifier.java
 */
import { chosenDigests, type ChosenDigest, type JarDigest } from './jar-digests.js';
import { JAR_ISSUES, JarFindings, type JarIssue, type JarIssueCode, type JarStatus } from './jar-issue.js';
import { readManifest, type AttributeLine, type Manifest } from './jar-manifest.js';
import {
  META_INF,
  readFile,
  readSignatureFiles,
  remarkLines,
  requireDigest,
  verifySignatureFile,
  type EntryContent,
  type SignatureFile,
} from './jar-signature-file.js';
import type { BlockSigner } from './jar-signers.js';
import { EVERY_SDK, LAST_SDK, outside } from './sdk-range.js';

export const MANIFEST_NAME = 'META-INF/MANIFEST.MF';

export interface JarArchive {
  /** In directory order. */
  readonly entries: readonly { readonly rawName: Buffer }[];
  /** Of the entries of a signature. */
  readonly content: EntryContent;
  /** The first bytes of the archive. */
  readonly head: Buffer;
  /** Schemes of the signing block: 2, 3, 31. */
  readonly schemes: ReadonlySet<number>;
  /** Told as soon as it is known which digests of contents will be asked for: they take longer than anything else. */
  readonly onDigests?: (digests: JarReading['digests']) => void;
}

export interface JarSigner {
  readonly scheme: 'v1';
  readonly certificateSha256: string;
  readonly subject: string;
  readonly keyType: string;
  readonly keyBits: number;
  readonly minSdk?: number;
  readonly maxSdk?: number;
}

export interface JarReading {
  readonly archive: JarArchive;
  readonly names: readonly string[];
  /** -1: none. */
  readonly manifestEntry: number;
  readonly manifestBytes: Buffer;
  readonly manifest: Manifest;
  readonly files: readonly SignatureFile[];
  /** Per section of the manifest: the digests of contents that `checkJarSignature` asks for, by entry. */
  readonly digests: ReadonlyMap<number, readonly ChosenDigest[]>;
  readonly findings: JarFindings;
  /** Main attributes of the manifest of the file that was signed, if that is at hand. */
  readonly givenAttributes?: readonly AttributeLine[];
}

export interface JarSignatureCheck {
  /**
   * Over every version of Android: `verified` if everything holds wherever it can be used, `unsupported` if no version
   * can use it. `jarStatusAt(issues, sdk)` tells version by version.
   */
  readonly status: JarStatus;
  readonly signers: readonly JarSigner[];
  readonly issues: readonly JarIssue[];
}

/** Everything but the contents of entries. `useKeys: false`: of our own file, which nobody has to have signed. */
export function readJarSignature(archive: JarArchive, useKeys = true): JarReading {
  const findings = new JarFindings();
  const names = readNames(archive, findings);
  const manifestEntry = names.indexOf(MANIFEST_NAME);
  if (manifestEntry === -1) findings.add('v1-no-manifest', `no ${MANIFEST_NAME}`);
  const manifestBytes =
    (manifestEntry === -1 ? undefined : readFile(archive.content, manifestEntry, MANIFEST_NAME, findings)) ??
    Buffer.alloc(0);
  const manifest = readManifest(manifestBytes);
  remarkLines(manifest, MANIFEST_NAME, findings);
  if (manifest.malformed !== undefined) {
    const { message, offset } = manifest.malformed;
    findings.add('v1-manifest-malformed', `${MANIFEST_NAME}: ${message}`, offset);
  }
  // part of the last section or of none
  if (manifest.emptyLineAtEnd)
    findings.add('v1-ambiguous-lines', `${MANIFEST_NAME}: an empty line at the end`, manifestBytes.length);
  const digests = useKeys ? digestsByEntry(names, manifest) : new Map<number, ChosenDigest[]>();
  archive.onDigests?.(digests);
  const files = readSignatureFiles(archive.content, names, manifest, useKeys, findings);
  if (archive.head.toString('latin1', 0, 4) === 'dex\n')
    findings.add('v1-starts-with-dex', 'the file begins with the magic of a DEX file');
  if (useKeys)
    for (const file of files)
      if (!file.ignored) verifySignatureFile(file, manifestBytes, manifest, archive.schemes, findings);
  return { archive, names, manifestEntry, manifestBytes, manifest, files, digests, findings };
}

function readNames({ entries }: JarArchive, findings: JarFindings): string[] {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const seen = new Set<string>();
  return entries.map(({ rawName }) => {
    let name: string;
    try {
      name = decoder.decode(rawName);
    } catch {
      findings.add('v1-entry-name', `entry name ${rawName.toString('hex').slice(0, 128)}`);
      return '';
    }
    if (/[\0\r\n]/.test(name)) findings.add('v1-name-control-character', shown(name));
    if (seen.has(name)) findings.add('v1-duplicate-entry', `${shown(name)} occurs again`);
    seen.add(name);
    return name;
  });
}

function shown(name: string | undefined): string {
  return JSON.stringify(name?.slice(0, 200));
}

/** Of every entry that the manifest lists, also of those in META-INF, which Android does not verify. */
function digestsByEntry(names: readonly string[], manifest: Manifest): Map<number, ChosenDigest[]> {
  const sections = new Map(manifest.sections.map((section) => [section.name, section]));
  const digests = new Map<number, ChosenDigest[]>();
  for (const [entry, name] of names.entries()) {
    const section = sections.get(name);
    if (section !== undefined) digests.set(entry, chosenDigests(section, '-digest'));
  }
  return digests;
}

/** Whether Android verifies an entry of this name. */
export function isCovered(name: string): boolean {
  return !name.startsWith(META_INF) && !name.endsWith('/');
}

/** Of an entry's content; a code where it cannot be read. */
export type ContentDigest = (entry: number, algorithm: JarDigest) => Buffer | string;

export function checkJarSignature(reading: JarReading, digest: ContentDigest): JarSignatureCheck {
  const { names, manifest, digests, findings } = reading;
  const files = reading.files.filter(({ ignored }) => !ignored);
  if (files.length === 0) findings.add('v1-no-signer', 'no signature file is signed');
  checkSections(names, manifest, findings);
  const lists = files.map((file) => new Set(file.manifest.sections.map(({ name }) => name)));
  let first: { readonly name: string; readonly by: string } | undefined;
  for (const [entry, name] of names.entries()) {
    const chosen = digests.get(entry);
    if (!isCovered(name)) {
      if (chosen !== undefined) checkEntry(entry, name, chosen, digest, 'v1-meta-inf-digest', findings);
      if (!name.endsWith('/') && !isOfSignature(reading, entry))
        findings.add('v1-unprotected-entry', `${shown(name)} is not protected`);
      continue;
    }
    if (chosen === undefined) {
      findings.add('v1-entry-not-listed', `${shown(name)} is not in the manifest`);
      continue;
    }
    const by = lists.flatMap((list, file) => (list.has(name) ? [file] : [])).join();
    if (by === '') findings.add('v1-entry-not-signed', `${shown(name)} is in no signature file`);
    else if (first === undefined) first = { name, by };
    else if (first.by !== by)
      findings.add('v1-entry-signers-differ', `${shown(name)} is signed by others than ${shown(first.name)}`);
    checkEntry(entry, name, chosen, digest, 'v1-entry-digest', findings);
    if (chosen.length === 0) findings.add('v1-no-entry-digest', `${shown(name)} has no digest`);
    else requireDigest(chosen, EVERY_SDK, findings);
  }
  if (first === undefined) findings.add('v1-no-signed-entry', 'no entry is signed');
  return conclude(files, findings);
}

function checkEntry(
  entry: number,
  name: string,
  chosen: readonly ChosenDigest[],
  digest: ContentDigest,
  code: JarIssueCode,
  findings: JarFindings,
): void {
  for (const { algorithm, value, oddlyEncoded, sdk } of chosen) {
    if (oddlyEncoded) findings.add('v1-digest-encoding', `${MANIFEST_NAME}: ${shown(name)}`);
    const actual = digest(entry, algorithm);
    if (typeof actual === 'string') findings.add('v1-entry-unread', `${shown(name)}: ${actual}`, 0, sdk);
    else if (!actual.equals(value))
      findings.add(
        code,
        `${shown(name)}: ${algorithm} is ${actual.toString('hex')}, listed is ${value.toString('hex').slice(0, 128)}`,
        0,
        sdk,
      );
  }
}

function checkSections(names: readonly string[], manifest: Manifest, findings: JarFindings): void {
  const there = new Set(names);
  const seen = new Set<string | undefined>();
  for (const { name, start } of manifest.sections) {
    if (seen.has(name))
      findings.add('v1-duplicate-section', `${MANIFEST_NAME}: two sections for ${shown(name)}`, start);
    if (name !== undefined && !there.has(name))
      findings.add('v1-missing-entry', `${MANIFEST_NAME}: ${shown(name)} is not in the archive`, start);
    seen.add(name);
  }
}

function isOfSignature({ manifestEntry, files }: JarReading, entry: number): boolean {
  return entry === manifestEntry || files.some((file) => file.entry === entry || file.blockEntry === entry);
}

function conclude(files: readonly SignatureFile[], findings: JarFindings): JarSignatureCheck {
  const signers = files.flatMap(({ block }) => block?.signers ?? []).map(signerOf);
  if (new Set(signers.map(({ certificateSha256 }) => certificateSha256)).size > 1)
    findings.add('v1-several-signers', `${signers.length} signers`);
  const issues = findings.list();
  const unsupported = issues.filter(({ code }) => JAR_ISSUES[code].effect === 'unsupported');
  const status: JarStatus = findings.has('invalid')
    ? 'invalid'
    : outside(unsupported.map(({ sdk }) => sdk)).length === 0
      ? 'unsupported'
      : findings.has('open')
        ? 'unchecked'
        : 'verified';
  return { status, signers, issues };
}

function signerOf({ certificate, sdk }: BlockSigner): JarSigner {
  return {
    scheme: 'v1',
    certificateSha256: certificate.sha256,
    subject: certificate.subject,
    keyType: certificate.keyType,
    keyBits: certificate.keyBits,
    ...(sdk.from === EVERY_SDK.from ? {} : { minSdk: sdk.from }),
    ...(sdk.to === LAST_SDK ? {} : { maxSdk: sdk.to }),
  };
}
