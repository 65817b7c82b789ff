// SPDX-License-Identifier: Apache-2.0
/**
 * One gzip member. The deflate stream inside is walked, so that its end is known and not guessed.
 * https://www.rfc-editor.org/rfc/rfc1952
 */
import { crc32 } from 'node:zlib';
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import { deflateIssues, DeflateWalker, type DeflateInfo, type DeflateIssue } from './deflate.js';
import type { Region } from './region.js';

export interface GzipMember {
  /** Seconds since the epoch; 0 when the writer did not say. */
  readonly mtime: number;
  /** XFL: 2 and 4 are the slowest and the fastest level of deflate. */
  readonly extraFlags: number;
  readonly os: number;
  readonly name: Buffer | undefined;
  readonly comment: Buffer | undefined;
  readonly payload: Region;
  readonly deflate: DeflateInfo;
  /** As stated; it takes decoding to verify it. The size beside it was verified. */
  readonly crc32: number;
  readonly decodedSize: number;
  /** Of the member; what follows is `gzip/trailing`, be it zeros, a second member or anything else. */
  readonly size: number;
  readonly regions: readonly Region[];
}

// 2.3.1
const FLAG_HEADER_CRC = 2;
const FLAG_EXTRA = 4;
const FLAG_NAME = 8;
const FLAG_COMMENT = 16;
const FLAGS_RESERVED = 0xe0;
const FIXED_SIZE = 10;
const CHUNK = 1 << 20;
/** Name and comment end with a zero byte; nobody has longer ones. */
const MAX_TEXT = 1 << 16;

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('gzip', code, offset, message);
}

function take(source: ByteSource, at: number, size: number): Buffer {
  if (at + size > source.size) fail('truncated', at, `${size} bytes expected; ${source.size - at} are left`);
  return Buffer.from(source.read(at, size));
}

/** Text up to its zero byte, which is not part of it. */
function takeText(source: ByteSource, at: number): Buffer {
  const bytes = source.read(at, Math.min(MAX_TEXT, source.size - at));
  const end = bytes.indexOf(0);
  if (end < 0 && bytes.length === MAX_TEXT)
    fail('text-too-long', at, `a text of more than ${MAX_TEXT} bytes`);
  if (end < 0) fail('truncated', at, 'a text without end');
  return Buffer.from(bytes.subarray(0, end));
}

function walkPayload(source: ByteSource, start: number): DeflateInfo {
  const walker = new DeflateWalker();
  try {
    for (let at = start; at < source.size && !walker.done; at += CHUNK)
      walker.push(source.read(at, Math.min(CHUNK, source.size - at)));
    return walker.finish();
  } catch (cause) {
    if (!(cause instanceof FormatError) || cause.format !== 'deflate') throw cause;
    throw new FormatError('gzip', 'payload', start + cause.offset, cause.message, { cause });
  }
}

/** @throws FormatError `gzip/…` */
export function readGzip(source: ByteSource): GzipMember {
  const header = source.read(0, Math.min(FIXED_SIZE, source.size));
  if (header[0] !== 0x1f || header[1] !== 0x8b) fail('magic', 0, 'no gzip member');
  const [, , method, flags = 0] = take(source, 0, FIXED_SIZE);
  if (method !== 8) fail('method', 2, `compression method ${method}, expected 8`);
  if ((flags & FLAGS_RESERVED) !== 0) fail('flags', 3, `reserved flags 0x${flags.toString(16)}`);

  const regions: Region[] = [];
  let at = 0;
  const push = (kind: string, size: number): Region => {
    const region = { offset: at, size, kind };
    regions.push(region);
    at += size;
    return region;
  };
  push('gzip/magic', 2);
  push('gzip/method', 1);
  push('gzip/flags', 1);
  const mtime = take(source, at, 4).readUInt32LE();
  push('gzip/mtime', 4);
  const [extraFlags = 0, os = 0] = take(source, at, 2);
  push('gzip/extra-flags', 1);
  push('gzip/os', 1);
  if ((flags & FLAG_EXTRA) !== 0) {
    const size = 2 + take(source, at, 2).readUInt16LE();
    take(source, at, size);
    push('gzip/extra', size);
  }
  const name = (flags & FLAG_NAME) === 0 ? undefined : takeText(source, at);
  if (name !== undefined) push('gzip/name', name.length + 1);
  const comment = (flags & FLAG_COMMENT) === 0 ? undefined : takeText(source, at);
  if (comment !== undefined) push('gzip/comment', comment.length + 1);
  if ((flags & FLAG_HEADER_CRC) !== 0) {
    const stated = take(source, at, 2).readUInt16LE();
    const actual = crc32(source.read(0, at)) & 0xffff;
    if (stated !== actual) fail('header-crc16', at, `header CRC ${stated}, the bytes give ${actual}`);
    push('gzip/header-crc16', 2);
  }

  const deflate = walkPayload(source, at);
  const payload = push('gzip/data', deflate.endOffset);
  const trailer = take(source, at, 8);
  const size = trailer.readUInt32LE(4);
  if (size !== deflate.decodedSize % 2 ** 32)
    fail('size', at + 4, `stated size ${size}, the content has ${deflate.decodedSize} bytes`);
  push('gzip/crc32', 4);
  push('gzip/size', 4);
  const end = at;
  if (end < source.size) push('gzip/trailing', source.size - end);
  const { decodedSize } = deflate;
  return {
    mtime,
    extraFlags,
    os,
    name,
    comment,
    payload,
    deflate,
    crc32: trailer.readUInt32LE(0),
    decodedSize,
    size: end,
    regions,
  };
}

/** What an encoder nobody named must not leave behind; no issue, no room. */
export type GzipIssue = DeflateIssue | 'trailing';

export function gzipIssues(member: GzipMember, sourceSize: number): readonly GzipIssue[] {
  const issues: GzipIssue[] = [...deflateIssues(member.deflate, member.payload.size, member.decodedSize)];
  if (member.size !== sourceSize) issues.push('trailing');
  return issues;
}
