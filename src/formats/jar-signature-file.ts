// SPDX-License-Identifier: Apache-2.0
/**
 * Signature files (.SF) with their blocks: which there are, which of them Android ignores, and whether their digests
 * over the manifest hold.
 * https://android.googlesource.com/platform/frameworks/base/+/refs/heads/main/core/java/android/util/jar/StrictJarVerifier.java
 */
import { chosenDigests, type ChosenDigest } from './jar-digests.js';
import type { JarFindings, JarIssueCode } from './jar-issue.js';
import { readManifest, type Manifest, type ManifestSection } from './jar-manifest.js';
import { digestOf, readBlock, type ReadBlock } from './jar-signers.js';
import { LAST_SDK, outside, type SdkRange } from './sdk-range.js';

export const META_INF = 'META-INF/';
const FILE = /\.SF$/;
const BLOCK = /\.(?:RSA|DSA|EC)$/;
const ANY_CASE = /^META-INF\/(?:MANIFEST\.MF|.*\.(?:SF|RSA|DSA|EC))$/is;
const PLACED = /^META-INF\/(?:MANIFEST\.MF|[^/]*\.(?:SF|RSA|DSA|EC))$/;
const MAX_SIGNERS = 10;

/** The decoded content of an entry; a code where it cannot be read. */
export type EntryContent = (entry: number) => Buffer | string;

/** A signature file with its block; both by index of their entries. */
export interface SignatureFile {
  readonly name: string;
  readonly entry: number;
  readonly bytes: Buffer;
  readonly manifest: Manifest;
  readonly blockEntry: number;
  readonly block: ReadBlock | undefined;
  /** Android goes on without it. */
  readonly ignored: boolean;
}

export function readFile(
  content: EntryContent,
  entry: number,
  name: string,
  findings: JarFindings,
): Buffer | undefined {
  const bytes = content(entry);
  if (Buffer.isBuffer(bytes)) return bytes;
  findings.add('v1-file-unread', `${name}: ${bytes}`);
  return undefined;
}

export function remarkLines(manifest: Manifest, name: string, findings: JarFindings): void {
  for (const { offset, message } of manifest.ambiguous)
    findings.add('v1-ambiguous-lines', `${name}: ${message}`, offset);
}

/** Signature files that have a block, by name without extension. */
export function readSignatureFiles(
  content: EntryContent,
  names: readonly string[],
  manifest: Manifest,
  useKeys: boolean,
  findings: JarFindings,
): SignatureFile[] {
  const files = new Map<string, number>();
  const blocks: number[] = [];
  for (const [entry, name] of names.entries()) {
    if (!name.toUpperCase().startsWith(META_INF)) continue;
    // platforms differ in case and in whether directories below META-INF count
    if (ANY_CASE.test(name) && !PLACED.test(name)) findings.add('v1-file-place', JSON.stringify(name));
    if (!name.startsWith(META_INF)) continue;
    if (FILE.test(name)) files.set(name, entry);
    else if (BLOCK.test(name)) blocks.push(entry);
  }
  const used = new Set<string>();
  if (blocks.length > MAX_SIGNERS)
    findings.add('v1-too-many-signers', `${blocks.length} signature blocks, at most ${MAX_SIGNERS}`);
  const signed = blocks.slice(0, MAX_SIGNERS).flatMap((blockEntry): SignatureFile[] => {
    const blockName = names[blockEntry] ?? '';
    const name = blockName.replace(BLOCK, '.SF');
    const entry = files.get(name);
    if (entry === undefined) {
      findings.add('v1-block-without-file', `${blockName}: no ${name}`);
      return [];
    }
    if (used.has(name)) findings.add('v1-several-blocks', `${name}: ${blockName} is one more block`);
    used.add(name);
    const bytes = readFile(content, entry, name, findings);
    const blockBytes = readFile(content, blockEntry, blockName, findings);
    if (bytes === undefined || blockBytes === undefined) return [];
    const block = readBlock(blockBytes, bytes, blockName, useKeys, findings);
    const own = readManifest(bytes);
    remarkLines(own, name, findings);
    const ignored = useKeys && isIgnored(name, own, manifest, findings);
    return [{ name, entry, bytes, manifest: own, blockEntry, block, ignored }];
  });
  if (blocks.length <= MAX_SIGNERS)
    for (const name of files.keys())
      if (!used.has(name)) findings.add('v1-file-without-block', `${name}: no signature block`);
  return signed;
}

/** The platform then takes the file for unsigned, as far as this signer goes. */
function isIgnored(file: string, own: Manifest, manifest: Manifest, findings: JarFindings): boolean {
  const because = (message: string, offset = 0): true => {
    findings.add('v1-file-ignored', `${file}: ${message}`, offset);
    return true;
  };
  if (own.malformed !== undefined) return because(own.malformed.message, own.malformed.offset);
  if (!own.main.attributes.has('signature-version')) return because('no Signature-Version');
  const listed = new Set(manifest.sections.map(({ name }) => name));
  const seen = new Set<string>();
  for (const { name = '', start } of own.sections) {
    if (seen.has(name)) return because(`two sections for ${JSON.stringify(name)}`, start);
    if (!listed.has(name)) return because(`${JSON.stringify(name)} is not in the manifest`, start);
    seen.add(name);
  }
  return false;
}

/** The digests of a signature file over the manifest, and which newer schemes it says are there. */
export function verifySignatureFile(
  { name, manifest: file }: SignatureFile,
  bytes: Buffer,
  manifest: Manifest,
  schemes: ReadonlySet<number>,
  findings: JarFindings,
): void {
  const { main } = file;
  checkStripping(name, main, schemes, findings);
  const bySigntool = main.attributes.get('created-by')?.includes('signtool') === true;
  const ofMain = bySigntool ? [] : chosenDigests(main, '-digest-manifest-main-attributes');
  const ofAll = chosenDigests(main, bySigntool ? '-digest' : '-digest-manifest');
  for (const { algorithm, sdk } of failing(ofMain, bytes.subarray(0, manifest.main.end)))
    findings.add('v1-main-attributes-digest', `${name}: ${algorithm} of the main attributes`, 0, sdk);
  const failed = failing(ofAll, bytes);
  for (const { algorithm, sdk } of failed)
    findings.add('v1-manifest-digest', `${name}: ${algorithm} of the whole manifest`, 0, sdk);
  if ([...ofMain, ...ofAll].some(({ oddlyEncoded }) => oddlyEncoded))
    findings.add('v1-digest-encoding', `${name}: main attributes`);
  // for these versions each section has to hold by itself
  const unproven = outside(ofAll.filter((one) => !failed.includes(one)).map(({ sdk }) => sdk));
  const sections = new Map(manifest.sections.map((section) => [section.name, section]));
  for (const section of file.sections) {
    const described = sections.get(section.name);
    if (described !== undefined)
      verifySection(name, section, sectionBytes(bytes, described, bySigntool), unproven, findings);
  }
}

function failing(chosen: readonly ChosenDigest[], bytes: Buffer): ChosenDigest[] {
  return chosen.filter(({ algorithm, value }) => !digestOf(algorithm, bytes).equals(value));
}

/** `section` of a signature file, about these bytes of the manifest. */
function verifySection(
  file: string,
  section: ManifestSection,
  bytes: Buffer,
  unproven: readonly SdkRange[],
  findings: JarFindings,
): void {
  const chosen = chosenDigests(section, '-digest');
  const say = (code: JarIssueCode, message: string, sdk?: SdkRange): void =>
    findings.add(
      code,
      `${file}: the section for ${JSON.stringify(section.name)}${message}`,
      section.start,
      sdk,
    );
  for (const { algorithm, sdk } of failing(chosen, bytes)) {
    const used = unproven.map((versions) => common(versions, sdk)).filter(({ from, to }) => from <= to);
    for (const versions of used) say('v1-section-digest', `: ${algorithm}`, versions);
    if (used.length === 0) say('v1-unused-section-digest', `: ${algorithm}`, sdk);
  }
  if (chosen.some(({ oddlyEncoded }) => oddlyEncoded)) say('v1-digest-encoding', '');
  for (const versions of unproven)
    if (chosen.length === 0) say('v1-no-section-digest', ': no digest', versions);
    else requireDigest(chosen, versions, findings);
}

/** Of the versions, those that look at none of the digests; said once for all sections. */
export function requireDigest(
  chosen: readonly ChosenDigest[],
  versions: SdkRange,
  findings: JarFindings,
): void {
  for (const gap of outside(chosen.map(({ sdk }) => sdk))) {
    const sdk = common(gap, versions);
    if (sdk.from <= sdk.to) findings.add('v1-unsupported-digest', 'no digest that is looked at', 0, sdk);
  }
}

/** Empty where they have nothing in common: it ends before it begins. */
function common(a: SdkRange, b: SdkRange): SdkRange {
  return { from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) };
}

/** Files of the Mozilla signtool end with one empty line less. */
function sectionBytes(bytes: Buffer, { start, end }: ManifestSection, bySigntool: boolean): Buffer {
  const isLonger = bySigntool && bytes[end - 1] === 0x0a && bytes[end - 2] === 0x0a;
  return bytes.subarray(start, isLonger ? end - 1 : end);
}

/** First version that looks for the scheme. */
const SINCE: ReadonlyMap<string, number> = new Map([
  ['2', 24],
  ['3', 28],
  ['31', 33],
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
    const since = SINCE.get(text);
    if (since === undefined)
      findings.add('v1-unknown-scheme', `${name}: scheme ${JSON.stringify(text.slice(0, 40))}`);
    else if (!schemes.has(Number(text)))
      findings.add('v1-scheme-stripped', `${name}: signed with scheme ${text} as well`, 0, {
        from: since,
        to: LAST_SDK,
      });
  }
}
