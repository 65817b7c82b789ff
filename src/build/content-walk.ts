// SPDX-License-Identifier: Apache-2.0
/**
 * Every content there is in a file: itself, the members of an archive, and theirs. What cannot be looked into is told and
 * never passed over. Contents are attacker-controlled: bounded depth, sizes and counts; nothing is extracted under its name.
 */
import { createHash, hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { BufferSource, FileSource, sha256, SliceSource, type ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import { readAr } from '../formats/ar.js';
import { detectSignature, type FormatId } from '../formats/detect.js';
import { TarReader } from '../formats/tar.js';
import { readZip, type ZipEntry } from '../formats/zip.js';
import type { Sha256 } from '../model.js';
import { printableBytes } from '../printable.js';
import { interruptedBy, unpackStream, type Packing } from './unpack-stream.js';

export interface Content<T> {
  /** Archives before it and its name in the last of them, joined by `!/`. */
  readonly place: string;
  readonly source: ByteSource;
  readonly sha256: Sha256;
  /** `text` is not told from `unknown`. */
  readonly format: FormatId;
  /** Place of the archive that it is a member of. */
  readonly archive: string | undefined;
  /** What `visit` returned for that archive. */
  readonly parent: T | undefined;
}

export interface Visitor<T> {
  visit(content: Content<T>): T;
  /** An archive, or a member of one, whose content is unknown; `reason` is a code. */
  unopened(place: string, reason: string): void;
}

export interface WalkLimits {
  /** Archives within archives; a packed tar is two. */
  readonly depth: number;
  /** Of one packed stream, unpacked. */
  readonly memberBytes: number;
  /** Of all packed streams together. */
  readonly totalBytes: number;
  /** Members of archives in all. */
  readonly members: number;
}

export const WALK_LIMITS: WalkLimits = {
  depth: 12,
  memberBytes: 2 ** 30,
  totalBytes: 2 ** 33,
  members: 1_000_000,
};

export interface WalkOptions {
  readonly temporaryDirectory: string;
  readonly limits?: Partial<WalkLimits>;
  readonly signal?: AbortSignal;
}

/** What holds other files and has no reader here: told as such. Magic numbers as in the `file` program's list. */
const CLOSED: readonly (readonly [magic: string, name: string])[] = [
  ['7z\xbc\xaf\x27\x1c', '7z'],
  ['\xed\xab\xee\xdb', 'rpm'],
  ['070701', 'cpio'],
  ['070702', 'cpio'],
  ['070707', 'cpio'],
  ['hsqs', 'squashfs'],
  ['Rar!\x1a\x07', 'rar'],
  ['MSCF\0\0\0\0', 'cab'],
  ['xar!', 'xar'],
  ['LZIP\x01', 'lzip'],
  ['\x04\x22\x4d\x18', 'lz4'],
  ['\x89LZO\0', 'lzop'],
  ['\x1f\x9d', 'compress'],
  ['PACK\0\0\0\x02', 'git-pack'],
  ['\xda\xda\xfe\xca', 'jimage'],
  ['\x3a\xff\x26\xed', 'android-sparse'],
  ['Cr24', 'crx'],
  ['!<thin>\n', 'thin-ar'],
];
/** A JDK's `.jmod`: a ZIP archive behind four bytes. */
const JMOD = 'JM\x01\0';
const SMALL = 1 << 20;
/** So that a signal, a timer or a progress line gets its turn. */
const TURN_MS = 50;

export class ContentWalk<T> {
  readonly #visitor: Visitor<T>;
  readonly #options: WalkOptions;
  readonly #limits: WalkLimits;
  #bytesLeft: number;
  #membersLeft: number;
  #turn = performance.now();

  constructor(visitor: Visitor<T>, options: WalkOptions) {
    this.#visitor = visitor;
    this.#options = options;
    this.#limits = { ...WALK_LIMITS, ...options.limits };
    this.#bytesLeft = this.#limits.totalBytes;
    this.#membersLeft = this.#limits.members;
  }

  /** `place` may depend on the content. */
  async open(source: ByteSource, place: string | ((digest: Sha256) => string)): Promise<Sha256> {
    return await this.#content(source, place, undefined, undefined, 0);
  }

  async #content(
    given: ByteSource,
    name: string | ((digest: Sha256) => string),
    archive: string | undefined,
    parent: T | undefined,
    depth: number,
  ): Promise<Sha256> {
    if (performance.now() - this.#turn > TURN_MS) {
      await setImmediate();
      interruptedBy(this.#options.signal);
      this.#turn = performance.now();
    }
    // one read serves everything that follows
    const source = given.size <= SMALL ? new BufferSource(given.read(0, given.size)) : given;
    const digest = source.size <= SMALL ? hash('sha256', source.read(0, source.size)) : longDigest(source);
    const place = typeof name === 'string' ? name : name(digest);
    const format = detectSignature(source);
    const own = this.#visitor.visit({ place, source, sha256: digest, format, archive, parent });
    try {
      await this.#descend(source, format, place, place, own, depth);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.#visitor.unopened(place, error.code.replace('/', '-'));
    }
    return digest;
  }

  /** `prefix`: what members are named below; that of a packed tar is the packed file. */
  async #descend(
    source: ByteSource,
    format: FormatId,
    place: string,
    prefix: string,
    own: T,
    depth: number,
  ): Promise<void> {
    const head = source.read(0, Math.min(16, source.size)).toString('latin1');
    const closed = CLOSED.find(([magic]) => head.startsWith(magic))?.[1];
    const isArchive = head.startsWith(JMOD) || ARCHIVES.has(format) || isPacking(format);
    if (closed !== undefined) return this.#visitor.unopened(place, `unsupported-${closed}`);
    if (!isArchive) return;
    if (depth >= this.#limits.depth) return this.#visitor.unopened(place, 'limit-depth');
    if (head.startsWith(JMOD))
      return await this.#zip(new SliceSource(source, 4, source.size - 4), prefix, own, depth);
    if (format === 'zip') await this.#zip(source, prefix, own, depth);
    else if (format === 'tar') await this.#tar(source, prefix, own, depth);
    else if (format === 'ar') await this.#ar(source, prefix, own, depth);
    else if (isPacking(format)) await this.#packed(format, source, place, own, depth);
  }

  async #zip(source: ByteSource, prefix: string, own: T, depth: number): Promise<void> {
    const { entries, dataOrder } = readZip(source);
    for (const index of dataOrder) {
      const entry = entries[index];
      if (entry === undefined || (entry.size === 0 && entry.rawName.at(-1) === 0x2f)) continue;
      const place = `${prefix}!/${memberName(entry.rawName)}`;
      if (!this.#counted(place)) return;
      await this.#entry(
        new SliceSource(source, entry.dataOffset, entry.compressedSize),
        entry,
        place,
        prefix,
        own,
        depth,
      );
    }
  }

  async #entry(
    raw: ByteSource,
    { flags, method }: ZipEntry,
    place: string,
    prefix: string,
    own: T,
    depth: number,
  ): Promise<void> {
    // APPNOTE 4.4.4, bit 0
    if ((flags & 1) !== 0) return this.#visitor.unopened(place, 'encrypted');
    if (method === 0) await this.#content(raw, place, prefix, own, depth + 1);
    else if (method === 8)
      await this.#unpacked('deflate', raw, place, (content) =>
        this.#content(content, place, prefix, own, depth + 1),
      );
    else this.#visitor.unopened(place, `zip-method-${method}`);
  }

  async #tar(source: ByteSource, prefix: string, own: T, depth: number): Promise<void> {
    for (const { type, name, data } of new TarReader(source)) {
      const place = `${prefix}!/${tarName(name)}`;
      // sparse: the content is not what is stored
      if (type === 'S') this.#visitor.unopened(place, 'sparse');
      if (type !== '0' && type !== '7') continue;
      if (!this.#counted(place)) return;
      await this.#content(new SliceSource(source, data.offset, data.size), place, prefix, own, depth + 1);
    }
  }

  async #ar(source: ByteSource, prefix: string, own: T, depth: number): Promise<void> {
    for (const { nameStyle, name, data } of readAr(source).members) {
      if (nameStyle === 'special') continue;
      const place = `${prefix}!/${memberName(name)}`;
      if (!this.#counted(place)) return;
      await this.#content(new SliceSource(source, data.offset, data.size), place, prefix, own, depth + 1);
    }
  }

  /** A tar inside has its members below the packed file, and a name of its own all the same. */
  async #packed(format: Packing, source: ByteSource, place: string, own: T, depth: number): Promise<void> {
    await this.#unpacked(format, source, place, async (content) => {
      const inner = `${place}!/${unpackedName(place)}`;
      if (detectSignature(content) !== 'tar') await this.#content(content, inner, place, own, depth + 1);
      else {
        const digest = longDigest(content);
        const tar = {
          place: inner,
          source: content,
          sha256: digest,
          format: 'tar',
          archive: place,
          parent: own,
        } as const;
        await this.#descend(content, 'tar', inner, place, this.#visitor.visit(tar), depth + 1);
      }
    });
  }

  async #unpacked(
    packing: Packing,
    source: ByteSource,
    place: string,
    use: (content: ByteSource) => Promise<unknown>,
  ): Promise<void> {
    const { temporaryDirectory, signal } = this.#options;
    const { memberBytes } = this.#limits;
    const result = await unpackStream(packing, source, {
      maxBytes: Math.min(memberBytes, this.#bytesLeft),
      temporaryDirectory,
      ...(signal === undefined ? {} : { signal }),
    });
    if (result.kind === 'unopened') return this.#visitor.unopened(place, result.reason);
    this.#bytesLeft -= result.content.source.size;
    try {
      await use(result.content.source);
    } finally {
      result.content.close();
    }
  }

  #counted(place: string): boolean {
    if (this.#membersLeft-- > 0) return true;
    this.#visitor.unopened(place, 'limit-members');
    return false;
  }
}

const ARCHIVES: ReadonlySet<FormatId> = new Set(['zip', 'tar', 'ar']);

function isPacking(format: FormatId): format is Exclude<Packing, 'deflate'> {
  return format === 'gzip' || format === 'xz' || format === 'zstd' || format === 'bzip2';
}

/** Longer names than any file system has are cut: a million of them must not fill the memory. */
const LONGEST_NAME = 4096;

function memberName(name: Buffer): string {
  return name.length <= LONGEST_NAME
    ? printableBytes(name)
    : `${printableBytes(name.subarray(0, LONGEST_NAME))}…`;
}

/** `./usr/bin/x` and `/usr/bin/x` are `usr/bin/x`. */
const scratch = Buffer.allocUnsafeSlow(SMALL);

/** As `sha256`, without a new buffer for each chunk of a file: there are gigabytes of them. */
function longDigest(source: ByteSource): Sha256 {
  let file = source;
  let start = 0;
  while (file instanceof SliceSource) {
    start += file.start;
    file = file.parent;
  }
  if (!(file instanceof FileSource)) return sha256(source);
  const digest = createHash('sha256');
  for (let at = 0; at < source.size; at += scratch.length)
    digest.update(file.readInto(scratch.subarray(0, Math.min(scratch.length, source.size - at)), start + at));
  return digest.digest('hex');
}

function tarName(name: Buffer): string {
  return memberName(name).replace(/^(?:\.?\/)+/, '');
}

function unpackedName(place: string): string {
  const base = place.slice(Math.max(place.lastIndexOf('/'), 0)).replace(/^\//, '');
  const name = base.replace(/\.t(?:gz|xz|zst|bz2)$/, '.tar').replace(/\.(?:gz|xz|zst|bz2)$/, '');
  return name === base ? 'content' : name;
}
