// SPDX-License-Identifier: Apache-2.0
import { BufferSource, type ByteSource } from '../../bytes.js';
import { readBundleInfo } from '../../formats/bundle-info.js';
import { plistAt, plistString, readPlist, type PlistValue } from '../../formats/plist.js';
import type { ZipStructure } from '../../formats/zip.js';
import { isPlainRecord, zipEntryContent } from '../zip/entry-content.js';
import { unlessMalformed } from './malformed.js';
import type { Rule } from './rule.js';

const LIMIT = 256 << 10;
const SMALL = 4 << 10;
const MAX_INFO = 1 << 20;
const APP_INFO = /^Payload\/[^/]+\.app\/Info\.plist$/;

type Check = (content: Buffer, source: ByteSource, zip: ZipStructure) => boolean;

/** By the whole name: all of them lie beside the app, and no system installs them with it. */
const FILES: ReadonlyMap<string, readonly [limit: number, check: Check]> = new Map<
  string,
  readonly [number, Check]
>([
  ['iTunesMetadata.plist', [LIMIT, isSale]],
  ['META-INF/com.apple.ZipMetadata.plist', [SMALL, isSummary]],
  // no specification; installers of others write and know it by this
  [
    'META-INF/com.apple.FixedZipMetadata.bin',
    [SMALL, (content) => content.toString('latin1', 0, 4) === 'MdFx'],
  ],
]);

export const appstoreMetadata: Rule = {
  class: 'store-edit',
  title: 'What the App Store says of a sale and of the archive',
  reason:
    'beside the app the App Store, or who downloads from it, puts what was sold to which account, and totals of the archive; neither is installed with the app',
  reference: 'https://github.com/majd/ipatool/blob/main/pkg/appstore/appstore_download.go',
  coversEntry(source, entry, _, zip) {
    const [limit, check] = FILES.get(entry.rawName.toString('latin1')) ?? [];
    if (limit === undefined || check === undefined || entry.size > limit) return false;
    if (!isPlainRecord(source, entry)) return false;
    const content = zipEntryContent(source, entry, limit);
    return content !== undefined && unlessMalformed(() => check(content, source, zip));
  },
};

/** A property list without a byte beside its values, about an item of the store that is this app. @throws FormatError */
function isSale(content: Buffer, source: ByteSource, zip: ZipStructure): boolean {
  const { root, findings } = readPlist(new BufferSource(content));
  const identifier = plistString(root, 'softwareVersionBundleId');
  return (
    findings.length === 0 &&
    plistAt(root, 'itemId')?.kind === 'integer' &&
    identifier !== undefined &&
    identifier === identifierOf(source, zip)
  );
}

/** @throws FormatError */
function identifierOf(source: ByteSource, { entries }: ZipStructure): string | undefined {
  const [entry, ...others] = entries.filter(({ rawName }) => APP_INFO.test(rawName.toString('latin1')));
  const content =
    entry === undefined || others.length > 0 ? undefined : zipEntryContent(source, entry, MAX_INFO);
  return content && readBundleInfo(new BufferSource(content)).info.identifier;
}

const UUID = /^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/;
const isInteger = ({ kind }: PlistValue): boolean => kind === 'integer';
/** https://github.com/danielpaulus/go-ios/blob/main/ios/zipconduit/plists.go, and what Apple's own packer adds. */
const SUMMARY: Readonly<Record<string, (value: PlistValue) => boolean>> = {
  RecordCount: isInteger,
  StandardDirectoryPerms: isInteger,
  StandardFilePerms: isInteger,
  TotalUncompressedBytes: isInteger,
  Version: isInteger,
  CreatorToolCommandLine: ({ kind }) => kind === 'string',
  CreatorToolUUID: (value) => value.kind === 'string' && UUID.test(value.value),
};

/** Totals, and nothing else. @throws FormatError */
function isSummary(content: Buffer): boolean {
  const { root, findings } = readPlist(new BufferSource(content));
  return (
    findings.length === 0 &&
    root.kind === 'dict' &&
    root.entries.every(({ key, value }) => Object.hasOwn(SUMMARY, key) && SUMMARY[key]?.(value) === true)
  );
}
