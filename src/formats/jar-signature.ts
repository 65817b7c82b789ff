// SPDX-License-Identifier: Apache-2.0
/**
 * JAR signing (APK v1), verified by the rules of Android: MANIFEST.MF lists entries with digests, signature files list
 * sections of it with digests, blocks sign signature files. In two steps, since the contents of all entries are asked for
 * in between: `readJarSignature` tells which digests are wanted, `checkJarSignature` what they mean.
 * https://docs.oracle.com/en/java/javase/17/docs/specs/jar/jar.html#signed-jar-file
 * https://android.googlesource.com/platform/frameworks/base/+/refs/heads/main/core/java/android/util/jar/StrictJarVerifier.java
 */
import { chosenDigests, type ChosenDigest, type DigestSuffix, type JarDigest } from './jar-digests.js';
import { JAR_ISSUES, JarFindings, type JarIssue, type JarIssueCode, type JarStatus } from './jar-issue.js';
import { readManifest, type AttributeLine, type Manifest, type ManifestSection } from './jar-manifest.js';
import { digestOf, readBlock, type BlockSigner, type ReadBlock } from './jar-signers.js';
import { EVERY_SDK, LAST_SDK, outside, type SdkRange } from './sdk-range.js';

export const MANIFEST_NAME = 'META-INF/MANIFEST.MF';
const META_INF = 'META-INF/';
const FILE = /\.SF$/;
const BLOCK = /\.(?:RSA|DSA|EC)$/;
const ANY_CASE = /^META-INF\/(?:MANIFEST\.MF|.*\.(?:SF|RSA|DSA|EC))$/is;
const MAX_SIGNERS = 10;

export interface JarArchive {
  /** In directory order. */
  readonly entries: readonly { readonly rawName: Buffer }[];
  /** The decoded content of a signature file; a code where it cannot be read. */
  readonly content: (entry: number) => Buffer | string;
  /** The first bytes of the archive. */
  readonly head: Buffer;
  /** Schemes of the signing block: 2, 3, 31. */
  readonly schemes: ReadonlySet<number>;
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

/** A signature file with its block; both by index of their entries. */
export interface SignatureFile {
  readonly name: string;
  readonly entry: number;
  readonly bytes: Buffer;
  readonly manifest: Manifest;
  readonly blockEntry: number;
  readonly blockBytes: Buffer;
  readonly block: ReadBlock | undefined;
  /** Android goes on without it. */
  readonly ignored: boolean;
}

export interface JarReading {
  readonly archive: JarArchive;
  readonly names: readonly string[];
  readonly manifestEntry: number;
  readonly manifestBytes: Buffer;
  readonly manifest: Manifest;
  readonly files: readonly SignatureFile[];
  /** Digests of contents that `checkJarSignature` asks for. */
  readonly wanted: ReadonlyMap<number, ReadonlySet<JarDigest>>;
  readonly findings: JarFindings;
  /** Main attributes of the manifest of the file that was signed, if that is at hand. */
  readonly givenAttributes?: readonly AttributeLine[];
}

export interface JarSignatureCheck {
  /**
   * Over every version of Android: `verified` if everything holds wherever it can be used, `unsupported` if no version
   * can use it. `jarStatusRanges(issues)` tells version by version.
   */
  readonly status: JarStatus;
  readonly signers: readonly JarSigner[];
  readonly issues: readonly JarIssue[];
}

/** Of an archive without any signature file: it is not signed in this way. */
export function isJarSigned(entries: JarArchive['entries']): boolean {
  return entries.some(({ rawName }) => /^META-INF\/.*\.SF$/is.test(rawName.toString('latin1')));
}

/** Everything but the contents of entries. `useKeys: false`: of our own file, which nobody has to have signed. */
export function readJarSignature(archive: JarArchive, useKeys = true): JarReading {
  const findings = new JarFindings();
  const names = readNames(archive, findings);
  const manifestEntry = names.indexOf(MANIFEST_NAME);
  const manifestBytes =
    manifestEntry === -1 ? undefined : readFile(archive, manifestEntry, MANIFEST_NAME, findings);
  const manifest = readManifest(manifestBytes ?? Buffer.alloc(0));
  if (manifestEntry === -1) findings.add('v1-no-manifest', 'no META-INF/MANIFEST.MF');
  remark(manifest, MANIFEST_NAME, findings);
  if (manifest.malformed !== undefined)
    findings.add(
      'v1-manifest-malformed',
      `${MANIFEST_NAME}: ${manifest.malformed.message}`,
      manifest.malformed.offset,
    );
  if (manifest.emptyLineAtEnd)
    findings.add(
      'v1-ambiguous-lines',
      `${MANIFEST_NAME}: an empty line at the end`,
      manifestBytes?.length ?? 0,
    );
  const files = pairFiles(archive, names, useKeys, findings);
  const reading = {
    archive,
    names,
    manifestEntry,
    manifestBytes: manifestBytes ?? Buffer.alloc(0),
    manifest,
    files: files.map((file) => ({ ...file, ignored: useKeys && isIgnored(file, manifest, findings) })),
    findings,
  };
  if (archive.head.toString('latin1', 0, 4) === 'dex\n')
    findings.add('v1-starts-with-dex', 'the file begins with the magic of a DEX file');
  if (useKeys)
    for (const file of reading.files)
      if (!file.ignored) verifyFile(file, reading.manifestBytes, manifest, archive.schemes, findings);
  return { ...reading, wanted: useKeys ? wantedDigests(names, manifest) : new Map() };
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
    const shown = JSON.stringify(name.slice(0, 200));
    if (/[\0\r\n]/.test(name)) findings.add('v1-name-control-character', `entry ${shown}`);
    if (seen.has(name)) findings.add('v1-duplicate-entry', `entry ${shown} occurs again`);
    seen.add(name);
    return name;
  });
}

function readFile(
  archive: JarArchive,
  entry: number,
  name: string,
  findings: JarFindings,
): Buffer | undefined {
  const content = archive.content(entry);
  if (Buffer.isBuffer(content)) return content;
  findings.add('v1-file-unread', `${name}: ${content}`);
  return undefined;
}

function remark(manifest: Manifest, name: string, findings: JarFindings): void {
  for (const { offset, message } of manifest.ambiguous)
    findings.add('v1-ambiguous-lines', `${name}: ${message}`, offset);
}

/** Signature files and their blocks, by name without extension. */
function pairFiles(
  archive: JarArchive,
  names: readonly string[],
  useKeys: boolean,
  findings: JarFindings,
): SignatureFile[] {
  const files = new Map<string, number>();
  const blocks: number[] = [];
  for (const [entry, name] of names.entries()) {
    if (
      ANY_CASE.test(name) &&
      (name.includes('/', META_INF.length) ||
        !/^META-INF\/(?:MANIFEST\.MF|.*\.(?:SF|RSA|DSA|EC))$/s.test(name))
    )
      findings.add('v1-file-place', `${JSON.stringify(name)}: not META-INF/<name>.SF and the like`);
    if (!name.startsWith(META_INF)) continue;
    if (FILE.test(name)) files.set(name, entry);
    else if (BLOCK.test(name)) blocks.push(entry);
  }
  const signed: SignatureFile[] = [];
  const used = new Set<string>();
  for (const blockEntry of blocks) {
    const blockName = names[blockEntry] ?? '';
    const name = blockName.replace(BLOCK, '.SF');
    const entry = files.get(name);
    if (entry === undefined) {
      findings.add('v1-block-without-file', `${blockName}: no ${name}`);
      continue;
    }
    if (used.has(name)) findings.add('v1-several-blocks', `${name}: ${blockName} is one more block`);
    used.add(name);
    const bytes = readFile(archive, entry, name, findings);
    const blockBytes = readFile(archive, blockEntry, blockName, findings);
    if (bytes === undefined || blockBytes === undefined) continue;
    const block = readBlock(blockBytes, bytes, blockName, useKeys, findings);
    const manifest = readManifest(bytes);
    remark(manifest, name, findings);
    signed.push({ name, entry, bytes, manifest, blockEntry, blockBytes, block, ignored: false });
  }
  for (const name of files.keys())
    if (!used.has(name)) findings.add('v1-file-without-block', `${name}: no signature block`);
  if (signed.length > MAX_SIGNERS)
    findings.add('v1-too-many-signers', `${signed.length} signers, at most ${MAX_SIGNERS}`);
  return signed;
}

/** The platform then takes the file for unsigned, as far as this signer goes. */
function isIgnored(file: SignatureFile, manifest: Manifest, findings: JarFindings): boolean {
  const because = (message: string, offset = 0): true => {
    findings.add('v1-file-ignored', `${file.name}: ${message}`, offset);
    return true;
  };
  if (file.manifest.malformed !== undefined)
    return because(file.manifest.malformed.message, file.manifest.malformed.offset);
  if (!file.manifest.main.attributes.has('signature-version')) return because('no Signature-Version');
  const seen = new Set<string>();
  for (const { name = '', start } of file.manifest.sections) {
    if (seen.has(name)) return because(`two sections for ${JSON.stringify(name)}`, start);
    seen.add(name);
  }
  const listed = new Set(manifest.sections.map(({ name }) => name));
  const unknown = file.manifest.sections.find(({ name }) => !listed.has(name));
  return unknown === undefined
    ? false
    : because(`${JSON.stringify(unknown.name)} is not in the manifest`, unknown.start);
}

/** The digests of a signature file over the manifest, and which newer schemes it says are there. */
function verifyFile(
  { name, manifest: file }: SignatureFile,
  bytes: Buffer,
  manifest: Manifest,
  schemes: ReadonlySet<number>,
  findings: JarFindings,
): void {
  const { main } = file;
  checkStripping(name, main, schemes, findings);
  const bySigntool = main.attributes.get('created-by')?.includes('signtool') === true;
  const whole = bySigntool ? '-digest' : '-digest-manifest';
  if (!bySigntool)
    for (const failed of failing(
      main,
      '-digest-manifest-main-attributes',
      bytes.subarray(0, manifest.main.end),
    ))
      findings.add(
        'v1-main-attributes-digest',
        `${name}: ${failed.algorithm} of the main attributes`,
        0,
        failed.sdk,
      );
  for (const failed of failing(main, whole, bytes))
    findings.add('v1-manifest-digest', `${name}: ${failed.algorithm} of the whole manifest`, 0, failed.sdk);
  for (const { oddlyEncoded } of [
    ...chosenDigests(main, whole),
    ...chosenDigests(main, '-digest-manifest-main-attributes'),
  ])
    if (oddlyEncoded) findings.add('v1-digest-encoding', `${name}: main attributes`);
  // for these versions each section has to hold by itself
  const unproven = outside(holding(main, whole, bytes));
  const sections = new Map(manifest.sections.map((section) => [section.name, section]));
  for (const section of file.sections) {
    const described = sections.get(section.name);
    if (described === undefined) continue;
    const what = `${name}: the section for ${JSON.stringify(section.name)}`;
    const range = sectionBytes(bytes, described, bySigntool);
    for (const { algorithm, sdk } of failing(section, '-digest', range)) {
      const used = unproven.map((versions) => common(versions, sdk)).filter(({ from, to }) => from <= to);
      for (const versions of used)
        findings.add('v1-section-digest', `${what}: ${algorithm}`, section.start, versions);
      if (used.length === 0)
        findings.add('v1-unused-section-digest', `${what}: ${algorithm}`, section.start, sdk);
    }
    const chosen = chosenDigests(section, '-digest');
    if (chosen.some(({ oddlyEncoded }) => oddlyEncoded))
      findings.add('v1-digest-encoding', what, section.start);
    for (const versions of unproven)
      requireDigest(section, chosen.length > 0, versions, what, 'v1-no-section-digest', findings);
  }
}

function failing(section: ManifestSection, suffix: DigestSuffix, bytes: Buffer): ChosenDigest[] {
  return chosenDigests(section, suffix).filter(
    ({ algorithm, value }) => !digestOf(algorithm, bytes).equals(value),
  );
}

/** The versions for which the digest holds. */
function holding(section: ManifestSection, suffix: DigestSuffix, bytes: Buffer): SdkRange[] {
  return chosenDigests(section, suffix)
    .filter(({ algorithm, value }) => digestOf(algorithm, bytes).equals(value))
    .map(({ sdk }) => sdk);
}

/** Empty where they have nothing in common: it ends before it begins. */
function common(a: SdkRange, b: SdkRange): SdkRange {
  return { from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) };
}

/** No digest at all, or none that these versions look at. */
function requireDigest(
  section: ManifestSection,
  found: boolean,
  within: SdkRange,
  what: string,
  none: JarIssueCode,
  findings: JarFindings,
): void {
  if (!found) findings.add(none, `${what}: no digest`, section.start, within);
  else
    for (const { from, to } of outside(chosenDigests(section, '-digest').map(({ sdk }) => sdk))) {
      const sdk = common({ from, to }, within);
      // said once for all sections
      if (sdk.from <= sdk.to) findings.add('v1-unsupported-digest', 'no digest that is looked at', 0, sdk);
    }
}

/** Files of the Mozilla signtool end with one empty line less. */
function sectionBytes(bytes: Buffer, { start, end }: ManifestSection, bySigntool: boolean): Buffer {
  const range = bytes.subarray(start, end);
  return bySigntool && range.toString('latin1', range.length - 2) === '\n\n'
    ? range.subarray(0, range.length - 1)
    : range;
}

/** First version that looks for the scheme. */
const SINCE: ReadonlyMap<number, number> = new Map([
  [2, 24],
  [3, 28],
  [31, 33],
]);

/** `X-Android-APK-Signed`: schemes whose signatures must not have been taken away. */
function checkStripping(
  name: string,
  main: ManifestSection,
  schemes: ReadonlySet<number>,
  findings: JarFindings,
): void {
  const attribute = main.attributes.get('x-android-apk-signed');
  if (attribute === undefined) {
    if (schemes.size > 0)
      findings.add('v1-no-stripping-protection', `${name}: no X-Android-APK-Signed beside newer signatures`);
    return;
  }
  for (const text of attribute.split(',').map((part) => part.trim())) {
    const since = SINCE.get(Number(text));
    if (!/^[0-9]+$/.test(text) || since === undefined)
      findings.add('v1-unknown-scheme', `${name}: scheme ${JSON.stringify(text)}`);
    else if (!schemes.has(Number(text)))
      findings.add('v1-scheme-stripped', `${name}: signed with scheme ${text} as well`, 0, {
        from: since,
        to: LAST_SDK,
      });
  }
}

/** Every entry that Android verifies, and those of META-INF that the manifest lists although it does not. */
function wantedDigests(names: readonly string[], manifest: Manifest): Map<number, Set<JarDigest>> {
  const sections = new Map(manifest.sections.map((section) => [section.name, section]));
  const wanted = new Map<number, Set<JarDigest>>();
  for (const [entry, name] of names.entries()) {
    const section = sections.get(name);
    if (section === undefined) continue;
    wanted.set(entry, new Set(chosenDigests(section, '-digest').map(({ algorithm }) => algorithm)));
  }
  return wanted;
}

export function isCovered(name: string): boolean {
  return !name.startsWith(META_INF) && !name.endsWith('/');
}

/** `digest`: of an entry's content; a code where it cannot be read. */
export function checkJarSignature(
  reading: JarReading,
  digest: (entry: number, algorithm: JarDigest) => Buffer | string,
): JarSignatureCheck {
  const { names, manifest, findings } = reading;
  const files = reading.files.filter(({ ignored }) => !ignored);
  if (files.length === 0) findings.add('v1-no-signer', 'no signature file is signed');
  checkSections(names, manifest, findings);
  const sections = new Map(manifest.sections.map((section) => [section.name, section]));
  const lists = files.map((file) => new Set(file.manifest.sections.map(({ name }) => name)));
  let first: { readonly name: string; readonly by: string } | undefined;
  for (const [entry, name] of names.entries()) {
    const section = sections.get(name);
    const shown = JSON.stringify(name);
    if (!isCovered(name)) {
      if (section !== undefined) checkEntry(entry, section, digest, 'v1-meta-inf-digest', findings);
      if (!name.endsWith('/') && !isSignatureFile(reading, entry))
        findings.add('v1-unprotected-entry', `${shown} is not protected`);
      continue;
    }
    if (section === undefined) {
      findings.add('v1-entry-not-listed', `${shown} is not in the manifest`);
      continue;
    }
    const by = lists.flatMap((list, file) => (list.has(name) ? [file] : [])).join();
    if (by === '') findings.add('v1-entry-not-signed', `${shown} is in no signature file`, section.start);
    else if (first === undefined) first = { name, by };
    else if (first.by !== by)
      findings.add(
        'v1-entry-signers-differ',
        `${shown} is signed by others than ${JSON.stringify(first.name)}`,
        section.start,
      );
    if (checkEntry(entry, section, digest, 'v1-entry-digest', findings) === 0)
      findings.add('v1-no-entry-digest', `${shown} has no digest`, section.start);
    else requireDigest(section, true, EVERY_SDK, shown, 'v1-no-entry-digest', findings);
  }
  if (first === undefined) findings.add('v1-no-signed-entry', 'no entry is signed');
  return conclude(files, findings);
}

/** How many digests there were. */
function checkEntry(
  entry: number,
  section: ManifestSection,
  digest: (entry: number, algorithm: JarDigest) => Buffer | string,
  code: JarIssueCode,
  findings: JarFindings,
): number {
  const chosen = chosenDigests(section, '-digest');
  for (const { algorithm, value, oddlyEncoded, sdk } of chosen) {
    const shown = JSON.stringify(section.name);
    if (oddlyEncoded) findings.add('v1-digest-encoding', `${MANIFEST_NAME}: ${shown}`, section.start);
    const actual = digest(entry, algorithm);
    if (typeof actual === 'string')
      findings.add('v1-entry-unread', `${shown}: ${actual}`, section.start, sdk);
    else if (!actual.equals(value))
      findings.add(
        code,
        `${shown}: ${algorithm} is ${actual.toString('hex')}, listed is ${value.toString('hex')}`,
        section.start,
        sdk,
      );
  }
  return chosen.length;
}

function checkSections(names: readonly string[], manifest: Manifest, findings: JarFindings): void {
  const there = new Set(names);
  const seen = new Set<string | undefined>();
  for (const { name, start } of manifest.sections) {
    const shown = JSON.stringify(name);
    if (seen.has(name))
      findings.add('v1-duplicate-section', `${MANIFEST_NAME}: two sections for ${shown}`, start);
    if (name !== undefined && !there.has(name))
      findings.add('v1-missing-entry', `${MANIFEST_NAME}: ${shown} is not in the archive`, start);
    seen.add(name);
  }
}

function isSignatureFile({ manifestEntry, files }: JarReading, entry: number): boolean {
  return entry === manifestEntry || files.some((file) => file.entry === entry || file.blockEntry === entry);
}

function conclude(files: readonly SignatureFile[], findings: JarFindings): JarSignatureCheck {
  const signers = files.flatMap(({ block }) => block?.signers ?? []).map(signerOf);
  if (new Set(signers.map(({ certificateSha256 }) => certificateSha256)).size > 1)
    findings.add('v1-several-signers', `${signers.length} signers`);
  const issues = findings.list();
  const everywhere = (effect: string): boolean =>
    outside(issues.filter(({ code }) => JAR_ISSUES[code].effect === effect).map(({ sdk }) => sdk)).length ===
    0;
  const status: JarStatus = findings.has('invalid')
    ? 'invalid'
    : everywhere('unsupported')
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
