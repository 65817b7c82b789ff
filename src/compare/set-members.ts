// SPDX-License-Identifier: Apache-2.0
/**
 * The files of one side of a set: those of a directory, and those inside of `.apks`, `.xapk` and `.apkm` archives, which
 * are ZIP files. Nothing is extracted: a stored member is a slice of its archive, a deflated one is spilled to a file of
 * this process that has no name of the archive's.
 * https://developer.android.com/tools/bundletool#deploy_with_bundletool
 */
import { BufferSource, FileSource, SliceSource, type ByteSource } from '../bytes.js';
import { FormatError, UsageError } from '../errors.js';
import { readAndroidManifest, type AndroidManifest } from '../formats/android-manifest.js';
import type { AxmlValue } from '../formats/axml.js';
import { readBundletoolToc, type BundletoolToc } from '../formats/bundletool-toc.js';
import { readZip, type ZipEntry, type ZipStructure } from '../formats/zip.js';
import { printableBytes } from '../printable.js';
import { archiveAmbiguity, type ArchiveAmbiguity } from './archive-ambiguity.js';
import { isArchiveOfApks } from './archive-kind.js';
import { readDeviceSpecification, type DeviceSpecification } from './device-specification.js';
import { composeVersionCode } from './identity.js';
import { entryContent, heldContent } from './one-file.js';
import type { Side } from './types.js';
import type { Walk } from './walk.js';
import { zipContainer } from './zip/zip-container.js';

export interface SetFile {
  readonly name: string;
  /** Where it lies on this machine; never enters a result. */
  readonly path: string;
}

/** What the manifest of an APK says of its place in a set. */
export interface SplitFacts {
  readonly package: string;
  readonly versionCode: string;
  /** Empty: the base, or an APK that is whole by itself. */
  readonly split: string;
  /** The feature that a configuration split belongs to; empty: the base. */
  readonly configForSplit: string;
  readonly minSdk: number;
  /** It cannot be installed without other splits. */
  readonly needsSplits: boolean;
}

export interface SetMember {
  readonly name: string;
  /** Path in its archive, or in the directory that was handed over: what a table of contents names. */
  readonly entry: string;
  readonly source: ByteSource;
  /** Of an APK whose manifest was read. */
  readonly facts?: SplitFacts;
  /** Why its content could not be had; `source` is what the archive holds then. */
  readonly unread?: string;
  /** By which codes an installer may take something else: nobody's twin. */
  readonly ambiguous?: string;
}

export interface OpenedSet {
  readonly members: readonly SetMember[];
  /** Wrapper files that are no part of the app. */
  readonly metadata: readonly string[];
  readonly toc?: BundletoolToc;
  readonly device?: DeviceSpecification;
  /** Archives among the files. */
  readonly archives: readonly string[];
}

/** At the root of an archive or a directory, by full name. */
const METADATA = [
  'toc.pb',
  'manifest.json',
  'info.json',
  'icon.png',
  'device.json',
  'meta.sai_v1.json',
  'meta.sai_v2.json',
];
const TOC = 'toc.pb';
const DEVICE = 'device.json';
const MANIFEST = Buffer.from('AndroidManifest.xml');
const MAX_MANIFEST = 8 << 20;
const MAX_METADATA = 8 << 20;
const MAX_MEMBERS = 10_000;

/** Opens what was handed over; `close` it. */
export class SetOpener {
  readonly #walk: Walk;
  readonly #open: { close(): void }[] = [];

  /** `walk`: for what must be spilled. */
  constructor(walk: Walk) {
    this.#walk = walk;
  }

  /**
   * A table of contents is believed of the rebuilt side alone, a device of the directory that a person pulled into.
   * @throws UsageError `damaged-archive`, `too-many-members`, `bad-device`
   * @throws FailedHere `unreadable-input`, `disk-full`
   */
  async open(side: Side, files: readonly SetFile[]): Promise<OpenedSet> {
    const members: SetMember[] = [];
    const metadata: string[] = [];
    const archives: string[] = [];
    const tocs: BundletoolToc[] = [];
    let device: DeviceSpecification | undefined;
    for (const file of files) {
      const source = FileSource.open(file.path);
      this.#open.push(source);
      const zip = archiveOf(source);
      if (zip !== undefined) {
        archives.push(file.name);
        const prefix = files.length === 1 ? '' : `${file.name}/`;
        // ours is what our own tool wrote
        const ambiguity = side === 'published' ? archiveAmbiguity(source, zip) : undefined;
        for (const { offset, size, codes } of ambiguity?.hidden ?? []) {
          const name = `${prefix}bytes ${offset} to ${offset + size}`;
          members.push({
            name,
            entry: name,
            source: new SliceSource(source, offset, size),
            ambiguous: codes,
          });
        }
        for (const { entry, path, again } of entriesOf(zip, file.name, ambiguity)) {
          const name = `${prefix}${path}${again === 0 ? '' : ` (${again + 1})`}`;
          const ambiguous = ambiguity?.entries.get(entry);
          if (ambiguous !== undefined) members.push({ ...rawMember(name, path, source, entry), ambiguous });
          else if (!METADATA.includes(path) || again > 0)
            members.push(await this.#inArchive(name, path, source, entry));
          else {
            metadata.push(name);
            if (side === 'rebuilt' && path === TOC)
              tocs.push(tocOf(await this.#held(source, entry, name), name));
          }
        }
      } else if (METADATA.includes(file.name) && source.size <= MAX_METADATA) {
        metadata.push(file.name);
        const bytes = Buffer.from(source.read(0, source.size));
        if (side === 'rebuilt' && file.name === TOC) tocs.push(tocOf(bytes, file.name));
        if (file.name === DEVICE) device = readDeviceSpecification(bytes.toString('utf8'), file.name);
      } else members.push(await this.#member(file.name, file.name, source));
      if (members.length > MAX_MEMBERS)
        throw new UsageError('too-many-members', `more than ${MAX_MEMBERS} files in one set`);
    }
    const [toc, second] = tocs;
    if (second !== undefined)
      throw new UsageError('second-toc', 'two tables of contents on the rebuilt side', {
        hint: 'hand over one archive of bundletool',
      });
    return {
      members,
      metadata,
      archives,
      ...(toc === undefined ? {} : { toc }),
      ...(device === undefined ? {} : { device }),
    };
  }

  close(): void {
    for (const one of this.#open.toReversed()) one.close();
    this.#open.length = 0;
  }

  async #held(archive: ByteSource, record: ZipEntry, name: string): Promise<Buffer> {
    const bytes = await heldContent(entryContent(this.#walk, archive, record, MAX_METADATA));
    if (typeof bytes === 'string') throw damaged(`${name} does not decode: ${bytes}`);
    return bytes;
  }

  async #inArchive(name: string, entry: string, archive: ByteSource, record: ZipEntry): Promise<SetMember> {
    const content = await entryContent(this.#walk, archive, record, this.#walk.options.limits.memberBytes);
    if (content.kind === 'unread')
      return { ...rawMember(name, entry, archive, record), unread: content.code };
    this.#open.push(content);
    return await this.#member(name, entry, content.source);
  }

  async #member(name: string, entry: string, source: ByteSource): Promise<SetMember> {
    const facts = await this.#factsOf(source);
    return { name, entry, source, ...(facts === undefined ? {} : { facts }) };
  }

  async #factsOf(source: ByteSource): Promise<SplitFacts | undefined> {
    if (!zipContainer.recognizes(source)) return undefined;
    try {
      const [first, second] = readZip(source).entries.filter(({ rawName }) => rawName.equals(MANIFEST));
      if (first === undefined || second !== undefined) return undefined;
      const bytes = await heldContent(entryContent(this.#walk, source, first, MAX_MANIFEST));
      return typeof bytes === 'string' ? undefined : splitFacts(readAndroidManifest(new BufferSource(bytes)));
    } catch (error) {
      if (error instanceof FormatError) return undefined;
      throw error;
    }
  }
}

function splitFacts(manifest: AndroidManifest): SplitFacts {
  const integer = (value: AxmlValue | undefined): number => (value?.kind === 'integer' ? value.value : 0);
  const required = manifest.requiredSplitTypes;
  return {
    package: manifest.package,
    versionCode: composeVersionCode(manifest),
    split: manifest.split ?? '',
    configForSplit: manifest.configForSplit ?? '',
    minSdk: integer(manifest.minSdk),
    needsSplits:
      (required?.kind === 'string' && required.value !== '') || integer(manifest.isSplitRequired) !== 0,
  };
}

function archiveOf(source: ByteSource): ZipStructure | undefined {
  if (!zipContainer.recognizes(source)) return undefined;
  try {
    const zip = readZip(source);
    return isArchiveOfApks(zip) ? zip : undefined;
  } catch (error) {
    // whoever compares it says what is wrong with it
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

interface ArchiveEntry {
  readonly entry: ZipEntry;
  readonly path: string;
  /** How many of that name come before it. */
  readonly again: number;
}

/** As it lies in its archive. */
function rawMember(name: string, entry: string, archive: ByteSource, record: ZipEntry): SetMember {
  return { name, entry, source: new SliceSource(archive, record.dataOffset, record.compressedSize) };
}

/** Without directories, unless somebody may take one for a file. */
function entriesOf(
  zip: ZipStructure,
  archive: string,
  ambiguity: ArchiveAmbiguity | undefined,
): ArchiveEntry[] {
  if (zip.entries.length > MAX_MEMBERS)
    throw new UsageError(
      'too-many-members',
      `${archive} has ${zip.entries.length} entries, at most ${MAX_MEMBERS} are read`,
    );
  const seen = new Map<string, number>();
  return zip.entries
    .filter((one) => one.size > 0 || one.rawName.at(-1) !== 0x2f || ambiguity?.entries.has(one) === true)
    .map((entry) => {
      const path = printableBytes(entry.rawName);
      const again = seen.get(path) ?? 0;
      seen.set(path, again + 1);
      return { entry, path, again };
    });
}

function tocOf(bytes: Buffer, name: string): BundletoolToc {
  try {
    return readBundletoolToc(new BufferSource(bytes));
  } catch (error) {
    if (error instanceof FormatError)
      throw damaged(`${name} is no table of contents: ${error.code}, offset ${error.offset}`);
    throw error;
  }
}

function damaged(message: string): UsageError {
  return new UsageError('damaged-archive', message, {
    hint: 'get the archive again, or hand over a directory with its APKs',
  });
}
