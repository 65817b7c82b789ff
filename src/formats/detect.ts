// SPDX-License-Identifier: Apache-2.0
/**
 * What a file is, from its bytes and never from its name. Decides how a difference is explained and which reader is tried;
 * the reader may still refuse. Each signature is as long as its specification allows, so that chance and plain text do
 * not match.
 */
import type { ByteSource } from '../bytes.js';
import { BLOCK, tarChecksum } from './tar-header.js';

export const FORMAT_IDS = [
  'empty',
  'zip',
  'ar',
  'tar',
  'gzip',
  'xz',
  'zstd',
  'bzip2',
  'elf',
  'mach-o',
  'pe',
  'dex',
  'java-class',
  'wasm',
  'android-xml',
  'android-resources',
  'png',
  'jpeg',
  'gif',
  'webp',
  'sqlite',
  'gettext',
  'text',
  'unknown',
] as const;
export type FormatId = (typeof FORMAT_IDS)[number];

const HEAD = BLOCK;
const TEXT_SAMPLE = 1 << 16;

function starts(head: Buffer, latin1: string, at = 0): boolean {
  return head.length >= at + latin1.length && head.toString('latin1', at, at + latin1.length) === latin1;
}

/** Unsigned, or 0 beyond the end. */
function u32(head: Buffer, at: number, littleEndian: boolean): number {
  if (head.length < at + 4) return 0;
  return littleEndian ? head.readUInt32LE(at) : head.readUInt32BE(at);
}

/**
 * APPNOTE 4.3.6: an archive starts with a local header, an empty one with its end record. One with something in front
 * (a script that unpacks it) is known by an end record without comment that fills the last 22 bytes.
 */
function isZip(head: Buffer, source: ByteSource): boolean {
  if (starts(head, 'PK\x03\x04') || starts(head, 'PK\x05\x06')) return true;
  if (source.size < 22) return false;
  const end = source.read(source.size - 22, 22);
  const directoryEnd = end.readUInt32LE(12) + end.readUInt32LE(16);
  return starts(end, 'PK\x05\x06') && end.readUInt16LE(20) === 0 && directoryEnd <= source.size - 22;
}

/** POSIX and GNU say `ustar` at 257; V7 has no magic, but the checksum of its first block must be right. */
function isTar(head: Buffer): boolean {
  if (head.length < BLOCK) return false;
  if (starts(head, 'ustar\0', 257) || starts(head, 'ustar  \0', 257)) return true;
  const stated = /^ *([0-7]{1,7})[ \0]+$/.exec(head.toString('latin1', 148, 156))?.[1];
  return stated !== undefined && Number.parseInt(stated, 8) === tarChecksum(head);
}

/** gABI, ELF header: class 32 or 64, either byte order, version 1. */
function isElf(head: Buffer): boolean {
  const [, , , , width, order, version] = head;
  return (
    starts(head, '\x7fELF') && (width === 1 || width === 2) && (order === 1 || order === 2) && version === 1
  );
}

/**
 * mach-o/loader.h and fat.h. 0xcafebabe alone is also a Java class: there the next four bytes are the class file version,
 * 45 or more in the low half; here they count architectures, a handful, of which the first must lie inside of the file.
 */
function isMachO(head: Buffer, size: number): boolean {
  for (const littleEndian of [true, false]) {
    const magic = u32(head, 0, littleEndian);
    const fileType = u32(head, 12, littleEndian);
    if ((magic === 0xfeedface || magic === 0xfeedfacf) && fileType >= 1 && fileType <= 15) return true;
  }
  const magic = u32(head, 0, false);
  const count = u32(head, 4, false);
  if ((magic !== 0xcafebabe && magic !== 0xcafebabf) || count < 1 || count > 40) return false;
  const wide = magic === 0xcafebabf;
  const offset = wide ? u32(head, 16, false) * 2 ** 32 + u32(head, 20, false) : u32(head, 16, false);
  const length = wide ? u32(head, 24, false) * 2 ** 32 + u32(head, 28, false) : u32(head, 20, false);
  return offset >= 8 && length > 0 && offset + length <= size;
}

/** JVMS 4.1: versions begin with 45. */
function isJavaClass(head: Buffer): boolean {
  const major = u32(head, 4, false) & 0xffff;
  return u32(head, 0, false) === 0xcafebabe && major >= 45 && major < 128;
}

/** PE format: `MZ`, and at the offset that 0x3c holds `PE\0\0`; `MZ` alone is two letters. */
function isPe(head: Buffer, source: ByteSource): boolean {
  const offset = u32(head, 0x3c, true);
  return (
    starts(head, 'MZ') &&
    offset >= 0x40 &&
    offset + 4 <= source.size &&
    starts(source.read(offset, 4), 'PE\0\0')
  );
}

/** AOSP ResourceTypes.h: a chunk of that type and header size that is the whole file. */
function isAndroidChunk(head: Buffer, size: number, type: number, headerSize: number): boolean {
  return u32(head, 0, true) === type + headerSize * 0x10000 && u32(head, 4, true) === size;
}

/** GNU gettext manual, MO files: the magic in either byte order, then revision 0 or 1 (major part). */
function isGettext(head: Buffer): boolean {
  for (const littleEndian of [true, false])
    if (u32(head, 0, littleEndian) === 0x950412de && head.length >= 28)
      return u32(head, 4, littleEndian) >>> 16 <= 1;
  return false;
}

/** `BZh`, a digit for the block size, then the first block (pi) or the end of an empty stream (square root of pi). */
function isBzip2(head: Buffer): boolean {
  const level = head[3] ?? 0;
  const digit = level >= 0x31 && level <= 0x39;
  return starts(head, 'BZh') && digit && (starts(head, '1AY&SY', 4) || starts(head, '\x17rE8P\x90', 4));
}

/** Valid UTF-8 without control characters but white space, form feed, backspace and escape. */
function isText(source: ByteSource): boolean {
  const size = Math.min(TEXT_SAMPLE, source.size);
  const sample = source.read(0, size);
  for (const byte of sample)
    if (byte < 0x20 && !(byte >= 0x08 && byte <= 0x0d && byte !== 0x0b) && byte !== 0x1b) return false;
  try {
    // `stream`: the last character may be cut by the end of the sample
    new TextDecoder('utf-8', { fatal: true }).decode(sample, { stream: size < source.size });
    return true;
  } catch {
    return false;
  }
}

const RECOGNIZERS: readonly (readonly [FormatId, (head: Buffer, source: ByteSource) => boolean])[] = [
  ['elf', isElf],
  // dalvik: dex-format, `DEX_FILE_MAGIC` with a version of three digits
  [
    'dex',
    (head) => starts(head, 'dex\n') && /^[0-9]{3}$/.test(head.toString('latin1', 4, 7)) && head[7] === 0,
  ],
  ['mach-o', (head, source) => isMachO(head, source.size)],
  ['java-class', isJavaClass],
  ['android-xml', (head, source) => isAndroidChunk(head, source.size, 3, 8)],
  ['android-resources', (head, source) => isAndroidChunk(head, source.size, 2, 12)],
  ['ar', (head) => starts(head, '!<arch>\n')],
  // RFC 1952, 2.3.1: deflate is the only method there is
  ['gzip', (head) => starts(head, '\x1f\x8b\x08')],
  ['xz', (head) => starts(head, '\xfd7zXZ\0')],
  ['zstd', (head) => starts(head, '\x28\xb5\x2f\xfd')],
  ['bzip2', isBzip2],
  // PNG 5.2 and 11.2.2: the signature, then a header chunk of 13 bytes
  ['png', (head) => starts(head, '\x89PNG\r\n\x1a\n\0\0\0\rIHDR')],
  // ITU T.81 B.1.1.3: start of image, then another marker
  ['jpeg', (head) => starts(head, '\xff\xd8\xff')],
  ['gif', (head) => starts(head, 'GIF87a') || starts(head, 'GIF89a')],
  ['webp', (head) => starts(head, 'RIFF') && starts(head, 'WEBP', 8)],
  ['wasm', (head) => starts(head, '\0asm\x01\0\0\0')],
  ['sqlite', (head) => starts(head, 'SQLite format 3\0')],
  ['gettext', isGettext],
  ['pe', isPe],
  // after everything that has a signature in front: these two may look elsewhere
  ['tar', isTar],
  ['zip', isZip],
];

export function detectFormat(source: ByteSource): FormatId {
  const found = detectSignature(source);
  return found === 'unknown' && isText(source) ? 'text' : found;
}

/** As `detectFormat` without reading more than both ends: text is `unknown`. */
export function detectSignature(source: ByteSource): FormatId {
  if (source.size === 0) return 'empty';
  const head = Buffer.from(source.read(0, Math.min(HEAD, source.size)));
  return RECOGNIZERS.find(([, recognizes]) => recognizes(head, source))?.[0] ?? 'unknown';
}
