// SPDX-License-Identifier: Apache-2.0
/**
 * The embedded signature of a Mach-O file: a SuperBlob with CodeDirectories, requirements, entitlements and a CMS signature.
 * Every byte is of a part, or it is told.
 * https://github.com/apple-oss-distributions/xnu/blob/main/osfmk/kern/cs_blobs.h
 */
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import { readCodeDirectory, type CodeDirectory } from './code-directory.js';

export type BlobKind =
  | 'code-directory'
  | 'requirements'
  | 'entitlements'
  | 'entitlements-der'
  | 'launch-constraint'
  | 'cms'
  | 'unknown';

export interface SignatureBlob {
  readonly slot: number;
  readonly kind: BlobKind;
  /** In the signature. */
  readonly offset: number;
  readonly size: number;
  /** The whole of it, with magic and length. */
  readonly bytes: Buffer;
}

export interface CodeSignature {
  /** Of the SuperBlob; what follows is fill. */
  readonly size: number;
  readonly blobs: readonly SignatureBlob[];
  /** The one in slot 0 first. */
  readonly directories: readonly { readonly blob: SignatureBlob; readonly directory: CodeDirectory }[];
  /** Bytes that are of no part and not zero, or that nothing reads. */
  readonly loose: readonly SignatureLoose[];
}

export interface SignatureLoose {
  readonly code: 'signature-gap' | 'unknown-blob' | 'directory-loose' | 'signature-trailing';
  readonly offset: number;
  readonly size: number;
}

const EMBEDDED_SIGNATURE = 0xfade0cc0;
/** More than any tool writes; what there is beyond the hashes is small. */
const MAX_SIZE = 64 << 20;
const MAX_BLOBS = 64;

const BLOBS: Readonly<Record<number, readonly [magic: number, kind: BlobKind]>> = {
  0: [0xfade0c02, 'code-directory'],
  2: [0xfade0c01, 'requirements'],
  5: [0xfade7171, 'entitlements'],
  7: [0xfade7172, 'entitlements-der'],
  8: [0xfade8181, 'launch-constraint'],
  9: [0xfade8181, 'launch-constraint'],
  10: [0xfade8181, 'launch-constraint'],
  11: [0xfade8181, 'launch-constraint'],
  0x1000: [0xfade0c02, 'code-directory'],
  0x1001: [0xfade0c02, 'code-directory'],
  0x1002: [0xfade0c02, 'code-directory'],
  0x1003: [0xfade0c02, 'code-directory'],
  0x1004: [0xfade0c02, 'code-directory'],
  0x10000: [0xfade0b01, 'cms'],
};

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('code-signature', code, offset, message);
}

/** `source`: the range that LC_CODE_SIGNATURE names. @throws FormatError `code-signature/…` */
export function readCodeSignature(source: ByteSource): CodeSignature {
  if (source.size < 12) fail('truncated', 0, `${source.size} bytes, a SuperBlob has 12`);
  const head = Buffer.from(source.read(0, 12));
  const [magic, size, count] = [head.readUInt32BE(0), head.readUInt32BE(4), head.readUInt32BE(8)];
  if (magic !== EMBEDDED_SIGNATURE) fail('magic', 0, `magic 0x${magic.toString(16)}`);
  if (size > source.size || size > MAX_SIZE || size < 12)
    fail('size', 4, `a SuperBlob of ${size} bytes in ${source.size}, at most ${MAX_SIZE}`);
  if (count > MAX_BLOBS || 12 + count * 8 > size) fail('blob-count', 8, `${count} blobs in ${size} bytes`);
  const all = Buffer.from(source.read(0, size));
  const blobs = Array.from({ length: count }, (_, i) => readBlob(all, 12 + i * 8));
  const slots = new Set(blobs.map(({ slot }) => slot));
  if (slots.size !== blobs.length) fail('slot-repeated', 12, 'two blobs of one slot');
  const loose: SignatureLoose[] = [...gapsOf(all, blobs, 12 + count * 8)];
  const directories = blobs
    .filter(({ kind }) => kind === 'code-directory')
    .sort((a, b) => a.slot - b.slot)
    .map((blob) => ({ blob, directory: readCodeDirectory(blob.bytes, blob.offset) }));
  if (directories[0]?.blob.slot !== 0) fail('no-directory', 12, 'no CodeDirectory in slot 0');
  for (const { blob, directory } of directories)
    for (const { offset, size: length } of directory.loose)
      loose.push({ code: 'directory-loose', offset: blob.offset + offset, size: length });
  for (const { kind, offset, size: length } of blobs)
    if (kind === 'unknown') loose.push({ code: 'unknown-blob', offset, size: length });
  const trailing = lastNonZero(source, size);
  if (trailing > size) loose.push({ code: 'signature-trailing', offset: size, size: source.size - size });
  return { size, blobs, directories, loose };
}

function readBlob(all: Buffer, indexAt: number): SignatureBlob {
  const [slot, offset] = [all.readUInt32BE(indexAt), all.readUInt32BE(indexAt + 4)];
  if (offset + 8 > all.length) fail('blob-range', indexAt, `a blob at ${offset} of ${all.length}`);
  const [magic, size] = [all.readUInt32BE(offset), all.readUInt32BE(offset + 4)];
  if (size < 8 || offset + size > all.length)
    fail('blob-range', offset + 4, `a blob of ${size} bytes at ${offset} of ${all.length}`);
  const known = BLOBS[slot];
  if (known !== undefined && known[0] !== magic)
    fail('blob-magic', offset, `slot ${slot} holds magic 0x${magic.toString(16)}`);
  return {
    slot,
    kind: known?.[1] ?? 'unknown',
    offset,
    size,
    bytes: all.subarray(offset, offset + size),
  };
}

/** @throws FormatError `code-signature/blob-overlap` */
function* gapsOf(
  all: Buffer,
  blobs: readonly SignatureBlob[],
  headerSize: number,
): Generator<SignatureLoose, void, undefined> {
  let at = headerSize;
  for (const { offset, size } of [
    ...blobs.toSorted((a, b) => a.offset - b.offset),
    { offset: all.length, size: 0 },
  ]) {
    if (offset < at) fail('blob-overlap', offset, `a blob begins at ${offset}, where ${at} bytes are taken`);
    if (all.subarray(at, offset).some((byte) => byte !== 0))
      yield { code: 'signature-gap', offset: at, size: offset - at };
    at = offset + size;
  }
}

/** Where the last byte behind `from` ends that is not zero; `from` if there is none. */
function lastNonZero(source: ByteSource, from: number): number {
  const step = 1 << 20;
  for (let end = source.size; end > from; end -= step) {
    const start = Math.max(from, end - step);
    const chunk = source.read(start, end - start);
    for (let i = chunk.length - 1; i >= 0; i--) if (chunk[i] !== 0) return start + i + 1;
  }
  return from;
}
