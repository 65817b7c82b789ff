// SPDX-License-Identifier: Apache-2.0
/** What an archive is to Android, whatever it is called. */
import type { ZipStructure } from '../formats/zip.js';

export type ArchiveKind = 'apk' | 'aab' | 'zip';

/** What archives of APKs are called. */
export const ARCHIVE_NAME = /\.(?:apks|xapk|apkm)$/i;
const APK = /\.apk$/i;

export function kindOfArchive({ entries }: ZipStructure): ArchiveKind {
  const has = (name: string): boolean => entries.some(({ rawName }) => rawName.toString('latin1') === name);
  return has('AndroidManifest.xml') ? 'apk' : has('BundleConfig.pb') ? 'aab' : 'zip';
}

export function isNamedApk(name: string): boolean {
  return APK.test(name);
}

/** `.apks`, `.xapk`, `.apkm`: APKs in an archive. An APK is none, whatever it carries along. */
export function isArchiveOfApks(zip: ZipStructure): boolean {
  return (
    zip.entries.some(({ rawName }) => isNamedApk(rawName.toString('latin1'))) && kindOfArchive(zip) === 'zip'
  );
}
