// SPDX-License-Identifier: Apache-2.0
/**
 * Whether the texts of a JAR signature are what a known tool writes for these entries, to the byte. Digests are verified
 * elsewhere; what is left to say in such a text is looked at here: values of attributes, orders, line breaks, and for
 * which entries there are sections. Written by apksigner (and AGP, which uses the same library), signapk, and jarsigner
 * of Java 8 and later.
 * https://android.googlesource.com/platform/tools/apksig/+/refs/heads/main/src/main/java/com/android/apksig/internal/jar/ManifestWriter.java
 * https://github.com/openjdk/jdk/blob/master/src/java.base/share/classes/java/util/jar/Manifest.java
 */
import { DATA_OID } from './cms.js';
import type { JarFindings, JarIssueCode } from './jar-issue.js';
import type { AttributeLine, Manifest } from './jar-manifest.js';
import type { SignatureFile } from './jar-signature-file.js';
import { isCovered, MANIFEST_NAME, type JarReading } from './jar-signature.js';
import { hashOrder, sortedByJava } from './java-order.js';

/** What follows from the rebuilt file. */
export interface JarExpectation {
  /** The main attributes of its own manifest, which signing tools take over. */
  readonly mainAttributes?: readonly AttributeLine[];
  /** Names of entries in the orders that a tool may have met them. */
  readonly orders: readonly (readonly string[])[];
}

const VERSION: ReadonlySet<string> = new Set(['manifest-version', 'signature-version']);
/** Bytes of a line without its end: apksig and Java until 10, Java from 11 on. */
const WIDTHS = [70, 72] as const;
const DIGEST_NAMES: ReadonlySet<string> = new Set([
  'SHA1-Digest',
  'SHA-256-Digest',
  'SHA-384-Digest',
  'SHA-512-Digest',
]);

const JAVA_VENDORS = [
  'Oracle Corporation',
  'Sun Microsystems Inc.',
  'Debian',
  'Ubuntu',
  'Private Build',
  'Eclipse Adoptium',
  'Eclipse Foundation',
  'AdoptOpenJDK',
  'Amazon.com Inc.',
  'Azul Systems, Inc.',
  'BellSoft',
  'GraalVM Community',
  'Homebrew',
  'JetBrains s.r.o',
  'JetBrains s.r.o.',
  'Microsoft',
  'Red Hat, Inc.',
  'SAP SE',
  'Arch Linux',
  'Alpine',
  'N/A',
];
/** Versions that are numbers: nothing but their few digits can be chosen. */
const JAVA = /^(?:1\.[6-8]\.0(?:_[0-9]{1,3})?|(?:9|[12][0-9])(?:\.[0-9]{1,2}){0,3}) \((.+)\)$/;
const GRADLE = /^Android Gradle (?:[1-9]|1[0-9])\.[0-9]{1,2}\.[0-9]$/;

function isCreator(value: string): boolean {
  if (value === '1.0 (Android)' || value === '1.0 (Android SignApk)' || GRADLE.test(value)) return true;
  const vendor = JAVA.exec(value)?.[1];
  return vendor !== undefined && JAVA_VENDORS.includes(vendor);
}

const MANIFEST_VALUES: ReadonlyMap<string, (value: string) => boolean> = new Map([
  ['Manifest-Version', (value: string): boolean => value === '1.0'],
  ['Created-By', isCreator],
  ['Built-By', (value: string): boolean => value === 'Signflinger' || value === 'Generated-by-ADT'],
]);
const FILE_VALUES: ReadonlyMap<string, (value: string) => boolean> = new Map([
  ['Signature-Version', (value: string): boolean => value === '1.0'],
  ['Created-By', isCreator],
  ['X-Android-APK-Signed', (value: string): boolean => /^(?:2|3|2, 3|2, 3, 31|3, 31)$/.test(value)],
]);

/** Adds `loose` findings for whatever no known tool writes. Of a reading whose digests are verified. */
export function checkJarText(reading: JarReading, expected: JarExpectation): void {
  const { manifest, manifestBytes, findings } = reading;
  const say = (code: JarIssueCode, message: string): void => findings.add(code, message);
  const algorithm = digestName(manifest);
  if (algorithm === undefined) say('v1-digest-algorithms', `${MANIFEST_NAME}: not one digest for each entry`);
  const given = expected.mainAttributes;
  checkMain(MANIFEST_NAME, manifest.main.lines, MANIFEST_VALUES, given ?? [], findings);
  if (!isRendered(manifest, manifestBytes)) say('v1-lines', `${MANIFEST_NAME}: lines are broken otherwise`);
  checkSet(reading);
  const names = sectionNames(manifest);
  const orders = [sortedByJava(names), ...expected.orders.map((order) => hashOrder(kept(order, names)))];
  if (!orders.some((order) => isSame(order, names)))
    say('v1-section-order', `${MANIFEST_NAME}: the order of sections is no known tool's`);
  const certificates = reading.files.flatMap(({ block }) => block?.data.certificates ?? []);
  if (new Set(certificates.map((certificate) => certificate.toString('latin1'))).size < certificates.length)
    say('v1-signer-again', 'two signature files are signed with one certificate');
  for (const file of reading.files) {
    checkFile(file, names, findings);
    checkSchemes(file, reading.archive.schemes, findings);
  }
}

function checkFile(file: SignatureFile, names: readonly string[], findings: JarFindings): void {
  const say = (code: JarIssueCode, message: string): void => findings.add(code, `${file.name}: ${message}`);
  const { manifest, bytes } = file;
  if (!/^META-INF\/[0-9A-Z_-]{1,8}\.SF$/.test(file.name))
    say('v1-signer-name', 'another name than a known tool gives');
  if (file.block !== undefined && file.block.data.contentType !== DATA_OID)
    say('v1-content-type', `content of type ${file.block.data.contentType}`);
  const algorithm = manifest.sections.length === 0 ? onlyMainDigest(manifest) : digestName(manifest);
  if (algorithm === undefined) say('v1-digest-algorithms', 'not one digest for each section');
  const digests = ['-Manifest', '-Manifest-Main-Attributes'].map((suffix) => `${algorithm ?? ''}${suffix}`);
  const lines = manifest.main.lines.filter(([name]) => !digests.includes(name));
  checkMain(file.name, lines, FILE_VALUES, [], findings, manifest.main.lines);
  if (!isRendered(manifest, bytes)) say('v1-lines', 'lines are broken otherwise');
  if (!isSame(sectionNames(manifest), names)) say('v1-section-set', 'other sections than the manifest has');
}

/** Whoever signs with newer schemes and names one of them names them all; 3.1 is part of 3 for some versions of apksigner. */
function checkSchemes(
  { name, manifest }: SignatureFile,
  schemes: ReadonlySet<number>,
  findings: JarFindings,
): void {
  const value = manifest.main.attributes.get('x-android-apk-signed');
  if (value === undefined) return;
  const named = new Set(value.split(', ').map(Number));
  if ([2, 3].some((scheme) => schemes.has(scheme) && !named.has(scheme)))
    findings.add('v1-attribute', `${name}: X-Android-APK-Signed: ${JSON.stringify(value.slice(0, 40))}`);
}

function sectionNames(manifest: Manifest): string[] {
  return manifest.sections.map(({ name = '' }) => name);
}

/** The attribute that is all that each section has. */
function digestName({ sections }: Manifest): string | undefined {
  const [first] = sections;
  const name = first?.lines[1]?.[0];
  if (name === undefined || !DIGEST_NAMES.has(name)) return undefined;
  return sections.every(
    ({ lines }) => lines.length === 2 && lines[0]?.[0] === 'Name' && lines[1]?.[0] === name,
  )
    ? name
    : undefined;
}

function onlyMainDigest({ main }: Manifest): string | undefined {
  return [...DIGEST_NAMES].find((name) => main.lines.some(([line]) => line === `${name}-Manifest`));
}

/** Values from the table, or as the rebuilt file has them, in an order that follows from the names. */
function checkMain(
  where: string,
  lines: readonly AttributeLine[],
  values: typeof MANIFEST_VALUES,
  given: readonly AttributeLine[],
  findings: JarFindings,
  all: readonly AttributeLine[] = lines,
): void {
  for (const [name, value] of lines)
    if (values.get(name)?.(value) !== true && !given.some((line) => line[0] === name && line[1] === value))
      findings.add('v1-attribute', `${where}: ${name}: ${JSON.stringify(value.slice(0, 200))}`);
  const [version, ...rest] = all.map(([name]) => name);
  const lower = (name: string): string => name.toLowerCase();
  const orders = [
    sortedByJava(rest),
    hashOrder(sortedByJava([version ?? '', ...rest]), lower).filter((name) => name !== version),
  ];
  if (!VERSION.has(lower(version ?? '')) || !orders.some((order) => isSame(order, rest)))
    findings.add(
      'v1-attribute-order',
      `${where}: ${all
        .map(([name]) => name)
        .join(', ')
        .slice(0, 400)}`,
    );
}

/** Each entry has a section that a tool gives one: all that apksigner lists, or only what Android verifies. */
function checkSet({ names, manifest, findings }: JarReading): void {
  const listed = new Set(sectionNames(manifest));
  const beside = names.filter((name) => !isCovered(name));
  const wanted = beside.filter(isListedByTools);
  const others = beside.filter((name) => listed.has(name));
  const isAll = others.length === wanted.length && wanted.every((name) => listed.has(name));
  if (!isAll && others.length > 0)
    findings.add(
      'v1-section-set',
      `${MANIFEST_NAME}: ${others.length} sections for entries in META-INF, expected ${wanted.length}`,
    );
}

/** In META-INF all but what belongs to signatures (V1SchemeSigner.isJarEntryDigestNeededInManifest). */
function isListedByTools(name: string): boolean {
  if (name.endsWith('/')) return false;
  const file = name.slice('META-INF/'.length).toLowerCase();
  return file.includes('/') || !/^manifest\.mf$|^sig-|\.(?:sf|rsa|dsa|ec)$/s.test(file);
}

function kept(order: readonly string[], names: readonly string[]): string[] {
  const set = new Set(names);
  return order.filter((name) => set.has(name));
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index]);
}

/** The bytes are what its attributes and sections give when they are written again. */
function isRendered(manifest: Manifest, bytes: Buffer): boolean {
  return WIDTHS.some((width) => {
    const parts = [manifest.main, ...manifest.sections].map(({ lines }) => renderSection(lines, width));
    // apksigner lets no signature file be a multiple of 1,024 bytes long, which Android 1.6 could not read
    if (manifest.emptyLineAtEnd && bytes.length % 1024 === 2) parts.push(EMPTY_LINE);
    const rendered = Buffer.concat(parts);
    return rendered.equals(bytes);
  });
}

const EMPTY_LINE = Buffer.from('\r\n');

function renderSection(lines: readonly AttributeLine[], width: number): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of lines) {
    const line = Buffer.from(`${name}: ${value}`);
    parts.push(line.subarray(0, width));
    for (let at = width; at < line.length; at += width - 1)
      parts.push(Buffer.from('\r\n '), line.subarray(at, at + width - 1));
    parts.push(EMPTY_LINE);
  }
  parts.push(EMPTY_LINE);
  return Buffer.concat(parts);
}
