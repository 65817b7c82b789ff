// SPDX-License-Identifier: Apache-2.0
/**
 * tar archives: POSIX ustar with pax records, GNU long names and sparse maps, V7. One pass, one member at a time.
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13
 * https://www.gnu.org/software/tar/manual/html_node/Standard.html
 *
 * Refuses what two readers could understand differently, such as a link with content.
 */
import { eachChunk, type ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import type { ContainerMember, Region } from './region.js';
import { BLOCK, readTarHeader, tarHeaderRegions, type TarFormat, type TarHeader } from './tar-header.js';

/** The records before a header (`x`, `g`, `L`, `K`) belong to the member: in effect, and in `regions`. */
export interface TarMember extends ContainerMember {
  readonly format: TarFormat;
  /** One character: `0` file, `1` hard link, `2` symbolic link, `3` and `4` devices, `5` directory, `6` FIFO … */
  readonly type: string;
  readonly linkName: Buffer;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly userName: Buffer;
  readonly groupName: Buffer;
  /** Seconds since the epoch; with a fraction if a pax record has one. */
  readonly mtime: number;
  readonly devMajor: number;
  readonly devMinor: number;
}

/** A long name or a set of pax records is never longer in earnest. */
const MAX_EXTENSION = 1 << 20;
const MAX_EXTENSIONS = 16;
/** What GNU tar and others round an archive up to: 20 blocks. */
const RECORD = 20 * BLOCK;
const ZEROS = Buffer.alloc(1 << 16);

type PaxKey = 'path' | 'linkpath' | 'size' | 'mtime' | 'uid' | 'gid' | 'uname' | 'gname';
const PAX_KEYS: ReadonlySet<string> = new Set<PaxKey>([
  'path',
  'linkpath',
  'size',
  'mtime',
  'uid',
  'gid',
  'uname',
  'gname',
]);
type Pax = Map<string, Buffer>;

/** Records `length key=value\n` (pax, extended header); an empty value takes back what a global record said. */
function readPax(bytes: Buffer, at: number, into: Pax): void {
  for (let from = 0; from < bytes.length;) {
    const space = bytes.indexOf(0x20, from);
    const digits = bytes.toString('latin1', from, Math.min(space, from + 8));
    const end = from + (/^[1-9][0-9]*$/.test(digits) ? Number(digits) : 0);
    const equals = bytes.indexOf(0x3d, space);
    if (
      space < 0 ||
      end <= space ||
      end > bytes.length ||
      bytes[end - 1] !== 0x0a ||
      equals < 0 ||
      equals >= end
    )
      throw new FormatError('tar', 'pax-record', at + from, 'not a pax record of the length that it states');
    const key = bytes.toString('latin1', space + 1, equals);
    if (PAX_KEYS.has(key)) into.set(key, Buffer.from(bytes.subarray(equals + 1, end - 1)));
    from = end;
  }
}

function isZero(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const part = bytes.subarray(at, at + ZEROS.length);
    if (!part.equals(ZEROS.subarray(0, part.length))) return false;
  }
  return true;
}

export class TarReader {
  readonly #source: ByteSource;
  readonly #global: Pax = new Map();
  #at = 0;
  #end: readonly Region[] | undefined;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** After the last member: what follows it. */
  get end(): readonly Region[] {
    if (this.#end === undefined)
      throw new Error('the end of a tar archive is known after its last member only');
    return this.#end;
  }

  *[Symbol.iterator](): Generator<TarMember, void, undefined> {
    for (let member = this.next(); member !== undefined; member = this.next()) yield member;
  }

  /**
   * The next member, undefined after the last one. Its buffers are its own.
   * @throws FormatError `tar/…`
   */
  next(): TarMember | undefined {
    if (this.#end !== undefined) return undefined;
    const regions: Region[] = [];
    const pax: Pax = new Map();
    let longName: Buffer | undefined;
    let longLink: Buffer | undefined;
    let dangling = false;
    for (let extensions = 0; ; extensions++) {
      const start = this.#at;
      const block = this.#block();
      if (block === undefined) {
        if (dangling)
          throw new FormatError(
            'tar',
            'dangling-record',
            start,
            'records about a member that does not follow',
          );
        this.#end = [...regions, ...this.#ending()];
        return undefined;
      }
      const header = readTarHeader(block, start);
      if (!'xXgLK'.includes(header.type))
        return this.#member(header, block, regions, pax, longName, longLink);
      if (extensions === MAX_EXTENSIONS)
        throw new FormatError(
          'tar',
          'too-many-records',
          start,
          `more than ${MAX_EXTENSIONS} records before a member`,
        );
      const bytes = this.#extension(header, start, regions);
      if (header.type === 'g') readPax(bytes, start + BLOCK, this.#global);
      else {
        dangling = true;
        const nul = bytes.indexOf(0);
        const text = nul < 0 ? bytes : bytes.subarray(0, nul);
        if (header.type === 'L') longName = text;
        else if (header.type === 'K') longLink = text;
        else readPax(bytes, start + BLOCK, pax);
      }
    }
  }

  /** The block at the cursor; undefined where the archive ends: at a block of zeros or at the end of the source. */
  #block(): Buffer | undefined {
    const left = this.#source.size - this.#at;
    if (left === 0) return undefined;
    if (left < BLOCK)
      throw new FormatError('tar', 'truncated', this.#at, `a block of ${left} bytes instead of ${BLOCK}`);
    const block = Buffer.from(this.#source.read(this.#at, BLOCK));
    return isZero(block) ? undefined : block;
  }

  /** The content of a record about the member that follows; its bytes become regions. */
  #extension(header: TarHeader, start: number, regions: Region[]): Buffer {
    if (header.size > MAX_EXTENSION)
      throw new FormatError(
        'tar',
        'record-too-large',
        start + 124,
        `a record of ${header.size} bytes; at most ${MAX_EXTENSION}`,
      );
    regions.push({ offset: start, size: BLOCK, kind: 'tar/record-header' });
    this.#at = start + BLOCK;
    this.#content(header.size, start, 'tar/record', regions);
    return Buffer.from(this.#source.read(start + BLOCK, header.size));
  }

  /** Content at the cursor and zeros up to the next block, as regions; the first of them is the content. */
  #content(size: number, start: number, kind: string, regions: Region[]): Region {
    const padding = -size & (BLOCK - 1);
    if (this.#at + size + padding > this.#source.size)
      throw new FormatError(
        'tar',
        'truncated',
        start + 124,
        `content of ${size} bytes; ${this.#source.size - this.#at} are left`,
      );
    const content = { offset: this.#at, size, kind };
    regions.push(content);
    const end = this.#at + size;
    if (padding > 0) {
      const zeros = isZero(this.#source.read(end, padding));
      regions.push({ offset: end, size: padding, kind: zeros ? 'tar/padding' : 'tar/slack' });
    }
    this.#at = end + padding;
    return content;
  }

  #member(
    header: TarHeader,
    block: Buffer,
    records: readonly Region[],
    pax: Pax,
    longName: Buffer | undefined,
    longLink: Buffer | undefined,
  ): TarMember {
    const start = this.#at;
    this.#at += BLOCK;
    const body: Region[] = [];
    if (header.type === 'S' && header.moreSparse) body.push(this.#sparse());
    const record = (key: PaxKey): Buffer | undefined => {
      const value = pax.get(key) ?? this.#global.get(key);
      return value === undefined || value.length === 0 ? undefined : value;
    };
    const number = (key: PaxKey, otherwise: number): number => {
      const text = record(key)?.toString('latin1');
      if (text === undefined) return otherwise;
      if (!/^-?[0-9]{1,15}(?:\.[0-9]*)?$/.test(text))
        throw new FormatError(
          'tar',
          'pax-number',
          start,
          `pax record ${key} is no number: ${JSON.stringify(text)}`,
        );
      return Number(text);
    };
    const size = number('size', header.size);
    if (!Number.isSafeInteger(size) || size < 0)
      throw new FormatError('tar', 'pax-number', start, `a pax record states a size of ${size}`);
    // some readers skip the content of these, some take it for the next header
    if ('123456'.includes(header.type) && size > 0)
      throw new FormatError(
        'tar',
        'unexpected-content',
        start + 124,
        `a member of type ${header.type} with ${size} bytes`,
      );
    const data = this.#content(size, start, 'tar/data', body);
    const { format } = header;
    return {
      name: record('path') ?? longName ?? header.name,
      linkName: record('linkpath') ?? longLink ?? header.linkName,
      // made when asked for: a large archive has a million of them
      get regions() {
        return [...records, ...tarHeaderRegions(block, format, start), ...body];
      },
      data,
      format,
      type: header.type,
      mode: header.mode,
      uid: number('uid', header.uid),
      gid: number('gid', header.gid),
      userName: record('uname') ?? header.userName,
      groupName: record('gname') ?? header.groupName,
      mtime: number('mtime', header.mtime),
      devMajor: header.devMajor,
      devMinor: header.devMinor,
    };
  }

  /** The rest of the map of holes of a GNU type `S`: blocks that each say whether one more follows. */
  #sparse(): Region {
    const offset = this.#at;
    for (let more = true; more; this.#at += BLOCK) {
      if (this.#source.size - this.#at < BLOCK)
        throw new FormatError('tar', 'truncated', this.#at, 'the archive ends in a map of holes');
      more = this.#source.read(this.#at, BLOCK)[504] !== 0;
    }
    return { offset, size: this.#at - offset, kind: 'tar/sparse' };
  }

  /**
   * `tar/end` is what writers leave behind: two blocks of zeros, or those and zeros up to the next record of 20 blocks.
   * Anything else is `tar/slack`.
   */
  #ending(): readonly Region[] {
    const offset = this.#at;
    const size = this.#source.size - offset;
    if (size === 0) return [];
    let zeros = size === 2 * BLOCK || size === Math.ceil((offset + 2 * BLOCK) / RECORD) * RECORD - offset;
    if (zeros) eachChunk(this.#source, offset, size, (chunk) => (zeros &&= isZero(chunk)));
    return [{ offset, size, kind: zeros ? 'tar/end' : 'tar/slack' }];
  }
}
