// SPDX-License-Identifier: Apache-2.0
/**
 * Whether a Mach-O file is what its signature says: page hashes against the file, slots against the parts of the signature
 * and files of the bundle. Pages of programs from the store are hashed as they are encrypted: the kernel validates a page
 * and decrypts it then (apple_protect_pager_data_request).
 * https://github.com/apple-oss-distributions/xnu/blob/main/osfmk/vm/vm_apple_protect.c
 */
import { createHash } from 'node:crypto';
import { ForwardReader, SliceSource, type ByteSource } from '../bytes.js';
import type { CodeDirectory, CodeHash } from './code-directory.js';
import { readCodeSignature, type CodeSignature, type SignatureLoose } from './code-signature.js';
import { checkSignatureCms, type CmsCheck } from './code-signature-cms.js';
import { isPlausibleRange } from './macho-encryption.js';
import type { MachOFile } from './macho.js';

export type SignatureIssueCode =
  | SignatureLoose['code']
  | 'signature-place'
  | 'code-limit'
  | 'page-count'
  | 'page-hash'
  | 'hash-of-ciphertext'
  | 'slot-hash'
  | 'slot-missing'
  | 'slot-uncovered'
  | 'directories-disagree';

export interface CodeSignatureIssue {
  readonly code: SignatureIssueCode;
  /** `fails`: the file is not what was signed. `loose`: bytes that nothing determines. `ciphertext`: see above. */
  readonly effect: 'fails' | 'loose' | 'ciphertext';
  readonly offset: number;
  readonly message: string;
}

/** Content of a file that a slot is about; `undefined`: it is not at hand. */
export type SlotContent = (slot: number) => Buffer | 'absent' | undefined;

export interface CodeSignatureCheck {
  readonly signature: CodeSignature;
  readonly issues: readonly CodeSignatureIssue[];
  readonly cms: CmsCheck;
  /** Slots that are filled and that nobody could check here. */
  readonly unchecked: readonly number[];
  readonly pages: { readonly checked: number; readonly failed: number; readonly ciphertext: number };
}

const SLOTS_INSIDE: ReadonlySet<number> = new Set([2, 5, 7, 8, 9, 10, 11]);
const INFO_PLIST = 1;
const CODE_RESOURCES = 3;
const MAX_ISSUES = 50;

const NAMES: Readonly<Record<CodeHash, string>> = {
  sha1: 'sha1',
  sha256: 'sha256',
  'sha256-truncated': 'sha256',
  sha384: 'sha384',
};

/** `source`: one architecture that has a signature. @throws FormatError `code-signature/…` */
export function checkCodeSignature(
  source: ByteSource,
  file: MachOFile,
  content: SlotContent = () => undefined,
): CodeSignatureCheck | undefined {
  const { signature: range } = file;
  if (range === undefined) return undefined;
  const signature = readCodeSignature(new SliceSource(source, range.offset, range.size));
  const issues: CodeSignatureIssue[] = [];
  const add = (
    code: SignatureIssueCode,
    effect: CodeSignatureIssue['effect'],
    offset: number,
    message: string,
  ): void => {
    if (issues.length < MAX_ISSUES) issues.push({ code, effect, offset, message });
  };
  for (const { code, offset, size } of signature.loose)
    add(code, 'loose', range.offset + offset, `${size} bytes that are of no part of the signature`);
  if (range.offset + range.size !== source.size)
    add('signature-place', 'loose', range.offset, `the signature ends before the file does`);
  const unchecked = new Set<number>();
  let [checked, failed, ciphertext] = [0, 0, 0];
  for (const { blob, directory } of signature.directories) {
    const at = range.offset + blob.offset;
    if (directory.codeLimit !== range.offset)
      add(
        'code-limit',
        'fails',
        at + 32,
        `limit ${directory.codeLimit}, the signature is at ${range.offset}`,
      );
    for (const slot of checkSlots(signature, directory, content, at, add)) unchecked.add(slot);
    const pages = checkPages(source, file, directory, at, add);
    checked += pages.checked;
    failed += pages.failed;
    ciphertext += pages.ciphertext;
  }
  checkAgreement(signature, range.offset, add);
  return {
    signature,
    issues,
    cms: checkSignatureCms(signature),
    unchecked: [...unchecked].sort((a, b) => a - b),
    pages: { checked, failed, ciphertext },
  };
}

type Add = (
  code: SignatureIssueCode,
  effect: CodeSignatureIssue['effect'],
  offset: number,
  message: string,
) => void;

export function digestOf(hash: CodeHash, size: number, bytes: Buffer): Buffer {
  return createHash(NAMES[hash]).update(bytes).digest().subarray(0, size);
}

/** Slots that were filled and not checked. */
function checkSlots(
  signature: CodeSignature,
  directory: CodeDirectory,
  content: SlotContent,
  at: number,
  add: Add,
): number[] {
  const unchecked: number[] = [];
  const blobs = new Map(signature.blobs.map((blob) => [blob.slot, blob.bytes]));
  for (const [slot, hash] of directory.special) {
    const bytes = SLOTS_INSIDE.has(slot) ? (blobs.get(slot) ?? 'absent') : content(slot);
    if (bytes === undefined) unchecked.push(slot);
    else if (bytes === 'absent') add('slot-missing', 'fails', at, `slot ${slot} is hashed and not there`);
    else if (!digestOf(directory.hash, directory.hashSize, bytes).equals(hash))
      add('slot-hash', 'fails', at, `slot ${slot} has another ${directory.hash}`);
  }
  for (const { slot, kind } of signature.blobs)
    if (SLOTS_INSIDE.has(slot) && !directory.special.has(slot))
      add('slot-uncovered', 'loose', at, `${kind} in slot ${slot} that no hash covers`);
  for (const slot of [INFO_PLIST, CODE_RESOURCES])
    if (!directory.special.has(slot) && content(slot) instanceof Buffer)
      add('slot-uncovered', 'loose', at, `a file for slot ${slot} that no hash covers`);
  return unchecked;
}

function checkPages(
  source: ByteSource,
  file: MachOFile,
  directory: CodeDirectory,
  at: number,
  add: Add,
): CodeSignatureCheck['pages'] {
  const { hash, hashSize, pages, pageCount } = directory;
  // other ranges are none that the store would have encrypted
  const encryption = isPlausibleRange(file) ? file.encryption : undefined;
  const limit = Math.min(directory.codeLimit, source.size);
  const pageSize = directory.pageSize === 0 ? limit : directory.pageSize;
  const expected = pageSize === 0 ? 0 : Math.ceil(limit / pageSize);
  if (pageCount !== expected) {
    add('page-count', 'fails', at + 28, `${pageCount} page hashes, ${expected} pages`);
    return { checked: 0, failed: expected, ciphertext: 0 };
  }
  const reader = new ForwardReader(source);
  let [failed, ciphertext, told, toldCiphertext] = [0, 0, 0, 0];
  for (let page = 0; page < pageCount; page++) {
    const start = page * pageSize;
    const size = Math.min(pageSize, limit - start);
    if (
      hashRange(reader, hash, start, size, hashSize).equals(
        pages.subarray(page * hashSize, (page + 1) * hashSize),
      )
    )
      continue;
    // one that was decrypted is hashed as it was before
    const wasEncrypted =
      encryption !== undefined &&
      encryption.id === 0 &&
      start >= encryption.offset &&
      start + size <= encryption.offset + encryption.size;
    if (wasEncrypted) {
      ciphertext++;
      if (toldCiphertext++ === 0)
        add(
          'hash-of-ciphertext',
          'ciphertext',
          start,
          `page ${page} is not what was signed; it was encrypted then`,
        );
    } else {
      failed++;
      if (told++ < 3) add('page-hash', 'fails', start, `page ${page} has another ${hash}`);
    }
  }
  return { checked: pageCount, failed, ciphertext };
}

const PIECE = 1 << 20;

function hashRange(
  reader: ForwardReader,
  hash: CodeHash,
  start: number,
  size: number,
  hashSize: number,
): Buffer {
  const sum = createHash(NAMES[hash]);
  for (let done = 0; done < size; done += PIECE)
    sum.update(reader.read(start + done, Math.min(PIECE, size - done)));
  return sum.digest().subarray(0, hashSize);
}

/** Kernels take the directory whose hash they like best: what they say besides hashes must be the same. */
function checkAgreement({ directories }: CodeSignature, base: number, add: Add): void {
  const [first, ...others] = directories;
  if (first === undefined) return;
  const said = ({
    flags,
    identifier,
    teamId,
    codeLimit,
    execSegment,
    runtime,
    platform,
  }: CodeDirectory): string =>
    JSON.stringify([flags, identifier, teamId, codeLimit, execSegment?.flags.toString(), runtime, platform]);
  for (const { blob, directory } of others)
    if (said(directory) !== said(first.directory))
      add('directories-disagree', 'loose', base + blob.offset, 'two directories that say different things');
}
