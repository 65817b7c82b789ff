// SPDX-License-Identifier: Apache-2.0
/**
 * One header block of a tar archive: its fields as regions and as values. POSIX ustar, GNU, and the older V7 form.
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06
 * https://www.gnu.org/software/tar/manual/html_node/Standard.html
 */
import { FormatError } from '../errors.js';
import type { Region } from './region.js';

export const BLOCK = 512;

export type TarFormat = 'v7' | 'ustar' | 'gnu';

export interface TarHeader {
  readonly format: TarFormat;
  readonly name: Buffer;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  /** One character; `0` also for the NUL that V7 writes. */
  readonly type: string;
  readonly linkName: Buffer;
  readonly userName: Buffer;
  readonly groupName: Buffer;
  readonly devMajor: number;
  readonly devMinor: number;
  /** GNU type `S`: blocks with more of the map of holes follow. */
  readonly moreSparse: boolean;
}

type Field = readonly [kind: string, size: number, numeric?: 'number'];

const COMMON: readonly Field[] = [
  ['tar/name', 100],
  ['tar/mode', 8, 'number'], // 100
  ['tar/uid', 8, 'number'], // 108
  ['tar/gid', 8, 'number'], // 116
  ['tar/size', 12, 'number'], // 124
  ['tar/mtime', 12, 'number'], // 136
  ['tar/checksum', 8, 'number'], // 148
  ['tar/type', 1], // 156
  ['tar/link-name', 100], // 157
];
const OWNER: readonly Field[] = [
  ['tar/magic', 8], // 257, with the version
  ['tar/user-name', 32], // 265
  ['tar/group-name', 32], // 297
  ['tar/dev-major', 8, 'number'], // 329
  ['tar/dev-minor', 8, 'number'], // 337
];
const FIELDS: Readonly<Record<TarFormat, readonly Field[]>> = {
  v7: [...COMMON, ['tar/reserved', 255]],
  // 345
  ustar: [...COMMON, ...OWNER, ['tar/prefix', 155], ['tar/reserved', 12]],
  gnu: [
    ...COMMON,
    ...OWNER,
    ['tar/atime', 12], // 345
    ['tar/ctime', 12], // 357
    ['tar/multi-volume', 17], // 369
    ['tar/sparse', 109], // 386: four pairs of offset and size, a flag, the real size
    ['tar/reserved', 17], // 495
  ],
};

/** `block[from .. from + size)`: octal digits, or the base-256 of GNU; attacker-controlled. */
function tarNumber(block: Buffer, from: number, size: number, at: number): number {
  const first = block[from] ?? 0;
  if (first >= 0x80) {
    // two's complement, most significant byte first; the sign is in the first byte, next to the mark
    const value = first === 0x80 ? 0 : -1;
    let number = BigInt(value);
    for (let i = 1; i < size; i++) number = (number << 8n) | BigInt(block[from + i] ?? 0);
    if (
      (first !== 0x80 && first !== 0xff) ||
      BigInt(Number(number)) !== number ||
      !Number.isSafeInteger(Number(number))
    )
      throw new FormatError(
        'tar',
        'number',
        at + from,
        `a number beyond 2^53: ${block.toString('hex', from, from + size)}`,
      );
    return Number(number);
  }
  const end = from + size;
  let i = from;
  while (i < end && block[i] === 0x20) i++;
  let value = 0;
  for (; i < end && isDigit(block[i]); i++) value = value * 8 + (block[i] ?? 0) - 0x30;
  while (i < end && (block[i] === 0 || block[i] === 0x20)) i++;
  if (i < end)
    throw new FormatError(
      'tar',
      'number',
      at + from,
      `not an octal number: ${JSON.stringify(block.toString('latin1', from, end))}`,
    );
  return value;
}

/** How a number is spelled: digits, what fills up on their left, and in hex what follows them. */
function formOf(block: Buffer, from: number, size: number): string {
  if ((block[from] ?? 0) >= 0x80) return 'base-256';
  const end = from + size;
  let digits = from;
  while (digits < end && block[digits] === 0x20) digits++;
  let rest = digits;
  while (rest < end && isDigit(block[rest])) rest++;
  const spaces = digits - from;
  // after spaces, zeros in front of the number or none instead of one are a second way to spell it: count the spaces
  const plain = rest > digits && (block[digits] !== 0x30 || rest === digits + 1);
  const left = spaces === 0 ? 'zeros' : plain ? 'spaces' : `${spaces} spaces`;
  return `octal ${rest - from} ${left} ${block.toString('hex', rest, end)}`;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x37;
}

function upToNul(block: Buffer, from: number, size: number): Buffer {
  const field = block.subarray(from, from + size);
  const end = field.indexOf(0);
  return end < 0 ? field : field.subarray(0, end);
}

function formatOf(block: Buffer): TarFormat {
  const magic = block.toString('latin1', 257, 265);
  if (magic === 'ustar  \0') return 'gnu';
  return magic.startsWith('ustar\0') ? 'ustar' : 'v7';
}

/** Of all bytes, those of the checksum itself taken as spaces. */
export function tarChecksum(block: Uint8Array): number {
  let sum = 8 * 0x20;
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += block[i] ?? 0;
  return sum;
}

/** @throws FormatError `tar/checksum`, `tar/number` */
export function readTarHeader(block: Buffer, at: number): TarHeader {
  const stated = tarNumber(block, 148, 8, at);
  const actual = tarChecksum(block);
  if (stated !== actual)
    throw new FormatError('tar', 'checksum', at + 148, `header checksum ${stated}, the bytes give ${actual}`);

  const format = formatOf(block);
  const size = tarNumber(block, 124, 12, at);
  if (size < 0) throw new FormatError('tar', 'number', at + 124, `a size of ${size} bytes`);

  const prefix = format === 'ustar' ? upToNul(block, 345, 155) : Buffer.alloc(0);
  const name = upToNul(block, 0, 100);
  return {
    format,
    name: prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), name]) : name,
    mode: tarNumber(block, 100, 8, at),
    uid: tarNumber(block, 108, 8, at),
    gid: tarNumber(block, 116, 8, at),
    size,
    mtime: tarNumber(block, 136, 12, at),
    type: block[156] === 0 ? '0' : block.toString('latin1', 156, 157),
    linkName: upToNul(block, 157, 100),
    userName: format === 'v7' ? Buffer.alloc(0) : upToNul(block, 265, 32),
    groupName: format === 'v7' ? Buffer.alloc(0) : upToNul(block, 297, 32),
    devMajor: format === 'v7' ? 0 : tarNumber(block, 329, 8, at),
    devMinor: format === 'v7' ? 0 : tarNumber(block, 337, 8, at),
    moreSparse: format === 'gnu' && block[482] !== 0,
  };
}

/** The fields of a header that was read, at `at`. */
export function tarHeaderRegions(block: Buffer, format: TarFormat, at: number): readonly Region[] {
  let from = 0;
  return FIELDS[format].map(([kind, size, numeric]) => {
    const region = { offset: at + from, size, kind };
    const field = numeric === undefined ? region : { ...region, form: formOf(block, from, size) };
    from += size;
    return field;
  });
}
