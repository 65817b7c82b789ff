// SPDX-License-Identifier: Apache-2.0
/**
 * v4 signatures among the files of a set: `app.apk.idsig` beside `app.apk` is part of the signature of that APK, and has no
 * rebuilt twin by nature. A published one that was verified needs none; a rebuilt one is ours, and only has to be read.
 * https://source.android.com/docs/security/features/apksigning/v4
 */
import { sha256, type ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import { readSigningBlock, type SigningBlock } from '../formats/apk-signing-block.js';
import { checkIdsig, type IdsigCheck } from '../formats/idsig.js';
import { readZip, type ZipStructure } from '../formats/zip.js';
import { printable } from '../printable.js';
import type { IdsigRecord } from './types.js';

export const IDSIG = '.idsig';

/** What is called as the v4 signature of another file among these, and that file. */
export function idsigsAmong<File extends { readonly name: string }>(
  files: readonly File[],
): readonly { readonly idsig: File; readonly apk: File }[] {
  const byName = new Map(files.map((file) => [file.name, file]));
  return files.flatMap((idsig) => {
    const apk = idsig.name.endsWith(IDSIG) ? byName.get(idsig.name.slice(0, -IDSIG.length)) : undefined;
    return apk === undefined ? [] : [{ idsig, apk }];
  });
}

/** `undefined` beside what is no archive: a file like any other. `name` and `apk`: what the report calls them. */
export function checkedBeside(
  { name, source }: { readonly name: string; readonly source: ByteSource },
  apk: { readonly name: string; readonly source: ByteSource },
): IdsigRecord | undefined {
  const found = checkOf(source, apk.source);
  if (found === undefined) return undefined;
  const { status, signers, tree, issues } = found;
  return {
    name,
    size: source.size,
    sha256: sha256(source),
    apk: apk.name,
    status,
    signers: signers.map(({ scheme, certificate }) => ({ scheme, certificateSha256: certificate.sha256 })),
    tree,
    issues: issues.map(({ code, message, offset }) => ({ code, message: printable(message), offset })),
  };
}

/** Of the rebuilt side: taken apart to its last byte, whoever signed what. */
export function isReadIdsig(idsig: ByteSource, apk: ByteSource): boolean {
  const codes = checkOf(idsig, apk)?.issues.map(({ code }) => code);
  return codes !== undefined && !codes.includes('idsig-malformed') && !codes.includes('idsig-trailing-bytes');
}

function checkOf(idsig: ByteSource, apk: ByteSource): IdsigCheck | undefined {
  let zip: ZipStructure;
  try {
    zip = readZip(apk);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
  return checkIdsig(idsig, apk, blockOf(apk, zip));
}

/** What is wrong with it is told of the APK itself. */
function blockOf(apk: ByteSource, { centralDirectory }: ZipStructure): SigningBlock | undefined {
  try {
    return readSigningBlock(apk, centralDirectory.offset);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
