// SPDX-License-Identifier: Apache-2.0
/**
 * A CodeDirectory: the hashes of the pages of a program and of what belongs to its signature. Read to the last byte.
 * https://github.com/apple-oss-distributions/xnu/blob/main/osfmk/kern/cs_blobs.h
 */
import { FormatError } from '../errors.js';

export type CodeHash = 'sha1' | 'sha256' | 'sha256-truncated' | 'sha384';

export interface CodeDirectory {
  readonly version: number;
  readonly flags: number;
  readonly identifier: string;
  readonly teamId: string | undefined;
  readonly hash: CodeHash;
  readonly hashSize: number;
  /** Bytes of a page; 0: one hash over everything. */
  readonly pageSize: number;
  readonly codeLimit: number;
  readonly platform: number;
  /** By slot, 1 and up; a slot of zeros says that there is none. */
  readonly special: ReadonlyMap<number, Buffer>;
  readonly pages: Buffer;
  readonly pageCount: number;
  /** Hashes of the pages as they were before they were encrypted. */
  readonly preEncryptPages: Buffer | undefined;
  readonly execSegment: { readonly base: bigint; readonly limit: bigint; readonly flags: bigint } | undefined;
  readonly runtime: number | undefined;
  /** Bytes of it that nothing reads, and that are not zero. */
  readonly loose: readonly { readonly offset: number; readonly size: number }[];
}

const HASHES: ReadonlyMap<number, readonly [CodeHash, number]> = new Map([
  [1, ['sha1', 20]],
  [2, ['sha256', 32]],
  [3, ['sha256-truncated', 20]],
  [4, ['sha384', 48]],
]);

const SCATTER = 0x20100;
const TEAM = 0x20200;
const LIMIT_64 = 0x20300;
const EXEC_SEGMENT = 0x20400;
const RUNTIME = 0x20500;
const LINKAGE = 0x20600;
/** Kernels refuse versions beyond this one (compatibility limit). */
const NEWEST = 0x2f000;
const MAX_SPECIAL = 64;
const MAX_SCATTER = 1 << 16;
/** One hash. */
const MAX_LINKAGE = 48;

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('code-signature', code, offset, message);
}

/** `at`: its place in the signature, for messages. @throws FormatError `code-signature/…` */
export function readCodeDirectory(blob: Buffer, at: number): CodeDirectory {
  const word = (offset: number): number => {
    if (offset + 4 > blob.length) fail('directory-truncated', at, `a directory of ${blob.length} bytes`);
    return blob.readUInt32BE(offset);
  };
  const long = (offset: number): bigint => (BigInt(word(offset)) << 32n) | BigInt(word(offset + 4));
  const version = word(8);
  if (version < 0x20000 || version > NEWEST)
    fail('directory-version', at + 8, `version 0x${version.toString(16)}`);
  const headerSize = headerOf(version);
  word(headerSize - 4);
  const [hashSize, hashType, platform, pageShift] = blob.subarray(36, 40) as unknown as number[];
  const known = HASHES.get(hashType ?? 0);
  if (known === undefined || known[1] !== hashSize)
    fail('hash-type', at + 36, `hashes of type ${hashType} and ${hashSize} bytes`);
  if (pageShift !== 0 && ((pageShift ?? 0) < 9 || (pageShift ?? 0) > 24))
    fail('page-size', at + 39, `pages of 2^${pageShift} bytes`);
  const claimed = new Claims(blob, at, headerSize);
  const identifier = claimed.text(word(20), 'identifier');
  const teamAt = version >= TEAM ? word(48) : 0;
  const teamId = teamAt === 0 ? undefined : claimed.text(teamAt, 'team');
  const [hashOffset, specialCount, pageCount] = [word(16), word(24), word(28)];
  if (specialCount > MAX_SPECIAL) fail('special-slots', at + 24, `${specialCount} special slots`);
  const size = known[1];
  claimed.range(hashOffset - specialCount * size, (specialCount + pageCount) * size, 'hashes');
  const special = new Map<number, Buffer>();
  for (let slot = 1; slot <= specialCount; slot++) {
    const hash = blob.subarray(hashOffset - slot * size, hashOffset - (slot - 1) * size);
    if (hash.some((byte) => byte !== 0)) special.set(slot, hash);
  }
  const scatterAt = version >= SCATTER ? word(44) : 0;
  if (scatterAt !== 0) {
    const scatter = scatterSize(blob, at, scatterAt);
    claimed.range(scatterAt, scatter, 'scatter vector');
    // no tool writes one, and no hash here is taken by it
    claimed.loosen(scatterAt, scatter);
  }
  const limit64 = version >= LIMIT_64 ? long(56) : 0n;
  const codeLimit = limit64 === 0n ? word(32) : Number(limit64);
  if (!Number.isSafeInteger(codeLimit)) fail('code-limit', at + 56, `limit ${limit64}`);
  const preEncryptAt = version >= RUNTIME ? word(92) : 0;
  if (preEncryptAt !== 0) claimed.range(preEncryptAt, pageCount * size, 'hashes before encryption');
  const [linkageAt, linkageSize] = version >= LINKAGE ? [word(100), word(104)] : [0, 0];
  if (linkageAt !== 0) {
    claimed.range(linkageAt, linkageSize, 'linkage hash');
    if (linkageSize > MAX_LINKAGE) claimed.loosen(linkageAt, linkageSize);
  }
  // reserved fields are zero
  if (word(40) !== 0) claimed.loosen(40, 4);
  if (version >= LIMIT_64 && word(52) !== 0) claimed.loosen(52, 4);
  return {
    version,
    flags: word(12),
    identifier,
    teamId,
    hash: known[0],
    hashSize: size,
    pageSize: pageShift === 0 ? 0 : 2 ** (pageShift ?? 0),
    codeLimit,
    platform: platform ?? 0,
    special,
    pages: blob.subarray(hashOffset, hashOffset + pageCount * size),
    pageCount,
    preEncryptPages:
      preEncryptAt === 0 ? undefined : blob.subarray(preEncryptAt, preEncryptAt + pageCount * size),
    execSegment: version >= EXEC_SEGMENT ? { base: long(64), limit: long(72), flags: long(80) } : undefined,
    runtime: version >= RUNTIME ? word(88) : undefined,
    loose: claimed.finish(),
  };
}

function headerOf(version: number): number {
  if (version >= LINKAGE) return 108;
  if (version >= RUNTIME) return 96;
  if (version >= EXEC_SEGMENT) return 88;
  if (version >= LIMIT_64) return 64;
  if (version >= TEAM) return 52;
  return version >= SCATTER ? 48 : 44;
}

/** Entries of 24 bytes up to one whose count is 0. */
function scatterSize(blob: Buffer, at: number, offset: number): number {
  for (let size = 24; size <= MAX_SCATTER; size += 24) {
    if (offset + size > blob.length) fail('scatter', at + offset, 'a scatter vector without end');
    if (blob.readUInt32BE(offset + size - 24) === 0) return size;
  }
  return fail('scatter', at + offset, `a scatter vector of more than ${MAX_SCATTER} bytes`);
}

/** Which bytes of the blob something reads. */
class Claims {
  readonly #blob: Buffer;
  readonly #at: number;
  readonly #ranges: { readonly offset: number; readonly size: number }[];
  readonly #loose: { readonly offset: number; readonly size: number }[] = [];

  constructor(blob: Buffer, at: number, headerSize: number) {
    this.#blob = blob;
    this.#at = at;
    this.#ranges = [{ offset: 0, size: headerSize }];
  }

  range(offset: number, size: number, what: string): void {
    if (offset < 0 || size < 0 || offset + size > this.#blob.length)
      fail(
        'directory-range',
        this.#at,
        `${what}: ${size} bytes at ${offset} of a directory of ${this.#blob.length}`,
      );
    this.#ranges.push({ offset, size });
  }

  text(offset: number, what: string): string {
    const end = this.#blob.indexOf(0, offset);
    if (end === -1 || offset >= this.#blob.length) fail('directory-range', this.#at, `no end of the ${what}`);
    this.range(offset, end + 1 - offset, what);
    return this.#blob.toString('utf8', offset, end);
  }

  loosen(offset: number, size: number): void {
    this.#loose.push({ offset, size });
  }

  finish(): readonly { readonly offset: number; readonly size: number }[] {
    let at = 0;
    for (const { offset, size } of this.#ranges.toSorted((a, b) => a.offset - b.offset)) {
      if (offset < at && size > 0)
        fail('directory-overlap', this.#at + offset, 'two parts of a directory share bytes');
      this.#gap(at, offset);
      at = Math.max(at, offset + size);
    }
    this.#gap(at, this.#blob.length);
    return this.#loose;
  }

  #gap(from: number, to: number): void {
    if (this.#blob.subarray(from, to).some((byte) => byte !== 0)) this.loosen(from, to - from);
  }
}
