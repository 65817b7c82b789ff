// SPDX-License-Identifier: Apache-2.0
/**
 * ar archives: the common format with the extensions of System V/GNU and of BSD, as in static libraries and in `.deb`.
 * https://manpages.debian.org/bookworm/dpkg-dev/deb.5.en.html
 * https://man.freebsd.org/cgi/man.cgi?query=ar&sektion=5
 */
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import { layOut, type ContainerMember, type Region } from './region.js';

/**
 * How a name is stored: `plain` padded with spaces, `gnu` ended by a slash, `gnu-long` in the `//` member, `bsd-long` in
 * front of the data, `special` for the `/`, `//` and `/SYM64/` members themselves.
 */
export type ArNameStyle = 'plain' | 'gnu' | 'gnu-long' | 'bsd-long' | 'special';

export interface ArMember extends ContainerMember {
  readonly nameStyle: ArNameStyle;
  /** Undefined where the field is blank, as in the `//` member of GNU. */
  readonly mtime: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly mode: number | undefined;
}

export interface ArArchive {
  readonly magic: Region;
  readonly members: readonly ArMember[];
  /** Fewer bytes than a header, after the last member. */
  readonly trailing: Region | undefined;
}

const MAGIC = '!<arch>\n';
const THIN_MAGIC = '!<thin>\n';
const HEADER_SIZE = 60;
const MAX_NAME = 1 << 16;
const MAX_MEMBERS = 1 << 18;
const SPACE = 0x20;
const SLASH = 0x2f;
const NEWLINE = 0x0a;

// name 16, mtime 12, uid 6, gid 6, mode 8 (octal), size 10, magic 2
const FIELDS = [
  ['ar/name', 16],
  ['ar/mtime', 12],
  ['ar/uid', 6],
  ['ar/gid', 6],
  ['ar/mode', 8],
  ['ar/size', 10],
  ['ar/header-magic', 2],
] as const;

/**
 * Digits from the left, then spaces: the one spelling that ar and dpkg write. Another one of the same number would be
 * room for a message, so it is refused.
 */
function number(header: Buffer, from: number, size: number, radix: 8 | 10, at: number): number | undefined {
  const text = header.toString('latin1', from, from + size);
  const digits = text.trimEnd();
  if (digits === '' && /^ *$/.test(text)) return undefined;
  if (!(radix === 8 ? /^(?:0|[1-7][0-7]*) *$/ : /^(?:0|[1-9][0-9]*) *$/).test(text))
    throw new FormatError(
      'ar',
      'number',
      at + from,
      `not a number padded with spaces: ${JSON.stringify(text)}`,
    );
  return Number.parseInt(digits, radix);
}

function trimSpaces(field: Buffer): Buffer {
  let end = field.length;
  while (end > 0 && field[end - 1] === SPACE) end--;
  return field.subarray(0, end);
}

interface Name {
  readonly name: Buffer;
  readonly style: ArNameStyle;
  /** Bytes of the data that are the name (BSD). */
  readonly inData: number;
}

class ArReader {
  readonly #source: ByteSource;
  #at = MAGIC.length;
  #longNames: Buffer | undefined;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  read(): ArArchive {
    const magic = this.#source.read(0, Math.min(MAGIC.length, this.#source.size)).toString('latin1');
    if (magic === THIN_MAGIC) throw new FormatError('ar', 'thin', 0, 'a thin archive holds no data');
    if (magic !== MAGIC) throw new FormatError('ar', 'magic', 0, 'no ar archive');
    const members: ArMember[] = [];
    while (this.#source.size - this.#at >= HEADER_SIZE) {
      if (members.length === MAX_MEMBERS)
        throw new FormatError('ar', 'too-many-members', this.#at, `more than ${MAX_MEMBERS} members`);
      members.push(this.#member());
    }
    const rest = this.#source.size - this.#at;
    return {
      magic: { offset: 0, size: MAGIC.length, kind: 'ar/magic' },
      members,
      trailing: rest > 0 ? { offset: this.#at, size: rest, kind: 'ar/trailing' } : undefined,
    };
  }

  #member(): ArMember {
    const start = this.#at;
    const header = Buffer.from(this.#source.read(start, HEADER_SIZE));
    if (header.toString('latin1', 58) !== '`\n')
      throw new FormatError(
        'ar',
        'header-magic',
        start + 58,
        `a member header ends with ${header.toString('hex', 58)}`,
      );
    const mtime = number(header, 16, 12, 10, start);
    const uid = number(header, 28, 6, 10, start);
    const gid = number(header, 34, 6, 10, start);
    const mode = number(header, 40, 8, 8, start);
    const size = number(header, 48, 10, 10, start);
    const dataStart = start + HEADER_SIZE;
    if (size === undefined) throw new FormatError('ar', 'number', start + 48, 'a member without size');
    if (size > this.#source.size - dataStart)
      throw new FormatError(
        'ar',
        'truncated',
        start + 48,
        `a member of ${size} bytes; ${this.#source.size - dataStart} are left`,
      );
    const { name, style, inData } = this.#name(header, dataStart, size);
    if (style === 'special' && name.toString('latin1') === '//') {
      if (this.#longNames !== undefined)
        throw new FormatError('ar', 'long-names', start, 'a second table of long names');
      this.#longNames = Buffer.from(this.#source.read(dataStart, size));
    }

    const regions = layOut(start, FIELDS);
    if (inData > 0) regions.push({ offset: dataStart, size: inData, kind: 'ar/long-name' });
    const data = { offset: dataStart + inData, size: size - inData, kind: 'ar/data' };
    regions.push(data);
    this.#at = dataStart + size;
    if (size % 2 === 1 && this.#at < this.#source.size) {
      const kind = this.#source.read(this.#at, 1)[0] === NEWLINE ? 'ar/padding' : 'ar/slack';
      regions.push({ offset: this.#at, size: 1, kind });
      this.#at++;
    }
    return { name, nameStyle: style, regions, data, mtime, uid, gid, mode };
  }

  #name(header: Buffer, dataStart: number, size: number): Name {
    const name = trimSpaces(header.subarray(0, 16));
    const text = name.toString('latin1');
    if (text === '/' || text === '//' || text === '/SYM64/') return { name, style: 'special', inData: 0 };
    if (/^\/[0-9]+$/.test(text))
      return { name: this.#gnuLongName(Number(text.slice(1)), dataStart), style: 'gnu-long', inData: 0 };
    if (/^#1\/[0-9]+$/.test(text)) {
      const length = Number(text.slice(3));
      if (length > size || length > MAX_NAME)
        throw new FormatError(
          'ar',
          'long-name',
          dataStart,
          `a name of ${length} bytes in a member of ${size}; at most ${MAX_NAME} are read`,
        );
      const stored = Buffer.from(this.#source.read(dataStart, length));
      const end = stored.indexOf(0);
      return { name: end < 0 ? stored : stored.subarray(0, end), style: 'bsd-long', inData: length };
    }
    if (name.length > 1 && name[name.length - 1] === SLASH)
      return { name: name.subarray(0, -1), style: 'gnu', inData: 0 };
    return { name, style: 'plain', inData: 0 };
  }

  /** `offset` into the `//` member, where names end with a slash and a newline; attacker-controlled. */
  #gnuLongName(offset: number, at: number): Buffer {
    // bounded, or a table without ends would be searched to its end for every member
    const rest = this.#longNames?.subarray(offset, offset + MAX_NAME);
    const end = rest?.indexOf('/\n', 0, 'latin1') ?? -1;
    if (rest === undefined || end < 0)
      throw new FormatError('ar', 'long-name', at - HEADER_SIZE, `no long name at ${offset}`);
    return rest.subarray(0, end);
  }
}

/** @throws FormatError `ar/…` */
export function readAr(source: ByteSource): ArArchive {
  return new ArReader(source).read();
}

export function arRegions(archive: ArArchive): readonly Region[] {
  const trailing = archive.trailing === undefined ? [] : [archive.trailing];
  return [archive.magic, ...archive.members.flatMap((member) => member.regions), ...trailing];
}
