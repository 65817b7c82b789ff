// SPDX-License-Identifier: Apache-2.0
/**
 * The JAR signature (APK v1) of one archive: verified, and for each entry that belongs to it whether every byte is
 * verified or follows from what a known tool writes. What a signer could have said by it otherwise stays unread.
 */
import { X509Certificate } from 'node:crypto';
import { BufferSource, type ByteSource } from '../../bytes.js';
import { FormatError } from '../../errors.js';
import { readAndroidManifest } from '../../formats/android-manifest.js';
import { PAIR_ID, readSigningBlock } from '../../formats/apk-signing-block.js';
import type { ChosenDigest } from '../../formats/jar-digests.js';
import { readManifest, type AttributeLine } from '../../formats/jar-manifest.js';
import { JAR_ISSUES, type JarIssue, type JarStatus } from '../../formats/jar-issue.js';
import {
  checkJarSignature,
  MANIFEST_NAME,
  readJarSignature,
  type JarReading,
  type JarSigner,
} from '../../formats/jar-signature.js';
import { checkJarText } from '../../formats/jar-text.js';
import type { AppVersions } from '../../formats/sdk-verdicts.js';
import type { ZipStructure } from '../../formats/zip.js';
import { digestContents, type ContentDigests } from '../decode/digest-pool.js';
import type { DigestJob } from '../decode/digest-entry.js';
import { arePlacedByTool, matchHeaders, newestTime } from './jar-headers.js';
import { isPackedByTool, signatureContent, type SignatureContent } from './jar-content.js';

export interface JarLimits {
  /** Decoded bytes of one entry, and of all together. */
  readonly memberBytes: number;
  readonly decodedBytes: number;
}

/** A check under way: contents are digested meanwhile. */
export interface OpenJarCheck {
  readonly source: ByteSource;
  readonly zip: ZipStructure;
  readonly reading: JarReading;
  readonly contents: ReadonlyMap<number, SignatureContent>;
  readonly digests: ContentDigests;
}

export interface JarCheck {
  /** Over all versions of Android. */
  readonly status: JarStatus;
  /** The versions that the file is for: some of them may look at newer signatures only. */
  readonly app: AppVersions;
  readonly signers: readonly JarSigner[];
  readonly issues: readonly JarIssue[];
  /** Entries that belong to signatures, all of whose bytes are verified or known but for what `free` issues name. */
  readonly owned: ReadonlySet<number>;
  /** Bytes of `owned` hold a bounded value of the signer's choice. */
  readonly free: boolean;
  /** Each certificate is signed by its own key. */
  readonly selfSigned: boolean;
  readonly reading: JarReading;
}

/** Of each signature file: enough for a hundred thousand entries. */
const SIGNATURE_LIMIT = 16 << 20;

export function openJarCheck(source: ByteSource, zip: ZipStructure, limits: JarLimits): OpenJarCheck {
  const contents = new Map<number, SignatureContent>();
  let digests: ContentDigests | undefined;
  const reading = readJarSignature({
    entries: zip.entries,
    content(index) {
      const entry = zip.entries[index];
      if (entry === undefined) return 'no-entry';
      const content = signatureContent(source, entry, SIGNATURE_LIMIT);
      if (typeof content === 'string') return content;
      contents.set(index, content);
      return content.bytes;
    },
    head: Buffer.from(source.read(0, Math.min(8, source.size))),
    schemes: schemesOf(source, zip),
    onDigests(wanted) {
      digests = digestContents(source, jobsOf(wanted, zip, limits));
    },
  });
  digests ??= digestContents(source, []);
  return { source, zip, reading, contents, digests };
}

function jobsOf(
  digests: JarReading['digests'],
  zip: ZipStructure,
  { memberBytes, decodedBytes }: JarLimits,
): DigestJob[] {
  const jobs: DigestJob[] = [];
  let room = decodedBytes;
  for (const [index, chosen] of digests) {
    const entry = zip.entries[index];
    if (entry === undefined || (entry.flags & 1) !== 0) continue;
    if (entry.size > memberBytes || entry.size > room) continue;
    room -= entry.size;
    jobs.push({
      entry: index,
      offset: entry.dataOffset,
      length: entry.compressedSize,
      size: entry.size,
      method: entry.method,
      algorithms: algorithmsOf(chosen),
    });
  }
  return jobs;
}

function algorithmsOf(chosen: readonly ChosenDigest[]): string[] {
  return [...new Set(chosen.map(({ algorithm }) => algorithm))];
}

/** 2, 3 and 31 by the pairs of the signing block; whether they hold is asked elsewhere. */
function schemesOf(source: ByteSource, zip: ZipStructure): Set<number> {
  try {
    const pairs = readSigningBlock(source, zip.centralDirectory.offset)?.pairs ?? [];
    const ids = new Set(pairs.map(({ id }) => id));
    return new Set([
      ...(ids.has(PAIR_ID.v2) ? [2] : []),
      ...(ids.has(PAIR_ID.v3) ? [3] : []),
      ...(ids.has(PAIR_ID.v31) ? [31] : []),
    ]);
  } catch (error) {
    if (error instanceof FormatError) return new Set();
    throw error;
  }
}

/** `rebuilt`: the archive that should become this one by signing. */
export async function finishJarCheck(
  open: OpenJarCheck,
  rebuilt?: { readonly source: ByteSource; readonly zip: ZipStructure },
): Promise<JarCheck> {
  const { source, zip, reading, contents } = open;
  const given = rebuilt === undefined ? undefined : mainAttributesOf(rebuilt.source, rebuilt.zip);
  checkJarText(reading, {
    orders: [reading.names, ...(rebuilt === undefined ? [] : [namesOf(rebuilt.zip)])],
    ...(given === undefined ? {} : { mainAttributes: given }),
  });
  const belonging = entriesOf(reading);
  await checkRecords(source, zip, reading, belonging, contents);
  // as late as possible: until here other threads had them to themselves
  const digests = await open.digests.result();
  const { status, signers, issues } = checkJarSignature(reading, (entry, algorithm) => {
    const found = digests.get(entry);
    if (found === undefined) return zip.entries[entry] === undefined ? 'no-entry' : 'not-decoded';
    if (typeof found === 'string') return found;
    const at = algorithmsOf(reading.digests.get(entry) ?? []).indexOf(algorithm);
    return Buffer.from(found[at] ?? '', 'hex');
  });
  const effects = new Set(issues.map(({ code }) => JAR_ISSUES[code].effect));
  return {
    status,
    app: versionsOf(source, zip),
    signers,
    issues,
    owned: status === 'verified' && !effects.has('loose') ? belonging : new Set(),
    free: effects.has('free'),
    selfSigned: reading.files.every(({ block }) =>
      (block?.signers ?? []).every(({ certificate }) => isSelfSigned(certificate.encoded)),
    ),
    reading: given === undefined ? reading : { ...reading, givenAttributes: given },
  };
}

/** OpenSSL refuses some certificates that Android takes: those are nobody's word either. */
function isSelfSigned(encoded: Buffer): boolean {
  try {
    const certificate = new X509Certificate(encoded);
    return certificate.verify(certificate.publicKey);
  } catch {
    return false;
  }
}

function entriesOf({ manifestEntry, files }: JarReading): Set<number> {
  const belonging = new Set<number>(manifestEntry === -1 ? [] : [manifestEntry]);
  for (const { entry, blockEntry, ignored } of files) if (!ignored) belonging.add(entry).add(blockEntry);
  return belonging;
}

async function checkRecords(
  source: ByteSource,
  zip: ZipStructure,
  { names, findings }: JarReading,
  belonging: ReadonlySet<number>,
  contents: ReadonlyMap<number, SignatureContent>,
): Promise<void> {
  const newest = newestTime(
    source,
    zip.entries.filter((_, index) => !belonging.has(index)),
  );
  if (!arePlacedByTool(zip, belonging))
    findings.add('v1-entry-place', 'signature files lie elsewhere than at the beginning or at the end');
  for (const index of belonging) {
    const entry = zip.entries[index];
    const name = names[index] ?? '';
    if (entry === undefined) continue;
    const match = matchHeaders(source, entry, newest);
    if (match === undefined)
      findings.add('v1-entry-header', `${name}: fields of no known tool`, entry.localOffset);
    else if (match.freeTime)
      findings.add('v1-entry-time', `${name}: a time like any other`, entry.localOffset);
    const content = contents.get(index);
    if (content === undefined || !(await isPackedByTool(content)))
      findings.add('v1-entry-packing', `${name}: packed by no known encoder`, entry.dataOffset);
  }
}

function namesOf(zip: ZipStructure): string[] {
  return zip.entries.map(({ rawName }) => rawName.toString('utf8'));
}

function mainAttributesOf(source: ByteSource, zip: ZipStructure): readonly AttributeLine[] | undefined {
  const entry = zip.entries.find(({ rawName }) => rawName.toString('latin1') === MANIFEST_NAME);
  const content = entry === undefined ? 'no-entry' : signatureContent(source, entry, SIGNATURE_LIMIT);
  return typeof content === 'string' ? undefined : readManifest(content.bytes).main.lines;
}

const MAX_MANIFEST = 16 << 20;

/** What is not a number that was read counts as not stated. */
function versionsOf(source: ByteSource, zip: ZipStructure): AppVersions {
  const entry = zip.entries.find(({ rawName }) => rawName.toString('latin1') === 'AndroidManifest.xml');
  const content = entry === undefined ? 'no-entry' : signatureContent(source, entry, MAX_MANIFEST);
  if (typeof content === 'string') return {};
  try {
    const { minSdk, targetSdk } = readAndroidManifest(new BufferSource(content.bytes));
    return {
      ...(minSdk?.kind === 'integer' ? { minSdk: minSdk.value } : {}),
      ...(targetSdk?.kind === 'integer' ? { targetSdk: targetSdk.value } : {}),
    };
  } catch (error) {
    if (error instanceof FormatError) return {};
    throw error;
  }
}
