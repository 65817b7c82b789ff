// SPDX-License-Identifier: Apache-2.0
/** Code transparency of the files that are installed together: whether their code is what the developer signed. */
import { sha256, type ByteSource } from '../../bytes.js';
import {
  APK_TRANSPARENCY,
  BUNDLE_TRANSPARENCY,
  checkApkCode,
  checkBundleCode,
  MAX_TRANSPARENCY,
  readCodeTransparency,
  TRANSPARENCY_ISSUES,
  type FoundCode,
  type TransparencyIssue,
} from '../../formats/code-transparency.js';
import type { ZipEntry, ZipStructure } from '../../formats/zip.js';
import { printable, printableBytes } from '../../printable.js';
import { entryContent, heldContent } from '../one-file.js';
import type { Walk } from '../walk.js';
import type { ExtraSignature } from './types.js';

export interface OpenArchive {
  readonly name: string;
  readonly source: ByteSource;
  readonly zip: ZipStructure;
  readonly isBundle: boolean;
}

const APK_CODE = /\.(?:dex|so)$/;
const BUNDLE_CODE = /^[^/]+\/(?:dex\/|lib\/.*\.so$)/;
const SHOWN = 50;

const nameOf = (entry: ZipEntry): string => entry.rawName.toString('utf8');

/** `undefined` where none of the files has it. */
export async function inspectTransparency(
  walk: Walk,
  archives: readonly OpenArchive[],
): Promise<ExtraSignature | undefined> {
  let issues: TransparencyIssue[] = [];
  let jwt: Buffer | undefined;
  let isBundle = false;
  for (const archive of archives) {
    const name = archive.isBundle ? BUNDLE_TRANSPARENCY : APK_TRANSPARENCY;
    for (const entry of archive.zip.entries) {
      if (nameOf(entry) !== name) continue;
      const bytes = await heldContent(entryContent(walk, archive.source, entry, MAX_TRANSPARENCY));
      if (typeof bytes === 'string')
        issues.push({ code: 'transparency-malformed', message: `${archive.name}: ${bytes}` });
      else if (jwt !== undefined && !jwt.equals(bytes))
        issues.push({ code: 'transparency-copies-differ', message: archive.name });
      else {
        jwt = bytes;
        ({ isBundle } = archive);
      }
    }
  }
  if (jwt === undefined) return issues.length === 0 ? undefined : shown(issues, {});
  const transparency = readCodeTransparency(jwt);
  let code: FoundCode[] = [];
  for (const archive of archives)
    if (archive.isBundle === isBundle) code = code.concat(await codeOf(walk, archive));
  const check = isBundle ? checkBundleCode : checkApkCode;
  // as many as the signer likes: more than a call may have arguments
  issues = issues.concat(transparency.issues, check(transparency, code));
  const { certificate } = transparency;
  return shown(issues, {
    ...(certificate === undefined
      ? {}
      : {
          certificateSha256: certificate.sha256,
          subject: printable(certificate.subject),
          keyType: certificate.keyType,
          keyBits: certificate.keyBits,
        }),
    facts: { signed: `${transparency.files.length} files`, checked: `${code.length} files` },
  });
}

function shown(issues: readonly TransparencyIssue[], known: Partial<ExtraSignature>): ExtraSignature {
  const effects = new Set(issues.map(({ code }) => TRANSPARENCY_ISSUES[code].effect));
  const kept = issues
    .slice(0, SHOWN)
    .map(({ code, message }) => ({ code, message: printable(message).slice(0, 1000) }));
  return {
    status: effects.has('invalid') ? 'invalid' : effects.has('open') ? 'unchecked' : 'verified',
    facts: {},
    ...known,
    issues: kept,
  };
}

async function codeOf(walk: Walk, { source, zip, isBundle }: OpenArchive): Promise<FoundCode[]> {
  const found: FoundCode[] = [];
  let room = walk.options.limits.decodedBytes;
  for (const entry of zip.entries) {
    const name = nameOf(entry);
    if (!(isBundle ? BUNDLE_CODE : APK_CODE).test(name)) continue;
    walk.checkAborted();
    // a name that is no text cannot have been signed, and must not be taken for one that was
    const shownName = entry.rawName.equals(Buffer.from(name)) ? name : printableBytes(entry.rawName);
    const fits = entry.size <= room;
    if (fits) room -= entry.size;
    const content = fits
      ? await entryContent(walk, source, entry, walk.options.limits.memberBytes)
      : undefined;
    if (content === undefined || content.kind === 'unread') {
      found.push({ name: shownName });
      continue;
    }
    try {
      found.push({ name: shownName, sha256: sha256(content.source) });
    } finally {
      content.close();
    }
  }
  return found;
}
