// SPDX-License-Identifier: Apache-2.0
/**
 * A small JAR that carries data and is worth what its one signer is worth: every entry signed, by digests that still hold.
 * The JAR signature is read by what reads those of APKs.
 * https://docs.oracle.com/en/java/javase/17/docs/specs/jar/jar.html#signed-jar-file
 */
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import { chosenDigests, type DigestSuffix } from './jar-digests.js';
import { JAR_ISSUES } from './jar-issue.js';
import type { Manifest, ManifestSection } from './jar-manifest.js';
import { checkJarSignature, readJarSignature, type JarReading } from './jar-signature.js';
import { digestOf } from './jar-signers.js';
import { LAST_SDK } from './sdk-range.js';
import { smallEntries } from './small-entry.js';
import { readZip } from './zip.js';

export interface SignedJar {
  /** Of the certificate whose key signed all of it. */
  readonly certificateSha256: string;
  /** The signed content of an entry. */
  content(name: string): Buffer | undefined;
}

const MAX_ENTRIES = 64;
/** Unpacked, all together: values of whoever wrote the directory of the archive. */
const MAX_BYTES = 16 << 20;
const WEAK: ReadonlySet<string> = new Set(['md5', 'sha1']);

function fail(code: string, message: string, offset = 0): never {
  throw new FormatError('signed-jar', code, offset, message);
}

/** @throws FormatError `signed-jar/…`, or what reading the ZIP throws */
export function readSignedJar(source: ByteSource): SignedJar {
  const zip = readZip(source);
  const size = zip.entries.reduce((sum, entry) => sum + entry.size, 0);
  if (zip.entries.length > MAX_ENTRIES || size > MAX_BYTES)
    fail(
      'too-large',
      `${zip.entries.length} entries of ${size} bytes, at most ${MAX_ENTRIES} of ${MAX_BYTES} are read`,
    );
  const contentOf = smallEntries(source);
  const content = (index: number): Buffer | string =>
    contentOf(zip.entries[index]?.rawName.toString('latin1') ?? '') ?? 'unread';
  const reading = readJarSignature({
    entries: zip.entries,
    content,
    head: Buffer.from(source.read(0, Math.min(8, source.size))),
    schemes: new Set(),
  });
  if (reading.files.length === 0) fail('unsigned', 'no signature file with a signature block');
  const check = checkJarSignature(reading, (entry, algorithm) => {
    const bytes = content(entry);
    return typeof bytes === 'string' ? bytes : digestOf(algorithm, bytes);
  });
  // all that is neither signed nor part of the signature could say anything
  const [unsigned] = check.issues.filter(({ code }) => code === 'v1-unprotected-entry');
  if (unsigned !== undefined) fail('unprotected-entry', unsigned.message, unsigned.offset);
  if (check.status !== 'verified') {
    const [issue] = check.issues;
    if (issue === undefined) fail('signature', check.status);
    fail('signature', `${issue.code}: ${JAR_ISSUES[issue.code].text} (${issue.message})`, issue.offset);
  }
  assertStrong(reading);
  const certificates = new Set(check.signers.map(({ certificateSha256 }) => certificateSha256));
  const [certificateSha256] = certificates;
  if (certificateSha256 === undefined || certificates.size !== 1)
    fail('several-signers', `${certificates.size} certificates, expected one`);
  const listed = new Set(reading.manifest.sections.map(({ name }) => name));
  return {
    certificateSha256,
    content: (name) => (listed.has(name) ? contentOf(Buffer.from(name).toString('latin1')) : undefined),
  };
}

/** What a Java of today looks at must not rest on MD5 or SHA-1. */
function assertStrong({ manifest, files }: JarReading): void {
  assertDigests('the manifest', manifest.sections, '-digest');
  for (const { name, manifest: own, block } of files) {
    assertDigests(name, allOf(own), '-digest');
    assertDigests(name, [own.main], '-digest-manifest');
    for (const { digest, algorithm } of block?.data.signers ?? [])
      for (const used of [digest, algorithm?.digest])
        if (used !== undefined && WEAK.has(used)) fail('weak-digest', `${name} is signed with ${used}`);
  }
}

const allOf = ({ main, sections }: Manifest): readonly ManifestSection[] => [main, ...sections];

function assertDigests(where: string, sections: readonly ManifestSection[], suffix: DigestSuffix): void {
  for (const section of sections)
    for (const { algorithm, sdk } of chosenDigests(section, suffix))
      if (sdk.to === LAST_SDK && WEAK.has(algorithm))
        fail(
          'weak-digest',
          `${where}: ${algorithm} for ${JSON.stringify(section.name?.slice(0, 80))}`,
          section.start,
        );
}
