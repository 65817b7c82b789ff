// SPDX-License-Identifier: Apache-2.0
/**
 * A Debian package by its parts: the control paragraph, and the members of its data archive.
 * https://manpages.debian.org/bookworm/dpkg-dev/deb.5.en.html
 */
import { SliceSource, type ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import { readAr, type ArMember } from '../formats/ar.js';
import { parseParagraph, type Paragraph } from '../formats/deb822.js';
import { TarReader } from '../formats/tar.js';
import { decodedContent, type Content } from './one-file.js';
import type { Walk } from './walk.js';

const MAX_CONTROL_ARCHIVE = 64 << 20;
const MAX_CONTROL = 4 << 20;
const REGULAR = '0';

/** By content: an ar archive whose first member says so. */
export function isDeb(source: ByteSource): boolean {
  return source.size >= 68 && source.read(0, 21).toString('latin1') === '!<arch>\ndebian-binary';
}

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('deb', code, offset, message);
}

/** Exactly one member of that name, compressed or not: two readers could take another one each. */
function archiveOf(source: ByteSource, name: 'control' | 'data'): ArMember {
  const pattern = new RegExp(`^${name}\\.tar(\\.(gz|xz|zst))?$`);
  const [first, second] = readAr(source).members.filter((member) =>
    pattern.test(member.name.toString('latin1')),
  );
  if (first === undefined) fail(`no-${name}`, 0, `no ${name} archive`);
  if (second !== undefined) fail(`second-${name}`, second.data.offset, `a second ${name} archive`);
  return first;
}

async function open(
  walk: Walk,
  source: ByteSource,
  name: 'control' | 'data',
  maxBytes: number,
): Promise<Content> {
  const { data } = archiveOf(source, name);
  return await decodedContent(walk, new SliceSource(source, data.offset, data.size), maxBytes);
}

/** @throws FormatError when there is not exactly one paragraph that is read to its end */
export async function readControl(walk: Walk, source: ByteSource): Promise<Paragraph> {
  const archive = await open(walk, source, 'control', MAX_CONTROL_ARCHIVE);
  if (archive.kind === 'unread')
    fail('control-unread', 0, `the control archive does not decode: ${archive.code}`);
  try {
    let text: Buffer | undefined;
    for (const { name, type, data } of new TarReader(archive.source)) {
      if (plainName(name) !== 'control') continue;
      if (text !== undefined) fail('second-control', data.offset, 'a second control file');
      if (type !== REGULAR || data.size > MAX_CONTROL)
        fail('control-type', data.offset, `control file of type ${type} with ${data.size} bytes`);
      text = Buffer.from(archive.source.read(data.offset, data.size));
    }
    if (text === undefined) fail('no-control', 0, 'no control file in the control archive');
    return parseParagraph(utf8(text).replace(/\n{1,16}$/, ''));
  } finally {
    archive.close();
  }
}

function utf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return fail('control-encoding', 0, 'the control file is not UTF-8');
  }
}

/** As dpkg installs it: without the leading `./`. */
function plainName(name: Buffer): string {
  const text = name.toString('latin1');
  return text.startsWith('./') ? text.slice(2) : text;
}

export interface DebFile {
  /** Raw bytes as characters. */
  readonly name: string;
  readonly source: ByteSource;
}

/**
 * Each regular file of the data archive in turn; its bytes are there until the next one is asked for.
 * @throws FormatError
 */
export async function* dataFiles(walk: Walk, source: ByteSource, maxBytes: number): AsyncGenerator<DebFile> {
  const archive = await open(walk, source, 'data', maxBytes);
  if (archive.kind === 'unread') fail('data-unread', 0, `the data archive does not decode: ${archive.code}`);
  try {
    for (const { name, type, data } of new TarReader(archive.source))
      if (type === REGULAR)
        yield { name: plainName(name), source: new SliceSource(archive.source, data.offset, data.size) };
  } finally {
    archive.close();
  }
}
