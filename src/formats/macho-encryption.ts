// SPDX-License-Identifier: Apache-2.0
/**
 * What of a program FairPlay encrypts, as the kernel takes it: command by command, whatever else the file says. A file that
 * `readMachO` refuses can run all the same, and nothing that is encrypted is to be missed.
 * https://github.com/apple-oss-distributions/xnu/blob/main/bsd/kern/mach_loader.c (parse_machfile, set_code_unprotect)
 */
import type { ByteSource } from '../bytes.js';
import { architectureName } from './macho-names.js';
import { isThin, type MachOFile } from './macho.js';

export interface EncryptedSlice {
  readonly architecture: string;
  /** Bytes that its commands name, all of them together. */
  readonly size: number;
}

export interface EncryptedSlices {
  readonly slices: readonly EncryptedSlice[];
  /** A slice has more commands than are read: nobody here can say it. */
  readonly isUnread: boolean;
}

const FAT_MAGIC = 0xcafebabe;
const FAT_MAGIC_64 = 0xcafebabf;
/** What fits into the page of the header, which is all that the kernel looks at. */
const MAX_SLICES = 204;
const ENCRYPTION_INFO = 0x21;
const ENCRYPTION_INFO_64 = 0x2c;
const WIDE = 0xfeedfacf;
const LARGEST_HEADER = 32;
/** Up to the size of the commands. */
const SMALLEST_HEADER = 24;
/** Of commands with their header; real ones have some thousand bytes. */
export const LARGEST_COMMANDS = 16 << 20;
const PAGE = 0x1000;

/** Bytes at the start of a program that say it all; `undefined` for what is none. `head`: 32 of them, if there are so many. */
export function sizeOfCommands(head: Buffer): number | undefined {
  if (head.length < SMALLEST_HEADER || !isThin(head)) return undefined;
  const { word } = fieldsOf(head);
  return LARGEST_HEADER + word(20);
}

/** Slices of a program of which a part is encrypted. Never throws: what is no program has none. */
export function encryptedSlices(source: ByteSource): EncryptedSlices {
  const found = startsOf(source).map((start) => encryptedIn(source, start));
  return {
    slices: found.flatMap((slice) => (slice === undefined || slice === 'too-large' ? [] : [slice])),
    isUnread: found.includes('too-large'),
  };
}

/** Where its slices begin. */
function startsOf(source: ByteSource): readonly number[] {
  const head = source.read(0, Math.min(LARGEST_HEADER, source.size));
  if (isThin(head)) return [0];
  if (head.length < 8) return [];
  const [magic, count] = [head.readUInt32BE(0), head.readUInt32BE(4)];
  if ((magic !== FAT_MAGIC && magic !== FAT_MAGIC_64) || count > MAX_SLICES) return [];
  const wide = magic === FAT_MAGIC_64;
  const recordSize = wide ? 32 : 20;
  const table = source.read(0, Math.min(8 + count * recordSize, source.size));
  const starts: number[] = [];
  for (let at = 8; at + recordSize <= table.length; at += recordSize)
    starts.push(wide ? Number(table.readBigUInt64BE(at + 8)) : table.readUInt32BE(at + 8));
  return starts;
}

function encryptedIn(source: ByteSource, start: number): EncryptedSlice | 'too-large' | undefined {
  const read = (offset: number, size: number): Buffer => {
    const from = Math.min(offset, source.size);
    return source.read(from, Math.min(size, source.size - from));
  };
  const head = read(start, LARGEST_HEADER);
  const size = sizeOfCommands(head);
  if (size === undefined) return undefined;
  if (size > LARGEST_COMMANDS) return 'too-large';
  const bytes = read(start, size);
  const { word, headerSize } = fieldsOf(bytes);
  let encrypted: number | undefined;
  const count = word(16);
  for (let i = 0, at = headerSize; i < count && at + 8 <= bytes.length; i++) {
    const [code, length] = [word(at), word(at + 4)];
    if (length < 8) break;
    const isEncryption = code === ENCRYPTION_INFO || code === ENCRYPTION_INFO_64;
    if (isEncryption && at + 20 <= bytes.length && word(at + 16) !== 0)
      encrypted = (encrypted ?? 0) + word(at + 12);
    at += length;
  }
  return encrypted === undefined
    ? undefined
    : { architecture: architectureName(word(4), word(8)), size: encrypted };
}

function fieldsOf(bytes: Buffer): { readonly word: (at: number) => number; readonly headerSize: number } {
  const little = bytes.readUInt32LE(0);
  const isLittle = little === WIDE || little === WIDE - 1;
  const word = (at: number): number => (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  return { word, headerSize: word(0) === WIDE ? 32 : 28 };
}

/** Whole pages of __TEXT behind the load commands: nothing that says what the file is can hide there. */
export function isPlausibleRange({ encryption, segments, headerSize, commandsSize }: MachOFile): boolean {
  if (encryption === undefined) return false;
  const text = segments.find(({ name }) => name === '__TEXT');
  const { offset, size } = encryption;
  return (
    text !== undefined &&
    text.offset === 0 &&
    size > 0 &&
    offset % PAGE === 0 &&
    offset >= headerSize + commandsSize &&
    offset + size <= text.fileSize
  );
}
