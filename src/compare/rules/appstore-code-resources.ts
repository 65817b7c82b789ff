// SPDX-License-Identifier: Apache-2.0
/**
 * `CodeResources` on both sides: each is right for its own bundle, has the same rules, and is the one text that holds
 * its values. It then says nothing that the files beside it do not say.
 */
import { createHash } from 'node:crypto';
import { BufferSource, SliceSource, type ByteSource } from '../../bytes.js';
import { checkCodeResources, type SealedBundle } from '../../formats/code-resources-check.js';
import { readCodeResources, type CodeResources } from '../../formats/code-resources.js';
import { isFat, readFat } from '../../formats/macho-fat.js';
import { isThin, readMachO, type MachOFile } from '../../formats/macho.js';
import { equalPlists } from '../../formats/plist-difference.js';
import { plistAt, plistString, readPlist } from '../../formats/plist.js';
import { writeXmlPlist } from '../../formats/plist-xml-writer.js';
import type { ZipEntry, ZipStructure } from '../../formats/zip.js';
import { isPlainRecord, zipEntryContent } from '../zip/entry-content.js';
import { entriesIn, isBundle } from './bundle-beside.js';
import { unlessMalformed } from './malformed.js';
import type { Rule } from './rule.js';

const LIMIT = 16 << 20;
const LIST = /_CodeSignature\/CodeResources$/;
const NAME =
  /^Payload\/[^/]+\.app\/(?:(?:[^/]+\/)*[^/]+\.(?:app|appex|framework|bundle)\/)?_CodeSignature\/CodeResources$/;

export const appstoreCodeResources: Rule = {
  class: 'store-edit',
  title: 'List of resources under another signature',
  reason:
    'whoever signs writes the digests of all files of the bundle, and a build that nobody signed has none; each digest is that of the file beside it, the rules are the same where both sides have some, and the text has no room for anything else',
  reference:
    'https://github.com/apple-oss-distributions/Security/blob/main/OSX/libsecurity_codesigning/lib/resources.cpp',
  // signing adds it: a build that nobody signed has none
  coversAlone: (source, entry, _, zip) =>
    entry.size <= LIMIT &&
    NAME.test(entry.rawName.toString('latin1')) &&
    isPlainRecord(source, entry) &&
    isBundle(zip, entry.rawName.toString('latin1').replace(LIST, '')) &&
    unlessMalformed(() => {
      const content = zipEntryContent(source, entry, LIMIT);
      const resources = content && readWhole(content);
      const directory = entry.rawName.toString('utf8').replace(LIST, '');
      return resources !== undefined && isRight(resources, bundleIn({ source, zip }, directory));
    }),
  content: {
    name: NAME,
    limit: LIMIT,
    leavesOut: 'content',
    covers: (published, rebuilt, archives) =>
      archives !== undefined &&
      unlessMalformed(() => {
        const [p, r] = [readWhole(published), readWhole(rebuilt)];
        if (p === undefined || r === undefined || !sameRules(p, r)) return false;
        const directory = archives.name.replace(LIST, '');
        return (
          isRight(p, bundleIn(archives.published, directory)) &&
          isRight(r, bundleIn(archives.rebuilt, directory))
        );
      }),
  },
};

/** Only what codesign writes for these values. @throws FormatError */
function readWhole(bytes: Buffer): CodeResources | undefined {
  const resources = readCodeResources(new BufferSource(bytes));
  const isWhole =
    resources.plist.form === 'xml' &&
    resources.issues.length === 0 &&
    writeXmlPlist(resources.plist.root)?.equals(bytes) === true;
  return isWhole ? resources : undefined;
}

function sameRules({ plist: p }: CodeResources, { plist: r }: CodeResources): boolean {
  return ['rules', 'rules2'].every((key) => {
    const [a, b] = [plistAt(p.root, key), plistAt(r.root, key)];
    return a === undefined || b === undefined ? a === b : equalPlists(a, b);
  });
}

/** What the App Store adds when it encrypts comes after the signature. */
const ADDED_LATER = /(?:^|\/)SC_Info\/[^/]+$/;

/**
 * Digests are those of the file as it is delivered. Who decrypts a program writes it anew, so that its digest cannot hold;
 * the program itself is compared all the same.
 */
function isRight(resources: CodeResources, bundle: SealedFiles): boolean {
  const { issues, absent } = checkCodeResources(resources, bundle);
  // a seal of a file that is not there could say anything
  if (absent.length > 0) return false;
  return issues.every(
    ({ code, path }) =>
      (code === 'file-unsealed' && ADDED_LATER.test(path)) ||
      (code === 'digest-mismatch' && bundle.isDecryptable(path)),
  );
}

interface SealedFiles extends SealedBundle {
  /** A program with a range that can be encrypted, and is not. */
  readonly isDecryptable: (path: string) => boolean;
}

const MAX_FILE = 512 << 20;
const SYMBOLIC_LINK = 0o120000;
const FILE_TYPE = 0o170000;
const MADE_ON_UNIX = 3;

interface Archive {
  readonly source: ByteSource;
  readonly zip: ZipStructure;
}

/** The files of a directory of the archive; directories by themselves are not sealed. */
function bundleIn({ source, zip }: Archive, directory: string): SealedFiles {
  const entries = new Map<string, ZipEntry | undefined>();
  for (const entry of entriesIn(zip, Buffer.from(directory).toString('latin1'))) {
    const path = entry.rawName.toString('utf8').slice(directory.length);
    if (path.endsWith('/')) continue;
    // of two entries with a name nobody knows which one is meant
    entries.set(path, entries.has(path) ? undefined : entry);
  }
  const content = (path: string): Buffer | undefined => {
    const entry = entries.get(path);
    return entry === undefined ? undefined : zipEntryContent(source, entry, MAX_FILE);
  };
  const executable = executableOf(content('Info.plist'));
  return {
    files: [...entries].map(([path, entry]) => {
      const link = entry !== undefined && isLink(entry) ? content(path)?.toString('utf8') : undefined;
      return link === undefined ? { path } : { path, link };
    }),
    ...(executable === undefined ? {} : { executable }),
    digest: (path, algorithm) => {
      const bytes = content(path);
      return bytes === undefined ? undefined : createHash(algorithm).update(bytes).digest();
    },
    isDecryptable: (path) => {
      const bytes = content(path);
      return bytes !== undefined && slicesOf(bytes).some((slice) => isPlain(readMachO(slice)));
    },
  };
}

/** @throws FormatError */
function slicesOf(bytes: Buffer): readonly ByteSource[] {
  const [source, head] = [new BufferSource(bytes), bytes.subarray(0, 16)];
  if (isThin(head)) return [source];
  if (!isFat(head)) return [];
  const inside = readFat(source).slices.map(({ offset, size }) => new SliceSource(source, offset, size));
  return inside.filter((slice) => isThin(slice.read(0, Math.min(16, slice.size))));
}

function isPlain({ encryption }: MachOFile): boolean {
  return encryption !== undefined && encryption.size > 0 && encryption.id === 0;
}

function isLink({ versionMadeBy, externalAttributes }: ZipEntry): boolean {
  return versionMadeBy >>> 8 === MADE_ON_UNIX && ((externalAttributes >>> 16) & FILE_TYPE) === SYMBOLIC_LINK;
}

/** @throws FormatError */
function executableOf(info: Buffer | undefined): string | undefined {
  return info === undefined
    ? undefined
    : plistString(readPlist(new BufferSource(info)).root, 'CFBundleExecutable');
}
